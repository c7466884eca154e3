from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from schedule_doubles import DAY_MS, HOUR_MS, utc_ms, written

from radio.errors import InvalidRequest
from radio.schedule.edits import only_this, this_and_future
from radio.schedule.model import Change, Programme
from radio.schedule.occurrences import occurrences
from radio.units import DurationMs

MONDAY = utc_ms("2026-11-23 05:00")


def programme() -> Programme:
    text = """
    [[programmes]]
    id = "tides"
    title = "Tides"
    airs = [{ days = "daily", from = "09:00", to = "10:00", also = [2026-12-31] }]
    changes = [{ on = 2026-11-24, cancel = true }, { on = 2026-11-27, from = "12:00" }]
    """
    return written(text).programmes[0]


def starts(one: Programme) -> list[float]:
    found = occurrences([one], ZoneInfo("America/New_York"), MONDAY, MONDAY + 6 * DAY_MS)
    return [(each.starts_at_ms - MONDAY) / HOUR_MS for each in found]


def test_this_and_all_that_follow_move_and_what_aired_stays() -> None:
    old = programme()
    later = msgspec.structs.replace(
        old.airs[0], from_ms=DurationMs(15 * HOUR_MS), to_ms=DurationMs(16 * HOUR_MS), also=()
    )
    new = this_and_future(old, 0, date(2026, 11, 26), later)
    assert starts(old) == [9, 57, 81, 108, 129]
    assert starts(new) == [9, 57, 87, 111, 135]
    assert [change.starts.day for change in new.changes] == [24]
    assert new.airs[0].also == ()
    assert starts(this_and_future(old, 0, date(2026, 11, 26), None)) == [9, 57]


def test_a_series_that_is_over_cannot_go_on() -> None:
    ended = this_and_future(programme(), 0, date(2026, 11, 26), None)
    with pytest.raises(InvalidRequest, match="no airing from 2026-12-01"):
        this_and_future(ended, 0, date(2026, 12, 1), None)


def test_one_airing_changes_once_and_can_be_changed_again() -> None:
    starts_at = datetime(2026, 11, 23, 9)  # noqa: DTZ001 - wall time
    moved = only_this(programme(), Change(starts=starts_at, from_ms=DurationMs(7 * HOUR_MS)))
    assert starts(moved)[0] == 7
    cancelled = only_this(moved, Change(starts=starts_at, cancelled=True))
    assert starts(cancelled) == [57, 81, 108, 129]
    assert len(cancelled.changes) == 3
