"""Who has the air when: occurrences are swept into segments, and what was pre-empted comes back as it says (pure).

The grid and the series are never changed by what goes before them: each call sweeps anew, so that an override
which is taken away leaves the plan as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from radio.log import Anchor
from radio.schedule.model import OnOverrun, OnReturn, Programme, Schedule
from radio.schedule.occurrences import Occurrence, Segment, occurrences, segments
from radio.sponsors.weektime import NOMINAL_DAY_MS
from radio.units import DurationMs, UtcMs

_MARGIN_MS: Final = NOMINAL_DAY_MS + NOMINAL_DAY_MS // 12
"""How far outside of a window the sweep looks, so that an occurrence that is cut by its edge is seen whole."""


def timetable(schedule: Schedule, zone: ZoneInfo, from_ms: int, to_ms: int) -> list[Segment]:
    """``[from_ms, to_ms)`` as contiguous segments, each with the occurrence that has the air."""
    start_ms, end_ms = from_ms - _MARGIN_MS, to_ms + _MARGIN_MS
    swept = segments(occurrences(schedule.programmes, zone, start_ms, end_ms), start_ms, end_ms)
    programmes = schedule.by_id()
    if any(_has_policy(programme) for programme in schedule.programmes):
        swept = _opened(_returned(swept, programmes), programmes)
    if any(segment.occurrence and segment.occurrence.cut_from_ms for segment in swept):
        swept = _filled(swept, programmes)
    return [cut for segment in swept if (cut := _within(segment, from_ms, to_ms)) is not None]


def _has_policy(programme: Programme) -> bool:
    return (
        programme.on_return is not OnReturn.JOIN
        or programme.min_remainder_ms > 0
        or programme.on_overrun is OnOverrun.FINISH
    )


def _returned(swept: Sequence[Segment], programmes: Mapping[str, Programme]) -> list[Segment]:
    """What comes back after something that went before it, by the policy of its programme."""
    aired_ms: dict[str, int] = {}
    found: list[Segment] = []
    taken_ms = 0
    for segment in swept:
        if taken_ms >= segment.ends_at_ms:
            continue
        if taken_ms > segment.starts_at_ms:
            segment = msgspec.structs.replace(segment, starts_at_ms=UtcMs(taken_ms))
        occurrence = segment.occurrence
        if occurrence is not None:
            programme = programmes[occurrence.programme]
            aired = aired_ms.get(occurrence.id, 0)
            lost_ms = segment.starts_at_ms - occurrence.starts_at_ms - aired
            if lost_ms > 0:
                segment = _back(segment, occurrence, programme, lost_ms)
                if programme.on_return is OnReturn.SLIDE and segment.occurrence is not None:
                    segment = _slid(segment, occurrence, programme, lost_ms, swept)
                    taken_ms = segment.ends_at_ms
            aired_ms[occurrence.id] = aired + segment.ends_at_ms - segment.starts_at_ms
        found.append(segment)
    return found


def _back(segment: Segment, occurrence: Occurrence, programme: Programme, lost_ms: int) -> Segment:
    length_ms = segment.ends_at_ms - segment.starts_at_ms
    if programme.on_return is OnReturn.DROP or length_ms < programme.min_remainder_ms:
        ids = (*segment.preempted, occurrence.id)
        return msgspec.structs.replace(segment, occurrence=None, preempted=ids)
    behind_ms = {
        OnReturn.JOIN: 0,
        OnReturn.RESUME: lost_ms,
        OnReturn.SLIDE: lost_ms,
        OnReturn.RESTART: segment.starts_at_ms - occurrence.starts_at_ms,
    }[programme.on_return]
    return msgspec.structs.replace(segment, behind_ms=DurationMs(behind_ms))


def _slid(
    segment: Segment, occurrence: Occurrence, programme: Programme, lost_ms: int, swept: Sequence[Segment]
) -> Segment:
    """The last segment of an occurrence goes on by what was lost, into time that nobody else has."""
    if segment.ends_at_ms != occurrence.ends_at_ms:
        return segment
    after = next((one for one in swept if one.starts_at_ms == segment.ends_at_ms), None)
    if after is None or after.occurrence is not None:
        return segment
    longer_ms = min(lost_ms, programme.slide_max_ms, after.ends_at_ms - after.starts_at_ms)
    return msgspec.structs.replace(segment, ends_at_ms=UtcMs(segment.ends_at_ms + longer_ms))


def _opened(swept: Sequence[Segment], programmes: Mapping[str, Programme]) -> list[Segment]:
    """What follows a programme that lets its last item finish opens softly."""
    found: list[Segment] = []
    for segment in swept:
        before = found[-1].occurrence if found else None
        programme = programmes.get(before.programme) if before else None
        if programme is not None and programme.on_overrun is OnOverrun.FINISH:
            segment = msgspec.structs.replace(segment, opens=Anchor.SOFT, window_ms=programme.overrun_max_ms)
        found.append(segment)
    return found


def _filled(swept: Sequence[Segment], programmes: Mapping[str, Programme]) -> list[Segment]:
    """What nobody else has of the time of a programme that was ended early is filled as the programme says."""
    found: list[Segment] = []
    names, until_ms = tuple[str, ...](), 0
    for segment in swept:
        occurrence = segment.occurrence
        if occurrence is not None and occurrence.cut_from_ms:
            names, until_ms = programmes[occurrence.programme].early_end, occurrence.cut_from_ms
        elif occurrence is None and names and segment.starts_at_ms < until_ms:
            ends_at_ms = UtcMs(min(until_ms, segment.ends_at_ms))
            found.append(msgspec.structs.replace(segment, ends_at_ms=ends_at_ms, early_end=names))
            if ends_at_ms == segment.ends_at_ms:
                continue
            segment = msgspec.structs.replace(
                segment, starts_at_ms=ends_at_ms, opens=Anchor.HARD, window_ms=DurationMs(0)
            )
        found.append(segment)
    return found


def _within(segment: Segment, from_ms: int, to_ms: int) -> Segment | None:
    starts_at_ms, ends_at_ms = max(segment.starts_at_ms, from_ms), min(segment.ends_at_ms, to_ms)
    if starts_at_ms >= ends_at_ms:
        return None
    return msgspec.structs.replace(segment, starts_at_ms=UtcMs(starts_at_ms), ends_at_ms=UtcMs(ends_at_ms))
