"""Weekly slots become occurrences, and occurrences the segments of a station's air (pure).

Each occurrence is computed from its date and wall time alone, never from the one before it, so that a night
on which the clocks change moves nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from radio.log import Anchor
from radio.schedule.model import Airs, Change, Layer, OnGap, OnRepeat, Programme
from radio.schedule.recurrence import dates
from radio.schedule.wallclock import local_time, wall_to_ms
from radio.units import DurationMs, UtcMs


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One airing of a programme. ``id`` is the programme and the planned local start, moved or not.

    ``skipped_ms`` is how much of its beginning the clocks skip; ``change`` is what differs from its series.
    ``cut_from_ms`` is when it was to end, where an operator has ended it before.
    """

    id: str
    programme: str
    layer: Layer
    starts_at_ms: UtcMs
    ends_at_ms: UtcMs
    skipped_ms: DurationMs = DurationMs(0)
    change: Change | None = None
    cut_from_ms: UtcMs | None = None


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of air with one owner; ``occurrence`` None is the station's grid or default clock.

    ``preempted`` names the occurrences that would have aired here. The clocks are laid as though it were
    ``behind_ms`` earlier. ``opens`` and ``window_ms`` say how firmly the start holds. ``early_end`` names the
    categories that fill it, where an operator has ended the programme that was to have it.
    """

    starts_at_ms: UtcMs
    ends_at_ms: UtcMs
    occurrence: Occurrence | None = None
    preempted: tuple[str, ...] = ()
    behind_ms: DurationMs = DurationMs(0)
    opens: Anchor = Anchor.HARD
    window_ms: DurationMs = DurationMs(0)
    early_end: tuple[str, ...] = ()


def occurrences(
    programmes: Iterable[Programme], zone: ZoneInfo, from_ms: int, to_ms: int
) -> list[Occurrence]:
    """All occurrences that touch ``[from_ms, to_ms)``, whole, by start and then id.

    A slot that the clocks skip entirely does not occur. Days are those of the local start date. An airing that
    was moved keeps its id, which is that of its planned start.
    """
    first = local_time(from_ms, zone).date() - timedelta(days=2)
    last = local_time(to_ms, zone).date() + timedelta(days=1)
    found = [
        occurrence
        for programme in programmes
        for occurrence in _of_programme(programme, first, last, zone)
        if occurrence.starts_at_ms < to_ms and occurrence.ends_at_ms > from_ms
    ]
    return sorted(found, key=lambda occurrence: (occurrence.starts_at_ms, occurrence.id))


def dates_of(airs: Airs, first: date, last: date) -> Iterator[date]:
    """The local dates from ``first`` to ``last`` on which a slot starts, ascending."""
    begin, end = max(first, airs.first or first), min(last, airs.last or last)
    if airs.rule is not None:
        regular: Iterable[date] = dates(airs.rule, begin, end)
    else:
        days = (begin + timedelta(days=step) for step in range((end - begin).days + 1))
        regular = (day for day in days if day.weekday() in airs.days)
    if airs.is_weekly:
        yield from regular
        return
    extra = {day for day in airs.also if first <= day <= last}
    yield from sorted({*regular, *extra} - set(airs.without))


def _of_programme(programme: Programme, first: date, last: date, zone: ZoneInfo) -> Iterator[Occurrence]:
    changes = {change.starts: change for change in programme.changes}
    for airs in programme.airs:
        for day in dates_of(airs, first, last):
            starts = _midnight(day) + timedelta(milliseconds=airs.from_ms)
            if starts not in changes:
                yield from _real(programme, starts, (day, airs.from_ms, airs.to_ms), zone)
    for starts, change in changes.items():
        times = None if change.cancelled else _changed_times(programme, change)
        if times is not None and first <= times[0] <= last:
            yield from _real(programme, starts, times, zone, change)


def _changed_times(programme: Programme, change: Change) -> tuple[date, int, int] | None:
    """Day, start and end of a changed airing; None where its series has no such airing."""
    planned, from_ms = change.starts.date(), _since_midnight_ms(change.starts)
    airs = next(
        (
            one
            for one in programme.airs
            if one.from_ms == from_ms and planned in dates_of(one, planned, planned)
        ),
        None,
    )
    if airs is None:
        return None
    start_ms = from_ms if change.from_ms is None else change.from_ms
    end_ms = start_ms + airs.to_ms - airs.from_ms if change.to_ms is None else change.to_ms
    return change.day or planned, start_ms, end_ms


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


def _real(
    programme: Programme,
    planned: datetime,
    times: tuple[date, int, int],
    zone: ZoneInfo,
    change: Change | None = None,
) -> Iterator[Occurrence]:
    day, from_ms, to_ms = times
    starts = _midnight(day) + timedelta(milliseconds=from_ms)
    starts_at_ms = wall_to_ms(starts, zone)
    span = planned_span = _real_span(programme, (from_ms, to_ms), starts_at_ms, _midnight(day), zone)
    if change is not None and change.ends_at_ms is not None:
        span = (starts_at_ms, change.ends_at_ms) if starts_at_ms < change.ends_at_ms else None
    if span is None:
        return
    is_cut = planned_span is not None and span[1] < planned_span[1]
    is_moved = change is not None and (starts != planned or (change.to_ms, change.ends_at_ms) != (None, None))
    yield Occurrence(
        id=f"{programme.id}@{planned.isoformat(timespec='minutes')}",
        programme=programme.id,
        layer=max(programme.layer, Layer.ONE_OFF) if is_moved else programme.layer,
        starts_at_ms=span[0],
        ends_at_ms=span[1],
        skipped_ms=DurationMs(_skipped_ms(starts, starts_at_ms, zone)),
        change=change,
        cut_from_ms=planned_span[1] if planned_span is not None and is_cut else None,
    )


def _real_span(
    programme: Programme, times: tuple[int, int], starts_at_ms: UtcMs, midnight: datetime, zone: ZoneInfo
) -> tuple[UtcMs, UtcMs] | None:
    ends_at_ms = wall_to_ms(midnight + timedelta(milliseconds=times[1]), zone)
    nominal_ms = times[1] - times[0]
    real_ms = ends_at_ms - starts_at_ms
    if real_ms <= 0 or (real_ms < nominal_ms and programme.on_gap is OnGap.DROP):
        return None
    if real_ms > nominal_ms and programme.on_repeat is OnRepeat.FALLBACK:
        ends_at_ms = UtcMs(starts_at_ms + nominal_ms)
    return starts_at_ms, ends_at_ms


def _skipped_ms(starts: datetime, starts_at_ms: int, zone: ZoneInfo) -> int:
    """How much of the beginning the clocks skip; 0 where the start exists."""
    shown = local_time(starts_at_ms, zone).replace(tzinfo=None)
    return max(0, (shown - starts) // timedelta(milliseconds=1))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall time, mapped to instants later


def _since_midnight_ms(at: datetime) -> int:
    return (at - _midnight(at.date())) // timedelta(milliseconds=1)


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
