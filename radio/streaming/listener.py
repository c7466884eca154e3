"""A listening connection: one small protocol object that a mount writes shared buffers to.

The body has no length and no chunks; it ends with the connection, as radio players expect of Icecast. There
is no task and no response object: 2,000 listeners are 2,000 transports that are written to once per chunk.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast
from urllib.parse import parse_qs, unquote

from radio.errors import InvalidRequest, LimitReached, MethodNotAllowed, NotFound, RadioError
from radio.streaming.heads import RequestHead, head_end, parse_head
from radio.streaming.mount import Mount, Start
from radio.streaming.mounts import Mounts
from radio.streaming.sessions import Session, session_id
from radio.streaming.stream_heads import (
    ALLOWED_METHODS,
    StationFace,
    preflight,
    refusal,
    stream_head,
)

AddressOf = Callable[[str, RequestHead], str]
"""Which address counts for the limits, from the peer's and the request: behind a proxy, a header's."""

_MAX_TALK_BYTES: Final = 64 * 1024
_MAX_QUERY_FIELDS: Final = 16


def peer_address(peer: str, head: RequestHead) -> str:
    """The peer's own address, whatever the request says: for a service that is not behind a proxy."""
    return peer


class Listener(asyncio.Protocol):
    """Answers GET, HEAD and OPTIONS on ``/listen/{station}/{mount}``, one request per connection.

    Stands behind the door (``radio.api.door``): the first bytes it is given hold a whole request head. A
    listener whose unsent bytes pass the limit is dropped, alone; so is one that sends more than 64 KiB after
    its request.
    """

    __slots__ = (
        "_address_of",
        "_face",
        "_head",
        "_icy",
        "_mount",
        "_mounts",
        "_session",
        "_talk",
        "_timer",
        "_transport",
    )

    def __init__(self, mounts: Mounts, address_of: AddressOf = peer_address) -> None:
        self._mounts = mounts
        self._address_of = address_of
        self._transport: asyncio.Transport | None = None
        self._head: RequestHead | None = None
        self._face: StationFace | None = None
        self._mount: Mount | None = None
        self._icy = False
        self._session: str | None = None
        self._timer: asyncio.TimerHandle | None = None
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

    def pause_writing(self) -> None:
        # The transport's upper mark is the most that may lie unsent, so being asked to pause means too slow.
        if self._mount is not None:
            self._mount.dropped += 1
        self.hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._mount is not None:
            self._mount.leave(self)
        if self._session is not None:
            self._mounts.sessions.end(self._session, self)
        self._mounts.exit(self)
        self._transport = self._mount = self._head = self._face = None

    def start(self, start: Start) -> None:
        """Send the response head and the first buffers; the mount writes all that follows."""
        self._stop_timer()
        if self._transport is None or self._mount is None:
            return
        self._transport.writelines([self._stream_head(), *start.buffers])
        self._head = self._face = None
        if self._session is not None:
            self._begin_session(self._session, self._mount, start)

    def hang_up(self) -> None:
        """Close the connection at once; what is not with the system yet is not sent."""
        if self._transport is not None:
            self._transport.abort()

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
        self._face, mount = self._mounts.find(*_station_and_mount(head.line.path))
        self._session = _session_asked_for(head.line.query)
        self._icy = head.first("icy-metadata") == "1"
        if self._is("HEAD"):
            self._mount = mount
            self._finish(self._stream_head())
        else:
            self._listen(head, mount)

    def _listen(self, head: RequestHead, mount: Mount) -> None:
        transport = self._transport
        assert transport is not None
        peer = transport.get_extra_info("peername")
        address = self._address_of(peer[0] if isinstance(peer, tuple) else "", head)
        self._mounts.enter(self, address)
        self._mount = mount
        self._bound_backlog(transport, mount)
        start = mount.join(self, transport.write, icy=self._icy, now_ms=self._mounts.clock.now_ms())
        if start is not None:
            self.start(start)
        else:
            wait_s = self._mounts.limits.wait_s
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._give_up_waiting)

    def _bound_backlog(self, transport: asyncio.Transport, mount: Mount) -> None:
        limits = self._mounts.limits
        transport.set_write_buffer_limits(high=max(limits.max_backlog_bytes, mount.max_burst_bytes))
        # Left to itself the system takes megabytes for a peer that reads nothing, minutes of sound.
        sock = transport.get_extra_info("socket")
        if sock is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.kernel_buffer_bytes)

    def _stream_head(self) -> bytes:
        assert self._mount is not None
        assert self._face is not None
        return stream_head(
            self._face,
            mime=self._mount.mime,
            bitrate_kbps=self._mount.bitrate_kbps,
            metaint=self._mount.chunk_bytes if self._icy else None,
            now_ms=self._mounts.clock.now_ms(),
            version=self._version,
        )

    def _begin_session(self, id: str, mount: Mount, start: Start) -> None:
        session = Session(id=id, station=mount.station, mount=mount.name, stream_time_ms=start.stream_time_ms)
        self._mounts.sessions.begin(session, self)

    def _give_up_waiting(self) -> None:
        self._timer = None
        if self._mount is not None:
            self._mount.leave(self)
        error = LimitReached("The stream stands still; it is expected back soon.")
        self._finish(refusal(error, version=self._version))

    def _finish(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)
            self._transport.close()

    def _hear_out(self, size: int) -> None:
        self._talk += size
        if self._talk > _MAX_TALK_BYTES:
            self.hang_up()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


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
