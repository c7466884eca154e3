from __future__ import annotations

import tomllib
from datetime import date

import pytest
from log_span import item

from radio.errors import ScheduleError
from radio.interchange.rivendell import Carts, ImportLine, LineKind
from radio.interchange.rivendell_day import date_in_name, plan_day
from radio.units import DurationMs

HOUR = 3_600_000
TODAY = date(2026, 11, 20)
CARTS = Carts([item("music/000001.wav"), item("music/000002.wav"), item("000003.wav")])


def line(number: int, at_ms: int, cart: int | None = 1, kind: LineKind = LineKind.CART) -> ImportLine:
    length_ms = DurationMs(60_000)
    return ImportLine(
        line=number, kind=kind, at_ms=DurationMs(at_ms), length_ms=length_ms, title="x", cart=cart
    )


def planned(text: str, *lines: ImportLine, day: date = date(2026, 11, 23)) -> tuple[str, dict[str, object]]:
    plan = plan_day(text, lines, CARTS, day, TODAY, "wxyz.toml")
    return plan.text, tomllib.loads(plan.text)


def test_each_hour_is_a_clock_and_the_day_one_programme() -> None:
    _, told = planned("", line(1, 6 * HOUR), line(2, 6 * HOUR + 60_000, 2), line(3, 23 * HOUR + 1_000, 2))
    assert told["clocks"] == {
        "log-20261123-06": {
            "positions": [{"at": "00:00", "item": "music/000001.wav"}, {"item": "music/000002.wav"}]
        },
        "log-20261123-23": {"positions": [{"at": "00:01", "item": "music/000002.wav"}]},
    }
    assert told["programmes"] == [
        {
            "id": "log-20261123",
            "title": "Log of 2026-11-23",
            "layer": "one-off",
            "clocks": {"6": "log-20261123-06", "23": "log-20261123-23"},
            "airs": [{"dates": [date(2026, 11, 23)], "from": "06:00", "to": "24:00"}],
        }
    ]


def test_days_that_are_over_are_taken_out_and_others_stay() -> None:
    text = "# ours\n[clocks.day]\npositions = []\n"
    for day in (date(2026, 11, 17), date(2026, 11, 19), date(2026, 11, 24)):
        text, _ = planned(text, line(1, 6 * HOUR), day=day)
    text, told = planned(text, line(1, 7 * HOUR))
    assert text.startswith("# ours\n")
    assert [one["id"] for one in told["programmes"]] == ["log-20261119", "log-20261124", "log-20261123"]
    assert set(told["clocks"]) == {"day", "log-20261119-06", "log-20261124-06", "log-20261123-07"}


def test_what_has_no_place_is_refused_with_its_line() -> None:
    lines = (
        line(1, 6 * HOUR, 9),
        line(2, 6 * HOUR, None, LineKind.VOICETRACK),
        line(3, 6 * HOUR, 3),
        line(4, 7 * HOUR, None, LineKind.BREAK),
        line(5, 7 * HOUR, None, LineKind.BREAK),
    )
    plan = plan_day("", lines, CARTS, date(2026, 11, 23), TODAY, "wxyz.toml")
    assert [one.line for one in plan.refused] == [1, 2, 3]
    clocks = tomllib.loads(plan.text)["clocks"]
    assert clocks == {
        "log-20261123-07": {"positions": [{"at": "00:00", "break": "import-0000", "length": "1:00"}]}
    }
    nothing = plan_day("a = 1\n", lines[:1], CARTS, date(2026, 11, 23), TODAY, "wxyz.toml")
    assert (nothing.text, nothing.steps) == ("a = 1\n", ())


def test_programmes_in_one_list_cannot_be_added_to() -> None:
    with pytest.raises(ScheduleError, match="written as one list"):
        planned("programmes = []\n", line(1, 6 * HOUR))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("MU20261123.tfc", date(2026, 11, 23)),
        ("20261123", date(2026, 11, 23)),
        ("MU20260230.tfc", None),
        ("MU120261123.tfc", None),
        ("day.tfc", None),
    ],
)
def test_the_day_is_in_the_name(name: str, day: date | None) -> None:
    assert date_in_name(name) == day
