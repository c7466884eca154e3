"""The composition root: makes every part, hands each what it needs, and enters them all into one exit stack.

Nothing imports this module but the command line and the tests. Parts start in the order in which they are
entered and stop in the reverse order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from math import ceil
from typing import Any, Final

import msgspec
import structlog
from aiohttp import web

from radio.api.artwork import artwork_routes
from radio.api.console import Actions, console_routes
from radio.api.events_stream import EventStreams
from radio.api.handover import handover_routes
from radio.api.health import health_routes
from radio.api.library_api import LibraryApi, Stations
from radio.api.playlists import playlist_routes
from radio.api.public import PublicApi
from radio.api.push_socket import PushSockets
from radio.api.server import http_application, serving
from radio.api.sign_in import sign_in
from radio.api.site import site_routes
from radio.clock import Clock, SystemClock
from radio.config import Config, StationConfig
from radio.events import Availability
from radio.library.keeper import LibraryKeeper
from radio.library.scan import Progress
from radio.library.shrinker import Shrinker
from radio.log import LogRow
from radio.metrics import Metrics
from radio.playout import Output, StationPlayout, ThreadLoader
from radio.playout.chunker import FRAMES_PER_CHUNK
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub
from radio.push.limits import Admission
from radio.schedule import PlannedStation, Planner, StoredLogs
from radio.schedule.watch import watch_files
from radio.sponsors import read_sponsors
from radio.stations import AsRunRecorder, StationService
from radio.store import Store, as_run
from radio.streaming.chunks import Chunk
from radio.streaming.listener import Listener
from radio.streaming.mount import Mount
from radio.streaming.mounts import ListenerLimits, Mounts
from radio.streaming.sessions import Session, Sessions
from radio.streaming.stream_heads import StationFace
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)

METRICS_EVERY_S: Final = 1.0


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A running service, for whoever started it."""

    config: Config
    port: int
    stations: dict[str, StationService]
    planner: Planner
    library: LibraryKeeper
    store: Store
    hub: Hub
    mounts: Mounts

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the site."""
        host = self.config.server.host
        shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1", "::1") else host
        return self.config.server.public_url or f"http://{shown}:{self.port}/"


@asynccontextmanager
async def on_air(
    config: Config, *, clock: Clock | None = None, progress: Progress | None = None
) -> AsyncIterator[Service]:
    """Put every enabled station of ``config`` on the air for as long as the context is open.

    On a first run the library is scanned before the sound starts; ``progress`` is told how far that is.
    Raises AddressInUse, StoreError, ConfigurationError.
    """
    async with AsyncExitStack() as stack:
        composition = _Composition(config, clock or SystemClock(), stack)
        yield await composition.start(progress)


class _Composition:
    """Makes the parts and starts them; lives until the service stands."""

    def __init__(self, config: Config, clock: Clock, stack: AsyncExitStack) -> None:
        self.config = config
        self.clock = clock
        self.stack = stack
        self.metrics = Metrics()
        self.stop = asyncio.Event()

    async def start(self, progress: Progress | None) -> Service:
        store = self.store = await self.stack.enter_async_context(
            Store.open(self.config.database_url, clock=self.clock)
        )
        for station in self.config.stations:
            await store.write(as_run.close_unfinished, station.id, self.clock.now_ms())
        self.mounts, self.hub = self._streams_and_push()
        self.library = LibraryKeeper(store, self._roots(), self._library_changed)
        await self.library.load()
        self.planner = self._planner()
        self.services = {station.id: self._service(station) for station in self.config.stations}
        port = await self._serve()
        if not len(self.library.current):
            await self.library.scan(progress)
        await self.planner.start(self.stack)
        for station in self.config.stations:
            await self._go_on_air(station)
        await self._housekeep()
        return Service(
            config=self.config,
            port=port,
            stations=self.services,
            planner=self.planner,
            library=self.library,
            store=store,
            hub=self.hub,
            mounts=self.mounts,
        )

    def _roots(self) -> list[Any]:
        roots = [root for station in self.config.stations for root in self.config.roots_of(station)]
        return list(dict.fromkeys(roots))

    def _streams_and_push(self) -> tuple[Mounts, Hub]:
        sessions = Sessions(self.clock)
        limits = ListenerLimits(
            total=self.config.server.max_listeners, per_address=self.config.server.max_listeners_per_address
        )
        mounts = Mounts(self.clock, sessions, limits)

        def start_of(session: str, station: str) -> UtcMs | None:
            found = sessions.find(session)
            return found.stream_time_ms if found and found.station == station else None

        hub = Hub(session_lookup=start_of)

        def started(session: Session) -> None:
            hub.session_started(session.station, session.id, session.stream_time_ms)

        sessions.on_started = started
        for station in self.config.stations:
            self._add_mounts(mounts, station)
        return mounts, hub

    def _add_mounts(self, mounts: Mounts, station: StationConfig) -> None:
        later = asyncio.get_running_loop().call_soon
        face = StationFace(
            id=station.id,
            name=station.name,
            description=station.description,
            genre=station.genre,
            url=self.config.server.public_url,
        )
        for mount in station.mounts:
            frame_bytes = 3 * mount.bitrate_kbps
            made = Mount(
                station.id,
                mount.name,
                mime="audio/mpeg",
                bitrate_kbps=mount.bitrate_kbps,
                chunk_bytes=FRAMES_PER_CHUNK * frame_bytes,
                frame_bytes=frame_bytes,
                later=later,
                ring_chunks=ceil(station.sound.lead_s) + 6,
            )
            mounts.add(face, made)

    def _planner(self) -> Planner:
        return Planner(
            [PlannedStation.of(self.config, station) for station in self.config.stations],
            clock=self.clock,
            store=StoredLogs(self.store),
            library=lambda: self.library.current,
            sponsors_file=self.config.path(self.config.sponsors),
            on_change=lambda station, _: self.services[station].log_changed(),
        )

    def _service(self, station: StationConfig) -> StationService:
        return StationService(
            station,
            clock=self.clock,
            log=self.planner.log(station.id),
            recorder=AsRunRecorder(self.store),
            publish=self._publish,
            listeners=lambda: self.mounts.listeners(station.id),
            metrics=self.metrics,
            public_url=self.config.server.public_url,
        )

    def _publish(self, station: str, state: dict[str, Any], at_ms: UtcMs) -> None:
        if station in self.hub.stations:
            self.hub.publish_state(station, state, at_ms)
        else:
            self.hub.open(station, state)

    async def _serve(self) -> int:
        server = self.config.server
        heartbeat = await self.stack.enter_async_context(Heartbeat(self.clock))
        admission = Admission(total=server.max_subscribers, per_address=server.max_subscribers_per_address)
        sockets = PushSockets(self.hub, self.clock, heartbeat, admission=admission)
        events = EventStreams(self.hub, self.clock, heartbeat, admission=admission)

        pictures = await self.stack.enter_async_context(Shrinker(self.store))

        def streams() -> Listener:
            return Listener(self.mounts)

        port = await self.stack.enter_async_context(
            serving(
                http_application(
                    [
                        *artwork_routes(pictures, frozenset(self.services)),
                        *self._library_api().routes(),
                        *self._routes(),
                        web.get("/api/events", events.handle),
                        *handover_routes(streams=streams, sockets=sockets.protocol),
                    ],
                    sign_in(self.store, self.clock),
                ),
                streams=streams,
                sockets=sockets.protocol,
                host=server.host,
                port=server.port,
            )
        )
        await self.stack.enter_async_context(sockets)
        await self.stack.enter_async_context(events)
        self.stack.callback(self.mounts.close)
        return port

    def _library_api(self) -> LibraryApi:
        config = self.config
        roots = {station.id: [str(root) for root in config.roots_of(station)] for station in config.stations}
        sponsors = config.path(config.sponsors)
        stations = Stations(
            roots=roots,
            schedule=self.planner.schedule,
            sponsors=lambda: read_sponsors(sponsors, stations=tuple(roots)),
        )
        return LibraryApi(self.store, self.library, stations, self.clock)

    def _routes(self) -> list[Any]:
        config = self.config
        stations = {station.id: station for station in config.stations}
        pictures = config.path(config.network.pictures) if config.network.pictures else None
        public = PublicApi(self.services, self.store, self._airings, self.clock)
        actions = Actions(scan=self._scan, reload=self._reload, stations=frozenset(stations))
        return [
            *public.routes(),
            *console_routes(actions),
            *playlist_routes(stations, config.server.public_url),
            *health_routes(self._off_air, self.metrics),
            *site_routes(config.network, pictures, frozenset(stations)),
        ]

    def _airings(self, station: str, from_ms: int, to_ms: int) -> list[Any]:
        return [
            airing
            for airing in self.planner.log(station).airings
            if airing.ends_at_ms > from_ms and airing.starts_at_ms < to_ms
        ]

    def _off_air(self) -> dict[str, str]:
        silent = (Availability.STARTING, Availability.OFF_AIR)
        return {
            station.id: self.services[station.id].status.reason or "starting"
            for station in self.config.stations
            if station.enabled and self.services[station.id].status.status in silent
        }

    async def _scan(self) -> dict[str, int]:
        report = await self.library.scan()
        return {name: getattr(report, name) for name in ("added", "changed", "moved", "removed", "rejected")}

    async def _reload(self, station: str) -> str | None:
        await self.planner.reload(station)
        problem = self.planner.problem(station)
        return problem.message if problem else None

    async def _library_changed(self) -> None:
        self.metrics.library_items.set(len(self.library.current))
        await self.planner.reload()

    async def _go_on_air(self, station: StationConfig) -> None:
        service = self.services[station.id]
        await self.stack.enter_async_context(service.running())
        if not station.enabled:
            return
        loop = asyncio.get_running_loop()
        playout = StationPlayout(
            station=station.id,
            name=station.name,
            outputs=tuple(
                Output(mount=mount.name, bitrate_kbps=mount.bitrate_kbps) for mount in station.mounts
            ),
            lead_s=station.sound.lead_s,
            log=self.planner.log(station.id),
            loader=lambda: ThreadLoader(self._file_of, station.id),
            clock=self.clock,
            on_event=lambda event: _in_loop(loop, service.on_event, event),
            on_chunk=lambda chunk: _in_loop(loop, self._send, chunk),
            on_pulse=lambda pulse: _in_loop(loop, service.on_pulse, pulse),
        )
        playout.start()
        self.stack.push_async_callback(asyncio.to_thread, playout.stop)

    def _file_of(self, row: LogRow) -> Any:
        item = self.library.current.by_id.get(row.item or "")
        return item.file if item else None

    def _send(self, chunk: Chunk) -> None:
        _, mount = self.mounts.find(chunk.station, chunk.mount)
        mount.publish(chunk)
        self.metrics.stream_bytes.labels(chunk.station, chunk.mount).inc(len(chunk.data))

    async def _housekeep(self) -> None:
        files = [self.config.schedule_of(station) for station in self.config.stations]
        files.append(self.config.path(self.config.sponsors))
        await self._background(self.library.keep(self.stop))
        await self._background(watch_files(files, self.planner.reload, self.stop))
        await self._background(self._measure(), cut=True)
        self.stack.callback(self.stop.set)

    async def _background(self, work: Coroutine[Any, Any, None], *, cut: bool = False) -> None:
        """Run ``work`` beside the sound; at the stop it has five seconds to end, or none where it is ``cut``."""
        task = asyncio.create_task(work)
        task.add_done_callback(_tell_of_failure)

        async def end() -> None:
            self.stop.set()
            with suppress(Exception, asyncio.CancelledError):
                await asyncio.wait_for(task, 0.0 if cut else 5.0)

        self.stack.push_async_callback(end)

    async def _measure(self) -> None:
        """Keep the gauges true, and see how late the event loop runs."""
        while not self.stop.is_set():
            due_s = self.clock.monotonic_s() + METRICS_EVERY_S
            await self.clock.sleep(METRICS_EVERY_S)
            self.metrics.loop_late_ms.observe(max(0.0, (self.clock.monotonic_s() - due_s) * 1000))
            self.metrics.subscribers.set(self.hub.counts().subscribers)
            self.metrics.library_items.set(len(self.library.current))
            for mount in self.mounts:
                self.metrics.listeners.labels(mount.station, mount.name).set(mount.listeners)
                self.metrics.listeners_dropped.labels(mount.station, mount.name).set(mount.dropped)
            now_ms = self.clock.now_ms()
            for station in self.config.stations:
                ends_at_ms = self.planner.log(station.id).ends_at_ms or now_ms
                self.metrics.log_ahead_s.labels(station.id).set((ends_at_ms - now_ms) / 1000)


def _tell_of_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        _journal.error("background_work_failed", reason=str(fault), exc_info=fault)


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[Any], None], value: Any) -> None:
    """Hand ``value`` over from a playout thread; the loop may be closing, and then nobody is there to hear."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, value)
