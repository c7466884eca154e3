"""What an edit changes in the days to come."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from schedule_doubles import DAY_MS, HOUR_MS, inputs, music_library, utc_ms, written

from radio.schedule import Schedule
from radio.schedule.effects import (
    Effect,
    What,
    airing_effects,
    compiled_days,
    day_edges,
    effects,
    may_differ_from,
    row_effects,
)
from radio.sponsors import SponsorBook
from radio.units import UtcMs

ZONE = ZoneInfo("America/New_York")
NOW = utc_ms("2026-11-23 14:00")
WEEK = NOW, UtcMs(NOW + 7 * DAY_MS)
BASE = """
default_clock = "hour"
[clocks.hour]
positions = [{ rotate = ["music"] }]
[clocks.news]
positions = [{ rotate = ["news"] }]
[[programmes]]
id = "tides"
title = "Tides"
host = "The coast desk"
airs = [{ days = "mon-fri", from = "12:00", to = "14:00" }]
[[programmes]]
id = "night"
title = "Night"
airs = [{ days = "daily", from = "23:00", to = "02:00" }]
"""


def found(after: str, before: str = BASE) -> list[Effect]:
    return airing_effects(written(before), written(after), SponsorBook(), "wxyz", ZONE, *WEEK)


def counted(told: list[Effect]) -> dict[str, int]:
    return effects(told, WEEK, ([], WEEK[1], None)).counts


def test_nothing_changed_is_nothing_told() -> None:
    assert found(BASE + "# a word\n") == []
    assert may_differ_from(written(BASE), written(BASE), [], ZONE, NOW) is None


def test_airings_that_come_go_move_and_read_otherwise() -> None:
    gone = found(BASE.replace('"mon-fri"', '"tue-fri"'))
    assert counted(gone) == {"added": 0, "removed": 1, "moved": 0, "changed": 0}
    assert (gone[0].what, gone[0].occurrence, gone[0].becomes) == (
        What.REMOVED,
        "tides@2026-11-23T12:00",
        None,
    )
    assert gone[0].was is not None
    assert gone[0].was.starts == "2026-11-23T12:00:00-05:00"
    moved = found(BASE.replace('"12:00", to = "14:00"', '"12:30", to = "14:00"'))
    assert [one.what for one in moved] == [What.MOVED] * 5
    longer = found(BASE.replace('to = "14:00"', 'to = "15:00"'))
    assert [one.becomes.ends[11:16] for one in longer if one.becomes] == ["15:00"] * 5
    titled = found(BASE.replace('"The coast desk"', '"The harbour desk"'))
    assert {(one.what, one.differs) for one in titled} == {(What.CHANGED, ("host",))}
    more = found(
        BASE
        + '[[programmes]]\nid = "x"\ntitle = "X"\nairs = [{ dates = [2026-11-25], from = "03:00", to = "04:00" }]\n'
    )
    assert counted(more)["added"] == 1


def test_a_special_that_covers_a_programme_is_told_for_both() -> None:
    special = BASE + (
        '[[programmes]]\nid = "storm"\ntitle = "Storm"\nlayer = "special"\n'
        'airs = [{ dates = [2026-11-24], from = "12:00", to = "13:00" }]\n'
    )
    told = found(special)
    assert [(one.what, one.programme) for one in told] == [(What.ADDED, "storm"), (What.MOVED, "tides")]
    assert told[1].becomes is not None
    assert told[1].becomes.starts == "2026-11-24T13:00:00-05:00"


def compared(after: Schedule, start_ms: UtcMs, *, days: int = 7) -> object:
    items = music_library()
    edges = day_edges(start_ms, UtcMs(start_ms + days * DAY_MS), ZONE)
    old = compiled_days(inputs(items, written(BASE)), edges)
    return row_effects(old, compiled_days(inputs(items, after), edges), edges, ZONE, lambda: True)


def test_rows_are_compared_by_the_day() -> None:
    after = written(BASE.replace('title = "Tides"', 'title = "Tides"\nclock = "news"'))
    days, until_ms, first_ms = compared(after, NOW, days=2)  # type: ignore[misc]
    assert [day.day for day in days] == ["2026-11-23", "2026-11-24", "2026-11-25"]
    assert all(0 < day.changed <= day.rows for day in days[:2])
    assert NOW < first_ms <= utc_ms("2026-11-23 17:00")  # what comes before is fitted to end with the hour
    assert until_ms == NOW + 2 * DAY_MS
    same, _, none = compared(written(BASE), NOW, days=1)  # type: ignore[misc]
    assert (none, [day.changed for day in same]) == (None, [0, 0])


def test_comparing_starts_with_the_first_day_that_can_differ_and_stops_when_told() -> None:
    later = written(BASE.replace('"mon-fri"', '"mon-thu"'))
    told = airing_effects(written(BASE), later, SponsorBook(), "wxyz", ZONE, *WEEK)
    start_ms = may_differ_from(written(BASE), later, told, ZONE, NOW)
    assert start_ms == utc_ms("2026-11-27 05:00")
    clock = written(BASE.replace("[clocks.news]", "[clocks.other]"))
    assert may_differ_from(written(BASE), clock, [], ZONE, NOW) == NOW
    edges = day_edges(NOW, WEEK[1], ZONE)
    assert (edges[0], edges[1], edges[-1]) == (NOW, utc_ms("2026-11-24 05:00"), WEEK[1])
    marks = [frozenset({(NOW, "a", "A", "music", None)})] * 7
    days, until_ms, _ = row_effects(marks, marks, edges, ZONE, lambda: False)
    assert (len(days), until_ms) == (1, edges[1])
    whole = effects(told, WEEK, (days, until_ms, None))
    assert not whole.is_complete
    assert whole.first_change_ms == utc_ms("2026-11-27 17:00")


def test_days_are_those_of_the_clock_on_the_wall() -> None:
    edges = day_edges(utc_ms("2026-10-31 12:00"), utc_ms("2026-11-03 12:00"), ZONE)
    lengths = [(b - a) / HOUR_MS for a, b in zip(edges, edges[1:], strict=False)]
    assert lengths == [16, 25, 24, 7]
