"""The one listening socket, and the HTTP application behind it."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from socket import socket
from typing import Final, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from radio.api.door import Door, Factory, standard_route
from radio.api.problems import problems
from radio.errors import AddressInUse

MAX_BODY_BYTES: Final = 1_000_000
GRACE_S: Final = 3.0


def http_application(routes: Iterable[web.AbstractRouteDef], sign_in: Middleware) -> web.Application:
    """The application that serves everything but streams and push."""
    application = web.Application(middlewares=[_headers, problems, sign_in], client_max_size=MAX_BODY_BYTES)
    application.add_routes(routes)
    return application


class Serving(NamedTuple):
    """Where the service listens."""

    port: int
    sockets: tuple[socket, ...]


@asynccontextmanager
async def serving(
    application: web.Application, *, streams: Factory, sockets: Factory, host: str, port: int,
    listening: Sequence[socket] = (),
) -> AsyncIterator[Serving]:  # fmt: skip
    """Listen at ``host`` and ``port`` (0: any free one), or on ``listening``, while the context is open.

    Raises AddressInUse where another process listens there.
    """
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=GRACE_S)
    await runner.setup()
    door = Door(standard_route(web=_factory(runner), stream=streams, socket=sockets))
    try:
        servers = await _go_on(door, listening) if listening else [await _listen(door, host, port)]
        try:
            open_sockets = tuple(listening) or tuple(each for server in servers for each in server.sockets)
            yield Serving(open_sockets[0].getsockname()[1], open_sockets)
        finally:
            for server in servers:
                server.close()
            door.close()
    finally:
        await runner.cleanup()


def _factory(runner: web.AppRunner) -> Factory:
    def protocol() -> asyncio.Protocol:
        assert runner.server is not None  # set by setup()
        return runner.server()

    return protocol


async def _go_on(door: Door, listening: Sequence[socket]) -> list[asyncio.Server]:
    loop = asyncio.get_running_loop()
    return [await loop.create_server(door, sock=each, backlog=4096) for each in listening]


async def _listen(door: Door, host: str, port: int) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(door, host, port, backlog=4096)
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            raise AddressInUse(
                f"Another process listens at {host}:{port}. "
                "Stop it, or choose another port: radio run --port 8001"
            ) from fault
        raise AddressInUse(f"Cannot listen at {host}:{port}: {fault.strerror or fault}") from fault


@web.middleware
async def _headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What every response carries; nothing here is ever guessed to be of another type."""
    if request.method == "OPTIONS" and request.path.startswith("/api/") and "Origin" in request.headers:
        response: web.StreamResponse = web.Response(status=204, headers=_preflight(request))
    else:
        response = await handler(request)
    if not response.prepared:
        response.headers["Server"] = "Next Up"
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    return response


def _preflight(request: web.Request) -> dict[str, str]:
    """Public reading is open to any page; the console is not (Fetch standard, CORS protocol)."""
    if request.path.startswith("/api/console/"):
        return {}
    return {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "If-None-Match, Last-Event-ID",
        "Access-Control-Max-Age": "86400",
    }
