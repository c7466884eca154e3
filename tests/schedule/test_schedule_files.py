from __future__ import annotations

from pathlib import Path

import pytest
from schedule_doubles import ROOT, music_library

from radio.errors import ScheduleError
from radio.log import Anchor
from radio.schedule import Pool, Schedule, read_schedule
from radio.schedule.files import schedule_of
from radio.sponsors import Sponsor, SponsorBook
from radio.toml_source import TomlDocument

CLOCK = '[clocks.hour]\npositions = [\n  { rotate = ["music"] },\n'


def read(text: str, *, sponsors: SponsorBook | None = None, pool: Pool | None = None) -> object:
    document = TomlDocument.parse(text, Path("wxyz.toml"), error=ScheduleError)
    return schedule_of(document, sponsors=sponsors, pool=pool)


def show(id_: str, airs: str, more: str = "") -> str:
    return f'[[programmes]]\nid = "{id_}"\ntitle = "{id_.title()}"\n{more}airs = [{airs}]\n'


def hour(*positions: str) -> str:
    """A clock with a rotation on line 3 and further positions from line 4 on."""
    return CLOCK + "".join(f"  {position},\n" for position in positions) + "]\n"


NINE = '{ days = "mon-fri", from = "09:00", to = "11:00" }'


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        ('defualt_clock = "x"\n', 1, "defualt_clock", "Did you mean `default_clock`?"),
        (
            "[categories.news]\nseparation = 5\n",
            2,
            "categories.news.separation",
            "Did you mean `separation_min`?",
        ),
        ('[categories.news]\nseparation_min = "5"\n', 2, "categories.news.separation_min", "expected int"),
        ('[categories.news]\nkind = "noise"\n', 2, "categories.news.kind", "noise"),
        ("[categories.news]\nseparation_min = -1\n", 2, "categories.news.separation_min", ">= 0"),
        (
            '[categories.j]\nkind = "music"\nwhere = "gnere:jazz"\n',
            3,
            "categories.j.where",
            "Did you mean `genre`?",
        ),
        (
            '[categories.j]\nwhere = "genre:jazz bpm>fast"\n',
            2,
            "categories.j.where",
            "At character 16: `fast` is",
        ),
        (
            '[categories.j]\nwhere = "bpm>fast"\n',
            2,
            "categories.j.where",
            "Allowed: a number such as 120 or -18.5.",
        ),
        ('[categories.j]\nwhere = "  "\n', 2, "categories.j.where", "a search such as"),
        ('[categories.j]\nwhere = ""\n', 2, "categories.j.where", ">= 1"),
        ("[categories.j]\nwhere = 5\n", 2, "categories.j.where", "expected str"),
        (
            '[categories.j]\nwhere = "jazz (bpm>1 OR -comment:x)"\n',
            2,
            "categories.j.where",
            "`comment` cannot be asked for in a schedule. Allowed: title, artist",
        ),
        (hour('{ rotate = ["musik"] }'), 4, "POS[2].rotate", "one rotate between"),
        (
            '[clocks.hour]\npositions = [\n  { rotate = ["musik"] },\n]\n',
            3,
            "POS[1].rotate",
            "Did you mean `music`?",
        ),
        (
            '[clocks.hour]\npositions = [\n  { item = "leagl-id" },\n]\n',
            3,
            "POS[1].item",
            "Did you mean `legal-id`?",
        ),
        ("[clocks.hour]\npositions = []\n", 2, "clocks.hour.positions", "1 to 200 positions"),
        (hour('{ at = "61:00", category = "news" }'), 4, "POS[2].at", '"00:00" to "59:59"'),
        (hour('{ at = "1:2", category = "news" }'), 4, "POS[2].at", '"MM:SS"'),
        (
            hour('{ at = "20:00", category = "news" }', '{ at = "10:00", category = "news" }'),
            5,
            "POS[3].at",
            "does not come after the position at 20:00",
        ),
        (
            hour('{ at = "20:00", break = "a", length = "2:00" }', '{ at = "21:30", category = "news" }'),
            5,
            "POS[3].at",
            "before the break ahead of it ends at 22:00",
        ),
        (hour('{ at = "59:00", break = "a", length = "2:00" }'), 4, "POS[2]", "ends at 61:00"),
        (hour('{ break = "a" }', '{ break = "a" }'), 5, "POS[3].break", "each break of a clock once"),
        (hour('{ at = "10:00" }'), 4, "POS[2]", "one of item, category, rotate, break"),
        (hour('{ category = "news", item = "a/b" }'), 4, "POS[2]", "has item and category"),
        (hour('{ category = "news", anchor = "hard" }'), 4, "POS[2].anchor", "only together with at"),
        (hour('{ category = "news", count = 0 }'), 4, "POS[2].count", ">= 1"),
        (hour('{ at = "10:00", break = "a", window = "30:00" }'), 4, "POS[2].window", "0:01 to 15:00"),
        ('default_clock = "hour"\n', 1, "default_clock", "no clock is declared"),
        (
            show("one", NINE, 'clock = "huor"\n') + CLOCK + "]\n",
            4,
            "programmes[1].clock",
            "Did you mean `hour`?",
        ),
        (
            show("one", NINE, 'clocks = { "25" = "hour" }\n') + CLOCK + "]\n",
            4,
            "programmes[1].clocks.25",
            '"10-14"',
        ),
        (
            show("one", NINE, 'supported_by = "trsut"\n'),
            4,
            "programmes[1].supported_by",
            "Did you mean `trust`?",
        ),
        (show("One", NINE), 2, "programmes[1].id", "lower-case letters"),
        (show("one", NINE) + show("one", NINE), 6, "programmes[2].id", "each id once"),
        (
            show("one", '{ days = "moo", from = "09:00", to = "10:00" }'),
            4,
            "programmes[1].airs[1].days",
            '"mon-fri"',
        ),
        (
            show("one", '{ days = "mon", from = "9:00", to = "10:00" }'),
            4,
            "programmes[1].airs[1].from",
            '"HH:MM"',
        ),
        (
            show("one", '{ days = "mon", from = "09:00", to = "24:01" }'),
            4,
            "programmes[1].airs[1].to",
            '"24:00"',
        ),
        (
            show("one", '{ days = "mon", from = "09:00", to = "09:00" }'),
            4,
            "programmes[1].airs[1]",
            "lasts no time",
        ),
        (show("one", NINE, 'layer = "top"\n'), 4, "programmes[1].layer", "programme, special"),
        (
            show("one", NINE) + show("two", '{ days = "fri", from = "10:30", to = "12:00" }'),
            8,
            "programmes[2].airs[1]",
            '"Two" overlaps "One" (line 4) on Fri 10:30 to 11:00',
        ),
        (
            show("one", '{ days = "sun", from = "23:00", to = "02:00" }')
            + show("two", '{ days = "mon", from = "01:00", to = "03:00" }'),
            8,
            "programmes[2].airs[1]",
            "on Mon 01:00 to 02:00",
        ),
        ("default_clock = \n", 1, None, "is not valid TOML"),
    ],
)
def test_a_fault_is_told_with_its_place_and_what_is_allowed(
    text: str, line: int, key: str | None, says: str
) -> None:
    trust = SponsorBook(sponsors={"trust": Sponsor(id="trust", name="Trust")})
    with pytest.raises(ScheduleError) as caught:
        read(text, sponsors=trust)
    key = key and key.replace("POS", "clocks.hour.positions")
    assert (caught.value.file, caught.value.line, caught.value.key) == ("wxyz.toml", line, key)
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("".join(show(f"p{number}", NINE) for number in range(501)), "at most 500"),
        (
            "".join(f'[clocks.c{number}]\npositions = [{{ category = "news" }}]\n' for number in range(201)),
            "at most 200",
        ),
        (hour(*["{ category = 'news' }"] * 201), "at most 200"),
    ],
)
def test_limits_are_told(text: str, says: str) -> None:
    with pytest.raises(ScheduleError, match=says):
        read(text)


def test_a_missing_file_is_an_empty_schedule(tmp_path: Path) -> None:
    assert read_schedule(tmp_path / "none.toml") == (Schedule(), ())


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wxyz.toml"
    path.write_text(
        f"""
        default_clock = "hour"
        [categories.stories]
        items = ["features/fog"]
        [categories.jazz]
        artist_separation_min = 5
        {CLOCK}
          {{ at = "10:00", item = "legal-id", legal_id = true }},
          {{ item = "idents/a" }},
        ]
        [[programmes]]
        id = "late"
        title = "Late"
        clocks = {{ "22-23" = "hour" }}
        airs = [{{ days = "fri-sun", from = "22:00", to = "01:30" }}]
        """
    )
    schedule, _ = read_schedule(path)
    stories, jazz = schedule.category("stories"), schedule.category("jazz")
    assert (stories.folders, stories.items, stories.separation_ms) == ((), ("features/fog",), 20 * 60_000)
    assert (jazz.folders, jazz.separation_ms, jazz.artist_separation_ms) == (("jazz",), 3_600_000, 300_000)
    anchored, named = schedule.clocks["hour"].positions[1:]
    assert (anchored.category, anchored.anchor, anchored.window_ms) == ("legal-id", Anchor.SOFT, 60_000)
    assert (named.item, named.category) == ("idents/a", None)
    late = schedule.programmes[0]
    assert late.clocks == {22: "hour", 23: "hour"}
    assert (late.airs[0].days, late.airs[0].to_ms - late.airs[0].from_ms) == ((4, 5, 6), 12_600_000)


def test_a_category_may_be_a_search() -> None:
    schedule = read(
        '[categories.swing]\nwhere = "genre:swing"\nitems = ["news/a"]\n'
        '[categories.calm]\nfolders = ["talk"]\nwhere = "bpm<80"\n'
    ).schedule  # type: ignore[attr-defined]
    swing, calm = schedule.category("swing"), schedule.category("calm")
    assert (swing.folders, swing.items, swing.where) == ((), ("news/a",), "genre:swing")
    assert (calm.folders, calm.items, calm.where) == (("talk",), (), "bpm<80")
    assert (swing.separation_ms, calm.separation_ms) == (3_600_000, 20 * 60_000)


def test_a_search_that_finds_nothing_is_noticed() -> None:
    text = '[categories.slow]\nwhere = "bpm<60"\n' + hour('{ category = "slow" }')
    notices = read(text, pool=Pool.of(music_library(), (ROOT,))).notices  # type: ignore[attr-defined]
    assert [(one.line, one.text) for one in notices] == [(6, "The category slow has no items (bpm<60).")]


def test_what_is_odd_is_noticed_with_its_line() -> None:
    text = hour('{ category = "weather" }', '{ item = "idents/none" }') + show("one", NINE)
    pool = Pool.of(music_library(), (ROOT,))
    notices = read(text, pool=pool).notices  # type: ignore[attr-defined]
    assert [(notice.line, notice.text) for notice in notices] == [
        (None, "No programme airs Mon 00:00 to 09:00: the built-in clock is used."),
        *((None, f"No programme airs {a} 11:00 to {b} 09:00: the built-in clock is used.") for a, b in
          [("Mon", "Tue"), ("Tue", "Wed"), ("Wed", "Thu"), ("Thu", "Fri")]),
        (None, "No programme airs Fri 11:00 to Sun 24:00: the built-in clock is used."),
        (5, "The library has no item idents/none."),
        (4, "The category weather has no items (weather)."),
    ]  # fmt: skip
