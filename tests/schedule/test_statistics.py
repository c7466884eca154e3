from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from radio.log import ItemKind, LogRow
from radio.schedule.statistics import MOST_LISTED, Rule, statistics
from radio.units import DurationMs, UtcMs

NEW_YORK = ZoneInfo("America/New_York")
HOUR = 3_600_000
SIX = 1_768_215_600_000
"""2026-01-12, a Monday, 06:00 in New York."""


def laid(rows: list[dict[str, Any]], starts_at_ms: int = SIX) -> list[LogRow]:
    made: list[LogRow] = []
    for number, changes in enumerate(rows):
        length_ms = changes.pop("length_ms", 10 * 60_000)
        values: dict[str, Any] = {
            "id": f"row-{number}",
            "station": "wxyz",
            "starts_at_ms": UtcMs(starts_at_ms),
            "ends_at_ms": UtcMs(starts_at_ms + length_ms),
            "kind": ItemKind.MUSIC,
            "title": f"Piece {changes.get('item', number)}",
            "item": str(number),
            "category": "music",
            "reason": "",
        }
        made.append(LogRow(**(values | changes)))
        starts_at_ms += length_ms
    return made


def test_turnover_is_how_long_all_items_take() -> None:
    rows = laid([{"item": "a"}, {"item": "b"}, {"item": "a"}, {"item": "b"}])
    (use,) = statistics(rows, NEW_YORK, {"music": Rule(items=8)}).categories
    assert (use.items, use.plays, use.distinct, use.turnover_ms) == (8, 4, 2, 80 * 60_000)
    (use,) = statistics(rows, NEW_YORK).categories
    assert (use.items, use.turnover_ms) == (None, 20 * 60_000)


def test_the_nearest_plays_of_a_title_and_of_an_artist_are_found_and_held_against_the_rule() -> None:
    rows = laid(
        [
            {"item": "a", "title": "Tide", "artist": "A feat. B"},
            {"item": "b", "artist": "C"},
            {"item": "c", "artist": "b"},
            {"item": "d", "artist": "D"},
            {"item": "e", "title": "TIDE ", "artist": None},
        ]
    )
    rules = {"music": Rule(title_ms=DurationMs(60 * 60_000), artist_ms=DurationMs(10 * 60_000))}
    (use,) = statistics(rows, NEW_YORK, rules).categories
    assert use.nearest_title is not None
    assert use.nearest_artist is not None
    assert (use.nearest_title.gap_ms, use.nearest_title.at_ms) == (40 * 60_000, rows[4].starts_at_ms)
    assert (use.nearest_artist.gap_ms, use.nearest_artist.of) == (20 * 60_000, "b")
    assert (use.short_of_title, use.short_of_artist) == (1, 0)


def test_repeats_are_in_one_hour_or_in_the_same_hour_of_the_next_day() -> None:
    rows = laid(
        [{"item": "a"}, {"item": "a"}, {"item": "x", "length_ms": 24 * HOUR - 20 * 60_000}, {"item": "a"}]
    )
    found = statistics(rows, NEW_YORK)
    assert found.same_hour_repeats == 2
    assert [one.is_same_day for one in found.repeats] == [True, False]
    two_days = laid([{"item": "a", "length_ms": 48 * HOUR}, {"item": "a"}])
    assert statistics(two_days, NEW_YORK).same_hour_repeats == 0


def test_the_hour_is_the_stations_when_its_clocks_change() -> None:
    noon_before = 1_772_902_800_000  # 2026-03-07 12:00 in New York; the next noon is 23 hours later
    rows = laid([{"item": "a", "length_ms": 23 * HOUR}, {"item": "a"}], noon_before)
    assert statistics(rows, NEW_YORK).same_hour_repeats == 1
    assert statistics(rows, ZoneInfo("UTC")).same_hour_repeats == 0


def test_exceptions_are_beds_cuts_and_what_was_relaxed() -> None:
    rows = laid(
        [
            {"item": None, "kind": ItemKind.FILL, "reason": "bed: 1.0 s were left before 06:10"},
            {"fade_out_ms": DurationMs(2_000), "reason": "music: fits; faded out"},
            {"reason": "music: not played before; relaxed title separation to 3 min: 2 items in music"},
            {},
        ]
    )
    found = statistics(rows, NEW_YORK)
    assert found.exceptions == {"bed": 1, "cut": 1, "relaxed": 1}
    assert [one.kind for one in found.oddities] == ["bed", "cut", "relaxed"]
    assert found.kinds == {"fill": 10 * 60_000, "music": 30 * 60_000}


def test_lists_are_bounded_and_counts_are_not() -> None:
    rows = laid([{"item": None, "length_ms": 1_000} for _ in range(MOST_LISTED + 50)])
    found = statistics(rows, NEW_YORK)
    assert (len(found.oddities), found.exceptions["bed"]) == (MOST_LISTED, MOST_LISTED + 50)


def test_no_rows_have_no_numbers() -> None:
    found = statistics([], NEW_YORK)
    assert (found.rows, found.categories, found.exceptions) == (0, (), {})
