"""AzuraCast's push as server-sent events (WHATWG HTML, "Server-sent events").

The events are ``data:`` alone, without ids: the original has no Last-Event-ID, a client that comes back is
sent the newest state.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Final, Self
from uuid import uuid4

import msgspec
from aiohttp import web
from msgspec import Meta

from radio.api.contract import described
from radio.api.dialects.centrifugo import (
    MESSAGE_LIMIT_BYTES,
    PING,
    Code,
    Connect,
    Refused,
    Talk,
    disconnect,
    read_connect,
)
from radio.api.dialects.live_push import LivePush, Publication, Window
from radio.api.dialects.live_socket import LiveLimits, peer_address
from radio.api.playlists import own_address
from radio.api.replies import OPEN_TO_ALL
from radio.clock import Clock
from radio.errors import InvalidRequest, NotFound
from radio.push.heartbeat import Heartbeat
from radio.push.limits import Admission
from radio.push.messages import HEARTBEAT_S

_HEADERS: Final = {
    **OPEN_TO_ALL,
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    # nginx holds a response back to fill its buffers unless it is told not to.
    "X-Accel-Buffering": "no",
}


class LiveQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the client wants."""

    cf_connect: Annotated[
        str,
        Meta(description='JSON: {"subs": {"station:ID": {"recover": true}}}', max_length=MESSAGE_LIMIT_BYTES),
    ]


def event(push: bytes) -> bytes:
    """A push as a server-sent event."""
    return b"data: " + push + b"\n\n"


class LiveStreams:
    """All event streams; an async context manager with the route's handler. Leaving it ends every stream."""

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
        self._live = live
        self._clock = clock
        self._heartbeat = heartbeat
        self._admission = admission or Admission()
        self._limits = limits or LiveLimits()
        self._address_of = address_of
        self._streams: set[_Stream] = set()

    def __len__(self) -> int:
        return len(self._streams)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for stream in tuple(self._streams):
            stream.end()

    @described(
        "AzuraCast: push as server-sent events",
        query=LiveQuery,
        media="text/event-stream",
        statuses=(400, 404, 503),
        tag="dialects",
    )
    async def events(self, request: web.Request) -> web.StreamResponse:
        """``GET …/sse?cf_connect=…``."""
        asked = request.query.get("cf_connect")
        if asked is None:
            raise _no_connect("There is no `cf_connect`.")
        return await self._serve(request, _asked(asked))

    async def _serve(self, request: web.Request, connect: Connect) -> web.StreamResponse:
        base = own_address(request)
        address = self._address_of(request)
        self._admission.enter(address)
        told = self._live.enter(base)
        try:
            talk = Talk(Window(self._live, told), client=str(uuid4()), session=str(uuid4()))
            return await self._stream(request, talk, _first(talk, connect), told)
        finally:
            self._live.leave(told)
            self._admission.leave(address)

    async def _stream(self, request: web.Request, talk: Talk, first: bytes, told: str) -> web.StreamResponse:
        stream = _Stream(self._clock, self._limits, told)
        self._streams.add(stream)
        self._live.follow(stream, talk.channels)
        response = web.StreamResponse(headers=_HEADERS)
        try:
            with suppress(ConnectionError):
                await response.prepare(request)
                assert request.transport is not None
                stream.begin(request.transport)
                self._heartbeat.add(stream)
                await stream.run(response.write, first)
        finally:
            self._heartbeat.discard(stream)
            self._live.follow(stream, {})
            self._streams.discard(stream)
        return response


class _Stream:
    def __init__(self, clock: Clock, limits: LiveLimits, base: str) -> None:
        self._clock = clock
        self._limits = limits
        self._base = base
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[str, Publication] = {}
        self._wake = asyncio.Event()
        self._ended = self._beat_due = False
        self._spoke_s = clock.monotonic_s()
        self._writing_since_s: float | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=self._limits.write_buffer_bytes)
        if (connection := transport.get_extra_info("socket")) is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._limits.kernel_buffer_bytes)

    def deliver(self, publication: Publication) -> None:
        self._waiting[publication.station] = publication
        self._wake.set()

    def tick(self, now_s: float) -> None:
        """Say that the connection lives, or cut one that takes nothing."""
        assert self._transport is not None
        stuck_s = self._writing_since_s
        if self._transport.is_closing():
            self.end()
        elif stuck_s is not None and now_s - stuck_s >= self._limits.patience_s:
            self._transport.abort()
        elif now_s - self._spoke_s >= HEARTBEAT_S:
            self._beat_due = True
            self._wake.set()

    def end(self) -> None:
        self._ended = True
        self._wake.set()

    async def run(self, write: Callable[[bytes], Awaitable[None]], first: bytes) -> None:
        await self._say(write, event(first))
        while not self._ended:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting and not self._ended:
                publication = self._waiting.pop(next(iter(self._waiting)))
                await self._say(write, publication.form(self._base, event))
            if self._beat_due and not self._ended:
                await self._say(write, event(PING))
        await self._say(write, event(disconnect(Code.SHUTDOWN, "shutdown")))

    async def _say(self, write: Callable[[bytes], Awaitable[None]], data: bytes) -> None:
        self._writing_since_s = self._clock.monotonic_s()
        await write(data)
        self._writing_since_s = None
        self._spoke_s, self._beat_due = self._clock.monotonic_s(), False


def _asked(text: str) -> Connect:
    try:
        return read_connect(text)
    except Refused as refused:
        raise _no_connect(f"It says: {refused.reason}.") from None


def _first(talk: Talk, connect: Connect) -> bytes:
    try:
        return talk.connect(connect)
    except Refused:
        if not connect.subs:
            raise _no_connect("It names no channels.") from None
        names = ", ".join(name[:40] for name in list(connect.subs)[:3])
        raise NotFound(f"None of these channels is known: {names}.") from None


def _no_connect(problem: str) -> InvalidRequest:
    return InvalidRequest(problem, field="cf_connect", allowed='{"subs":{"station:ID":{"recover":true}}}')
