"""What operators' desks are told of each station: its state and every change of it, levels, ended rows, revisions.

Nothing is looked at and nothing is encoded for a station that nobody watches. It knows no transport.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import msgspec
import structlog

from radio.api.command_shapes import RowView
from radio.api.desk_messages import (
    AsRun,
    DeskMessage,
    DeskState,
    DeskUpdate,
    Levels,
    Revised,
    encode_desk,
    encode_frame,
)
from radio.api.desk_outbox import Note, Sort
from radio.clock import Clock
from radio.events import RowEnded
from radio.playout import Pulse
from radio.push.patch import diff
from radio.store.schedule_revisions import Revision

_journal = structlog.get_logger(__name__)

LEVELS_EVERY_S: Final = 0.2
"""Levels of a station are sent five times a second at most."""


class Watcher(Protocol):
    """A desk. It must be hashable; its method must neither block nor raise."""

    def tell(self, note: Note) -> None:
        """Send ``note``, or keep it within a bound."""


def _nothing(station: str) -> DeskState:
    raise LookupError(f"{station} cannot be looked at")


class _Watched:
    """A station that somebody watches."""

    __slots__ = ("encoded", "levels_at_s", "state", "watchers")

    def __init__(self, state: dict[str, Any]) -> None:
        self.watchers: dict[Watcher, None] = {}
        self.state = state
        self.encoded: bytes | None = None
        self.levels_at_s = float("-inf")


class DeskFeed:
    """The desks of all stations. Every method is called in the event loop.

    ``look`` gives a station's state as it is now; it is set before the first desk watches. ``soon`` calls a function
    in the next turn of the loop: what changes together is looked at once. While anybody watches, :meth:`tick` is to
    be called each second, for what nobody tells. ``newest`` is each station's last pulse.
    """

    def __init__(self, clock: Clock, *, soon: Callable[[Callable[[], None]], object]) -> None:
        self.look: Callable[[str], DeskState] = _nothing
        self._clock = clock
        self._soon = soon
        self.newest: dict[str, Pulse] = {}
        self._watched: dict[str, _Watched] = {}
        self._seqs: dict[str, int] = {}
        self._changed: set[str] = set()

    @property
    def stations(self) -> frozenset[str]:
        """Those that somebody watches."""
        return frozenset(self._watched)

    def watch(self, watcher: Watcher, stations: Iterable[str]) -> None:
        """``watcher`` is told of ``stations`` from now on, and of no other."""
        wanted = frozenset(stations)
        for station in wanted - self.stations:
            self._watched[station] = _Watched(msgspec.to_builtins(self.look(station)))
            self._seqs[station] = self._seqs.get(station, 0) + 1
        for station in wanted:
            self._watched[station].watchers[watcher] = None
        for station in self.stations - wanted:
            self._leave(watcher, station)

    def leave(self, watcher: Watcher) -> None:
        """Tell ``watcher`` no more."""
        for station in self.stations:
            self._leave(watcher, station)

    def snapshot(self, station: str, request_id: int | None) -> bytes:
        """The ``desk`` frame of a station that is watched."""
        watched = self._watched[station]
        if watched.encoded is None:
            watched.encoded = msgspec.json.encode(watched.state)
        return encode_desk(station, self._seqs[station], watched.encoded, request_id=request_id)

    # What happens

    def touch(self, station: str) -> None:
        """Something of ``station`` may have changed."""
        if station not in self._watched:
            return
        if not self._changed:
            self._soon(self._settle)
        self._changed.add(station)

    def tick(self, now_s: float) -> None:
        """Look at every station that is watched."""
        self._changed.update(self._watched)
        self._settle()

    def pulse(self, station: str, pulse: Pulse) -> None:
        """How the newest sound of ``station`` measures."""
        self.newest[station] = pulse
        watched = self._watched.get(station)
        if watched is None:
            return
        now_s = self._clock.monotonic_s()
        if now_s - watched.levels_at_s < LEVELS_EVERY_S:
            return
        watched.levels_at_s = now_s
        levels = Levels(
            station=station,
            at_ms=pulse.at_ms,
            rms_db=round(pulse.level_db, 1),
            true_peak_db=round(pulse.true_peak_db, 1),
            momentary_lufs=_rounded(pulse.momentary_lufs),
            short_term_lufs=_rounded(pulse.short_term_lufs),
            silent_ms=pulse.silent_ms,
            lead_s=round(pulse.lead_s, 2),
        )
        self._tell(Sort.LEVELS, station, levels)

    def ended(self, event: RowEnded) -> None:
        """A row has ended, as it is heard."""
        row = event.row
        view = RowView.of(row)
        if row.station not in self._watched or view is None:
            return
        told = AsRun(
            station=row.station,
            at_ms=event.at_ms,
            row=view,
            played_ms=event.played_ms,
            outcome=event.outcome,
            cause=event.cause,
        )
        self._tell(Sort.NEWS, row.station, told)

    def revised(self, station: str, revision: Revision) -> None:
        """The schedule of ``station`` was saved."""
        if station not in self._watched:
            return
        told = Revised(
            station=station,
            number=revision.number,
            operator=revision.operator,
            at_ms=revision.at_ms,
            action=revision.action,
            why=revision.why,
            version=revision.version,
        )
        self._tell(Sort.NEWS, station, told)
        self.touch(station)

    def _settle(self) -> None:
        changed, self._changed = self._changed, set()
        for station in sorted(changed & self._watched.keys()):
            try:
                self._look_at(station)
            except Exception:
                _journal.exception("desk_not_seen", station=station)

    def _look_at(self, station: str) -> None:
        watched = self._watched[station]
        state = msgspec.to_builtins(self.look(station))
        patch, changed = diff(watched.state, state)
        if not patch:
            return
        watched.state, watched.encoded = state, None
        self._seqs[station] += 1
        update = DeskUpdate(
            station=station,
            seq=self._seqs[station],
            at_ms=self._clock.now_ms(),
            changed=changed,
            patch=patch,
        )
        self._tell(Sort.UPDATE, station, update)

    def _tell(self, sort: Sort, station: str, frame: DeskMessage) -> None:
        note = Note(sort, station, encode_frame(frame))
        for watcher in tuple(self._watched[station].watchers):
            watcher.tell(note)

    def _leave(self, watcher: Watcher, station: str) -> None:
        watchers = self._watched[station].watchers
        watchers.pop(watcher, None)
        if not watchers:
            del self._watched[station]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
