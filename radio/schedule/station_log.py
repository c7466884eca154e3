"""A station's published log: the one queue that playout takes rows from and everyone else reads.

Safe to use from any thread. No edit changes a row that playout has taken; everything behind it may be
replaced at any moment. Playout itself may change the log at its own position (:meth:`StationLog.apply`): that
is how a skip or a hold comes about. A bridge that such a change leaves is bed, which may be replaced even
while it sounds.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Final

from radio.errors import NotFound
from radio.log import Anchor, LogRow, first_fault
from radio.schedule.airings import ProgrammeAiring, around
from radio.schedule.moves import Move, filled, is_bridge
from radio.units import UtcMs

MOVED_WITHIN_MS: Final = 2 * 3_600_000


class StationLog:
    """The rows of one station, contiguous, with the frontier up to which playout has taken them.

    ``title`` is shown while the bed sounds. ``on_move`` is told by :meth:`apply`, in the thread of playout, from
    which moment on the log is another.
    """

    def __init__(self, station: str, title: str = "") -> None:
        self.station = station
        self.on_move: Callable[[UtcMs], None] = lambda from_ms: None
        self._title = title
        self._guard = threading.Lock()
        self._rows: list[LogRow] = []
        self._frontier_ms = 0
        self._reached_ms = 0
        self._generation = 0
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

    @property
    def generation(self) -> int:
        """How often rows that playout may have taken were changed."""
        return self._generation

    @property
    def reached_ms(self) -> UtcMs:
        """Where playout stands; 0 before it begins."""
        return UtcMs(self._reached_ms)

    def reached(self, at_ms: int) -> int:
        """Playout renders up to ``at_ms``, before which nothing is changed any more: the generation.

        Where it is another than before, the rows that were taken must be compared with the log.
        """
        with self._guard:
            self._reached_ms = at_ms
            return self._generation

    def apply(self, at_ms: int, move: Move) -> LogRow:
        """Change the log at the moment where playout stands; the row that held it, as it was.

        ``move`` is given the rows up to the next hard one, which stays. Where there is none within two hours, what
        comes later is dropped: it would be compiled anew in any case, and the change must take no time.
        Rows may have to be taken anew afterwards. Raises NotFound where no row holds ``at_ms``, what ``move``
        raises, and ValueError where it makes no log; nothing is changed then.
        """
        with self._guard:
            on_air = self._find(at_ms)
            if on_air is None:
                raise NotFound(f"Nothing is on the air at {self.station}.")
            first = bisect_left(self._rows, int(on_air.starts_at_ms), key=_start)
            near, rest = self._movable(first, at_ms)
            moved = move(near, at_ms, title=self._title)
            if fault := first_fault([*self._rows[max(0, first - 1) : first], *moved.rows, *rest[:1]]):
                raise ValueError(f"the changed rows of {self.station} are no log: {fault}")
            self._rows = [*self._rows[:first], *moved.rows, *rest]
            self._frontier_ms = moved.settled_ms
            self._generation += 1
        self.on_move(on_air.starts_at_ms)
        return on_air

    def bridge(self, after_ms: int) -> LogRow | None:
        """The first bridge that ends after ``after_ms``: a row of bed that waits to be compiled over."""
        with self._guard:
            first = bisect_right(self._rows, after_ms, key=_end)
            return next((row for row in self._rows[first:] if is_bridge(row)), None)

    def replace_from(self, from_ms: int, rows: Sequence[LogRow], *, generation: int | None = None) -> bool:
        """Put ``rows`` in the place of all that start at or after ``from_ms``.

        ``from_ms`` may lie in the last row that was taken, if that is a bridge and playout has not reached it.
        False, and nothing is changed, where a row that starts there was taken meanwhile or would be cut, or
        where the log is no longer of ``generation``. Raises ValueError where the rows are no log.
        """
        fault = first_fault(rows)
        if fault or (rows and rows[0].starts_at_ms != from_ms):
            raise ValueError(f"the rows of {self.station} are no log: {fault or 'they start elsewhere'}")
        with self._guard:
            if generation is not None and generation != self._generation:
                return False
            if from_ms < self._frontier_ms:
                return self._fill_bridge(from_ms, rows)
            kept = self._rows[: bisect_left(self._rows, from_ms, key=_start)]
            if kept and kept[-1].ends_at_ms > from_ms:
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

    def _movable(self, first: int, at_ms: int) -> tuple[list[LogRow], list[LogRow]]:
        """The rows from ``first`` on that a move is given, and those behind them that it leaves as they are."""
        for index in range(first + 1, len(self._rows)):
            if self._rows[index].anchor is Anchor.HARD:
                return self._rows[first : index + 1], self._rows[index + 1 :]
            if self._rows[index].starts_at_ms > at_ms + MOVED_WITHIN_MS:
                return self._rows[first:index], []
        return self._rows[first:], []

    def _fill_bridge(self, from_ms: int, rows: Sequence[LogRow]) -> bool:
        bridge = self._find(from_ms)
        if bridge is None or not is_bridge(bridge) or bridge.ends_at_ms != self._frontier_ms:
            return False
        if from_ms < self._reached_ms:
            return False
        self._rows = list(filled(self._rows, from_ms, more=rows))
        self._frontier_ms = from_ms
        self._generation += 1
        return True

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
