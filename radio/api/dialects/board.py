"""Follows every station for the dialects: what was heard lately, the most listeners, and a sight of each at any moment.

One subscriber of the hub, however many clients the dialects have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Protocol, Self

import msgspec
import structlog

from radio.api.dialects.azuracast import triggers
from radio.api.dialects.recent import KEPT, Heard, Recent
from radio.api.dialects.sight import Sight
from radio.clock import Clock
from radio.config import StationConfig
from radio.errors import UnknownStation
from radio.log import LogRow
from radio.push.channel import Publication
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub
from radio.push.messages import Position, ServerMessage
from radio.schedule import ProgrammeAiring
from radio.stations.shapes import StationState
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)

COMING_ROWS: Final = 24
SEED_EVERY_S: Final = 5.0
SEED_TRIES: Final = 6
_NOTHING: Final = Position("", 0)


class Sources(Protocol):
    """What the board asks others for, each about one station; none of it marks or changes anything."""

    def coming(self, station: str, after_ms: int, limit: int) -> Sequence[LogRow]:
        """Rows of the log that start at or after ``after_ms``."""

    def airings(self, station: str) -> Sequence[ProgrammeAiring]:
        """The programmes that are known, in order: from yesterday to a week ahead."""

    def listeners(self, station: str) -> Mapping[str, int]:
        """How many hear each mount."""

    def heard(self, station: str, limit: int) -> Awaitable[list[Heard]]:
        """What an earlier run played, newest first."""


class Board:
    """A subscriber of the hub and an async context manager; ``heartbeat`` is entered before it and left after it.

    ``on_change`` is told, in the loop, of a station whose state is another, and what happened in AzuraCast's words.
    """

    lane: Final = None

    def __init__(
        self,
        stations: Sequence[StationConfig],
        sources: Sources,
        hub: Hub,
        clock: Clock,
        heartbeat: Heartbeat,
    ) -> None:
        self.stations = {station.id: station for station in stations}
        self.on_change: Callable[[str, list[str]], None] = lambda station, triggers: None
        self.clock = clock
        self._numbers = {id_: number for number, id_ in enumerate(self.stations, 1)}
        self._sources = sources
        self._hub = hub
        self._heartbeat = heartbeat
        self.started_at_ms = clock.now_ms()
        self._states: dict[str, StationState] = {}
        self._positions: dict[str, Position] = {}
        self._recent = {id_: Recent() for id_ in self.stations}
        self._peaks: dict[str, dict[str, int]] = {id_: {} for id_ in self.stations}
        self._seeding: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._attach()
        self._seeding = asyncio.create_task(self._seed(), name="dialects-seed")
        self._heartbeat.add(self)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._heartbeat.discard(self)
        self._hub.drop(self)
        if self._seeding is not None:
            self._seeding.cancel()
            with suppress(asyncio.CancelledError):
                await self._seeding

    def named(self, name: str) -> str:
        """The id of the station that is called ``name``, by its id or its number. Raises UnknownStation."""
        if name.isascii() and name.isdigit() and name not in self.stations:
            name = next((id_ for id_, number in self._numbers.items() if str(number) == name), name)
        if name not in self.stations:
            raise UnknownStation(name, self.stations)
        return name

    def position(self, station: str) -> Position:
        """Where the station's newest state stands in the hub."""
        return self._positions.get(station, _NOTHING)

    def sight(self, station: str, base: str) -> Sight:
        """The station as it is now. Raises UnknownStation, also for one that has no state yet."""
        state = self._states.get(station)
        if state is None:
            raise UnknownStation(station, self._states)
        at_ms = self.clock.now_ms()
        after_ms = state.now.ends_at_ms if state.now else at_ms
        return Sight(
            number=self._numbers[station],
            config=self.stations[station],
            state=state,
            base=base,
            at_ms=at_ms,
            started_at_ms=self.started_at_ms,
            heard=self._recent[station].heard,
            coming=self._sources.coming(station, after_ms, COMING_ROWS),
            listeners=self._sources.listeners(station),
            peaks=self._peaks[station],
        )

    def sights(self, base: str) -> list[Sight]:
        """All stations that have a state, in the order of the configuration."""
        return [self.sight(station, base) for station in self.stations if station in self._states]

    def airings(self, station: str) -> Sequence[ProgrammeAiring]:
        """The station's programmes, from yesterday to a week ahead."""
        return self._sources.airings(station)

    # The hub's side

    def deliver(self, publication: Publication) -> None:
        """A station's state is another; the hub has it whole."""
        try:
            self._take(publication.station)
        except Exception:
            _journal.exception("dialects.state_not_taken", station=publication.station)

    def tell(self, message: ServerMessage) -> None:
        """Nothing is said to the board alone."""

    # The clock's side

    def tick(self, now_s: float) -> None:
        """Count the listeners; follow stations that have come up since."""
        self._attach()
        for station, peaks in self._peaks.items():
            for mount, listeners in self._sources.listeners(station).items():
                peaks[mount] = max(listeners, peaks.get(mount, 0))

    def _attach(self) -> None:
        followed = self._hub.subscriptions(self)
        for station in self.stations:
            if station not in followed and station in self._hub.stations:
                self._hub.subscribe(self, station)

    def _take(self, station: str) -> None:
        position = self._hub.position(station)
        if position == self._positions.get(station):
            return
        before = self._states.get(station)
        state = msgspec.convert(self._hub.state(station), StationState)
        self._states[station], self._positions[station] = state, position
        self._recent[station].follow(state, self._changed_at_ms(state))
        self.on_change(station, triggers(before, state))

    def _changed_at_ms(self, state: StationState) -> UtcMs:
        now_ms = self.clock.now_ms()
        return min(now_ms, state.now.starts_at_ms) if state.now else now_ms

    async def _seed(self) -> None:
        """Read what was played before, and again when the programmes' names are known or the database is there."""
        missing = list(self.stations)
        for _ in range(SEED_TRIES):
            missing = [station for station in missing if not await self._seeded(station)]
            if not missing:
                return
            await self.clock.sleep(SEED_EVERY_S)

    async def _seeded(self, station: str) -> bool:
        try:
            self._recent[station].seed(await self._sources.heard(station, 2 * KEPT))
        except Exception:
            _journal.exception("dialects.history_not_read", station=station)
            return False
        return bool(self._sources.airings(station))
