"""Streams and push asked for on a connection that aiohttp has already: browsers reuse what is kept alive.

The door decides by a connection's first request. Where a later one asks for a stream, the transport is taken
out of aiohttp's hands and given to the protocol that the door would have chosen.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from radio.api.contract import described
from radio.api.door import DESK_PATH, SOCKET_PATHS, Factory
from radio.api.shapes import StreamHeaders, StreamQuery
from radio.audio.encode import MIME_TYPES

_STREAM: Final = described(
    "The sound, for as long as the player listens",
    query=StreamQuery,
    headers=StreamHeaders,
    media=tuple(MIME_TYPES.values()),
    statuses=(400, 404, 503),
    more="The reply has no end. With `Icy-MetaData: 1`, MP3 and AAC carry titles in ICY blocks.",
)
_SOCKET: Final = described(
    "Push by WebSocket",
    statuses=(101, 400, 426, 503),
    more="Frames are JSON texts; the AsyncAPI document has them all.",
)


_DESK: Final = described(
    "The operators' push by WebSocket",
    statuses=(101, 400, 401, 403, 426, 503),
    more="Frames are JSON texts; the AsyncAPI document has them all. A token comes as `Authorization: Bearer nu_…`, or "
    "as the first frame.",
)


class HandedOver(web.StreamResponse):
    """What a handler returns when the connection is no longer aiohttp's: nothing is written."""

    def __init__(self) -> None:
        super().__init__()
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write no head."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Write no end."""


def handover_routes(*, streams: Factory, sockets: Factory, desk: Factory | None = None) -> list[web.RouteDef]:
    """Routes for streams and push that are not the first request of their connection."""
    stream, socket = _STREAM(hand_over(streams)), _SOCKET(hand_over(sockets))
    return [
        *(web.route(method, "/listen/{station}/{mount}", stream) for method in ("GET", "OPTIONS")),
        *(web.route("GET", path, socket) for path in SOCKET_PATHS),
        *([web.route("GET", DESK_PATH, _DESK(hand_over(desk)))] if desk else []),
    ]


def hand_over(factory: Factory) -> Handler:
    """A handler that answers nothing: it gives the connection to ``factory``'s protocol with the request's head.

    What a client sent behind the head is lost; a client waits for the answer before it goes on.
    """

    async def handler(request: web.Request) -> web.StreamResponse:
        transport = taken_from_aiohttp(request)
        if transport is None:
            return HandedOver()
        protocol = factory()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        transport.resume_reading()
        protocol.data_received(_head(request))
        return HandedOver()

    return handler


def taken_from_aiohttp(request: web.Request) -> asyncio.Transport | None:
    """The connection of ``request``, which is aiohttp's no more; None where it is gone.

    The handler returns :class:`HandedOver`. Reading may be paused.
    """
    transport = request.transport
    if transport is not None:
        before = request.protocol
        # without its transport, aiohttp's protocol ends without closing the connection
        before.transport = None
        before.connection_lost(None)
    return transport


def _head(request: web.Request) -> bytes:
    version = f"HTTP/{request.version.major}.{request.version.minor}"
    line = f"{request.method} {request.raw_path} {version}"
    fields = [name + b": " + value for name, value in request.raw_headers]
    return b"\r\n".join([line.encode("latin-1", "replace"), *fields, b"", b""])
