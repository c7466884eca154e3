"""Push by server-sent events (WHATWG HTML, "Server-sent events"), for clients that cannot take a WebSocket.

``GET /api/events?stations=a,b`` sends the same objects as the WebSocket as ``data``: a welcome, a snapshot of
each station or what was missed since ``Last-Event-ID``, then every change. An event's ``id`` is the client's
position in all of its stations, in the order of the query: ``epoch:seq,epoch:seq``; for one station just
``epoch:seq``. Pages of other sites may not send that header without asking first: ``since=`` says the same. With
``listen=station:UUID`` the moment at which a session's sound begins is told too, each time it (re)starts.

aiohttp reads the request; then the connection is taken out of its hands and parked, as a WebSocket is.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Final, Self

from aiohttp import web

from radio.api.contract import described
from radio.api.event_ids import event_id, positions, sessions
from radio.api.handover import HandedOver, taken_from_aiohttp
from radio.api.parked_lane import ParkedLane, lane_of
from radio.api.replies import OPEN_TO_ALL
from radio.api.shapes import EventsHeaders, EventsQuery
from radio.clock import Clock
from radio.errors import InvalidRequest, UnknownStation
from radio.parking import ParkingLot
from radio.push.backlog import Backlog
from radio.push.channel import Publication
from radio.push.conversation import SUBSCRIPTIONS_LIMIT, Conversation
from radio.push.heartbeat import Heartbeat, Rounds
from radio.push.hub import Hub
from radio.push.limits import Admission
from radio.push.messages import HEARTBEAT_S, Position, ServerMessage, encode
from radio.streaming.heads import response_head
from radio.ways import Way

_HEADERS: Final = {
    **OPEN_TO_ALL,
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    # nginx holds a response back to fill its buffers unless it is told not to.
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}
_BEAT: Final = b":\n\n"
_TALK_LIMIT: Final = 65_536
_NOWHERE: Final = Position("", 0)
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


def event_data(publication: Publication) -> bytes:
    """The text of a publication (one line) as the data of an event, which ends with it."""
    return b"data: " + publication.payload + b"\n\n"


def event(publication: Publication) -> bytes:
    """A publication as an event for a client that follows only this station."""
    return b"id: %b:%d\n" % (publication.epoch.encode(), publication.seq) + event_data(publication)


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
        self.hub = hub
        self.clock = clock
        self.admission = admission or Admission()
        self.limits = limits or StreamLimits()
        self.lane = ParkedLane(event, self.limits.write_buffer_bytes)
        self._heartbeat = heartbeat
        self._heartbeat_s = heartbeat_s
        self._address_of = address_of
        self._conversation = Conversation(hub, clock)
        self._lot = ParkingLot()
        self._rounds = Rounds(clock, heartbeat_s)
        self._streams: set[EventStream] = set()
        self._watched: dict[EventStream, None] = {}
        self._order = count()
        self._stopping = False

    def __len__(self) -> int:
        return len(self._streams)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._stopping = True
        for stream in tuple(self._streams):
            stream.end()
        self._lot.close()

    @described(
        "Push by server-sent events",
        query=EventsQuery,
        headers=EventsHeaders,
        media=("text/event-stream",),
        statuses=(400, 404, 503),
        more="The objects that the WebSocket sends, as `data`; the AsyncAPI document has them all.",
    )
    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer ``GET /api/events``. Raises errors of :mod:`radio.errors` for a request that cannot be met."""
        stations = self._stations(request)
        # A browser that comes back by itself asks with the old address: the header is the newer of the two.
        last_id = request.headers.get("Last-Event-ID") or request.query.get("since", "")
        since = positions(last_id, stations)
        listens = sessions(request.query.get("listen", ""), stations)
        if request.method == "HEAD" or self._stopping:
            if self._stopping:
                return web.Response(status=503, headers=_HEADERS | {"Retry-After": "5"})
            return web.Response(headers=_HEADERS)
        address = self._address_of(request)
        self.admission.enter(address)
        transport = taken_from_aiohttp(request)
        if transport is None:
            self.admission.leave(address)
            return HandedOver()
        stream = EventStream(self, address, stations)
        self._begin(stream, transport, since)
        stream.listen(listens)
        return HandedOver()

    def watch(self, stream: EventStream) -> None:
        """Look at ``stream`` each second: it is behind."""
        self._watched[stream] = None

    def unwatch(self, stream: EventStream) -> None:
        """Look at ``stream`` no more."""
        self._watched.pop(stream, None)

    def leave(self, stream: EventStream) -> None:
        """Forget a stream that is gone."""
        self._watched.pop(stream, None)
        self._streams.discard(stream)
        if not self._streams:
            self._heartbeat.discard(self)
            self._rounds.clear()

    def tick(self, now_s: float) -> None:
        """Cut who takes nothing, and say to others that the connection lives."""
        for stream in tuple(self._watched):
            stream.look(now_s)
        self._rounds.tick(now_s)

    def _begin(self, stream: EventStream, transport: asyncio.Transport, since: dict[str, Position]) -> None:
        if not self._streams:
            self._heartbeat.add(self)
        self._streams.add(stream)
        if (connection := transport.get_extra_info("socket")) is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.limits.kernel_buffer_bytes)
        limit = self.limits.write_buffer_bytes + self.limits.backlog_bytes
        way = self._lot.park(transport, stream, limit=limit)
        welcome = encode(self._conversation.welcome(heartbeat_s=self._heartbeat_s))
        head = response_head(200, _HEADERS.items())
        self._rounds.add(stream)
        stream.begin(way, head + b"retry: %d\ndata: %b\n\n" % (self._retry_ms(), welcome), since)

    def _retry_ms(self) -> int:
        # Clients that lost their streams in one moment must not come back in one.
        return round(self.limits.retry_s * 1000 * (0.5 + next(self._order) * _GOLDEN % 1.0))

    def _stations(self, request: web.Request) -> tuple[str, ...]:
        named = tuple(dict.fromkeys(filter(None, request.query.get("stations", "").split(","))))
        if not 0 < len(named) <= self.limits.stations:
            allowed = f"1 to {self.limits.stations} station ids joined by commas"
            raise InvalidRequest("No stations, or too many.", field="stations", allowed=allowed)
        for station in named:
            if station not in self.hub.stations:
                raise UnknownStation(station, self.hub.stations)
        return named


class EventStream:
    """One stream: a parked socket at one end, a subscriber of the hub at the other."""

    __slots__ = ("_address", "_backlog", "_owner", "_positions", "_stations", "_talk", "way")

    def __init__(self, owner: EventStreams, address: str, stations: tuple[str, ...]) -> None:
        self._owner = owner
        self._address = address
        self._stations = stations
        # Where the client stands in each of several stations: every id says all of it.
        self._positions: dict[str, Position] | None = None
        self._backlog: Backlog | None = None
        self.way: Way | None = None
        self._talk = 0

    def begin(self, way: Way, first: bytes, since: dict[str, Position]) -> None:
        """Say ``first``, and then what happens."""
        self.way = way
        way(first)
        if len(self._stations) > 1:
            self._positions = {station: since.get(station, _NOWHERE) for station in self._stations}
        for station in self._stations:
            if self.way is not None:
                self._owner.hub.subscribe(self, station, since.get(station))

    def listen(self, listens: Iterable[tuple[str, str]]) -> None:
        """Tell T0 of each ``(station, session)``, now and whenever it starts."""
        for station, session in listens:
            if self.way is not None:
                self._owner.hub.listen(self, station, session)

    # The socket's side

    def heard(self, data: bytes) -> None:
        """Nothing that a client says here has a meaning; one that says too much is cut."""
        self._talk += len(data)
        if self._talk > _TALK_LIMIT:
            self.end()

    def gone(self, *, behind: bool) -> None:
        """The connection has ended."""
        self._leave()

    def room(self) -> None:
        """The client reads again: send it what waited."""
        while self._backlog is not None and self.way is not None and not self.way.busy:
            publication = self._backlog.take(self._fresh)
            if publication is None:
                self._backlog = None
                self._owner.unwatch(self)
            else:
                self.way(self._event(publication))

    # The hub's side

    @property
    def lane(self) -> ParkedLane | None:
        """All that are parked and follow one station are sent to together."""
        return lane_of(self.way, self._owner.lane) if self._positions is None else None

    def deliver(self, publication: Publication) -> None:
        """Send a publication, or keep it while the client is slow."""
        way = self.way
        if way is None:
            return
        if not way.busy:
            way(self._event(publication))
            return
        if self._backlog is None:
            self._backlog = Backlog(self._owner.limits.backlog_bytes)
        if self._backlog.put(publication, self._owner.clock.monotonic_s()):
            self._owner.watch(self)

    def tell(self, message: ServerMessage) -> None:
        """Send a message that is for this stream alone; it has no id, for it moves no position."""
        if self.way is not None:
            self.way(b"data: %b\n\n" % encode(message))

    # The clock's side

    def beat(self, now_s: float) -> bool:
        """Say that the connection lives; False where it does not."""
        if self.way is not None and not self.way.busy:
            self.way(_BEAT)
        return self.way is not None

    def look(self, now_s: float) -> None:
        """Cut the connection where it has been behind for too long."""
        since_s = None if self._backlog is None else self._backlog.behind_since_s
        if since_s is not None and now_s - since_s >= self._owner.limits.patience_s:
            self.end()

    def end(self) -> None:
        """End the connection."""
        if self.way is not None:
            self.way.close()
        self._leave()

    # Inside

    def _event(self, publication: Publication) -> bytes:
        if self._positions is None:
            return publication.form(event)
        self._positions[publication.station] = publication.position
        return b"id: " + event_id(self._positions.values()).encode() + b"\n" + publication.form(event_data)

    def _fresh(self, station: str, request_id: int | None) -> Publication | None:
        return self._owner.hub.fresh(self, station, request_id)

    def _leave(self) -> None:
        way, self.way = self.way, None
        if way is not None:
            self._backlog = None
            self._owner.hub.drop(self)
            self._owner.admission.leave(self._address)
            self._owner.leave(self)
