"""An upgrade without a gap: a new process goes on with the streams, the listeners and the logs of a running one.

The running service (:class:`TakeoverDesk`) listens at ``control.sock`` in its data folder. The new one
(:class:`Successor`) makes itself ready, then asks. The old one stops each stream at a chunk and hands over what is
needed to go on at that byte; the new one makes its first chunk and says that it is ready; only then do the sockets
change hands, and the old one leaves. Players have the stream's lead in their buffers and notice nothing. Wherever
a step fails, the old service goes on.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Final, TypeVar

import msgspec
import structlog

from radio.api.server import Serving
from radio.app.air import go_on_air, send_chunk, service_of
from radio.app.parts import Parts
from radio.app.web import serve
from radio.config import Config
from radio.descriptors import Channel, is_same_user, listen
from radio.errors import TakeoverFailed
from radio.playout import RunBaton
from radio.push.channel import ChannelBaton
from radio.schedule.remains import LogBaton
from radio.stations import OpenAttempt, ServiceBaton
from radio.streaming.chunks import Chunk
from radio.streaming.listening import HandedListener

_journal = structlog.get_logger(__name__)

SOCKET_NAME: Final = "control.sock"
VERSION: Final = 1

QUIET_MOMENT_S: Final = 1.0
TRIES: Final = 30
STEP_S: Final = 3.0
"""How long one side waits for a step of the other: streams stand still meanwhile, and their lead is 5 s."""

LONGEST_WAIT_S: Final = TRIES * (QUIET_MOMENT_S + 1.0) + 10.0

_Mounts = dict[str, list[tuple[str, str, int]]]


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello"):
    """The new process is ready to go on with these mounts."""

    version: int
    mounts: _Mounts


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """The running service goes on, and why."""

    reason: str


class StationBaton(msgspec.Struct, frozen=True, kw_only=True):
    """One station: its stream (None where it is off the air), its state and the chunks for new listeners."""

    station: str
    run: RunBaton | None
    service: ServiceBaton
    chunks: list[Chunk]
    log: LogBaton | None = None


class Baton(msgspec.Struct, frozen=True, kw_only=True, tag="baton"):
    """All but the sockets."""

    stations: list[StationBaton]
    channels: list[ChannelBaton]
    hub_epoch: str
    attempts: list[OpenAttempt]


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The new process has made what comes next in every stream."""


class Sockets(msgspec.Struct, frozen=True, kw_only=True, tag="sockets"):
    """With the descriptors: first so many that listen, then one for each listener."""

    listening: int
    listeners: list[HandedListener]


class Received(msgspec.Struct, frozen=True, tag="received"):
    """The new process has the sockets, and touches none yet."""


class Gone(msgspec.Struct, frozen=True, tag="gone"):
    """They are the new one's from now on."""


Message = Hello | Refused | Baton | Ready | Sockets | Received | Gone
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Message)
_M = TypeVar("_M")


class TakeoverDesk:
    """Where another process may ask to go on with this service. ``taken_over`` is set when one has."""

    def __init__(self, parts: Parts, sockets: tuple[socket.socket, ...]) -> None:
        self._parts = parts
        self._sockets = sockets
        self._path = parts.config.data_dir / SOCKET_NAME
        self._door: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None
        self.taken_over = asyncio.Event()

    async def __aenter__(self) -> TakeoverDesk:
        try:
            self._door = listen(self._path)
        except TakeoverFailed as fault:
            _journal.warning("no_takeover", reason=fault.message)
            return self
        self._door.setblocking(False)
        self._task = asyncio.create_task(self._attend(self._door))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._door is not None:
            self._door.close()
            if not self.taken_over.is_set():
                self._path.unlink(missing_ok=True)

    async def _attend(self, door: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while not self.taken_over.is_set():
            connection, _ = await loop.sock_accept(door)
            if not is_same_user(connection):
                connection.close()
                continue
            with Channel(connection, timeout_s=STEP_S) as channel:
                await self._serve(channel)

    async def _serve(self, channel: Channel) -> None:
        try:
            hello = await _hear(channel, Hello)
            _check(hello, self._parts.config)
            await self._hand_over(channel)
        except TakeoverFailed as fault:
            _journal.warning("takeover_failed", reason=fault.message)
            with suppress(TakeoverFailed):
                await _say(channel, Refused(reason=fault.message))
        except Exception:
            _journal.exception("takeover_failed")

    async def _hand_over(self, channel: Channel) -> None:
        parts = self._parts
        runs = await self._suspended()
        handed: list[HandedListener] = []
        try:
            services = {id_: service.hand_over() for id_, service in parts.services.items()}
            attempts = await parts.recorder.hand_over()
            await _say(channel, self._baton(runs, services, attempts, parts.planner.hand_over()))
            await _hear(channel, Ready)
            handed = parts.mounts.hand_over()
            descriptors = [*(each.fileno() for each in self._sockets), *(one.fd for one in handed)]
            await _say(channel, Sockets(listening=len(self._sockets), listeners=handed), descriptors)
            await _hear(channel, Received)
            await _say(channel, Gone())
        except BaseException:
            self._go_on(handed)
            raise
        for one in handed:
            os.close(one.fd)
        _journal.info("taken_over", listeners=len(handed))
        self.taken_over.set()

    async def _suspended(self) -> dict[str, RunBaton]:
        """Every stream stopped at a chunk. Raises TakeoverFailed where they cannot be all at once."""
        playouts = self._parts.playouts
        for _ in range(TRIES):
            asked = [asyncio.to_thread(playout.suspend, QUIET_MOMENT_S) for playout in playouts.values()]
            runs = await asyncio.gather(*asked, return_exceptions=True)
            batons = [run for run in runs if isinstance(run, RunBaton)]
            if len(batons) == len(runs):
                return dict(zip(playouts, batons, strict=True))
            for playout in playouts.values():
                playout.go_on()
            await asyncio.sleep(QUIET_MOMENT_S)
        raise TakeoverFailed("There was no moment at which every station played a single item. Try again.")

    def _go_on(self, handed: list[HandedListener]) -> None:
        self._parts.mounts.adopt(handed)
        for service in self._parts.services.values():
            service.take_back()
        self._parts.planner.take_back()
        for playout in self._parts.playouts.values():
            playout.go_on()

    def _baton(
        self,
        runs: dict[str, RunBaton],
        services: dict[str, ServiceBaton],
        attempts: list[OpenAttempt],
        logs: Mapping[str, LogBaton],
    ) -> Baton:
        chunks: dict[str, list[Chunk]] = {id_: [] for id_ in services}
        for mount in self._parts.mounts:
            chunks[mount.station] += mount.chunks
        return Baton(
            stations=[
                StationBaton(
                    station=id_, run=runs.get(id_), service=service, chunks=chunks[id_], log=logs.get(id_)
                )
                for id_, service in services.items()
            ],
            channels=self._parts.hub.hand_over(),
            hub_epoch=self._parts.hub.epoch,
            attempts=attempts,
        )


class Taken(msgspec.Struct, frozen=True):
    """What a takeover gave: where the service listens now, and how many listeners it has."""

    serving: Serving
    listeners: int


class Successor:
    """The new process's side. Its parts are ready, their stations neither served nor on the air."""

    def __init__(self, parts: Parts, stack: AsyncExitStack) -> None:
        self._parts = parts
        self._stack = stack
        self._made: list[Chunk] = []
        self._begun: dict[str, asyncio.Event] = {}

    async def take_over(self) -> Taken:
        """Go on with the running service. Raises TakeoverFailed, and then nothing has been touched there."""
        path = self._parts.config.data_dir / SOCKET_NAME
        channel = self._stack.enter_context(
            await asyncio.to_thread(Channel.connect, path, timeout_s=LONGEST_WAIT_S)
        )
        await _say(channel, Hello(version=VERSION, mounts=_mounts_of(self._parts.config)))
        baton = await _hear(channel, Baton)
        channel.wait_up_to(STEP_S)
        await self._prepare(baton)
        await _say(channel, Ready())
        sockets, descriptors = await _hear_with(channel, Sockets)
        await _say(channel, Received())
        try:
            await _hear(channel, Gone)
        except TakeoverFailed:
            for descriptor in descriptors:
                os.close(descriptor)
            raise
        return await self._go_on(sockets, descriptors)

    async def _prepare(self, baton: Baton) -> None:
        parts, now_ms = self._parts, self._parts.clock.now_ms()
        await parts.recorder.adopt(baton.attempts, parts.station_ids, now_ms)
        await parts.planner.begin(self._stack, {}, parts.recorder.knows)
        parts.hub.adopt(baton.channels, baton.hub_epoch)
        handed = {one.station: one for one in baton.stations}
        for one in baton.stations:
            if one.log is not None and one.station in parts.station_ids:
                parts.planner.adopt(one.station, one.log)
        for station in parts.config.stations:
            mine = handed.get(station.id)
            parts.services[station.id] = service_of(parts, station, mine.service if mine else None)
            for chunk in mine.chunks if mine else ():
                send_chunk(parts, chunk)
        for station in parts.config.stations:
            mine = handed.get(station.id)
            self._begun[station.id] = asyncio.Event()
            await go_on_air(parts, self._stack, station, send=self._keep, baton=mine.run if mine else None)
        waiting = [self._begun[id_].wait() for id_, one in handed.items() if one.run is not None]
        try:
            await asyncio.wait_for(asyncio.gather(*waiting), STEP_S)
        except TimeoutError:
            raise TakeoverFailed("The sound did not come in time.") from None

    def _keep(self, chunk: Chunk) -> None:
        """Chunks wait until the listeners are here; then they go to them."""
        if self._begun:
            self._made.append(chunk)
            self._begun[chunk.station].set()
        else:
            send_chunk(self._parts, chunk)

    async def _go_on(self, sockets: Sockets, descriptors: list[int]) -> Taken:
        listening = [socket.socket(fileno=fd) for fd in descriptors[: sockets.listening]]
        for each in listening:
            each.setblocking(False)
        theirs = zip(sockets.listeners, descriptors[sockets.listening :], strict=True)
        adopted = self._parts.mounts.adopt(msgspec.structs.replace(one, fd=fd) for one, fd in theirs)
        made, self._made, self._begun = self._made, [], {}
        for chunk in made:
            send_chunk(self._parts, chunk)
        serving = await serve(self._parts, self._stack, sockets=listening)
        _journal.info("took_over", listeners=adopted, stations=len(self._parts.playouts))
        return Taken(serving, adopted)


def _mounts_of(config: Config) -> _Mounts:
    return {
        station.id: [(mount.name, mount.format, mount.bitrate_kbps) for mount in station.mounts]
        for station in config.stations
        if station.enabled
    }


def _check(hello: Hello, config: Config) -> None:
    if hello.version != VERSION:
        raise TakeoverFailed(
            "The two releases do not know each other's way to hand over: a restart is needed."
        )
    if hello.mounts != _mounts_of(config):
        raise TakeoverFailed("The stations or their mounts have changed: a restart is needed.")


async def _say(channel: Channel, message: Message, descriptors: list[int] | None = None) -> None:
    await asyncio.to_thread(channel.send, _ENCODER.encode(message), descriptors or [])


async def _hear(channel: Channel, kind: type[_M]) -> _M:
    message, descriptors = await _hear_with(channel, kind)
    for descriptor in descriptors:
        os.close(descriptor)
    return message


async def _hear_with(channel: Channel, kind: type[_M]) -> tuple[_M, list[int]]:
    data, descriptors = await asyncio.to_thread(channel.receive)
    try:
        message = _DECODER.decode(data)
    except msgspec.DecodeError as fault:
        raise TakeoverFailed(f"The other process speaks another way: {fault}") from fault
    if isinstance(message, Refused):
        raise TakeoverFailed(message.reason)
    if not isinstance(message, kind):
        raise TakeoverFailed(f"The other process said {type(message).__name__} too soon.")
    return message, descriptors
