"""The operators' WebSockets: ordinary connections of ``websockets``, on transports that the door hands over.

Each is a :class:`~websockets.asyncio.server.ServerConnection` of a :class:`~websockets.asyncio.server.Server` that
listens nowhere. There is no compression, no cookie is read, and a token never stands in an address.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final, Self, cast
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from radio.api.contract import PROBLEM, ProblemDetails
from radio.api.desk_feed import DeskFeed
from radio.api.desk_messages import REQUEST_LIMIT_BYTES, DeskCloseCode
from radio.api.desk_talk import DeskLimits as DeskLimits
from radio.api.desk_talk import DeskTalk
from radio.clock import Clock
from radio.errors import LimitReached, StoreError
from radio.push.heartbeat import Heartbeat
from radio.push.limits import Rate
from radio.store import Store
from radio.store.operators import Operator, authenticate

_log = logging.getLogger(__name__)
# at the level DEBUG the library would write down heads and frames, and so tokens
_log.setLevel(logging.WARNING)

_PORTS: Final = {"http": 80, "https": 443}
_FULL: Final = "All places at the desks are taken; try again later."

Prepare = Callable[[Collection[str]], Awaitable[None]]


class DeskSockets:
    """All desks; an async context manager. ``prepare`` learns what is to be known of stations before ``feed`` looks.

    ``public_url`` is an origin that pages may come from, beside the address that was asked. Within :meth:`serving`
    connections are let in; leaving it closes all with :attr:`DeskCloseCode.SERVER_RESTARTS`.
    """

    def __init__(
        self,
        feed: DeskFeed,
        store: Store,
        clock: Clock,
        heartbeat: Heartbeat,
        *,
        stations: Collection[str],
        prepare: Prepare,
        public_url: str = "",
        limits: DeskLimits | None = None,
    ) -> None:
        self.feed = feed
        self.clock = clock
        self.limits = limits or DeskLimits()
        self.stations = stations
        self.rate = Rate(self.limits.frames_burst, self.limits.frames_period_s)
        self._store = store
        self._heartbeat = heartbeat
        self._prepare = prepare
        self._public_url = public_url
        self._nowhere = _Nowhere()
        self._server = Server(self._listen_nowhere, self._attend, _log)
        self._tokens: dict[ServerConnection, str] = {}
        self._waiting: dict[ServerConnection, None] = {}
        self._seated: set[DeskTalk] = set()

    def __len__(self) -> int:
        """How many operators are signed in."""
        return len(self._seated)

    def __iter__(self) -> Iterator[DeskTalk]:
        return iter(tuple(self._seated))

    @property
    def waiting(self) -> int:
        """Connections that have not said yet who they are."""
        return len(self._waiting)

    async def __aenter__(self) -> Self:
        await self._server
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._nowhere.close()
        for connection in tuple(self._waiting):
            connection.transport.abort()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Let operators in for as long as the context is open."""
        try:
            yield
        finally:
            self._server.close(code=DeskCloseCode.SERVER_RESTARTS, reason="the server restarts; come back")
            try:
                async with asyncio.timeout(self.limits.close_s):
                    await self._server.wait_closed()
            except TimeoutError:
                for connection in (*self._server.all_connections, *self._waiting):
                    connection.transport.abort()
                await self._server.wait_closed()

    def protocol(self) -> asyncio.Protocol:
        """A protocol for a new connection: call ``connection_made``, then ``data_received``."""
        limits = self.limits
        return _DeskConnection(
            ServerProtocol(max_size=REQUEST_LIMIT_BYTES, logger=_log),
            self._server,
            ping_interval=limits.ping_s,
            ping_timeout=limits.ping_s,
            close_timeout=limits.close_s,
            write_limit=limits.write_buffer_bytes,
            kernel_buffer_bytes=limits.kernel_buffer_bytes,
        )

    # What talks need

    async def operator_of(self, token: str) -> Operator | None:
        """Whose token it is. Raises StoreError."""
        return await self._store.read(authenticate, token, self.clock.now_ms())

    def seat(self, talk: DeskTalk) -> None:
        """Give an operator a place. Raises LimitReached."""
        if self._is_full:
            raise LimitReached(_FULL)
        self._seated.add(talk)
        self._waiting.pop(talk.connection, None)

    async def prepare(self, stations: Collection[str]) -> None:
        """Learn what must be known of stations before they are looked at."""
        await self._prepare(stations)

    def watching_changed(self) -> None:
        """The feed is ticked while anybody watches, and only then."""
        if self.feed.stations:
            self._heartbeat.add(self.feed)
        else:
            self._heartbeat.discard(self.feed)

    @property
    def _is_full(self) -> bool:
        return len(self._seated) >= self.limits.desks

    # A connection from its first byte to its last

    async def _attend(self, connection: ServerConnection) -> None:
        try:
            self._make_room()
            self._waiting[connection] = None
            async with asyncio.timeout(self.limits.sign_in_s):
                await connection.handshake(self._admit, server_header="Next Up")
            if connection.state is State.OPEN:
                await self._talk(connection)
        except (TimeoutError, ConnectionClosed):
            pass
        except Exception:
            _log.exception("a desk could not be let in")
        finally:
            self._waiting.pop(connection, None)
            self._tokens.pop(connection, None)
            connection.transport.abort()
            self._server.handler_tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _talk(self, connection: ServerConnection) -> None:
        self._server.all_connections.add(connection)
        connection.start_keepalive()
        talk = DeskTalk(self, connection, self._tokens.pop(connection, None))
        try:
            await talk.run()
        finally:
            self._seated.discard(talk)
            self._server.all_connections.discard(connection)

    def _make_room(self) -> None:
        """Of too many who have not said who they are, the one that came first is sent away."""
        if len(self._waiting) >= self.limits.waiting:
            first = next(iter(self._waiting))
            del self._waiting[first]
            first.transport.abort()

    async def _listen_nowhere(self) -> asyncio.Server:
        return cast(asyncio.Server, self._nowhere)

    # The handshake

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if "token=" in request.path:
            text = "A token does not belong into an address. Send it as the first frame, or in Authorization."
            return _problem(connection, HTTPStatus.BAD_REQUEST, "invalid_request", text)
        if not is_own_origin(request.headers.get_all("Origin"), _host(request), self._public_url):
            text = "Pages of other sites may not work at the desk."
            return _problem(connection, HTTPStatus.FORBIDDEN, "forbidden", text)
        if self._is_full:
            return _problem(connection, HTTPStatus.SERVICE_UNAVAILABLE, "limit_reached", _FULL)
        return await self._admit_by_header(connection, request)

    async def _admit_by_header(self, connection: ServerConnection, request: Request) -> Response | None:
        fields = request.headers.get_all("Authorization")
        if not fields and "Upgrade" in request.headers:
            return None
        scheme, _, token = "".join(fields[:1]).partition(" ")
        try:
            known = scheme.lower() == "bearer" and await self.operator_of(token.strip())
        except StoreError as fault:
            return _problem(connection, HTTPStatus.SERVICE_UNAVAILABLE, fault.code, "The database is away.")
        if not known:
            text = "An operator's token is needed: Authorization: Bearer nu_…"
            return _problem(connection, HTTPStatus.UNAUTHORIZED, "unauthenticated", text)
        self._tokens[connection] = token.strip()
        return None


class _DeskConnection(ServerConnection):
    """With a bound on what the system keeps for a desk that does not read."""

    def __init__(
        self, protocol: ServerProtocol, server: Server, *, ping_interval: float, ping_timeout: float,
        close_timeout: float, write_limit: int, kernel_buffer_bytes: int,
    ) -> None:  # fmt: skip
        super().__init__(
            protocol,
            server,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=close_timeout,
            write_limit=write_limit,
        )
        self._kernel_buffer_bytes = kernel_buffer_bytes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if (raw := transport.get_extra_info("socket")) is not None:
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._kernel_buffer_bytes)
        super().connection_made(transport)


class _Nowhere(asyncio.AbstractServer):
    """The listening half of a server to which connections are brought."""

    sockets: tuple[socket.socket, ...] = ()

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_open = True

    def close(self) -> None:
        self._is_open = False

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def is_serving(self) -> bool:
        return self._is_open

    async def start_serving(self) -> None:
        """It serves from the start."""

    async def serve_forever(self) -> None:
        """Connections are brought whether or not somebody waits here."""

    async def wait_closed(self) -> None:
        """Nothing is to be waited for."""


def is_own_origin(origins: list[str], host: str, public_url: str) -> bool:
    """Whether a page of these ``Origin`` headers belongs to this service; programs, which send none, may come in.

    ``host`` is the header ``Host``; behind a proxy that changes it, ``public_url`` says what listeners use (RFC 6454).
    """
    if not origins:
        return True
    if len(origins) > 1:
        return False
    asked = _place(origins[0])
    if asked is None:
        return False
    scheme = origins[0].partition(":")[0].lower()
    return asked in (_place(f"{scheme}://{host}"), _place(public_url))


def _place(address: str) -> tuple[str, int] | None:
    """Host and port of an address, in lower case and with the scheme's own port where none is named."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname.lower(), port) if parts.hostname and port else None


def _host(request: Request) -> str:
    hosts = request.headers.get_all("Host")
    return hosts[0] if len(hosts) == 1 else ""


def _problem(connection: ServerConnection, status: HTTPStatus, code: str, detail: str) -> Response:
    """A refused handshake, as a problem document (RFC 9457)."""
    title = code.replace("_", " ").capitalize()
    document = ProblemDetails(
        type=f"about:blank#{code}", title=title, status=status, code=code, detail=detail
    )
    response = connection.respond(status, msgspec.json.encode(document).decode())
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = PROBLEM
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "30"
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
