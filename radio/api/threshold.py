"""The listening sockets: connections are accepted a few at a time, and a WebSocket is let in at once.

A connection waits for its first bytes as a bare descriptor. Where they are an ordinary WebSocket handshake, it is
answered and stays parked: it never has a transport. Every other connection gets one and goes to the door.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, Protocol, cast

from radio.parking import HAS_EPOLL, ParkingLot, Spot

AT_ONCE: Final = 16
"""Connections that are accepted in one turn of the loop."""

_SILENT_S: Final = 1.0
_MOST: Final = 1_000
_PAUSE_S: Final = 1.0
_MOST_UNSENT_BYTES: Final = 1 << 20

Factory = Callable[[], asyncio.Protocol]


class Quick(Protocol):
    """Who may take a connection by its first bytes alone."""

    def take(self, spot: Spot, address: str, data: bytes) -> bool:
        """Take ``spot``, become its member, and act on ``data``; False where it is for somebody else."""


class Threshold:
    """Listens on ``sockets`` until it is closed. ``door`` makes the protocols of connections that are not quick.

    Closing it does not close the sockets that listen, which may be another process's by then, but every connection
    that was taken quickly.
    """

    def __init__(self, sockets: Iterable[socket.socket], door: Factory, quick: Quick | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets = tuple(sockets)
        self._door = door
        self._quick = quick if HAS_EPOLL else None
        self._lot = ParkingLot()
        self._waiting: dict[_Newcomer, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        for listening in self._sockets:
            listening.setblocking(False)
            # connections inherit it
            if listening.family in (socket.AF_INET, socket.AF_INET6):
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def stop(self) -> None:
        """Accept no more, and let go of who has said nothing."""
        if self._closed:
            return
        self._closed = True
        for listening in self._sockets:
            self._loop.remove_reader(listening.fileno())
        if self._timer is not None:
            self._timer.cancel()
        for newcomer in tuple(self._waiting):
            newcomer.spot.close()
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()

    def close(self) -> None:
        """Stop, and close every connection that was taken quickly."""
        self.stop()
        self._lot.close()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                # No descriptors are left, most likely: trying again at once would only burn the processor.
                self._loop.remove_reader(listening.fileno())
                self._loop.call_later(_PAUSE_S, self._go_on, listening)
                return
            self._welcome(connection, peer[0] if isinstance(peer, tuple) else "")

    def _go_on(self, listening: socket.socket) -> None:
        if not self._closed:
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _welcome(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(False)
        if self._quick is None:
            self._to_the_door(connection, b"")
            return
        newcomer = _Newcomer(self, address)
        newcomer.spot = self._lot.adopt(connection.detach(), newcomer, limit=_MOST_UNSENT_BYTES)
        self._waiting[newcomer] = self._loop.time()
        if len(self._waiting) > _MOST:
            self._let_go(next(iter(self._waiting)), b"")
        if self._timer is None:
            self._timer = self._loop.call_later(_SILENT_S, self._look)

    def heard(self, newcomer: _Newcomer, data: bytes) -> None:
        """The first bytes of a connection are there."""
        assert self._quick is not None
        if self._quick.take(newcomer.spot, newcomer.address, data):
            self.forget(newcomer)
        else:
            self._let_go(newcomer, data)

    def forget(self, newcomer: _Newcomer) -> None:
        """A connection is decided, or gone."""
        self._waiting.pop(newcomer, None)

    def _look(self) -> None:
        """Whoever says nothing waits at the door, which has its own limits."""
        late_s = self._loop.time() - _SILENT_S
        for newcomer in [newcomer for newcomer, since_s in self._waiting.items() if since_s <= late_s]:
            self._let_go(newcomer, b"")
        self._timer = self._loop.call_later(_SILENT_S, self._look) if self._waiting else None

    def _let_go(self, newcomer: _Newcomer, data: bytes) -> None:
        self.forget(newcomer)
        fd, _ = newcomer.spot.released()
        self._to_the_door(socket.socket(fileno=fd), data)

    def _to_the_door(self, connection: socket.socket, data: bytes) -> None:
        task = self._loop.create_task(self._hand_over(connection, data))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_over(self, connection: socket.socket, data: bytes) -> None:
        try:
            transport, keeper = await self._loop.connect_accepted_socket(lambda: _Keeper(data), connection)
        except (OSError, asyncio.CancelledError):
            connection.close()
            return
        if transport.is_closing():
            return
        visitor = self._door()
        transport.set_protocol(visitor)
        visitor.connection_made(transport)
        if keeper.data:
            visitor.data_received(keeper.data)


class _Newcomer:
    """A connection that has said nothing yet."""

    __slots__ = ("_threshold", "address", "spot")

    spot: Spot

    def __init__(self, threshold: Threshold, address: str) -> None:
        self._threshold = threshold
        self.address = address

    def heard(self, data: bytes) -> None:
        self._threshold.heard(self, data)

    def gone(self, *, behind: bool) -> None:
        self._threshold.forget(self)


class _Keeper(asyncio.Protocol):
    """Keeps what comes until the door's protocol is there."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def data_received(self, data: bytes) -> None:
        self.data += data


async def listening_at(host: str, port: int, *, backlog: int) -> list[socket.socket]:
    """Sockets that listen at every address of ``host``; raises OSError. With port 0 all have the same free one."""
    loop = asyncio.get_running_loop()
    kind = socket.SOCK_STREAM
    found = await loop.getaddrinfo(host or None, port, type=kind, flags=socket.AI_PASSIVE)
    made: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            if made and not port:
                address = cast(tuple[str, int], (address[0], made[0].getsockname()[1], *address[2:]))
            made.append(_listening(family, address, backlog))
    except BaseException:
        for each in made:
            each.close()
        raise
    return made


def _listening(family: int, address: object, backlog: int) -> socket.socket:
    each = socket.socket(family, socket.SOCK_STREAM)
    try:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            with suppress(OSError):
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        each.bind(cast(tuple[str, int], address))
        each.listen(backlog)
    except BaseException:
        each.close()
        raise
    return each
