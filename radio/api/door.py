"""The one port: reads the first request's head and hands the connection to whoever serves it.

A visitor stays at the door until its request line (and, where the route asks for it, its whole head) has
come. Then the transport gets its real protocol with ``set_protocol``, ``connection_made`` and
``data_received``, with every byte replayed. A second request on the same connection stays where the first one
went.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Final, cast

from radio.streaming.heads import (
    MAX_HEAD_BYTES,
    HeadError,
    RequestHead,
    RequestLine,
    head_end,
    may_become_request,
    parse_head,
    parse_request_line,
    problem,
)
from radio.streaming.mounts import address_group

Factory = Callable[[], asyncio.Protocol]
"""Makes the protocol that takes a connection over: a class, or aiohttp's ``runner.server``."""

Route = Callable[[RequestLine, RequestHead | None], Factory | None]
"""Decides who serves a request. Asked first with the request line alone; None asks for the whole head."""

READ_ONLY: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SOCKET_PATHS: Final = frozenset({"/api/ws"})
DESK_PATH: Final = "/api/console/ws"

_PLAYLISTS: Final = (".m3u", ".pls", ".xspf")
_MAX_LINGER_BYTES: Final = 256 * 1024


def standard_route(
    *,
    web: Factory,
    stream: Factory,
    socket: Factory,
    socket_paths: Collection[str] = SOCKET_PATHS,
    desk: Factory | None = None,
) -> Route:
    """The service's own route: streams, WebSocket upgrades on ``socket_paths``, and all the rest to ``web``.

    Upgrades on :data:`DESK_PATH` go to ``desk``, where there is one.

    A request that is not GET, HEAD or OPTIONS goes to ``web`` as soon as its request line is there; whoever
    takes live input wraps this function and looks at PUT and SOURCE first.
    """

    def route(line: RequestLine, head: RequestHead | None) -> Factory | None:
        if line.method not in READ_ONLY:
            return web
        if head is None:
            return None
        if is_stream(line.path):
            return stream
        upgrade = line.method == "GET" and "websocket" in head.tokens("upgrade")
        if upgrade and line.path == DESK_PATH and desk is not None:
            return desk
        return socket if upgrade and line.path in socket_paths else web

    return route


def is_stream(path: str) -> bool:
    """Whether ``path`` is under ``/listen/`` and neither a playlist nor HLS."""
    parts = path.split("/")
    if parts[:2] != ["", "listen"] or len(parts) < 3:
        return False
    return not path.endswith(_PLAYLISTS) and parts[3:4] != ["hls"]


class Door:
    """The protocol factory for the listening socket; holds the connections that are not decided yet.

    A visitor has ``head_timeout_s`` seconds to say what it wants (408 after that). Of more than
    ``max_undecided``, or more than ``per_address`` of one address, the one that has stood longest is sent away (503),
    so that idle ones cannot shut the others out. Works on asyncio's loops and uvloop's.

    For metrics: ``undecided`` now; ``accepted``, ``refused``, ``timed_out`` and ``turned_away`` since the
    start.
    """

    def __init__(
        self, route: Route, *, head_timeout_s: float = 10.0, max_undecided: int = 1_000, per_address: int = 250,
        linger_s: float = 1.0,
    ) -> None:  # fmt: skip
        self.route = route
        self.head_timeout_s = head_timeout_s
        self.max_undecided = max_undecided
        self.per_address = per_address
        self.linger_s = linger_s
        self.accepted = 0
        self.refused = 0
        self.timed_out = 0
        self.turned_away = 0
        self._visitors: dict[_Visitor, str] = {}
        self._at_address: dict[str, dict[_Visitor, None]] = {}
        self._closed = False

    def __call__(self) -> asyncio.Protocol:
        return _Visitor(self)

    @property
    def undecided(self) -> int:
        """Connections that have not said yet what they want, or are just being refused."""
        return len(self._visitors)

    def crowd(self, most: int = 3) -> str:
        """The addresses from which most of the undecided come, for operators."""
        counts = Counter({address: len(here) for address, here in self._at_address.items()})
        return ", ".join(f"{count} from {address}" for address, count in counts.most_common(most))

    def close(self) -> None:
        """Send all undecided visitors away, and every later one; decided connections are not the door's."""
        self._closed = True
        for visitor in list(self._visitors):
            visitor.leave()

    def let_in(self, visitor: _Visitor) -> None:
        """Count a new connection and make room for it."""
        if self._closed:
            visitor.leave()
            return
        self.accepted += 1
        group = visitor.address_group
        here = self._at_address.setdefault(group, {})
        if len(here) >= self.per_address:
            self._turn_away(next(iter(here)))
        elif len(self._visitors) >= self.max_undecided:
            self._turn_away(next(iter(self._visitors)))
        self._visitors[visitor] = group
        self._at_address.setdefault(group, here)[visitor] = None

    def see_off(self, visitor: _Visitor) -> None:
        """A visitor was decided or is gone."""
        group = self._visitors.pop(visitor, None)
        if group is None:
            return
        here = self._at_address[group]
        del here[visitor]
        if not here:
            del self._at_address[group]

    def _turn_away(self, visitor: _Visitor) -> None:
        self.turned_away += 1
        visitor.turn_away()


class _Visitor(asyncio.Protocol):
    __slots__ = ("_buffer", "_door", "_line", "_refused", "_timer", "_transport")

    def __init__(self, door: Door) -> None:
        self._door = door
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = bytearray()
        self._line: RequestLine | None = None
        self._refused = 0

    @property
    def address_group(self) -> str:
        """What counts as the visitor's address."""
        peer = self._transport.get_extra_info("peername") if self._transport is not None else None
        return address_group(peer[0]) if isinstance(peer, tuple) else ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._set_timer(self._door.head_timeout_s, self._time_out)
        self._door.let_in(self)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            self._linger(len(data))
            return
        searched = len(self._buffer)
        self._buffer += data
        try:
            self._decide(searched)
        except HeadError as error:
            self._door.refused += 1
            self._refuse(error.status, error.code, error.message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._transport = None

    def leave(self) -> None:
        """Close the connection without a word."""
        self._forget()
        if self._transport is not None:
            self._transport.abort()

    def turn_away(self) -> None:
        """Make room: say that there is none, and close."""
        transport = self._transport
        if transport is not None and not self._refused:
            detail = "Too many connections wait at the door."
            transport.write(
                problem(HTTPStatus.SERVICE_UNAVAILABLE, "limit_reached", detail, [("Retry-After", "5")])
            )
        self.leave()

    def _decide(self, searched: int) -> None:
        buffer = self._buffer
        if self._line is None:
            # RFC 9112 section 2.2: an empty line before a request is to be overlooked.
            if buffer == b"\r":
                return
            if buffer[:2] == b"\r\n":
                del buffer[:2]
            self._line = self._request_line()
            searched = 0
        if self._line is not None:
            self._ask_route(self._line, searched)

    def _request_line(self) -> RequestLine | None:
        if not may_become_request(self._buffer):
            status = HTTPStatus.BAD_REQUEST
            raise HeadError(status, "This is no HTTP request.", allowed="HTTP/1.1 without TLS")
        end = self._buffer.find(b"\n", 0, MAX_HEAD_BYTES)
        if end < 0:
            self._check_size(len(self._buffer) + 1)
            return None
        if self._buffer[end - 1 : end] != b"\r":
            raise HeadError(HTTPStatus.BAD_REQUEST, "A line does not end with CR LF.")
        return parse_request_line(bytes(self._buffer[: end - 1]))

    def _ask_route(self, line: RequestLine, searched: int) -> None:
        factory = self._door.route(line, None)
        if factory is not None:
            self._hand_over(factory)
            return
        end = head_end(self._buffer, searched)
        self._check_size(end if end >= 0 else len(self._buffer) + 1)
        if end < 0:
            return
        factory = self._door.route(line, parse_head(bytes(self._buffer[:end])))
        if factory is None:
            raise HeadError(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
        self._hand_over(factory)

    def _check_size(self, size: int) -> None:
        if size > MAX_HEAD_BYTES:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise HeadError(status, "The request head is too large.", allowed="16 KiB")

    def _hand_over(self, factory: Factory) -> None:
        transport, self._transport = self._transport, None
        self._forget()
        assert transport is not None
        replay = bytes(self._buffer)
        self._buffer.clear()
        protocol = factory()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(replay)

    def _time_out(self) -> None:
        self._door.timed_out += 1
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The request head did not come in time.")

    def _refuse(self, status: HTTPStatus, code: str, detail: str) -> None:
        # Closing with bytes unread would reset the connection and take the answer with it: end our side, then
        # read on for a moment (RFC 9112 section 9.6).
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._refused = 1
        self._buffer.clear()
        self._set_timer(self._door.linger_s, self.leave)
        transport.write(problem(status, code, detail))
        transport.write_eof()

    def _linger(self, size: int) -> None:
        self._refused += size
        if self._refused > _MAX_LINGER_BYTES:
            self.leave()

    def _set_timer(self, seconds: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._door.see_off(self)
