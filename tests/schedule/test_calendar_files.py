"""What a schedule file may say of the calendar, of dayparts and of single items, and what it may not."""

from __future__ import annotations

from datetime import date

import pytest
from schedule_doubles import written

from radio.errors import ScheduleError
from radio.schedule.model import OnOverrun, OnReturn, Rules
from radio.schedule.recurrence import Freq

CLOCK = '[clocks.hour]\npositions = [{ rotate = ["music"] }]\n'


def show(airs: str, more: str = "", id_: str = "one") -> str:
    return f'[[programmes]]\nid = "{id_}"\ntitle = "{id_.title()}"\n{more}airs = [{airs}]\n'


NINE = '{ days = "mon", from = "09:00", to = "11:00" }'
RULE = '{ rule = "FREQ=WEEKLY;BYDAY=MO", first = 2026-11-02, from = "10:00", to = "12:00" }'


def test_what_is_written_is_what_is_read() -> None:
    schedule = written(
        CLOCK
        + """
        [dayparts.drive]
        days = "mon-fri"
        from = "06:00"
        to = "10:00"
        [dayparts.late]
        from = "22:00"
        to = "02:00"
        [categories.gold]
        folders = ["music"]
        [categories.current]
        folders = ["music"]
        album_separation_min = 90
        title_floor_min = 30
        same_hour_days = 1
        max_per_day = 4
        dayparts = ["drive"]
        hard = ["artist", "same-hour"]
        else = "gold"
        [[grid]]
        daypart = "drive"
        clock = "hour"
        [[grid]]
        days = "sat,sun"
        hours = "0-23"
        clock = "hour"
        [[item_rules]]
        items = ["music/snow"]
        first = 2026-12-01
        last = 2026-12-26
        [[item_rules]]
        where = "explicit:yes"
        dayparts = ["late"]
        """
        + show(
            RULE, 'on_return = "resume"\non_overrun = "finish"\noverrun_max = "2:00"\nearly_end = ["gold"]\n'
        )
    )
    category, programme = schedule.categories["current"], schedule.programmes[0]
    assert (category.album_separation_ms, category.title_floor_ms) == (5_400_000, 1_800_000)
    assert (category.hard, category.otherwise) == ((Rules.ARTIST, Rules.SAME_HOUR), "gold")
    assert sum(clock is not None for clock in schedule.grid) == 5 * 4 + 2 * 24
    assert schedule.dayparts["late"].to_ms == 26 * 3_600_000
    assert [rule.last for rule in schedule.item_rules] == [date(2026, 12, 26), None]
    rule = programme.airs[0].rule
    assert rule is not None
    assert (rule.freq, rule.start) == (Freq.WEEKLY, date(2026, 11, 2))
    assert (programme.on_return, programme.on_overrun) == (OnReturn.RESUME, OnOverrun.FINISH)


DATES = ", ".join(["2026-11-02"] * 1_001)


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        (show('{ from = "09:00", to = "10:00" }'), 4, "programmes[1].airs[1]", "one of days, rule, dates"),
        (
            show('{ days = "mon", dates = [2026-11-02], from = "09:00", to = "10:00" }'),
            4,
            "programmes[1].airs[1]",
            "has days and dates",
        ),
        (
            show('{ rule = "FREQ=DAILY", from = "09:00", to = "10:00" }'),
            4,
            "programmes[1].airs[1].rule",
            "needs a first day",
        ),
        (
            show('{ rule = "FREQ=MINUTELY", first = 2026-11-02, from = "09:00", to = "10:00" }'),
            4,
            "programmes[1].airs[1].rule",
            "use a clock for that",
        ),
        (
            show('{ rule = "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", first = 2026-11-02, from = "09:00", to = "10:00" }'),
            4,
            "programmes[1].airs[1].rule",
            "is met by no date",
        ),
        (
            show('{ days = "mon", first = 2026-12-01, last = 2026-11-01, from = "09:00", to = "10:00" }'),
            4,
            "programmes[1].airs[1].last",
            "before the first day",
        ),
        (
            show(f'{{ days = "mon", from = "09:00", to = "10:00", except = [{DATES}] }}'),
            4,
            "programmes[1].airs[1].except",
            "<= 1000",
        ),
        (
            show(NINE) + show(RULE, id_="two"),
            8,
            "programmes[2].airs[1]",
            '"Two" overlaps "One" (line 4) on 2026-11-02 10:00 to 11:00',
        ),
        (
            show(NINE, "changes = [{ on = 2026-11-03, cancel = true }]\n"),
            4,
            "programmes[1].changes[1].on",
            "does not air on 2026-11-03",
        ),
        (
            show(f'{NINE}, {{ days = "mon", from = "15:00", to = "16:00" }}',
                 "changes = [{ on = 2026-11-02, cancel = true }]\n"),
            4,
            "programmes[1].changes[1].on",
            'at = "09:00:00" or "15:00:00"',
        ),
        (
            show(NINE, 'changes = [{ on = 2026-11-02, cancel = true, from = "10:00" }]\n'),
            4,
            "programmes[1].changes[1].cancel",
            "goes with no new time",
        ),
        (
            show(NINE, "changes = [{ on = 2026-11-02 }, { on = 2026-11-02 }]\n"),
            4,
            "programmes[1].changes[2].on",
            "changed twice",
        ),
        (show(NINE, 'on_return = "later"\n'), 4, "programmes[1].on_return", "later"),
        (show(NINE, 'overrun_max = "300:00"\n'), 4, "programmes[1].overrun_max", "up to 240:00"),
        (show(NINE, 'early_end = ["musik"]\n'), 4, "programmes[1].early_end", "Did you mean `music`?"),
        (
            '[categories.a]\nfolders = ["music"]\nelse = "b"\n[categories.b]\nelse = "a"\n',
            3,
            "categories.a.else",
            "leads in a circle: a, b, a",
        ),
        ('[categories.a]\nelse = "a"\n', 2, "categories.a.else", "leads in a circle"),
        ('[categories.a]\nhard = ["tempo"]\n', 2, "categories.a.hard[1]", "tempo"),
        ('[categories.a]\ndayparts = ["drive"]\n', 2, "categories.a.dayparts", "there is no daypart"),
        (
            CLOCK + '[[grid]]\ndays = "mon"\nhours = "6-9"\nclock = "hour"\n'
            '[[grid]]\ndays = "mon"\nhours = "9"\nclock = "hour"\n',
            7,
            "grid[2]",
            "names Mon 09:00 a second time (line 3)",
        ),
        (CLOCK + '[[grid]]\nclock = "hour"\n', 3, "grid[1]", "does not say when"),
        (CLOCK + '[[grid]]\nhours = "24"\nclock = "hour"\n', 4, "grid[1].hours", "0 to 23"),
        (
            CLOCK + '[dayparts.odd]\nfrom = "06:30"\nto = "09:00"\n[[grid]]\ndaypart = "odd"\nclock = "hour"\n',
            7,
            "grid[1].daypart",
            "not of whole hours",
        ),
        ('[[item_rules]]\ndo_not_play = true\n', 1, "item_rules[1]", "names no items"),
        ('[[item_rules]]\nitems = ["music/a"]\n', 1, "item_rules[1]", "rules nothing"),
        ('[[item_rules]]\nwhere = "gnere:x"\ndo_not_play = true\n', 2, "item_rules[1].where", "`genre`"),
        (
            '[clocks.a]\npositions = [{ episode = "x", stream = "y" }]\n',
            2,
            "clocks.a.positions[1]",
            "has episode and stream",
        ),
        (
            '[clocks.a]\npositions = [{ stream = "net", length = "61:00" }]\n',
            2,
            "clocks.a.positions[1].length",
            "0:01 to 60:00",
        ),
        (
            '[clocks.a]\npositions = [\n{ stream = "net", length = "59:00" },\n{ break = "b", length = "2:00" }]\n',
            4,
            "clocks.a.positions[2]",
            "a clock of 60:00 at most",
        ),
        (
            '[clocks.a]\npositions = [\n{ at = "10:00", anchor = "hard", category = "news" },\n'
            '{ at = "10:00", anchor = "hard", category = "music" }]\n',
            4,
            "clocks.a.positions[2].at",
            "does not come after",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place_and_what_is_allowed(
    text: str, line: int, key: str, says: str
) -> None:
    with pytest.raises(ScheduleError) as caught:
        written(text)
    assert (caught.value.file, caught.value.line, caught.value.key) == ("wxyz.toml", line, key)
    assert says in caught.value.message


def test_layers_above_the_planned_ones_may_overlap() -> None:
    live = 'layer = "emergency"\n'
    assert len(written(show(NINE, live) + show(NINE, live, "two")).programmes) == 2


def test_a_cancelled_airing_leaves_its_place_to_another() -> None:
    single = '{ dates = [2026-11-02], from = "09:30", to = "10:00" }'
    cancelled = "changes = [{ on = 2026-11-02, cancel = true }]\n"
    assert len(written(show(NINE, cancelled) + show(single, id_="two")).programmes) == 2
    with pytest.raises(ScheduleError, match="overlaps"):
        written(show(NINE) + show(single, id_="two"))
