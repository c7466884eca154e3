"""What one desk has not been sent yet: bounded, and given up for the newest state where it grows too long (pure)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, NamedTuple

from radio.api.desk_messages import Lost, encode_frame

MOST_WAITING: Final = 64
MOST_UPDATES: Final = 16


class Sort(Enum):
    """How a note may be given up: an update for a snapshot, a level for the next, news only with a word."""

    UPDATE = auto()
    NEWS = auto()
    LEVELS = auto()


class Note(NamedTuple):
    """One frame of a station, encoded once for all who watch it."""

    sort: Sort
    station: str
    payload: bytes


class Outbox:
    """Notes for one desk, in order. More than 16 updates that wait become one snapshot of the newest state; of as-run
    and revision frames the newest 64 wait, and the desk is told how many it lost; of levels only the newest does.

    ``snapshot`` gives a station's ``desk`` frame as of now. ``stir`` is called where something waits.
    """

    def __init__(self, snapshot: Callable[[str, int | None], bytes], stir: Callable[[], None]) -> None:
        self._snapshot = snapshot
        self._stir = stir
        self._watched: frozenset[str] = frozenset()
        self._with_levels = True
        self._stale: dict[str, int | None] = {}
        self._waiting: deque[Note] = deque()
        self._updates = 0
        self._lost: dict[str, int] = {}
        self._levels: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._stale) + len(self._lost) + len(self._waiting) + len(self._levels)

    def watch(self, stations: frozenset[str], *, levels: bool, request_id: int | None) -> None:
        """The desk watches these from now on: it gets their snapshots, and nothing more of others."""
        self._watched, self._with_levels = stations, levels
        self._waiting = deque(
            note for note in self._waiting if note.station in stations and note.sort is Sort.NEWS
        )
        self._updates = 0
        self._lost = {station: count for station, count in self._lost.items() if station in stations}
        self._levels.clear()
        self._stale = dict.fromkeys(sorted(stations), request_id)
        self._stir()

    def tell(self, note: Note) -> None:
        """Keep a note until it is taken; one of a station that is not watched is none."""
        if note.station not in self._watched:
            return
        if note.sort is Sort.LEVELS:
            if not self._with_levels:
                return
            self._levels[note.station] = note.payload
        elif note.sort is Sort.NEWS:
            self._waiting.append(note)
            self._bound_news()
        elif note.station not in self._stale:
            self._waiting.append(note)
            self._updates += 1
            if self._updates > MOST_UPDATES:
                self._give_up_updates()
        self._stir()

    def take(self) -> bytes | None:
        """The next frame to send; None where nothing waits."""
        if self._stale:
            station, request_id = next(iter(self._stale.items()))
            del self._stale[station]
            return self._snapshot(station, request_id)
        if self._lost:
            station, count = self._lost.popitem()
            return encode_frame(Lost(station=station, count=count))
        if self._waiting:
            note = self._waiting.popleft()
            self._updates -= note.sort is Sort.UPDATE
            return note.payload
        return self._levels.pop(next(iter(self._levels))) if self._levels else None

    def _give_up_updates(self) -> None:
        for note in self._waiting:
            if note.sort is Sort.UPDATE:
                self._stale.setdefault(note.station, None)
        self._waiting = deque(note for note in self._waiting if note.sort is Sort.NEWS)
        self._updates = 0

    def _bound_news(self) -> None:
        if len(self._waiting) - self._updates <= MOST_WAITING:
            return
        oldest = next(note for note in self._waiting if note.sort is Sort.NEWS)
        self._waiting.remove(oldest)
        self._lost[oldest.station] = self._lost.get(oldest.station, 0) + 1
