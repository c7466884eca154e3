"""A listening connection's request: answered here, and where it is for sound, parked with its mount.

The body has no length and no chunks; it ends with the connection, as radio players expect of Icecast. There
is no task and no response object: 10,000 listeners are 10,000 sockets that are written to once per chunk.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast
from urllib.parse import parse_qs, unquote

from radio.errors import InvalidRequest, MethodNotAllowed, NotFound, RadioError
from radio.streaming.agents import agent_family
from radio.streaming.heads import RequestHead, head_end, parse_head
from radio.streaming.listening import MAX_TALK_BYTES, Listening, Wish
from radio.streaming.mount import Mount
from radio.streaming.mounts import Mounts
from radio.streaming.sessions import session_id
from radio.streaming.stream_heads import (
    ALLOWED_METHODS,
    StationFace,
    preflight,
    refusal,
    stream_head,
)

AddressOf = Callable[[str, RequestHead], str]
"""Which address counts for the limits, from the peer's and the request: behind a proxy, a header's."""

_MAX_QUERY_FIELDS: Final = 16


def peer_address(peer: str, head: RequestHead) -> str:
    """The peer's own address, whatever the request says: for a service that is not behind a proxy."""
    return peer


class Listener(asyncio.Protocol):
    """Answers GET, HEAD and OPTIONS on ``/listen/{station}/{mount}``, one request per connection.

    Stands behind the door (``radio.api.door``): the first bytes it is given hold a whole request head. Who may
    listen goes on as a :class:`~radio.streaming.listening.Listening`, which has the connection from then on.
    """

    __slots__ = ("_address_of", "_head", "_mounts", "_talk", "_transport")

    def __init__(self, mounts: Mounts, address_of: AddressOf = peer_address) -> None:
        self._mounts = mounts
        self._address_of = address_of
        self._transport: asyncio.Transport | None = None
        self._head: RequestHead | None = None
        self._talk = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._talk:
            self._hear_out(len(data))
            return
        self._talk = len(data)
        try:
            # What follows the head would be a second request; a stream has no end to answer it after.
            end = head_end(data)
            self._head = parse_head(data[:end] if end >= 0 else data)
            self._answer(self._head)
        except RadioError as error:
            self._finish(refusal(error, version=self._version, head_only=self._is("HEAD")))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = self._head = None

    @property
    def _version(self) -> str:
        return self._head.line.version if self._head is not None else "HTTP/1.1"

    def _is(self, method: str) -> bool:
        return self._head is not None and self._head.line.method == method

    def _answer(self, head: RequestHead) -> None:
        if self._is("OPTIONS"):
            self._finish(preflight(self._version))
            return
        if head.line.method not in ("GET", "HEAD"):
            raise MethodNotAllowed("A stream can only be listened to.", allowed=ALLOWED_METHODS)
        face, mount = self._mounts.find(*_station_and_mount(head.line.path))
        wish = self._wish(head, mount)
        said = self._stream_head(face, mount, wish)
        if self._is("HEAD"):
            self._finish(said)
        else:
            self._listen(mount, wish, said)

    def _wish(self, head: RequestHead, mount: Mount) -> Wish:
        assert self._transport is not None
        peer = self._transport.get_extra_info("peername")
        return Wish(
            icy=head.first("icy-metadata") == "1" and mount.chunk_bytes is not None,
            session=_session_asked_for(head.line.query),
            agent=agent_family(head.first("user-agent")),
            address=self._address_of(peer[0] if isinstance(peer, tuple) else "", head),
            version=sys.intern(head.line.version),
        )

    def _listen(self, mount: Mount, wish: Wish, said: bytes) -> None:
        transport = self._transport
        assert transport is not None
        listening = Listening(self._mounts, mount, wish, said)
        self._mounts.enter(listening, wish.address)
        # Left to itself the system takes megabytes for a peer that reads nothing, minutes of sound.
        sock = transport.get_extra_info("socket")
        if sock is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._mounts.limits.kernel_buffer_bytes)
        self._transport = None
        listening.begin(transport, wait_s=self._mounts.limits.wait_s)

    def _stream_head(self, face: StationFace, mount: Mount, wish: Wish) -> bytes:
        return stream_head(
            face,
            mime=mount.mime,
            bitrate_kbps=mount.bitrate_kbps,
            metaint=mount.chunk_bytes if wish.icy else None,
            now_ms=self._mounts.clock.now_ms(),
            version=wish.version,
        )

    def _finish(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)
            self._transport.close()

    def _hear_out(self, size: int) -> None:
        self._talk += size
        if self._talk > MAX_TALK_BYTES and self._transport is not None:
            self._transport.abort()


def _station_and_mount(path: str) -> tuple[str, str]:
    parts = path.split("/")
    if len(parts) != 4 or parts[:2] != ["", "listen"]:
        raise NotFound("A stream is at /listen/{station}/{mount}.")
    return unquote(parts[2]), unquote(parts[3])


def _session_asked_for(query: str) -> str | None:
    try:
        fields = parse_qs(query, keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS)
    except ValueError:
        raise InvalidRequest("The query has too many fields.", field="query", allowed="16 fields") from None
    asked = fields.get("session", [])
    if len(asked) > 1:
        raise InvalidRequest("There is more than one session.", field="session", allowed="one")
    return session_id(asked[0]) if asked else None
