"""The pages and pictures that browsers load: the station site, the player's script, the embedded player."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import Final

from aiohttp import web

from radio.api.contract import described
from radio.api.replies import OPEN_TO_ALL
from radio.config import NetworkConfig
from radio.errors import NotFound

DIST: Final = Path(__file__).parent.parent / "web" / "dist"
_SAFE = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; "
PAGE_POLICY: Final = (
    _SAFE + "media-src 'self' blob:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
EMBED_POLICY: Final = PAGE_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")
HTML: Final = "text/html"
SCRIPT: Final = "text/javascript"
ANY: Final = "application/octet-stream"
FOR_EVER: Final = "public, max-age=31536000, immutable"
PICTURE_TYPES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}(/[A-Za-z0-9][A-Za-z0-9._-]{0,120}){0,2}")


def site_routes(
    network: NetworkConfig,
    pictures: Path | None,
    stations: frozenset[str],
    linked: Callable[[web.Request], Awaitable[str]] | None = None,
) -> list[web.RouteDef]:
    """Routes of the site; ``pictures`` is the folder behind ``/media/artwork/``. ``linked`` gives what search
    engines read of the coming programmes: an element for the head of the page."""

    @described("The stations' site", media=HTML, statuses=(404,))
    async def page(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
        if network.site == "demo" and linked is None:
            return await _built("index.html", headers)
        text = await asyncio.to_thread(_home, network)
        if linked is not None:
            text = text.replace("</head>", f"{await linked(request)}</head>", 1)
        return web.Response(text=text, content_type="text/html", headers=headers)

    @described("The compact player, for an iframe on any site", media=HTML, statuses=(404,))
    async def embed(request: web.Request) -> web.StreamResponse:
        if request.match_info["station"] not in stations:
            raise NotFound("There is no such station.")
        return await _built(
            "embed.html", {"Content-Security-Policy": EMBED_POLICY, "Cache-Control": "no-cache"}
        )

    @described(
        "The elements `<radio-player>` and `<radio-sponsor>`, for any site", media=SCRIPT, statuses=(404,)
    )
    async def player(_: web.Request) -> web.StreamResponse:
        headers = {"Cache-Control": "public, max-age=300", "Content-Type": f"{SCRIPT}; charset=utf-8"}
        return await _built("player.js", {**OPEN_TO_ALL, **headers})

    @described("A part of the pages, by a name that changes with its content", media=ANY, statuses=(404,))
    async def asset(request: web.Request) -> web.StreamResponse:
        return await _built(f"assets/{_name(request)}", {**OPEN_TO_ALL, "Cache-Control": FOR_EVER})

    @described("The site's mark", media="image/svg+xml", statuses=(404,))
    async def mark(_: web.Request) -> web.StreamResponse:
        return await _built(await asyncio.to_thread(_mark), {"Cache-Control": "public, max-age=86400"})

    @described("A picture from the network's folder", media="image/*", statuses=(404,))
    async def picture(request: web.Request) -> web.StreamResponse:
        name = _name(request)
        ending = Path(name).suffix.lower()
        if pictures is None or ending not in PICTURE_TYPES:
            raise NotFound("There is no such picture.")
        headers = {
            **OPEN_TO_ALL,
            "Cache-Control": "public, max-age=3600",
            "Content-Type": PICTURE_TYPES[ending],
            # an SVG from the folder is shown as a picture and must never act as a page
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        }
        return await _file(pictures, name, headers)

    return [
        web.get("/", page),
        web.get("/embed/{station}", embed),
        web.get("/player.js", player),
        web.get("/assets/{name}", asset),
        web.get("/favicon.svg", mark),
        web.get("/media/artwork/{name:.+}", picture),
    ]


def _home(network: NetworkConfig) -> str:
    path = DIST / ("index.html" if network.site == "demo" else "home.html")
    if not path.is_file():
        raise NotFound("The page was not built: install the package anew.")
    text = path.read_text(encoding="utf-8")
    if network.site == "demo":
        return text
    text = text.replace("{{network.name}}", escape(network.name))
    return text.replace("{{network.tagline}}", escape(network.tagline))


def _mark() -> str:
    """The site's mark, which the build names by its content."""
    return next(
        (f"assets/{path.name}" for path in sorted((DIST / "assets").glob("favicon-*.svg"))), "favicon.svg"
    )


def _name(request: web.Request) -> str:
    name = request.match_info["name"]
    if not _NAME.fullmatch(name):
        raise NotFound("There is nothing at this address.")
    return name


async def _built(name: str, headers: dict[str, str]) -> web.StreamResponse:
    return await _file(DIST, name, headers)


async def _file(folder: Path, name: str, headers: dict[str, str]) -> web.StreamResponse:
    path = await asyncio.to_thread(_file_in, folder, name)
    if path is None:
        raise NotFound("There is nothing at this address.")
    return web.FileResponse(path, headers={"X-Content-Type-Options": "nosniff", **headers})


def _file_in(folder: Path, name: str) -> Path | None:
    """The file, links followed; None where there is none, or where a link leads out of the folder."""
    try:
        path = (folder / name).resolve(strict=True)
        return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
    except (OSError, RuntimeError):
        return None
