"""Push by server-sent events (WHATWG HTML, "Server-sent events"), for clients that cannot take a WebSocket.

``GET /api/events?stations=a,b`` sends the same objects as the WebSocket as ``data``: a welcome, a snapshot of
each station or what was missed since ``Last-Event-ID``, then every change. An event's ``id`` is the client's
position in all of its stations, in the order of the query: ``epoch:seq,epoch:seq``; for one station just
``epoch:seq``.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Final, Self

from aiohttp import web

from radio.api.replies import OPEN_TO_ALL
from radio.clock import Clock
from radio.errors import InvalidRequest, UnknownStation
from radio.push.backlog import Backlog
from radio.push.channel import Publication
from radio.push.conversation import SUBSCRIPTIONS_LIMIT, Conversation
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub
from radio.push.limits import Admission
from radio.push.messages import HEARTBEAT_S, Position, ServerMessage, encode

_HEADERS: Final = {
    **OPEN_TO_ALL,
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    # nginx holds a response back to fill its buffers unless it is told not to.
    "X-Accel-Buffering": "no",
}
_BEAT: Final = b":\n\n"
_ID_LIMIT: Final = 8192
_GOLDEN: Final = 0.618


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What one client may take; lengths in bytes, times in seconds."""

    stations: int = SUBSCRIPTIONS_LIMIT
    kernel_buffer_bytes: int = 65_536
    write_buffer_bytes: int = 32_768
    backlog_bytes: int = 65_536
    patience_s: float = 30.0
    retry_s: float = 3.0


def event_data(payload: bytes) -> bytes:
    """``payload`` (one line of text) as the data of an event, which ends with it."""
    return b"data: " + payload + b"\n\n"


def peer_address(request: web.Request) -> str:
    """The address at the other end of the connection; empty for a Unix socket."""
    return request.remote or ""


class EventStreams:
    """All event streams; an async context manager whose :meth:`handle` is the route's handler.

    Leaving it ends every stream; clients come back by themselves after about ``limits.retry_s``. ``heartbeat`` and
    ``admission`` may be shared with the WebSockets; ``heartbeat`` is entered before and left after.
    """

    def __init__(
        self,
        hub: Hub,
        clock: Clock,
        heartbeat: Heartbeat,
        *,
        admission: Admission | None = None,
        limits: StreamLimits | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        address_of: Callable[[web.Request], str] = peer_address,
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._heartbeat = heartbeat
        self._admission = admission or Admission()
        self._limits = limits or StreamLimits()
        self._heartbeat_s = heartbeat_s
        self._address_of = address_of
        self._streams: set[_EventStream] = set()
        self._order = count()

    def __len__(self) -> int:
        return len(self._streams)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for stream in tuple(self._streams):
            stream.end()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer ``GET /api/events``. Raises errors of :mod:`radio.errors` for a request that cannot be met."""
        stations = self._stations(request)
        since = positions(request.headers.get("Last-Event-ID", ""), stations)
        address = self._address_of(request)
        self._admission.enter(address)
        try:
            return await self._serve(request, stations, since)
        finally:
            self._admission.leave(address)

    async def _serve(
        self, request: web.Request, stations: Sequence[str], since: dict[str, Position]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        assert request.transport is not None
        stream = _EventStream(self._hub, self._clock, self._limits, self._heartbeat_s, request.transport)
        self._streams.add(stream)
        self._heartbeat.add(stream)
        try:
            with suppress(ConnectionError):
                await stream.run(response.write, stations, since, self._retry_ms())
        finally:
            self._heartbeat.discard(stream)
            self._hub.drop(stream)
            self._streams.discard(stream)
        return response

    def _retry_ms(self) -> int:
        # Clients that lost their streams in one moment must not come back in one.
        return round(self._limits.retry_s * 1000 * (0.5 + next(self._order) * _GOLDEN % 1.0))

    def _stations(self, request: web.Request) -> tuple[str, ...]:
        named = tuple(dict.fromkeys(filter(None, request.query.get("stations", "").split(","))))
        if not 0 < len(named) <= self._limits.stations:
            allowed = f"1 to {self._limits.stations} station ids joined by commas"
            raise InvalidRequest("No stations, or too many.", field="stations", allowed=allowed)
        for station in named:
            if station not in self._hub.stations:
                raise UnknownStation(station, self._hub.stations)
        return named


class _EventStream:
    def __init__(
        self,
        hub: Hub,
        clock: Clock,
        limits: StreamLimits,
        heartbeat_s: float,
        transport: asyncio.Transport,
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._limits = limits
        self._heartbeat_s = heartbeat_s
        self._transport = transport
        self._backlog = Backlog(limits.backlog_bytes)
        self._positions: dict[str, Position] = {}
        self._wake = asyncio.Event()
        self._ended = False
        self._beat_due = False
        self._spoke_s = clock.monotonic_s()

    # The hub's side

    def deliver(self, publication: Publication) -> None:
        self._backlog.put(publication, self._clock.monotonic_s())
        self._wake.set()

    def tell(self, message: ServerMessage) -> None:
        raise AssertionError("nothing is said to one event stream alone")

    # The clock's side

    def tick(self, now_s: float) -> None:
        """Say that the connection lives, or cut one that takes nothing."""
        behind_since_s = self._backlog.behind_since_s
        if self._transport.is_closing():
            self.end()
        elif behind_since_s is not None and now_s - behind_since_s >= self._limits.patience_s:
            self._transport.abort()
        elif now_s - self._spoke_s >= self._heartbeat_s:
            self._beat_due = True
            self._wake.set()

    # The request's side

    def end(self) -> None:
        self._ended = True
        self._wake.set()

    async def run(
        self,
        write: Callable[[bytes], Awaitable[None]],
        stations: Sequence[str],
        since: dict[str, Position],
        retry_ms: int,
    ) -> None:
        self._transport.set_write_buffer_limits(high=self._limits.write_buffer_bytes)
        if (connection := self._transport.get_extra_info("socket")) is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._limits.kernel_buffer_bytes)
        welcome = encode(Conversation(self._hub, self._clock, self).welcome(heartbeat_s=self._heartbeat_s))
        await write(b"retry: %d\n" % retry_ms + event_data(welcome))
        self._positions = {station: since.get(station, Position("", 0)) for station in stations}
        for station in stations:
            self._hub.subscribe(self, station, since.get(station))
        while not self._ended:
            await self._wake.wait()
            self._wake.clear()
            await self._drain(write)

    async def _drain(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        while not self._ended and (publication := self._backlog.take(self._fresh)) is not None:
            self._positions[publication.station] = publication.position
            await write(self._event(publication))
            self._spoke_s, self._beat_due = self._clock.monotonic_s(), False
        if self._beat_due:
            self._spoke_s, self._beat_due = self._clock.monotonic_s(), False
            await write(_BEAT)

    def _event(self, publication: Publication) -> bytes:
        return b"id: " + event_id(self._positions.values()).encode() + b"\n" + publication.form(event_data)

    def _fresh(self, station: str, request_id: int | None) -> Publication | None:
        return self._hub.fresh(self, station, request_id)


def event_id(held: Iterable[Position]) -> str:
    """The id of an event after which a client stands at ``held``."""
    return ",".join(f"{position.epoch}:{position.seq}" for position in held)


def positions(last_event_id: str, stations: Sequence[str]) -> dict[str, Position]:
    """What ``Last-Event-ID`` says of each of ``stations``; empty where it was made for others or is no such id."""
    parts = last_event_id.split(",") if len(last_event_id) <= _ID_LIMIT else []
    if len(parts) != len(stations):
        return {}
    found = {}
    for station, part in zip(stations, parts, strict=True):
        epoch, _, seq = part.strip().rpartition(":")
        if epoch and seq.isascii() and seq.isdigit() and len(seq) <= 18:
            found[station] = Position(epoch, int(seq))
    return found
