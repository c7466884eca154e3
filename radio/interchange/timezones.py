"""A time zone as iCalendar carries it: VTIMEZONE, RFC 5545 section 3.6.5 (pure).

The changes of the clock are listed one by one for the years that matter, not as rules: a reader then has exactly
the instants that the station's own zone data has, whatever the law was in a year.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

Lines = Iterator[tuple[str, str]]

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_NOTHING: Final = timedelta()
MOST_YEARS: Final = 12


def vtimezone(zone: ZoneInfo, from_: datetime, to: datetime) -> Lines:
    """The lines of the zone, right for instants from ``from_`` to ``to`` (aware), of the last 12 years of them."""
    end = to.astimezone(UTC)
    start = max(from_.astimezone(UTC), end - timedelta(days=366 * MOST_YEARS))
    yield "BEGIN", "VTIMEZONE"
    yield "TZID", zone.key
    first = start.astimezone(zone)
    yield from _observance(first, first.utcoffset() or _NOTHING)
    for moment in _change_moments(zone, start, end):
        before = (moment - _SECOND).astimezone(zone).utcoffset() or _NOTHING
        yield from _observance(moment.astimezone(zone), before)
    yield "END", "VTIMEZONE"


def _change_moments(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The instants at which the offset changes; two changes within a day that undo each other are not seen."""
    at = start
    while at < end:
        following = at + _DAY
        if at.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            yield _exactly(zone, at, following)
        at = following


def _exactly(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    before = low.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def _observance(local: datetime, before: timedelta) -> Lines:
    offset = local.utcoffset() or _NOTHING
    kind = "DAYLIGHT" if local.dst() else "STANDARD"
    yield "BEGIN", kind
    # the onset is told in the wall time that was in force before it
    onset = (local.astimezone(UTC) + before).replace(tzinfo=None)
    yield "DTSTART", onset.strftime("%Y%m%dT%H%M%S")
    yield "TZOFFSETFROM", _offset(before)
    yield "TZOFFSETTO", _offset(offset)
    if name := local.tzname():
        yield "TZNAME", name
    yield "END", kind


def _offset(offset: timedelta) -> str:
    seconds = round(offset.total_seconds())
    sign, rest = ("-", -seconds) if seconds < 0 else ("+", seconds)
    hours, minutes, seconds = rest // 3600, rest // 60 % 60, rest % 60
    return f"{sign}{hours:02}{minutes:02}" + (f"{seconds:02}" if seconds else "")


def changes(zone: ZoneInfo, from_: datetime, to: datetime) -> list[int]:
    """The moments (Unix milliseconds) between two aware times at which the zone's offset changes."""
    found = _change_moments(zone, from_.astimezone(UTC), to.astimezone(UTC))
    return [round(moment.timestamp()) * 1000 for moment in found]
