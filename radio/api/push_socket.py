"""Push by WebSocket, for the public: all connections, from the handshake to the end of the service.

Publications are framed once and written in a tight loop. There is no compression, and no cookie is read: anyone may
follow from any origin, and a client can ask for nothing but public state.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Final, Self

from radio.api.door import SOCKET_PATHS
from radio.api.parked_lane import ParkedLane
from radio.api.push_connection import PushSocket as PushSocket
from radio.api.push_connection import SocketLimits as SocketLimits
from radio.api.push_connection import framed
from radio.api.push_greeting import Greeter, Lobby
from radio.clock import Clock
from radio.errors import LimitReached
from radio.parking import ParkingLot, Spot
from radio.push.conversation import Conversation
from radio.push.handshake import accepted
from radio.push.heartbeat import Heartbeat, Rounds
from radio.push.hub import Hub
from radio.push.limits import Admission, Rate
from radio.push.messages import HEARTBEAT_S, CloseCode
from radio.ways import Way

_CLOSED_AT_ONCE: Final = 100
_OURS: Final = re.compile(
    rb"GET (?:%b)[ ?]" % b"|".join(re.escape(path.encode()) for path in sorted(SOCKET_PATHS))
)


def peer_address(transport: asyncio.BaseTransport, head: bytes) -> str:
    """The address at the other end of the connection; empty for a Unix socket."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer and not isinstance(peer, str | bytes) else ""


class PushSockets:
    """All WebSocket connections of the public; an async context manager.

    Leaving it closes every connection with :attr:`CloseCode.SERVER_RESTARTS` and waits for them at most
    ``limits.close_s``. ``heartbeat`` is entered before and left after. ``address_of`` says of a transport and a
    request's head whom the connection counts against in ``admission``; behind a proxy it reads a header that the
    proxy sets.
    """

    def __init__(
        self,
        hub: Hub,
        clock: Clock,
        heartbeat: Heartbeat,
        *,
        admission: Admission | None = None,
        limits: SocketLimits | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        address_of: Callable[[asyncio.BaseTransport, bytes], str] = peer_address,
    ) -> None:
        self.hub = hub
        self.clock = clock
        self.heartbeat = heartbeat
        self.admission = admission or Admission()
        self.limits = limits or SocketLimits()
        self.heartbeat_s = heartbeat_s
        self.stopping = False
        self.lane = ParkedLane(framed, self.limits.write_buffer_bytes)
        self.rate = Rate(self.limits.frames_burst, self.limits.frames_period_s)
        self.conversation = Conversation(hub, clock, subscriptions_limit=self.limits.subscriptions)
        self._address_of = address_of
        self._lot = ParkingLot()
        self._lobby = Lobby()
        self._connections: set[Greeter | PushSocket] = set()
        self._watched: dict[Greeter | PushSocket, None] = {}
        self._rounds = Rounds(clock, heartbeat_s)
        self._empty = asyncio.Event()

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[Greeter | PushSocket]:
        return iter(tuple(self._connections))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.stopping = True
        for number, connection in enumerate(self):
            if isinstance(connection, PushSocket):
                connection.close(CloseCode.SERVER_RESTARTS, "the server restarts; come back")
            else:
                connection.abort()
            if number % _CLOSED_AT_ONCE == _CLOSED_AT_ONCE - 1:
                await asyncio.sleep(0)
        await self._drained()
        for connection in self:
            connection.abort()
        if self._connections:
            await self._empty.wait()
        self._lot.close()

    def protocol(self) -> Greeter:
        """A protocol for a new connection: call ``connection_made``, then ``data_received``."""
        return Greeter(self, self._lobby)

    # The greeters' side

    @property
    def head_bytes(self) -> int:
        return self.limits.head_bytes

    @property
    def kernel_buffer_bytes(self) -> int:
        return self.limits.kernel_buffer_bytes

    def greeting(self, greeter: Greeter) -> float:
        """Take in a connection that is to say what it wants."""
        if not self._connections:
            self.heartbeat.add(self)
        self._connections.add(greeter)
        self._watched[greeter] = None
        self._empty.clear()
        return self.clock.monotonic_s() + self.limits.handshake_s

    def enter(self, transport: asyncio.Transport, head: bytes) -> str:
        """Count a connection. Raises LimitReached."""
        address = self._address_of(transport, head)
        self.admission.enter(address)
        return address

    def begin(self, greeter: Greeter, address: str, response: bytes, rest: bytes) -> None:
        """Park a connection whose handshake is accepted, answer it and welcome the client."""
        connection = PushSocket(self, address)
        self._connections.add(connection)
        way = self._lot.park(greeter.taken(), connection, limit=self._unsent_limit)
        self.leave(greeter)
        self._begin(connection, way, response, rest)

    def take(self, spot: Spot, address: str, data: bytes) -> bool:
        """Take a connection that never had a transport, where ``data`` begins with an ordinary handshake.

        False, and nothing is done, for what is unusual, for another address, and where there is no room.
        """
        head, end, rest = data.partition(b"\r\n\r\n")
        response = accepted(head + end) if end and _OURS.match(head) else None
        if response is None or self.stopping or self._address_of is not peer_address:
            return False
        try:
            self.admission.enter(address)
        except LimitReached:
            return False
        connection = spot.member = PushSocket(self, address)
        spot.limit = self._unsent_limit
        spot.hold_at_most(self.limits.kernel_buffer_bytes)
        if not self._connections:
            self.heartbeat.add(self)
        self._connections.add(connection)
        self._empty.clear()
        self._begin(connection, spot, response, rest)
        return True

    def _begin(self, connection: PushSocket, way: Way, response: bytes, rest: bytes) -> None:
        connection.begin(way, response)
        self._rounds.add(connection)
        if rest:
            connection.heard(rest)

    @property
    def _unsent_limit(self) -> int:
        return self.limits.write_buffer_bytes + self.limits.backlog_bytes

    # The connections' side

    def watch(self, connection: PushSocket) -> None:
        """Look at ``connection`` each second: it is slow or about to close."""
        self._watched[connection] = None

    def unwatch(self, connection: PushSocket) -> None:
        """Look at ``connection`` no more."""
        self._watched.pop(connection, None)

    def leave(self, connection: Greeter | PushSocket) -> None:
        """Forget a connection that is gone."""
        self._watched.pop(connection, None)
        self._connections.discard(connection)
        if not self._connections:
            self.heartbeat.discard(self)
            self._rounds.clear()
            self._empty.set()

    # The clock's side

    def tick(self, now_s: float) -> None:
        """End what is over, and ask those whose turn it is for a sign of life."""
        for connection in tuple(self._watched):
            if isinstance(connection, PushSocket):
                connection.look(now_s)
            elif now_s >= connection.deadline_s:
                connection.abort()
        self._rounds.tick(now_s)

    async def _drained(self) -> None:
        if not self._connections:
            return
        ends = [
            asyncio.ensure_future(self._empty.wait()),
            asyncio.ensure_future(self.clock.sleep(self.limits.close_s)),
        ]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
