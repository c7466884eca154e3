"""AzuraCast's push by WebSocket: one light protocol object per connection over :class:`LivePush`.

The WebSocket itself is the sans-I/O layer of ``websockets``; a connection comes from aiohttp with its handshake
request read, and is taken over with it. Of each station only the newest publication waits for a
slow connection; one that takes nothing for ``patience_s`` is closed. While a connection takes nothing it is not
read either, so that nobody can make answers pile up.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self, cast
from uuid import uuid4

from aiohttp import web
from websockets.frames import CloseCode as RfcCloseCode
from websockets.frames import Frame, Opcode

from radio.api.contract import described
from radio.api.dialects.centrifugo import (
    MESSAGE_LIMIT_BYTES,
    PING,
    Code,
    Refused,
    Talk,
    disconnect,
    read_connect,
    within_push,
)
from radio.api.dialects.live_push import LivePush, Publication, Window
from radio.api.handover import hand_over
from radio.api.playlists import own_address
from radio.clock import Clock
from radio.errors import LimitReached
from radio.push.heartbeat import Heartbeat
from radio.push.limits import Admission, Rate
from radio.push.messages import HEARTBEAT_S
from radio.push.wire import Wire, answer, is_utf8, text_frame

_PING_FRAMES: Final = text_frame(PING) + Frame(Opcode.PING, b"").serialize(mask=False)


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """What one connection may take; lengths in bytes, times in seconds."""

    message_bytes: int = MESSAGE_LIMIT_BYTES
    commands_burst: int = 250
    commands_period_s: float = 60.0
    kernel_buffer_bytes: int = 65_536
    write_buffer_bytes: int = 32_768
    unsent_bytes: int = 2_000_000
    patience_s: float = 30.0
    connect_s: float = 10.0
    close_s: float = 3.0


def two_way_frame(push: bytes) -> bytes:
    """A push as a frame of the bidirectional protocol."""
    return text_frame(within_push(push))


def peer_address(request: web.Request) -> str:
    """The address at the other end of the connection; empty for a Unix socket."""
    return request.remote or ""


class LiveSockets:
    """All WebSockets of AzuraCast's push; an async context manager.

    Leaving it tells each that the server stops, and waits for them at most ``limits.close_s``. ``heartbeat`` is
    entered before and left after.
    """

    def __init__(
        self,
        live: LivePush,
        clock: Clock,
        heartbeat: Heartbeat,
        *,
        admission: Admission | None = None,
        limits: LiveLimits | None = None,
        address_of: Callable[[web.Request], str] = peer_address,
    ) -> None:
        self.live = live
        self.clock = clock
        self.heartbeat = heartbeat
        self.admission = admission or Admission()
        self.limits = limits or LiveLimits()
        self.rate = Rate(self.limits.commands_burst, self.limits.commands_period_s)
        self._address_of = address_of
        self._stopping = False
        self._connections: set[LiveSocket] = set()
        self._empty = asyncio.Event()

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[LiveSocket]:
        return iter(tuple(self._connections))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._stopping = True
        for connection in self:
            connection.close(Code.SHUTDOWN, "shutdown")
        waited_s = 0.0
        while self._connections and waited_s < self.limits.close_s:
            await self.clock.sleep(0.05)
            waited_s += 0.05
        for connection in self:
            connection.abort()
        if self._connections:
            await self._empty.wait()

    @described(
        "AzuraCast: push by WebSocket, in Centrifugo's protocol",
        statuses=(101, 400, 426, 503),
        tag="dialects",
        more="The first frame says what is wanted, unless `cf_connect` in the address does.",
    )
    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer the handshake of ``GET …/websocket``; ``?cf_connect=`` may say what is wanted.

        Raises LimitReached, and InvalidRequest for a host that is none.
        """
        if self._stopping:
            raise LimitReached("The server restarts; come back.")
        base, asked = own_address(request), request.query.get("cf_connect")
        address = self._address_of(request)
        if request.transport is not None:
            self.admission.enter(address)
        return await hand_over(lambda: LiveSocket(self, base, address, asked))(request)

    def enter(self, connection: LiveSocket) -> None:
        """Take in a connection."""
        self._connections.add(connection)
        self._empty.clear()
        self.heartbeat.add(connection)

    def leave(self, connection: LiveSocket) -> None:
        """Forget a connection that is gone."""
        self.heartbeat.discard(connection)
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()


class LiveSocket(asyncio.Protocol):
    """One connection: a transport at one end, a follower of :class:`LivePush` at the other."""

    __slots__ = (
        "_address",
        "_asked",
        "_base",
        "_deadline_s",
        "_even_s",
        "_heard_s",
        "_is_answered",
        "_is_ending",
        "_next_ping_s",
        "_owner",
        "_paused_since_s",
        "_talk",
        "_transport",
        "_waiting",
        "_wire",
    )

    _transport: asyncio.Transport

    def __init__(self, owner: LiveSockets, base: str, address: str, asked: str | None) -> None:
        self._owner = owner
        self._address = address
        self._asked = asked
        self._base = owner.live.enter(base)
        self._talk = Talk(Window(owner.live, self._base), client=str(uuid4()), session=str(uuid4()))
        self._wire = Wire(message_bytes=owner.limits.message_bytes)
        self._is_answered = self._is_ending = False
        self._heard_s = owner.clock.monotonic_s()
        self._even_s = 0.0
        # Set until the client has said what it wants, and again while the connection is closed.
        self._deadline_s: float | None = self._heard_s + owner.limits.connect_s
        self._next_ping_s = self._heard_s + HEARTBEAT_S
        self._waiting: dict[str, Publication] = {}
        self._paused_since_s: float | None = None

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        limits = self._owner.limits
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=limits.write_buffer_bytes)
        if (connection := transport.get_extra_info("socket")) is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.kernel_buffer_bytes)
        self._owner.enter(self)

    def data_received(self, data: bytes) -> None:
        self._heard_s = self._owner.clock.monotonic_s()
        if not self._is_answered:
            self._answer(data)
            return
        for frame in self._wire.receive(data):
            if self._wire.is_open:
                self._on_frame(frame)
        self._flush()
        if self._wire.is_closing:
            self._begin_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.live.follow(self, {})
        self._owner.live.leave(self._base)
        self._owner.admission.leave(self._address)
        self._owner.leave(self)
        self._wire.dispose()

    def pause_writing(self) -> None:
        self._paused_since_s = self._owner.clock.monotonic_s()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused_since_s = None
        if not self._transport.is_closing():
            self._transport.resume_reading()
        while self._waiting and self._paused_since_s is None:
            self._send(self._waiting.pop(next(iter(self._waiting))))

    # The push's side

    def deliver(self, publication: Publication) -> None:
        """Send a publication, or keep it in the place of the one of its station that waits already."""
        if self._paused_since_s is None:
            self._send(publication)
        else:
            self._waiting[publication.station] = publication

    # The clock's side

    def tick(self, now_s: float) -> None:
        """Keep the connection alive, or end one that is dead, stuck or slow."""
        paused_s, limits = self._paused_since_s, self._owner.limits
        if self._deadline_s is not None:
            if now_s >= self._deadline_s:
                self.abort() if self._is_ending else self.close(Code.STALE, "stale")
        elif paused_s is not None and now_s - paused_s >= limits.patience_s:
            self.close(Code.SLOW, "slow")
        elif now_s >= self._next_ping_s:
            self._beat(now_s)

    def close(self, code: Code, reason: str) -> None:
        """Say why and start the closing handshake; the connection is cut if that takes longer than ``close_s``."""
        if not (self._is_answered and self._wire.is_open):
            self.abort()
            return
        if not self._talk.is_two_way:
            self._write(text_frame(disconnect(code, reason)))
        self._wire.close(code, reason, at_once=False)
        self._flush()
        self._begin_closing()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    @property
    def follows(self) -> bool:
        """Whether it is told of changes."""
        return self._talk.is_connected and not self._is_ending

    @property
    def waiting(self) -> int:
        """How many publications wait until the client takes what it was sent; one for each station at most."""
        return len(self._waiting)

    @property
    def unsent_bytes(self) -> int:
        """What the client was sent and has not taken."""
        return self._transport.get_write_buffer_size()

    # Inside

    def _answer(self, head: bytes) -> None:
        said, is_open = answer(head)
        self._is_answered = True
        self._write(said)
        if not is_open:
            self._transport.close()
        elif self._asked is not None:
            self._say(self._connected(self._asked))

    def _connected(self, asked: str) -> Iterator[bytes]:
        yield self._talk.connect(read_connect(asked))

    def _on_frame(self, frame: Frame) -> None:
        message = self._wire.message(frame)
        if not self._may_go_on():
            self.close(Code.TOO_MANY_REQUESTS, "too many requests")
        elif message is None:
            return
        elif message[0] is Opcode.BINARY:
            self._wire.close(RfcCloseCode.UNSUPPORTED_DATA, "send JSON text", at_once=True)
        elif not is_utf8(message[1]):
            self._wire.close(RfcCloseCode.INVALID_DATA, "a text message must be UTF-8", at_once=True)
        else:
            self._say(self._talk.receive(message[1]))

    def _say(self, answers: Iterable[bytes]) -> None:
        try:
            for count, text in enumerate(answers):
                if count and not self._may_go_on():
                    raise Refused(Code.TOO_MANY_REQUESTS, "too many requests")
                self._write(text_frame(text))
        except Refused as refused:
            self.close(refused.code, refused.reason)
            return
        if self._talk.is_connected:
            self._deadline_s = None
            self._owner.live.follow(self, self._talk.channels)

    def _may_go_on(self) -> bool:
        rate = self._owner.rate
        self._even_s = rate.spend(self._even_s, self._heard_s)
        return rate.allows(self._even_s, self._heard_s)

    def _send(self, publication: Publication) -> None:
        if self._wire.is_open:
            self._write(publication.form(self._base, two_way_frame if self._talk.is_two_way else text_frame))

    def _beat(self, now_s: float) -> None:
        if now_s - self._heard_s >= 2 * HEARTBEAT_S + 5:
            self.close(Code.NO_PONG, "no pong")
            return
        self._next_ping_s = now_s + HEARTBEAT_S
        self._write(_PING_FRAMES)

    def _begin_closing(self) -> None:
        self._owner.live.follow(self, {})
        self._waiting.clear()
        if not self._is_ending:
            self._is_ending = True
            self._deadline_s = self._owner.clock.monotonic_s() + self._owner.limits.close_s

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

    def _write(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > self._owner.limits.unsent_bytes:
            self.abort()
