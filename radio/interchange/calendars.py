"""A station's calendars, whole: which span they tell, and what they are called (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import Final

from radio.interchange.face import Face
from radio.interchange.icalendar_write import Feed, feed, materialised
from radio.interchange.programme_series import exceptions_of, series_of
from radio.schedule.airings import ProgrammeAiring
from radio.schedule.model import Schedule
from radio.schedule.wallclock import local_time
from radio.sponsors.weektime import NOMINAL_DAY_MS
from radio.units import UtcMs

EXACT_BEHIND_MS: Final = 31 * NOMINAL_DAY_MS
EXACT_AHEAD_MS: Final = 400 * NOMINAL_DAY_MS
"""How far the airings on nights of clock changes are told one by one: both nights of the coming year."""


def feed_text(face: Face, schedule: Schedule, now_ms: UtcMs) -> str:
    """The feed with rules. It has the same bytes all day as long as the schedule is the same."""
    today = local_time(now_ms, face.zone).date()
    now_ms = UtcMs(now_ms - now_ms % NOMINAL_DAY_MS)
    series = series_of(schedule, date(today.year, 1, 1))
    from_ms, to_ms = UtcMs(now_ms - EXACT_BEHIND_MS), UtcMs(now_ms + EXACT_AHEAD_MS)
    exact = exceptions_of(schedule, series, face.zone, from_ms, to_ms)
    until = local_time(to_ms, face.zone).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return feed(_head(face, now_ms), series, exact, until + timedelta(days=1))


def materialised_text(face: Face, airings: Sequence[ProgrammeAiring], now_ms: UtcMs) -> str:
    """The calendar of single airings, as they air."""
    return materialised(_head(face, now_ms), airings)


def _head(face: Face, now_ms: UtcMs) -> Feed:
    made_ms = UtcMs(now_ms - now_ms % NOMINAL_DAY_MS)
    return Feed(name=face.name, host=f"{face.id}.{face.host}", zone=face.zone, made_ms=made_ms)
