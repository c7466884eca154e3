"""A running service: makes every part, hands each what it needs, and enters them all into one exit stack.

Parts start in the order in which they are entered and stop in the reverse order.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from radio.app.air import go_on_air, service_of
from radio.app.company import join_company
from radio.app.folder_lock import FolderLock
from radio.app.housekeeping import Housekeeping
from radio.app.parts import Parts
from radio.app.restoring import keep_what_is_known
from radio.app.streams import streams_and_push
from radio.app.takeover import Successor, Taken, TakeoverDesk
from radio.app.watchman import Watchman
from radio.app.web import serve
from radio.audio.bed import Bed
from radio.clock import Clock, SystemClock
from radio.config import Config
from radio.library import catalog
from radio.library.keeper import LibraryKeeper
from radio.library.scan import Progress
from radio.metrics import Metrics
from radio.push.hub import Hub
from radio.schedule import Interrupted, PlannedStation, Planner, StoredLogs
from radio.stations import AsRunRecorder, StationService
from radio.store import Store
from radio.store.as_run import Aired
from radio.store.as_run_files import AsRunFiles
from radio.streaming.mounts import Mounts
from radio.streaming.session_log import SessionLog
from radio.units import DurationMs

FIRST_SOUND_TICKS: Final = 50
FIRST_MS: Final = 600_000
AWAY: Final = "the station was off the air"
TURN_S: Final = 0.001
"""How long a thread that computes may keep the interpreter from the event loop; Python's own 5 ms add up."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A running service, for whoever started it; ``taken_over`` is set when another process has gone on with it."""

    config: Config
    port: int
    stations: dict[str, StationService]
    planner: Planner
    library: LibraryKeeper
    store: Store
    hub: Hub
    mounts: Mounts
    taken_over: asyncio.Event

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the site."""
        host = self.config.server.host
        shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1", "::1") else host
        return self.config.server.public_url or f"http://{shown}:{self.port}/"


@asynccontextmanager
async def on_air(
    config: Config, *, clock: Clock | None = None, progress: Progress | None = None, takeover: bool = False
) -> AsyncIterator[Service]:
    """Put every enabled station of ``config`` on the air for as long as the context is open.

    On a first run the library is scanned before the sound starts; ``progress`` is told how far that is. With
    ``takeover`` the streams, listeners and logs of the service that runs on the same data folder go on here.
    Raises AddressInUse, StoreError, ConfigurationError, TakeoverFailed.
    """
    sys.setswitchinterval(TURN_S)
    async with AsyncExitStack() as stack:
        composition = _Composition(config, clock or SystemClock(), stack)
        yield await composition.start(progress, takeover)


class _Composition:
    """Makes the parts and starts them; lives until the service stands."""

    def __init__(self, config: Config, clock: Clock, stack: AsyncExitStack) -> None:
        self.config = config
        self.clock = clock
        self.stack = stack

    async def start(self, progress: Progress | None, takeover: bool) -> Service:
        lock = FolderLock(self.config.data_dir)
        self.stack.callback(lock.release)
        if not takeover:
            lock.take()
        store = await self.stack.enter_async_context(Store.open(self.config.database_url, clock=self.clock))
        self.store = store
        self.files, self.recorder = self._as_run()
        self.session_log = SessionLog(
            store.submit, self.clock, keep_addresses_days=self.config.server.keep_addresses_days
        )
        await self.stack.enter_async_context(self.session_log.running())
        parts = self.parts = self._parts()
        company = await join_company(parts, self.stack)
        port = await (self._take_over() if takeover else self._begin(progress))
        keep_what_is_known(parts, self.housekeeping)
        self.housekeeping.begin()
        if company is not None:
            self.housekeeping.background(company.keep(), cut=True)
        watchman = Watchman(parts, lambda: self.serving, self.session_log)
        for watch in (watchman.run, watchman.look_at_disk, watchman.look_at_database, watchman.back_up):
            self.housekeeping.background(watch(), cut=True)
        if takeover:
            self.housekeeping.background(lock.take_when_free(), cut=True)
        desk = TakeoverDesk(parts, self.serving.sockets)
        await self.stack.enter_async_context(desk)
        return Service(
            config=self.config,
            port=port,
            stations=parts.services,
            planner=parts.planner,
            library=parts.library,
            store=store,
            hub=parts.hub,
            mounts=parts.mounts,
            taken_over=desk.taken_over,
        )

    def _as_run(self) -> tuple[AsRunFiles, AsRunRecorder]:
        zones = {station.id: station.zone for station in self.config.stations}
        files = AsRunFiles(self.config.data_dir / "as-run", zones, keep_days=self.config.server.as_run_days)
        self.stack.push_async_callback(asyncio.to_thread, files.close)
        recorder = AsRunRecorder(self.store, files)
        self.stack.push_async_callback(recorder.close)
        return files, recorder

    def _parts(self) -> Parts:
        mounts, hub = streams_and_push(self.config, self.clock, self.session_log)
        library = LibraryKeeper(self.store, self._roots(), self._library_changed)
        parts = Parts(
            config=self.config,
            clock=self.clock,
            metrics=Metrics(),
            store=self.store,
            recorder=self.recorder,
            as_run_files=self.files,
            mounts=mounts,
            hub=hub,
            library=library,
            planner=self._planner(library),
        )
        self.housekeeping = Housekeeping(parts, self.stack)
        return parts

    def _roots(self) -> list[Path]:
        roots = [root for station in self.config.stations for root in self.config.roots_of(station)]
        return list(dict.fromkeys(roots))

    def _planner(self, library: LibraryKeeper) -> Planner:
        return Planner(
            [PlannedStation.of(self.config, station) for station in self.config.stations],
            clock=self.clock,
            store=StoredLogs(self.store),
            library=lambda: library.current,
            sponsors_file=self.config.path(self.config.sponsors),
            on_change=lambda station, _: self._log_changed(station),
        )

    def _log_changed(self, station: str) -> None:
        if station in self.parts.services:
            self.parts.services[station].log_changed()
            self.parts.desk.touch(station)

    async def _library_changed(self) -> None:
        self.parts.metrics.library_items.set(len(self.parts.library.current))
        await self.parts.planner.reload()

    async def _begin(self, progress: Progress | None) -> int:
        """First what can sound from its stored log, then all else that takes time."""
        parts = self.parts
        parts.services.update({station.id: service_of(parts, station) for station in self.config.stations})
        self.serving = await serve(parts, self.stack)
        cut = await parts.recorder.begin(parts.station_ids, self.clock.now_ms())
        ready = await parts.planner.begin(
            self.stack, {id_: _interrupted(aired) for id_, aired in cut.items()}, parts.recorder.knows
        )
        for row in (row for id_ in ready for row in parts.planner.missed(id_)):
            parts.recorder.missed(row, self.clock.now_ms(), AWAY)
        await self._load_first_items(ready)
        for station in self.config.stations:
            if station.id in ready:
                await go_on_air(parts, self.stack, station)
        if ready:
            await self._first_sound()
        await parts.library.load()
        await asyncio.to_thread(Bed.prepare)
        if not len(parts.library.current):
            await parts.library.scan(progress)
        await parts.planner.keep_ahead(self.stack)
        for station in self.config.stations:
            if station.id not in ready:
                await go_on_air(parts, self.stack, station)
        if parts.recorder.was_behind:
            self.housekeeping.background(parts.recorder.take_in_all(parts.station_ids))
        return self.serving.port

    async def _take_over(self) -> int:
        """All that takes time first; then the streams change hands, and then the log is compiled on."""
        parts = self.parts
        await parts.library.load()
        await asyncio.to_thread(Bed.prepare)
        successor = Successor(parts, self.stack)
        taken: Taken = await successor.take_over()
        self.serving = taken.serving
        await parts.planner.keep_ahead(self.stack)
        return self.serving.port

    async def _load_first_items(self, stations: Iterable[str]) -> None:
        """What the first rows play: a large library takes its time to be read."""
        from_ms = self.clock.now_ms()
        planner = self.parts.planner
        rows = [row for id_ in stations for row in planner.log(id_).between(from_ms, from_ms + FIRST_MS)]
        wanted = sorted({row.item for row in rows if row.item})
        self.parts.first_items = {item.id: item for item in await self.store.read(catalog.load_some, wanted)}

    async def _first_sound(self) -> None:
        """Leave the processor to the sound until it is there; what follows would slow it down."""
        for _ in range(FIRST_SOUND_TICKS):
            if all(mount.newest for mount in self.parts.mounts if mount.station in self.parts.playouts):
                return
            await asyncio.sleep(0.02)


def _interrupted(aired: Aired) -> Interrupted:
    began_ms = aired.started_at_ms if aired.started_at_ms is not None else aired.at_ms
    heard_ms = DurationMs(began_ms - aired.row.starts_at_ms + aired.played_ms)
    return Interrupted(aired.row.id, heard_ms, aired.ended_at_ms or aired.at_ms)
