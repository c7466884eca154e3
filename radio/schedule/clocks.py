"""Clocks are laid over real hours: a segment and its clocks become planned spans (pure).

The walk is in UTC. Each real hour takes the clock of its local label, so the hour that is repeated in autumn
runs its clock twice and has its legal ID twice. Where a zone moves by less than an hour, the clock goes on
at the minute that the wall shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from radio.log import Anchor
from radio.schedule.model import CLOCK_LENGTH_MS, HourClock, Position
from radio.schedule.occurrences import Segment
from radio.schedule.wallclock import local_time, next_change_ms
from radio.units import DurationMs, UtcMs


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The time between two anchored positions of a clock, as instants.

    ``head`` is the anchored position at the start, if there is one; ``positions`` float behind it.
    ``anchor`` says how firmly the start holds: hard starts are met to the millisecond. ``hour_ms`` is the
    instant of the hour's first moment and, with the clock's name, identifies the use of a clock. ``joined_ms`` is
    how far into a recording or a stream at its head the span starts, where something went before it.
    """

    starts_at_ms: UtcMs
    ends_at_ms: UtcMs
    hour_ms: UtcMs
    anchor: Anchor
    window_ms: DurationMs
    head: Position | None
    positions: tuple[Position, ...]
    clock: HourClock
    segment: Segment
    joined_ms: DurationMs = DurationMs(0)


class _Part(msgspec.Struct, frozen=True):
    at_ms: int
    head: Position | None
    positions: tuple[Position, ...]


def spans_of(
    segment: Segment, clock_of: Callable[[Segment, datetime], HourClock], zone: ZoneInfo
) -> Iterator[Span]:
    """The spans of one segment in order, contiguous from its start to its end.

    ``clock_of`` names the clock of a segment at a local time. The start of a segment is a hard anchor, unless
    what comes before it may finish; an hour whose clock has nothing anchored at 00:00 starts when what is on the
    air ends. In a segment that is behind, the clocks stand where they stood by that much earlier.
    """
    at_ms = segment.starts_at_ms
    while at_ms < segment.ends_at_ms:
        local = local_time(at_ms - segment.behind_ms, zone)
        into_ms = local.minute * 60_000 + local.second * 1000 + local.microsecond // 1000
        hour_ends_ms = at_ms + CLOCK_LENGTH_MS - into_ms
        end_ms = next_change_ms(at_ms, hour_ends_ms, zone) or hour_ends_ms
        end_ms = UtcMs(min(end_ms, segment.ends_at_ms))
        yield from _of_hour(segment, clock_of(segment, local), at_ms, end_ms, into_ms)
        at_ms = end_ms


def _of_hour(
    segment: Segment, clock: HourClock, start_ms: UtcMs, end_ms: UtcMs, into_ms: int
) -> Iterator[Span]:
    hour_ms = UtcMs(start_ms - into_ms)
    parts = _parts(clock)
    ends = [part.at_ms for part in parts[1:]] + [CLOCK_LENGTH_MS]
    for part, part_ends_ms in zip(parts, ends, strict=True):
        starts_at_ms = max(hour_ms + part.at_ms, start_ms)
        ends_at_ms = min(hour_ms + part_ends_ms, end_ms)
        if ends_at_ms <= starts_at_ms:
            continue
        joined_ms = starts_at_ms - hour_ms - part.at_ms
        opens = starts_at_ms == segment.starts_at_ms
        head = part.head if not joined_ms or (opens and _can_be_joined(part.head)) else None
        yield Span(
            starts_at_ms=UtcMs(starts_at_ms),
            ends_at_ms=UtcMs(ends_at_ms),
            hour_ms=hour_ms,
            anchor=segment.opens if opens else head.anchor if head else Anchor.FLOAT,
            window_ms=segment.window_ms if opens else head.window_ms if head else DurationMs(0),
            head=head,
            positions=part.positions,
            clock=clock,
            segment=segment,
            joined_ms=DurationMs(joined_ms if head else 0),
        )


def filled_with(clock: HourClock, names: tuple[str, ...]) -> HourClock:
    """A clock that rotates the categories ``names`` and nothing else but the legal IDs that ``clock`` has."""
    legal = [position for position in clock.positions if position.legal_id and position.at_ms is not None]
    first = () if legal and not legal[0].at_ms else (Position(rotate=names),)
    rotating = [one for position in legal for one in (position, Position(rotate=names))]
    return HourClock(name=clock.name, positions=(*first, *rotating))


def _can_be_joined(head: Position | None) -> bool:
    return head is not None and (head.episode is not None or head.stream is not None)


def _parts(clock: HourClock) -> list[_Part]:
    """The clock cut at its anchored positions; where a part says no rotation, the one before goes on."""
    parts: list[_Part] = []
    head: Position | None = None
    floating: list[Position] = []
    rotation: Position | None = None
    for position in (*clock.positions, None):
        if position is not None and position.at_ms is None:
            floating.append(position)
            continue
        here = next((one for one in floating if one.rotate), None)
        if here is None and rotation is not None:
            floating.append(rotation)
        rotation = here or rotation
        if parts or floating or head or position is None or position.at_ms:
            parts.append(_Part((head.at_ms or 0) if head else 0, head, tuple(floating)))
        head, floating = position, []
    return parts
