"""Small files that lead a player to a stream: ``/listen/{station}/live.mp3.m3u`` and its like."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import web

from radio.api.contract import described
from radio.api.replies import OPEN_TO_ALL
from radio.config import MountConfig, StationConfig
from radio.errors import InvalidRequest, UnknownMount, UnknownStation
from radio.streaming.playlists import M3U_MIME, PLS_MIME, XSPF_MIME, Entry, m3u, pls, xspf

WRITERS: Final[Mapping[str, tuple[str, Callable[[list[Entry]], str]]]] = {
    "m3u": (M3U_MIME, m3u),
    "pls": (PLS_MIME, pls),
    "xspf": (XSPF_MIME, xspf),
}

FORMAT_NAMES: Final[Mapping[str, str]] = {"mp3": "MP3", "aac": "AAC", "opus": "Opus"}

_HOST: Final = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")


def playlist_routes(stations: Mapping[str, StationConfig], public_url: str) -> list[web.RouteDef]:
    """Playlists beside each mount, by its whole name (``live.mp3.m3u``) or without its ending (``live.m3u``)."""

    @described(
        "A small file that leads a player to the stream",
        media=tuple(mime for mime, _ in WRITERS.values()),
        statuses=(404,),
        more="`{name}` is a mount such as `live.mp3`, or `live` for all of its forms.",
    )
    async def playlist(request: web.Request) -> web.Response:
        station = stations.get(request.match_info["station"])
        if station is None:
            raise UnknownStation(request.match_info["station"], stations)
        name, ending = request.match_info["name"], request.match_info["ending"]
        mounts = [mount for mount in station.mounts if name in (mount.name, mount.name.rpartition(".")[0])]
        if not mounts:
            raise UnknownMount(f"The station {station.id!r} has no mount {name!r}.")
        base = public_url.rstrip("/") or own_address(request)
        mime, write = WRITERS[ending]
        text = write([_entry(base, station, mount, alone=len(mounts) == 1) for mount in mounts])
        return web.Response(
            body=text.encode(),
            headers={
                **OPEN_TO_ALL,
                "Content-Type": f"{mime}; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{station.id}.{ending}"',
                "Cache-Control": "public, max-age=300",
            },
        )

    return [web.get(r"/listen/{station}/{name}.{ending:m3u|pls|xspf}", playlist)]


def own_address(request: web.Request) -> str:
    """The address at which the request found the service, for where no public one is configured."""
    if not _HOST.fullmatch(request.host):
        raise InvalidRequest("The host is no host.", field="Host", allowed="a name or an address, and a port")
    return f"{request.scheme}://{request.host}"


def _entry(base: str, station: StationConfig, mount: MountConfig, *, alone: bool) -> Entry:
    kind = f"{FORMAT_NAMES[mount.format]}, {mount.bitrate_kbps} kbit/s"
    title = station.name if alone else f"{station.name} ({kind})"
    return Entry(title=title, address=f"{base}/listen/{station.id}/{mount.name}")
