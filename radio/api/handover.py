"""Streams and push asked for on a connection that aiohttp has already: browsers reuse what is kept alive.

The door decides by a connection's first request. Where a later one asks for a stream, the transport is taken
out of aiohttp's hands and given to the protocol that the door would have chosen.
"""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from radio.api.door import SOCKET_PATHS, Factory


class HandedOver(web.StreamResponse):
    """What a handler returns when the connection is no longer aiohttp's: nothing is written."""

    def __init__(self) -> None:
        super().__init__()
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write no head."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Write no end."""


def handover_routes(*, streams: Factory, sockets: Factory) -> list[web.RouteDef]:
    """Routes for streams and push that are not the first request of their connection."""
    stream, socket = hand_over(streams), hand_over(sockets)
    return [
        *(web.route(method, "/listen/{station}/{mount}", stream) for method in ("GET", "OPTIONS")),
        *(web.route("GET", path, socket) for path in SOCKET_PATHS),
    ]


def hand_over(factory: Factory) -> Handler:
    """A handler that answers nothing: it gives the connection to ``factory``'s protocol with the request's head.

    What a client sent behind the head is lost; a client waits for the answer before it goes on.
    """

    async def handler(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            return HandedOver()
        before = request.protocol
        # without its transport, aiohttp's protocol ends without closing the connection
        before.transport = None
        before.connection_lost(None)
        protocol = factory()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        transport.resume_reading()
        protocol.data_received(_head(request))
        return HandedOver()

    return handler


def _head(request: web.Request) -> bytes:
    version = f"HTTP/{request.version.major}.{request.version.minor}"
    line = f"{request.method} {request.raw_path} {version}"
    fields = [name + b": " + value for name, value in request.raw_headers]
    return b"\r\n".join([line.encode("latin-1", "replace"), *fields, b"", b""])
