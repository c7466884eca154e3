"""Push by WebSocket, for the public: one light protocol object per connection over the hub.

The protocol is :class:`radio.push.wire.Wire`; this module moves its bytes, sets bounds and sends the hub's
publications, whose frame is built once for all connections. There is no task per connection, no compression,
and no cookie is read: anyone may follow from any origin, and a client can ask for nothing but public state.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from typing import Final, Self, cast

from websockets.frames import CloseCode as RfcCloseCode
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from radio.clock import Clock
from radio.errors import LimitReached
from radio.push.backlog import Backlog
from radio.push.channel import Publication
from radio.push.conversation import SUBSCRIPTIONS_LIMIT, Conversation
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub
from radio.push.limits import Admission, Allowance
from radio.push.messages import (
    HEARTBEAT_S,
    REQUEST_LIMIT_BYTES,
    CloseCode,
    Error,
    ErrorCode,
    ServerMessage,
    encode,
)
from radio.push.wire import Wire, is_utf8, text_frame

_GOLDEN: Final = 0.618
_RETRY_AFTER_S: Final = 30


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one connection may take; lengths in bytes, times in seconds."""

    head_bytes: int = 16_384
    request_bytes: int = REQUEST_LIMIT_BYTES
    frames_burst: int = 20
    frames_period_s: float = 10.0
    subscriptions: int = SUBSCRIPTIONS_LIMIT
    kernel_buffer_bytes: int = 65_536
    write_buffer_bytes: int = 32_768
    backlog_bytes: int = 65_536
    patience_s: float = 30.0
    handshake_s: float = 10.0
    close_s: float = 5.0


def peer_address(transport: asyncio.BaseTransport, request: Request) -> str:
    """The address at the other end of the connection; empty for a Unix socket."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer and not isinstance(peer, str | bytes) else ""


class PushSockets:
    """All WebSocket connections of the public; an async context manager.

    Leaving it closes every connection with :attr:`CloseCode.SERVER_RESTARTS` and waits for them at most
    ``limits.close_s``. ``heartbeat`` is entered before and left after. ``address_of`` says whom a connection
    counts against in ``admission``; behind a proxy it reads a header that the proxy sets.
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
        address_of: Callable[[asyncio.BaseTransport, Request], str] = peer_address,
    ) -> None:
        self.hub = hub
        self.clock = clock
        self.heartbeat = heartbeat
        self.admission = admission or Admission()
        self.limits = limits or SocketLimits()
        self.heartbeat_s = heartbeat_s
        self.address_of = address_of
        self.stopping = False
        self._connections: set[PushSocket] = set()
        self._order = count()
        self._empty = asyncio.Event()

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[PushSocket]:
        return iter(tuple(self._connections))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.stopping = True
        for connection in self:
            connection.close(CloseCode.SERVER_RESTARTS, "the server restarts; come back")
        await self._drained()
        for connection in self:
            connection.abort()
        if self._connections:
            await self._empty.wait()

    def protocol(self) -> PushSocket:
        """A protocol for a new connection: call ``connection_made``, then ``data_received``."""
        return PushSocket(self)

    def enter(self, connection: PushSocket) -> float:
        """Take in a connection; the share of a heartbeat after which it gets its first ping, 0.5 to 1."""
        self._connections.add(connection)
        self._empty.clear()
        self.heartbeat.add(connection)
        # Pings of connections that came in one storm are spread out.
        return 1.0 - next(self._order) * _GOLDEN % 1.0 / 2

    def leave(self, connection: PushSocket) -> None:
        """Forget a connection that is gone."""
        self.heartbeat.discard(connection)
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

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


class PushSocket(asyncio.Protocol):
    """One connection: a transport at one end, a subscriber of the hub at the other."""

    __slots__ = (
        "_address",
        "_allowance",
        "_backlog",
        "_conversation",
        "_deadline_s",
        "_flowing",
        "_heard_s",
        "_next_ping_s",
        "_owner",
        "_paused",
        "_pinged_s",
        "_transport",
        "_wire",
        "_write",
    )

    _transport: asyncio.Transport
    _write: Callable[[bytes], None]

    def __init__(self, owner: PushSockets) -> None:
        limits = owner.limits
        self._owner = owner
        self._wire = Wire(head_bytes=limits.head_bytes, message_bytes=limits.request_bytes)
        self._conversation: Conversation | None = None
        self._allowance: Allowance | None = None
        self._backlog: Backlog | None = None
        self._address: str | None = None
        self._flowing = False
        self._paused = False
        self._pinged_s: float | None = None

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        limits = self._owner.limits
        self._transport = cast(asyncio.Transport, transport)
        self._write = self._transport.write
        self._transport.set_write_buffer_limits(high=limits.write_buffer_bytes)
        if (connection := transport.get_extra_info("socket")) is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.kernel_buffer_bytes)
        self._heard_s = self._owner.clock.monotonic_s()
        # Set while the handshake or the closing handshake is under way, None between them.
        self._deadline_s: float | None = self._heard_s + limits.handshake_s
        self._next_ping_s = self._heard_s + self._owner.heartbeat_s * self._owner.enter(self)

    def data_received(self, data: bytes) -> None:
        self._heard_s = self._owner.clock.monotonic_s()
        for event in self._wire.receive(data):
            if isinstance(event, Request):
                self._answer(event)
            elif self._deadline_s is None:
                self._on_frame(event)
        self._flush()
        if self._wire.is_closing:
            self._begin_closing()

    def eof_received(self) -> None:
        self._wire.receive_eof()
        self._flush()
        self._begin_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._begin_closing()
        if self._address is not None:
            self._owner.admission.leave(self._address)
        self._owner.leave(self)
        self._wire.dispose()

    def pause_writing(self) -> None:
        self._paused = True
        self._flowing = False

    def resume_writing(self) -> None:
        self._paused = False
        while self._backlog is not None and not self._paused:
            publication = self._backlog.take(self._fresh)
            if publication is None:
                self._backlog = None
            else:
                self._write(publication.form(text_frame))
        self._flowing = self._deadline_s is None and not self._paused

    # The hub's side

    def deliver(self, publication: Publication) -> None:
        """Send a publication, or keep it while the transport is full."""
        if self._flowing:
            self._write(publication.form(text_frame))
        elif self._deadline_s is None:
            if self._backlog is None:
                self._backlog = Backlog(self._owner.limits.backlog_bytes)
            self._backlog.put(publication, self._owner.clock.monotonic_s())

    def tell(self, message: ServerMessage) -> None:
        """Send a message that is for this connection alone."""
        if self._wire.is_open:
            self._wire.send_text(encode(message))
            self._flush()

    # The clock's side

    def tick(self, now_s: float) -> None:
        """Keep the connection alive, or end one that is dead, stuck or slow."""
        if self._deadline_s is not None:
            if now_s >= self._deadline_s:
                self.abort()
        elif self._stays_behind(now_s):
            self.close(CloseCode.TOO_SLOW, "the connection is too slow")
        elif now_s >= self._next_ping_s:
            self._beat(now_s)

    def close(self, code: int, reason: str, *, at_once: bool = False) -> None:
        """Start the closing handshake; the connection is cut if it takes longer than ``limits.close_s``.

        With ``at_once`` nothing more is read from the client. One whose handshake is not done is cut.
        """
        if self._wire.is_open:
            self._wire.close(code, reason, at_once=at_once)
            self._flush()
            self._begin_closing()
        elif self._conversation is None:
            self.abort()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    @property
    def waiting_bytes(self) -> int:
        """What this connection was sent and has not taken: in the transport's buffer, and in its backlog."""
        backlog = 0 if self._backlog is None else self._backlog.size_bytes
        return self._transport.get_write_buffer_size() + backlog

    @property
    def is_behind(self) -> bool:
        """Whether its backlog was dropped, and it waits for a fresh snapshot."""
        return self._backlog is not None and self._backlog.behind_since_s is not None

    # Inside

    def _answer(self, request: Request) -> None:
        self._wire.respond(self._admit(request, self._wire.accept(request)))
        if not self._wire.is_open:
            return
        owner, limits = self._owner, self._owner.limits
        self._allowance = Allowance(limits.frames_burst, limits.frames_period_s, self._heard_s)
        self._conversation = Conversation(
            owner.hub, owner.clock, self, subscriptions_limit=limits.subscriptions
        )
        self._deadline_s = None
        self._flowing = not self._paused
        self.tell(self._conversation.welcome(heartbeat_s=owner.heartbeat_s))

    def _admit(self, request: Request, response: Response) -> Response:
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            return response
        if self._owner.stopping:
            return self._wire.refusal("The server restarts; come back.\n", retry_after_s=_RETRY_AFTER_S)
        address = self._owner.address_of(self._transport, request)
        try:
            self._owner.admission.enter(address)
        except LimitReached as limit:
            return self._wire.refusal(f"{limit}\n", retry_after_s=_RETRY_AFTER_S)
        self._address = address
        return response

    def _on_frame(self, frame: Frame) -> None:
        assert self._allowance is not None
        allowed = self._allowance.spend(self._heard_s)
        message = self._wire.message(frame)
        if self._allowance.abused:
            self.close(CloseCode.TOO_FAST, "too many messages", at_once=True)
        elif message is not None and self._wire.is_open:
            self._on_message(*message, allowed=allowed)

    def _on_message(self, opcode: Opcode, message: bytes, *, allowed: bool) -> None:
        assert self._conversation is not None
        if opcode is Opcode.BINARY:
            self._conversation.refuse(Error(code=ErrorCode.TEXT_ONLY, message="Send JSON text."))
        elif not is_utf8(message):
            self.close(RfcCloseCode.INVALID_DATA, "a text message must be UTF-8", at_once=True)
        elif not allowed:
            self.tell(Error(code=ErrorCode.LIMIT_REACHED, message="Too many messages; slow down."))
        else:
            self._conversation.receive(message)
        if self._conversation.abused:
            binary = opcode is Opcode.BINARY
            code = RfcCloseCode.UNSUPPORTED_DATA if binary else CloseCode.BAD_REQUESTS
            self.close(code, "too many bad requests", at_once=True)

    def _beat(self, now_s: float) -> None:
        # Silence counts only after a ping: if this process stood still, the client is not to blame.
        unanswered = self._pinged_s is not None and self._pinged_s > self._heard_s
        if unanswered and now_s - self._heard_s >= 2 * self._owner.heartbeat_s:
            self.close(CloseCode.SILENT, "nothing was heard for two heartbeats")
            return
        self._pinged_s = now_s
        self._next_ping_s = now_s + self._owner.heartbeat_s
        self._wire.send_ping()
        self._flush()

    def _stays_behind(self, now_s: float) -> bool:
        since_s = None if self._backlog is None else self._backlog.behind_since_s
        return since_s is not None and now_s - since_s >= self._owner.limits.patience_s

    def _fresh(self, station: str, request_id: int | None) -> Publication | None:
        return self._owner.hub.fresh(self, station, request_id)

    def _begin_closing(self) -> None:
        self._flowing = False
        self._backlog = None
        if self._deadline_s is None:
            self._deadline_s = self._owner.clock.monotonic_s() + self._owner.limits.close_s
            self._owner.hub.drop(self)

    def _flush(self) -> None:
        output, ends = self._wire.take_output()
        if self._transport.is_closing():
            return
        if output:
            self._write(output)
        if ends and self._transport.can_write_eof():
            self._transport.write_eof()
        elif ends:
            self._transport.close()
        limits = self._owner.limits
        if self._transport.get_write_buffer_size() > limits.write_buffer_bytes + limits.backlog_bytes:
            self.abort()
