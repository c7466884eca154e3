"""What stands at a position for a recorded episode or a network's stream: the recording, else fill that says why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from radio.library.items import Item
from radio.schedule.clocks import Span
from radio.schedule.model import OnGap, OnRepeat, Position, Programme
from radio.schedule.shelves import Shelves
from radio.schedule.wallclock import local_time

LEAST_JOINED_MS: Final = 10_000
"""What would be left of a recording must be longer than this for it to be joined."""


class Recording(NamedTuple):
    """A recording, how much of its beginning is left out, and why it airs; or none, and why not."""

    item: Item | None
    skip_ms: int
    reason: str


class Recordings:
    """Finds the recording that a position asks for."""

    def __init__(self, shelves: Shelves, zone: ZoneInfo, programmes: dict[str, Programme]) -> None:
        self._shelves = shelves
        self._zone = zone
        self._programmes = programmes

    def find(self, position: Position, span: Span, at_ms: int) -> Recording:
        """The recording of the day on which the span's occurrence was planned; of the local day without one.

        One that was broken is joined where it would be by now; one whose beginning the clocks skip is joined if
        the programme says so.
        """
        folder = position.episode or ""
        occurrence = span.segment.occurrence
        programme = self._programmes.get(occurrence.programme) if occurrence else None
        day = local_time(span.starts_at_ms, self._zone).date()
        if occurrence is not None:
            day = datetime.fromisoformat(occurrence.id.rpartition("@")[2]).date()
        if programme and programme.on_repeat is not OnRepeat.REPEAT and self._is_second_pass(span):
            return Recording(None, 0, f"episode {folder}: not repeated in the hour that the clocks repeat")
        item = self._shelves.dated(folder, day)
        if item is None:
            return Recording(None, 0, f"episode {folder}: there is no recording of {day}")
        if reason := self._shelves.why_not(item, at_ms):
            return Recording(None, 0, f"episode {folder}: the recording of {day} may not air ({reason})")
        skip_ms = int(span.joined_ms)
        if occurrence and programme and programme.on_gap is OnGap.JOIN and not skip_ms:
            is_first = span.starts_at_ms == occurrence.starts_at_ms
            skip_ms = occurrence.skipped_ms if is_first else 0
        if item.air_ms - skip_ms < LEAST_JOINED_MS:
            return Recording(None, 0, f"episode {folder}: the recording of {day} would be over by now")
        joined = f", joined after {skip_ms // 60_000}:{skip_ms // 1000 % 60:02}" if skip_ms else ""
        return Recording(item, skip_ms, f"episode {folder}: the recording of {day}{joined}")

    def fill_names(self, span: Span, usual: Sequence[str]) -> tuple[str, ...]:
        """What fills the time of a recording or a stream: the programme's own choice, else the clock's."""
        occurrence = span.segment.occurrence
        programme = self._programmes.get(occurrence.programme) if occurrence else None
        return (programme.early_end if programme else ()) or tuple(usual)

    def _is_second_pass(self, span: Span) -> bool:
        """Whether the clocks show the span's time for the second time, and the programme had the first."""
        local = local_time(span.starts_at_ms, self._zone)
        occurrence = span.segment.occurrence
        if not local.fold or occurrence is None:
            return False
        first, second = local.replace(fold=0).utcoffset(), local.utcoffset()
        passed_ms = ((first or timedelta()) - (second or timedelta())) // timedelta(milliseconds=1)
        return span.starts_at_ms - passed_ms >= occurrence.starts_at_ms
