"""The one listening socket, and the HTTP application behind it."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from socket import socket
from typing import Final, NamedTuple

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from radio.api.door import Door, Factory, standard_route
from radio.api.problems import problems
from radio.api.replies import is_public
from radio.api.threshold import Quick, Threshold, listening_at
from radio.api.web_guard import WebGuard
from radio.errors import AddressInUse

MAX_BODY_BYTES: Final = 1_000_000
GRACE_S: Final = 3.0
_BACKLOG: Final = 4096

IDLE_S: Final = 75.0
"""How long a connection may stand between two requests, and how long the head of one that is no GET may take."""


def _is_ours(record: logging.LogRecord) -> bool:
    """Requests that are no HTTP come from anywhere at any rate; a traceback for each would fill the disk."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_web_log: Final = logging.getLogger("radio.web")
_web_log.addFilter(_is_ours)


def http_application(routes: Iterable[web.AbstractRouteDef], sign_in: Middleware) -> web.Application:
    """The application that serves everything but streams and push."""
    application = web.Application(middlewares=[_headers, problems, sign_in], client_max_size=MAX_BODY_BYTES)
    application.add_routes(routes)
    return application


class Serving(NamedTuple):
    """Where the service listens."""

    port: int
    sockets: tuple[socket, ...]
    door: Door
    guard: WebGuard


@asynccontextmanager
async def serving(
    application: web.Application, *, streams: Factory, sockets: Factory, host: str, port: int,
    listening: Sequence[socket] = (), quick: Quick | None = None, desk: Factory | None = None,
) -> AsyncIterator[Serving]:  # fmt: skip
    """Listen at ``host`` and ``port`` (0: any free one), or on ``listening``, while the context is open.

    ``quick`` may take connections by their first bytes, before the door; those are closed at the end. ``desk`` takes
    operators' WebSockets. Raises AddressInUse where another process listens there.
    """
    runner = web.AppRunner(
        application, access_log=None, logger=_web_log, shutdown_timeout=GRACE_S, keepalive_timeout=IDLE_S
    )
    await runner.setup()
    door = Door(standard_route(web=_factory(runner), stream=streams, socket=sockets, desk=desk))
    guard = WebGuard(lambda: runner.server.connections if runner.server is not None else ())
    try:
        open_sockets = tuple(listening) or tuple(await _listen(host, port))
        threshold = Threshold(open_sockets, door, quick)
        try:
            async with guard.running():
                yield Serving(open_sockets[0].getsockname()[1], open_sockets, door, guard)
        finally:
            threshold.close()
            for each in open_sockets:
                each.close()
            door.close()
    finally:
        await runner.cleanup()


def _factory(runner: web.AppRunner) -> Factory:
    def protocol() -> asyncio.Protocol:
        assert runner.server is not None  # set by setup()
        return runner.server()

    return protocol


async def _listen(host: str, port: int) -> list[socket]:
    try:
        return await listening_at(host, port, backlog=_BACKLOG)
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
    if not is_public(request.path):
        return {}
    return {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "If-None-Match, Last-Event-ID",
        "Access-Control-Max-Age": "86400",
    }
