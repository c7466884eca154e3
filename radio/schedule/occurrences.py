"""Weekly slots become occurrences, and occurrences the segments of a station's air (pure).

Each occurrence is computed from its date and wall time alone, never from the one before it, so that a night
on which the clocks change moves nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from radio.schedule.model import Airs, Layer, OnGap, OnRepeat, Programme
from radio.schedule.wallclock import local_time, wall_to_ms
from radio.units import UtcMs


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One airing of a programme. ``id`` is the programme and the planned local start, moved or not."""

    id: str
    programme: str
    layer: Layer
    starts_at_ms: UtcMs
    ends_at_ms: UtcMs


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of air with one owner; ``occurrence`` None is the station's default clock.

    ``preempted`` names the occurrences that would have aired here.
    """

    starts_at_ms: UtcMs
    ends_at_ms: UtcMs
    occurrence: Occurrence | None = None
    preempted: tuple[str, ...] = ()


def occurrences(
    programmes: Iterable[Programme], zone: ZoneInfo, from_ms: int, to_ms: int
) -> list[Occurrence]:
    """All occurrences that touch ``[from_ms, to_ms)``, whole, by start and then id.

    A slot that the clocks skip entirely does not occur. Days are those of the local start date.
    """
    first = local_time(from_ms, zone).date() - timedelta(days=2)
    last = local_time(to_ms, zone).date() + timedelta(days=1)
    dates = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    found = [
        occurrence
        for programme in programmes
        for airs in programme.airs
        for occurrence in _of_slot(programme, airs, dates, zone)
        if occurrence.starts_at_ms < to_ms and occurrence.ends_at_ms > from_ms
    ]
    return sorted(found, key=lambda occurrence: (occurrence.starts_at_ms, occurrence.id))


def segments(found: Sequence[Occurrence], from_ms: int, to_ms: int) -> list[Segment]:
    """``[from_ms, to_ms)`` cut into contiguous segments, each with the occurrence that wins there.

    The higher layer wins, then the later start, then the id. O(n log n) for n occurrences on few layers.
    """
    edges = {from_ms, to_ms}
    for occurrence in found:
        edges.update((occurrence.starts_at_ms, occurrence.ends_at_ms))
    marks = sorted(edge for edge in edges if from_ms <= edge <= to_ms)
    waiting = sorted(found, key=lambda occurrence: occurrence.starts_at_ms, reverse=True)
    active: list[Occurrence] = []
    swept: list[Segment] = []
    for start, end in zip(marks, marks[1:], strict=False):
        while waiting and waiting[-1].starts_at_ms <= start:
            active.append(waiting.pop())
        active = [occurrence for occurrence in active if occurrence.ends_at_ms > start]
        _append(swept, _segment(active, start, end))
    return swept


def _of_slot(programme: Programme, airs: Airs, dates: Sequence[date], zone: ZoneInfo) -> Iterator[Occurrence]:
    for day in dates:
        if day.weekday() not in airs.days:
            continue
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall time, mapped below
        starts = midnight + timedelta(milliseconds=airs.from_ms)
        span = _real_span(programme, airs, wall_to_ms(starts, zone), midnight, zone)
        if span:
            yield Occurrence(
                id=f"{programme.id}@{starts.isoformat(timespec='minutes')}",
                programme=programme.id,
                layer=programme.layer,
                starts_at_ms=span[0],
                ends_at_ms=span[1],
            )


def _real_span(
    programme: Programme, airs: Airs, starts_at_ms: UtcMs, midnight: datetime, zone: ZoneInfo
) -> tuple[UtcMs, UtcMs] | None:
    ends_at_ms = wall_to_ms(midnight + timedelta(milliseconds=airs.to_ms), zone)
    nominal_ms = airs.to_ms - airs.from_ms
    real_ms = ends_at_ms - starts_at_ms
    if real_ms <= 0 or (real_ms < nominal_ms and programme.on_gap is OnGap.DROP):
        return None
    if real_ms > nominal_ms and programme.on_repeat is OnRepeat.FALLBACK:
        ends_at_ms = UtcMs(starts_at_ms + nominal_ms)
    return starts_at_ms, ends_at_ms


def _segment(active: Sequence[Occurrence], start: int, end: int) -> Segment:
    ranked = sorted(active, key=lambda one: (one.layer, one.starts_at_ms, one.id), reverse=True)
    return Segment(
        starts_at_ms=UtcMs(start),
        ends_at_ms=UtcMs(end),
        occurrence=ranked[0] if ranked else None,
        preempted=tuple(one.id for one in ranked[1:]),
    )


def _append(swept: list[Segment], segment: Segment) -> None:
    if swept and swept[-1].occurrence == segment.occurrence:
        before = swept.pop()
        segment = msgspec.structs.replace(
            segment,
            starts_at_ms=before.starts_at_ms,
            preempted=tuple(dict.fromkeys(before.preempted + segment.preempted)),
        )
    swept.append(segment)
