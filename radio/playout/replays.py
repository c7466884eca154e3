"""Keeps what has aired from airing twice when the wall clock is set back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from radio.log import LogRow
from radio.playout.log_view import LogView, MovableLog
from radio.schedule.moves import Gone, Move
from radio.units import UtcMs

REMEMBERED: Final = 4_000

SHORT_REST_MS: Final = 15_000
"""So little of a row that has aired is not worth hearing again."""


class FreshLog:
    """A log seen through the eyes of somebody who remembers what has been on the air.

    Where the clock was set back, the log has rows for the present that have aired already. Music and speech may
    be heard again; a sponsor's message, and a short rest of anything, is filled with the bed.
    """

    def __init__(self, log: LogView) -> None:
        self._log = log
        self._aired: dict[str, None] = {}
        self._again_until_ms = 0

    @classmethod
    def of(cls, log: LogView) -> FreshLog:
        """The view of ``log`` that can do as much as ``log``."""
        return _MovableFreshLog(log) if isinstance(log, MovableLog) else cls(log)

    def aired(self, row: LogRow) -> None:
        """``row`` has come on the air."""
        self._aired[row.id] = None
        if len(self._aired) > REMEMBERED:
            del self._aired[next(iter(self._aired))]

    def set_back(self, from_ms: int) -> None:
        """The clock was set back: what the log has for the time up to ``from_ms`` may have aired."""
        self._again_until_ms = max(self._again_until_ms, from_ms)

    def row_at(self, at_ms: int) -> LogRow | None:
        return self._fresh(self._log.row_at(at_ms), at_ms)

    def row_after(self, row: LogRow) -> LogRow | None:
        return self._fresh(self._log.row_after(row), row.ends_at_ms)

    def _fresh(self, row: LogRow | None, at_ms: int) -> LogRow | None:
        if row is None or row.item is None or at_ms >= self._again_until_ms or row.id not in self._aired:
            return row
        if row.sponsor is None and row.ends_at_ms - at_ms >= SHORT_REST_MS:
            return row
        return msgspec.structs.replace(row, item=None, sponsor=None)


class _MovableFreshLog(FreshLog):
    _log: MovableLog

    def peek(self, at_ms: int) -> LogRow | None:
        return self._log.peek(at_ms)

    def reached(self, at_ms: int) -> int:
        return self._log.reached(at_ms)

    def apply(self, at_ms: int, move: Move, *, over_ms: int = 0) -> LogRow:
        return self._log.apply(at_ms, move, over_ms=over_ms)

    def is_coming(self, row_id: str, at_ms: int) -> bool:
        return self._log.is_coming(row_id, at_ms)

    def passed(self, at_ms: int) -> Sequence[Gone]:
        return self._log.passed(at_ms)

    @property
    def beneath(self) -> Sequence[LogRow]:
        return self._log.beneath

    def planned_end(self, occurrence: str) -> UtcMs | None:
        return self._log.planned_end(occurrence)
