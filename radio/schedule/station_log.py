"""A station's published log: the one queue that playout takes rows from and everyone else reads.

Safe to use from any thread. No edit changes a row that playout has taken; everything behind it may be
replaced at any moment. Playout itself may change the log at its own position (:meth:`StationLog.apply`): that
is how a skip or a hold comes about. A bridge that such a change leaves is bed, which may be replaced even
while it sounds.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from radio.errors import NotFound
from radio.log import Anchor, LogRow, first_fault
from radio.schedule.airings import ProgrammeAiring, around
from radio.schedule.laying import Gone, is_emergency, spoken_out
from radio.schedule.moves import Move, Moved, filled, is_bridge
from radio.schedule.remains import Remains
from radio.units import UtcMs

MOVED_WITHIN_MS: Final = 2 * 3_600_000
SET_BACK_MS: Final = 1_000
VACATED_KEPT: Final = 100
ENDS_KEPT: Final = 32
TOLD_KEPT: Final = 200
"""Rows whose end was told stay known until what was told is sure to be written."""


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
        self._ended: list[Gone] = []
        self._told: deque[Gone] = deque(maxlen=TOLD_KEPT)
        self._displaced: dict[str, Gone] = {}
        self._beneath: Sequence[LogRow] = ()
        self._vacated: deque[LogRow] = deque(maxlen=VACATED_KEPT)
        self._ends: dict[str, tuple[UtcMs, UtcMs]] = {}

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
    def vacated(self) -> Sequence[LogRow]:
        """The latest rows that operators took out or moved away, as they stood, in the order in which they stood."""
        with self._guard:
            return sorted(self._vacated, key=_start)

    @property
    def ends(self) -> Mapping[str, UtcMs]:
        """The occurrences that end elsewhere than planned, with the moment at which they do."""
        with self._guard:
            return {occurrence: ends_at_ms for occurrence, (_, ends_at_ms) in self._ends.items()}

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

        Where that is sooner than before, the clock was set back; if nothing is compiled for that time, ``on_move`` is
        told. Where it is another than before, the rows that were taken must be compared with the log.
        """
        with self._guard:
            is_set_back = at_ms < self._reached_ms - SET_BACK_MS
            if is_set_back:
                # the clock was set back: what was taken for later is settled no more
                self._frontier_ms = at_ms
            self._reached_ms = at_ms
            generation, is_hole = self._generation, self._find(at_ms) is None
        if is_set_back and is_hole:
            self.on_move(UtcMs(at_ms))
        return generation

    def is_coming(self, row_id: str, at_ms: int) -> bool:
        """Whether the row of that id ends after ``at_ms`` by the log as it is."""
        with self._guard:
            first = bisect_right(self._rows, at_ms, key=_end)
            return any(row.id == row_id for row in self._rows[first:])

    def passed(self, at_ms: int) -> Sequence[Gone]:
        """The rows that have ended by ``at_ms`` without being heard since this was last asked; each is told once."""
        if not self._ended and not self._displaced:
            return ()
        with self._guard:
            gone, self._ended = self._ended, []
            over = [one for one in self._displaced.values() if _over_ms(one.row) <= at_ms]
            for one in over:
                del self._displaced[one.row.id]
            gone += over
            self._told.extend(gone)
            return gone

    def kept_from(self, from_ms: int) -> tuple[Sequence[LogRow], Remains]:
        """The rows that start at or after ``from_ms``, and what is known besides the rows, at one moment."""
        with self._guard:
            first = bisect_left(self._rows, from_ms, key=_start)
            remains = Remains(
                told=tuple(self._told),
                ended=tuple(self._ended),
                displaced=tuple(self._displaced.values()),
                beneath=tuple(self._beneath),
                vacated=tuple(self._vacated),
                ends=dict(self._ends),
            )
            return tuple(self._rows[first:]), remains

    def remember(self, remains: Remains) -> None:
        """Take up what was known besides the rows when the log was last kept; before playout begins."""
        with self._guard:
            self._told = deque(remains.told, maxlen=TOLD_KEPT)
            self._ended = list(remains.ended)
            self._displaced = {gone.row.id: gone for gone in remains.displaced}
            self._beneath = remains.beneath
            self._vacated = deque(remains.vacated, maxlen=VACATED_KEPT)
            self._ends = dict(remains.ends)

    @property
    def beneath(self) -> Sequence[LogRow]:
        """What the emergency that is on the air lies over, in order."""
        return self._beneath

    def planned_end(self, occurrence: str) -> UtcMs | None:
        """When an occurrence was planned to end; None where that is not known."""
        if occurrence in self._ends:
            return self._ends[occurrence][0]
        return next((one.ends_at_ms for one in self._airings if one.occurrence == occurrence), None)

    def end_airing(self, occurrence: str, ends_at_ms: UtcMs) -> None:
        """Let an occurrence end elsewhere than planned, in all that is compiled from now on."""
        with self._guard:
            self._end_airing(occurrence, ends_at_ms)

    def apply(self, at_ms: int, move: Move, *, over_ms: int = 0) -> LogRow:
        """Change the log at the moment where playout stands; the row that held it, as it was.

        ``move`` is given the rows up to the first hard one that starts more than ``over_ms`` later; that one stays.
        Where there is none within two hours, what comes later is dropped: it would be compiled anew in any case, and
        the change must take no time.
        Rows may have to be taken anew afterwards. Raises NotFound where no row holds ``at_ms``, what ``move``
        raises, and ValueError where it makes no log; nothing is changed then.
        """
        with self._guard:
            on_air = self._find(at_ms)
            if on_air is None:
                raise NotFound(f"Nothing is on the air at {self.station}.")
            first = bisect_left(self._rows, int(on_air.starts_at_ms), key=_start)
            near, rest = self._movable(first, at_ms, over_ms)
            moved = spoken_out(move(near, at_ms, title=self._title), at_ms, self._title)
            if fault := first_fault([*self._rows[max(0, first - 1) : first], *moved.rows, *rest[:1]]):
                raise ValueError(f"the changed rows of {self.station} are no log: {fault}")
            self._rows = [*self._rows[:first], *moved.rows, *rest]
            self._frontier_ms = moved.settled_ms
            self._generation += 1
            self._remember(on_air, near, moved)
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
            self._planned_anew(from_ms)
            return True

    def show(self, airings: Sequence[ProgrammeAiring]) -> None:
        """Set which programmes are told of."""
        self._airings = tuple(airings)

    def drop_before(self, before_ms: int) -> None:
        """Forget rows that ended by ``before_ms``."""
        with self._guard:
            self._rows = self._rows[bisect_right(self._rows, before_ms, key=_end) :]

    def _movable(self, first: int, at_ms: int, over_ms: int) -> tuple[list[LogRow], list[LogRow]]:
        """The rows from ``first`` on that a move is given, and those behind them that it leaves as they are."""
        for index in range(first + 1, len(self._rows)):
            row = self._rows[index]
            if row.anchor is Anchor.HARD and row.starts_at_ms > at_ms + over_ms:
                return self._rows[first : index + 1], self._rows[index + 1 :]
            if row.starts_at_ms > at_ms + max(over_ms, MOVED_WITHIN_MS):
                return self._rows[first:index], []
        return self._rows[first:], []

    def _remember(self, on_air: LogRow, near: Sequence[LogRow], moved: Moved) -> None:
        """What becomes of the rows for which a change left no place."""
        here = {row.id for row in moved.rows}
        ended = {gone.row.id for gone in moved.taken_out} | {on_air.id}
        outcome, cause = moved.why
        # the repeats of an emergency that is over were no plan of anybody's
        planned = (row for row in near if row.item is not None and not is_emergency(row))
        lost = (row for row in planned if row.id not in here and row.id not in ended)
        self._displaced.update({row.id: Gone(row, outcome, cause) for row in lost})
        for id_ in here & self._displaced.keys():
            del self._displaced[id_]
        self._ended.extend(moved.taken_out)
        self._vacated.extend(moved.vacated)
        self._beneath = moved.beneath
        if moved.airing is not None:
            self._end_airing(*moved.airing)

    def _end_airing(self, occurrence: str, ends_at_ms: UtcMs) -> None:
        planned_ms = self.planned_end(occurrence)
        self._ends[occurrence] = (ends_at_ms if planned_ms is None else planned_ms, ends_at_ms)
        while len(self._ends) > ENDS_KEPT:
            del self._ends[next(iter(self._ends))]

    def _planned_anew(self, from_ms: int) -> None:
        """What would have come from ``from_ms`` on is no longer planned, and is not missed."""
        planned = [gone.row.id for gone in self._displaced.values() if gone.row.starts_at_ms >= from_ms]
        for id_ in planned:
            del self._displaced[id_]

    def _fill_bridge(self, from_ms: int, rows: Sequence[LogRow]) -> bool:
        bridge = self._find(from_ms)
        if bridge is None or not is_bridge(bridge) or bridge.ends_at_ms != self._frontier_ms:
            return False
        if from_ms < self._reached_ms:
            return False
        self._rows = list(filled(self._rows, from_ms, more=rows))
        self._frontier_ms = from_ms
        self._generation += 1
        self._planned_anew(from_ms)
        return True

    def _find(self, at_ms: int) -> LogRow | None:
        index = bisect_right(self._rows, at_ms, key=_start) - 1
        row = self._rows[index] if index >= 0 else None
        return row if row is not None and row.ends_at_ms > at_ms else None

    def _take(self, row: LogRow | None) -> LogRow | None:
        if row is not None:
            self._frontier_ms = max(self._frontier_ms, row.ends_at_ms)
        return row


def _over_ms(row: LogRow) -> int:
    """When a row's time is over, be it late as it may."""
    return max(row.ends_at_ms, row.starts_at_ms + row.anchor_window_ms)


def _start(row: LogRow) -> int:
    return row.starts_at_ms


def _end(row: LogRow) -> int:
    return row.ends_at_ms
