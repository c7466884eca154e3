"""Cover art for anyone: made small and anew, and cached for ever, as its address changes with its content."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from aiohttp import web

from radio.api.contract import described
from radio.api.replies import OPEN_TO_ALL
from radio.api.shapes import ArtworkQuery, KnownHeaders
from radio.errors import InvalidRequest, UnknownStation
from radio.library.shrinker import Shrinker
from radio.library.thumbnails import JPEG, SIZES, WEBP

DEFAULT_SIZE: Final = 600
_HEADERS: Final = {
    **OPEN_TO_ALL,
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Vary": "Accept",
}


def artwork_routes(pictures: Shrinker, stations: Collection[str]) -> list[web.RouteDef]:
    """``/api/stations/{station}/artwork/{id}?size=96|300|600``: WebP where Accept names it, else JPEG."""

    @described(
        "A picture, made small",
        query=ArtworkQuery,
        headers=KnownHeaders,
        statuses=(304, 400, 404),
        media=(JPEG, WEBP),
        more="WebP where `Accept` names it. An address never changes what it shows, so it may be kept for ever.",
    )
    async def artwork(request: web.Request) -> web.Response:
        station = request.match_info["station"]
        if station not in stations:
            raise UnknownStation(station, stations)
        size = _size(request)
        mime = WEBP if WEBP in request.headers.get("Accept", "").lower() else JPEG
        etag = f'"{request.match_info["id"][:64]}-{size}-{mime[6:]}"'
        if etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers={**_HEADERS, "ETag": etag})
        data = await pictures.picture(request.match_info["id"], size, mime)
        return web.Response(body=data, content_type=mime, headers={**_HEADERS, "ETag": etag})

    return [web.get("/api/stations/{station}/artwork/{id:[0-9a-f]{1,64}}", artwork)]


def _size(request: web.Request) -> int:
    text = request.query.get("size", str(DEFAULT_SIZE))
    allowed = [str(size) for size in SIZES]
    if text not in allowed:
        raise InvalidRequest(f"`size` is {text[:20]!r}.", field="size", allowed=", ".join(allowed))
    return int(text)
