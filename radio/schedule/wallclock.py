"""The one bridge between local wall time and instants (pure).

``wall_to_utc`` is total and never decreases: a schedule that tiles the wall-clock week tiles real time on
every night on which the clocks change, without overlap and without dead air. A time that happens twice means
its first occurrence; one that does not happen means the moment of the change. (RFC 5545 3.3.10 would ignore
the latter, which leaves a hole in a programme that runs all day; shifting it by the gap overtakes what
follows.)
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from radio.units import UtcMs

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_SECOND: Final = timedelta(seconds=1)


def wall_to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which a naive ``local`` time is reached in ``zone``.

    Ambiguous: the first occurrence. Missing: the instant of the transition.
    """
    first = _as_utc(local, zone, fold=0)
    if first.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return first
    low, high = _as_utc(local, zone, fold=1), first
    before = low.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = (low + (high - low) // 2).replace(microsecond=0)
        if middle <= low:
            break
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def wall_to_ms(local: datetime, zone: ZoneInfo) -> UtcMs:
    """:func:`wall_to_utc` as integer milliseconds since the Unix epoch."""
    return UtcMs((wall_to_utc(local, zone) - _EPOCH) // _MILLISECOND)


def local_time(at_ms: int, zone: ZoneInfo) -> datetime:
    """The aware local time of an instant; ``fold`` is 1 in the second pass of a repeated hour."""
    return (_EPOCH + at_ms * _MILLISECOND).astimezone(zone)


def label(at_ms: int, zone: ZoneInfo) -> str:
    """What the station's clock shows, with the zone's abbreviation: ``"2026-11-01 01:30:00 EST"``."""
    return local_time(at_ms, zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def offset_ms(at_ms: int, zone: ZoneInfo) -> int:
    """How far the zone's wall clock is ahead of UTC at an instant, in milliseconds."""
    offset = local_time(at_ms, zone).utcoffset() or timedelta()
    return offset // _MILLISECOND


def next_change_ms(from_ms: int, to_ms: int, zone: ZoneInfo) -> UtcMs | None:
    """The first instant between ``from_ms`` and ``to_ms`` at which the offset changes; None where none is.

    Windows of up to a day: two changes that undo each other inside the window are not seen.
    """
    before = offset_ms(from_ms, zone)
    if to_ms <= from_ms or offset_ms(to_ms - 1, zone) == before:
        return None
    low, high = from_ms, to_ms - 1
    while high - low > 1:
        middle = (low + high) // 2
        if offset_ms(middle, zone) == before:
            low = middle
        else:
            high = middle
    return UtcMs(high)


def _as_utc(local: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    aware = local.replace(tzinfo=zone, fold=fold)
    return (local - (aware.utcoffset() or timedelta())).replace(tzinfo=UTC, fold=0)
