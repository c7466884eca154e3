from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from schedule_doubles import ROOT, music_library, utc_ms

from radio.errors import ScheduleError
from radio.schedule import Pool
from radio.schedule.checks import check
from radio.schedule.files import schedule_of
from radio.schedule.findings import Finding, Level
from radio.sponsors import Campaign, Sponsor, SponsorBook
from radio.toml_source import TomlDocument

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = utc_ms("2026-11-23 05:00")
HOUR = 'default_clock = "hour"\n[clocks.hour]\npositions = [\n'
END = "]\n"


def found(text: str, *, campaigns: tuple[Campaign, ...] = (), from_ms: int = MONDAY) -> list[Finding]:
    document = TomlDocument.parse(text, Path("wxyz.toml"), error=ScheduleError)
    sponsors = {one.sponsor: Sponsor(id=one.sponsor, name=one.sponsor) for one in campaigns}
    return check(
        schedule_of(document).schedule,
        document=document,
        pool=Pool.of(music_library(), (ROOT,)),
        sponsors=SponsorBook(sponsors=sponsors, campaigns=campaigns),
        station="wxyz",
        zone=NEW_YORK,
        from_ms=from_ms,  # type: ignore[arg-type]
    )


def show(id_: str, airs: str, more: str = "") -> str:
    return f'[[programmes]]\nid = "{id_}"\ntitle = "{id_.title()}"\n{more}airs = [{airs}]\n'


def codes(text: str, **more: object) -> list[tuple[str, int | None]]:
    return [(one.code, one.line) for one in found(text, **more)]  # type: ignore[arg-type]


PLAIN = HOUR + '{ rotate = ["music"] },\n' + END


def test_a_schedule_that_is_right_has_no_findings() -> None:
    assert codes(PLAIN) == []


@pytest.mark.parametrize(
    ("text", "expected", "says"),
    [
        (
            PLAIN + '[clocks.old]\npositions = [{ rotate = ["music"] }]\n',
            [("clock-unreachable", 6)],
            "no hour uses the clock old",
        ),
        (
            PLAIN + '[clocks.late]\npositions = [{ rotate = ["music"] }]\n'
            + show("day", '{ days = "daily", from = "00:00", to = "24:00" }'),
            [("clock-unreachable", 6)],
            "late",
        ),
        (
            PLAIN + '[clocks.ids]\npositions = [{ at = "00:00", item = "legal-id", legal_id = true }]\n'
            + show("day", '{ days = "daily", from = "00:00", to = "24:00" }', 'clock = "ids"\n'),
            [("legal-id-missing", 2)],
            "no legal ID within 5 minutes",
        ),
        (
            HOUR + '{ category = "news", count = 30 },\n{ at = "02:00", break = "b", length = "0:30" },\n'
            + '{ rotate = ["music"] },\n' + END,
            [("positions-too-long", 4)],
            "at the least",
        ),
        (
            HOUR + '{ rotate = ["music"] },\n{ at = "20:00", break = "b", length = "10:00" },\n'
            + '{ category = "music", count = 14 },\n{ at = "40:00", break = "c", length = "1:00" },\n' + END,
            [("positions-too-long", 6)],
            "after 40:00, where the next time stands",
        ),
        (
            HOUR + '{ rotate = ["news"] },\n' + END,
            [("category-too-small", 2)],
            "minutes between plays of titles need",
        ),
        (
            PLAIN + '[[item_rules]]\nitems = ["music/none", "music/no"]\ndo_not_play = true\n',
            [("item-missing", 6)],
            "no item music/none and 1 more",
        ),
        (
            PLAIN + show("past", '{ days = "mon", from = "09:00", to = "10:00", last = 2026-01-31 }')
            + show("day", '{ days = "daily", from = "00:00", to = "24:00" }'),
            [("programme-never-airs", 6)],
            '"Past" does not air',
        ),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_told_with_its_line(
    text: str, expected: list[tuple[str, int | None]], says: str
) -> None:
    assert sorted(codes(text)) == sorted(expected)
    assert any(says in one.text for one in found(text))


def test_a_break_that_cannot_end_in_time_is_a_finding_of_its_own() -> None:
    text = (
        HOUR + '{ category = "news", count = 2 },\n{ break = "long", length = "9:50" },\n'
        '{ at = "10:00", category = "music" },\n{ rotate = ["music"] },\n' + END
    )
    assert ("break-too-long", 5) in codes(text)


def test_the_arithmetic_of_a_small_category_is_shown() -> None:
    (one,) = [
        one for one in found(HOUR + '{ rotate = ["news"] },\n' + END) if one.code == "category-too-small"
    ]
    assert "it has 12, which come round every" in one.text
    assert one.level is Level.WARNING


def test_single_airings_that_overlap_are_errors_with_the_moment() -> None:
    text = (
        PLAIN
        + show("day", '{ days = "daily", from = "00:00", to = "24:00" }')
        + show("gala", '{ dates = [2026-12-01], from = "20:00", to = "22:00" }', 'layer = "live"\n')
        + show("fair", '{ dates = [2026-12-01], from = "21:00", to = "23:00" }', 'layer = "live"\n')
    )
    (one,) = [one for one in found(text) if one.code == "overlap"]
    assert (one.level, one.line) == (Level.WARNING, 15)
    assert '"Fair" overlaps "Gala" from 2026-12-01 21:00:00 EST' in one.text


def test_moved_airings_that_meet_are_found() -> None:
    text = (
        PLAIN
        + show("one", '{ days = "daily", from = "09:00", to = "10:00" }',
               'changes = [{ on = 2026-11-25, from = "15:00" }]\n')
        + show("two", '{ days = "daily", from = "10:00", to = "11:00" }',
               'changes = [{ on = 2026-11-25, from = "15:30" }]\n')
    )  # fmt: skip
    (one,) = [one for one in found(text) if one.code == "overlap"]
    assert (one.level, one.line) == (Level.ERROR, 11)


def test_hours_without_a_programme_are_told_unless_the_grid_has_them() -> None:
    show_text = show("day", '{ days = "daily", from = "06:00", to = "24:00" }')
    gaps = [one for one in found(PLAIN + show_text) if one.code == "gap"]
    assert len(gaps) == 7
    assert "for 360 minutes from 2026-11-23 00:00:00 EST: hour does" in gaps[0].text
    grid = '[[grid]]\nhours = "0-5"\nclock = "hour"\n'
    assert not [one for one in found(PLAIN + grid + show_text) if one.code == "gap"]


def test_a_change_of_the_clocks_ahead_says_what_becomes_of_that_night() -> None:
    text = (
        PLAIN
        + show("night", '{ days = "daily", from = "00:00", to = "02:00" }')
        + show("day", '{ days = "daily", from = "03:00", to = "24:00" }')
        + show("owl", '{ days = "daily", from = "02:00", to = "03:00" }')
    )  # fmt: skip
    (spring,) = [one for one in found(text, from_ms=utc_ms("2027-03-01")) if one.code == "clocks-change"]
    assert spring.text.startswith("The clocks skip 60 minutes at 2027-03-14 03:00:00 EDT")
    assert '"Owl" does not air' in spring.text
    (autumn,) = [one for one in found(text, from_ms=utc_ms("2026-10-01")) if one.code == "clocks-change"]
    assert "repeat 60 minutes at 2026-11-01 01:00:00 EST" in autumn.text
    assert '"Night" lasts 180 minutes' in autumn.text


def test_avails_are_counted_against_what_was_bought() -> None:
    text = HOUR + '{ rotate = ["music"] },\n{ at = "30:00", break = "b", max_units = 2 },\n' + END
    short = Campaign(
        id="c", sponsor="s", message="M", audio="x", flight_from=date(2026, 11, 23),
        flight_to=date(2026, 11, 24), goal=200
    )  # fmt: skip
    never = Campaign(id="n", sponsor="s", message="M", audio="x", days=())
    notes = found(text, campaigns=(short, never))
    assert {one.code: one.level for one in notes} == {
        "no-avails": Level.WARNING,
        "avails-short": Level.WARNING,
        "avails": Level.NOTE,
    }
    assert "there are 96 avails for it, 104 too few" in next(
        one.text for one in notes if one.code == "avails-short"
    )
    assert "1,344 avails" in notes[-1].text
    assert [one.code for one in found(PLAIN, campaigns=(short,))] == ["no-avails"]


def test_findings_of_one_kind_are_bounded() -> None:
    clocks = "".join(f'[clocks.c{n}]\npositions = [{{ rotate = ["music"] }}]\n' for n in range(60))
    assert len(found(PLAIN + clocks)) == 20


def test_an_empty_library_and_no_schedule_are_checked_too() -> None:
    nothing = check(
        schedule_of(TomlDocument.parse("", Path("x.toml"), error=ScheduleError)).schedule,
        pool=Pool.of([], (ROOT,)),
        sponsors=SponsorBook(),
        station="wxyz",
        zone=NEW_YORK,
        from_ms=MONDAY,
    )
    assert nothing == []
