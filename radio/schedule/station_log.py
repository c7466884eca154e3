"""A station's published log: the one queue that playout takes rows from and everyone else reads.

Safe to use from any thread. A row that playout has taken is never changed again; everything behind it may
be replaced at any moment.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from radio.log import LogRow, first_fault
from radio.schedule.airings import ProgrammeAiring, around
from radio.units import UtcMs


class StationLog:
    """The rows of one station, contiguous, with the frontier up to which playout has taken them."""

    def __init__(self, station: str) -> None:
        self.station = station
        self._guard = threading.Lock()
        self._rows: list[LogRow] = []
        self._frontier_ms = 0
        self._airings: Sequence[ProgrammeAiring] = ()

    def row_at(self, at_ms: int) -> LogRow | None:
        """Take the row that holds ``at_ms``: no edit changes it any more. None in a gap."""
        with self._guard:
            return self._take(self._find(at_ms))

    def row_after(self, row: LogRow) -> LogRow | None:
        """Take the row that starts when ``row`` ends; None where nothing is compiled for that moment."""
        with self._guard:
            following = self._find(row.ends_at_ms)
            return self._take(following) if following and following.starts_at_ms == row.ends_at_ms else None

    def peek(self, at_ms: int) -> LogRow | None:
        """The row that holds ``at_ms``, without taking it."""
        with self._guard:
            return self._find(at_ms)

    def coming(self, after_ms: int, limit: int) -> Sequence[LogRow]:
        """The rows that start at or after ``after_ms``, in order, at most ``limit``."""
        with self._guard:
            first = bisect_left(self._rows, after_ms, key=_start)
            return tuple(self._rows[first : first + limit])

    def between(self, from_ms: int, to_ms: int) -> Sequence[LogRow]:
        """The rows on the air at any moment of ``[from_ms, to_ms)``."""
        with self._guard:
            first = bisect_right(self._rows, from_ms, key=_end)
            last = bisect_left(self._rows, to_ms, key=_start)
            return tuple(self._rows[first:last])

    def programmes(self, at_ms: int) -> tuple[ProgrammeAiring | None, ProgrammeAiring | None]:
        """The programme that holds ``at_ms`` and the next one to start."""
        return around(self._airings, at_ms)

    @property
    def airings(self) -> Sequence[ProgrammeAiring]:
        """The airings that are known: from yesterday to a week ahead."""
        return self._airings

    @property
    def frontier_ms(self) -> UtcMs:
        """The end of the last row that was taken; 0 before the first."""
        return UtcMs(self._frontier_ms)

    @property
    def ends_at_ms(self) -> UtcMs | None:
        """The end of the last row; None where there is none."""
        with self._guard:
            return self._rows[-1].ends_at_ms if self._rows else None

    def replace_from(self, from_ms: int, rows: Sequence[LogRow]) -> bool:
        """Put ``rows`` in the place of all that start at or after ``from_ms``.

        False, and nothing is changed, where a row that starts there was taken meanwhile or would be cut.
        Raises ValueError where the rows are no log.
        """
        fault = first_fault(rows)
        if fault or (rows and rows[0].starts_at_ms != from_ms):
            raise ValueError(f"the rows of {self.station} are no log: {fault or 'they start elsewhere'}")
        with self._guard:
            kept = self._rows[: bisect_left(self._rows, from_ms, key=_start)]
            if from_ms < self._frontier_ms or (kept and kept[-1].ends_at_ms > from_ms):
                return False
            if kept and kept[-1].ends_at_ms < from_ms:
                kept = []
            self._rows = [*kept, *rows]
            return True

    def show(self, airings: Sequence[ProgrammeAiring]) -> None:
        """Set which programmes are told of."""
        self._airings = tuple(airings)

    def drop_before(self, before_ms: int) -> None:
        """Forget rows that ended by ``before_ms``."""
        with self._guard:
            self._rows = self._rows[bisect_right(self._rows, before_ms, key=_end) :]

    def _find(self, at_ms: int) -> LogRow | None:
        index = bisect_right(self._rows, at_ms, key=_start) - 1
        row = self._rows[index] if index >= 0 else None
        return row if row is not None and row.ends_at_ms > at_ms else None

    def _take(self, row: LogRow | None) -> LogRow | None:
        if row is not None:
            self._frontier_ms = max(self._frontier_ms, row.ends_at_ms)
        return row


def _start(row: LogRow) -> int:
    return row.starts_at_ms


def _end(row: LogRow) -> int:
    return row.ends_at_ms
