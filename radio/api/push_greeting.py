"""The opening handshake of a public WebSocket: reads the request's head, answers, and lets the connection in."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from contextlib import suppress
from http import HTTPStatus
from typing import Final, Protocol, cast

from radio.errors import LimitReached
from radio.push.handshake import accepted
from radio.push.wire import answer, too_large
from radio.streaming.heads import problem

_HEAD_END: Final = b"\r\n\r\n"
_RETRY_AFTER_S: Final = "30"
_AT_ONCE: Final = 32


class Owner(Protocol):
    """Who takes in connections."""

    stopping: bool

    def greeting(self, greeter: Greeter) -> float:
        """Watch over ``greeter``; the monotonic moment at which it is to be cut."""

    def enter(self, transport: asyncio.Transport, head: bytes) -> str:
        """Make room for a connection; whom it counts for. Raises LimitReached."""

    def begin(self, greeter: Greeter, address: str, response: bytes, rest: bytes) -> None:
        """Take the connection of ``greeter`` over and say ``response``; ``rest`` is what came behind the head."""

    def leave(self, greeter: Greeter) -> None:
        """Forget ``greeter``."""

    @property
    def head_bytes(self) -> int:
        """The longest head."""

    @property
    def kernel_buffer_bytes(self) -> int:
        """How much the system may hold for a peer that does not read."""


class Lobby:
    """Greeters whose request is there. Some are answered in each turn of the loop, whatever the storm."""

    def __init__(self) -> None:
        self._waiting: deque[Greeter] = deque()

    def add(self, greeter: Greeter) -> None:
        """Have ``greeter`` answer soon."""
        self._waiting.append(greeter)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            self._waiting.popleft().answer()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._take_turn)


class Greeter(asyncio.Protocol):
    """One connection until its handshake is answered. ``deadline_s`` is when it is cut."""

    __slots__ = ("_buffer", "_lobby", "_owner", "_said", "_transport", "deadline_s")

    def __init__(self, owner: Owner, lobby: Lobby) -> None:
        self._owner = owner
        self._lobby = lobby
        self._buffer = b""
        self._said = False
        self._transport: asyncio.Transport | None = None
        self.deadline_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.deadline_s = self._owner.greeting(self)

    def data_received(self, data: bytes) -> None:
        if self._said:
            return
        waits = _HEAD_END in self._buffer
        self._buffer = self._buffer + data if self._buffer else data
        if waits:
            self._check_size(self._buffer.index(_HEAD_END) + self._owner.head_bytes)
        elif _HEAD_END in self._buffer:
            self._check_size(self._buffer.index(_HEAD_END) + 2 * self._owner.head_bytes)
            self._lobby.add(self)
        else:
            self._check_size(self._owner.head_bytes)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._owner.leave(self)

    def answer(self) -> None:
        """Answer the request, which is there."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._said:
            return
        head, end, rest = self._buffer.partition(_HEAD_END)
        self._buffer = b""
        head += end
        response = accepted(head)
        if response is None:
            response, opens = answer(head)
            if not opens:
                self._refuse(response)
                return
        self._let_in(transport, head, response, rest)

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def taken(self) -> asyncio.Transport:
        """The transport, which is another's from now on."""
        transport, self._transport = self._transport, None
        assert transport is not None
        return transport

    def _let_in(self, transport: asyncio.Transport, head: bytes, response: bytes, rest: bytes) -> None:
        if self._owner.stopping:
            self._refuse(_unavailable("The server restarts; come back."))
            return
        try:
            address = self._owner.enter(transport, head)
        except LimitReached as limit:
            self._refuse(_unavailable(limit.message))
            return
        if (connection := transport.get_extra_info("socket")) is not None:
            with suppress(OSError):
                size = self._owner.kernel_buffer_bytes
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
        self._owner.begin(self, address, response, rest)

    def _check_size(self, limit: int) -> None:
        if len(self._buffer) > limit:
            self._refuse(too_large())

    def _refuse(self, response: bytes) -> None:
        # What is still on its way is read, or closing would take the answer with it (RFC 9112, section 9.6).
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._said = True
        self._buffer = b""
        transport.write(response)
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()


def _unavailable(text: str) -> bytes:
    fields: list[tuple[str, str]] = [("Retry-After", _RETRY_AFTER_S)]
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "limit_reached", text, fields)
