"""Every address of the dialects that is simply fetched."""

from __future__ import annotations

import re
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web
from msgspec import Meta

from radio.api.asking import number
from radio.api.contract import described
from radio.api.dialects import azuracast, icecast, libretime, npr
from radio.api.dialects.azuracast_shapes import NowPlaying
from radio.api.dialects.board import Board
from radio.api.dialects.live_socket import LiveSockets
from radio.api.dialects.live_stream import LiveStreams
from radio.api.playlists import own_address
from radio.api.replies import OPEN_TO_ALL, json_bytes, public_bytes
from radio.errors import InvalidRequest, NotFound, UnknownMount, UnknownStation

BRIEFLY: Final = "public, max-age=2"
JSON: Final = "application/json"
SCRIPT: Final = "text/javascript; charset=utf-8"
_BASES: Final = 8
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
_CALLBACK: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}(\.[A-Za-z_$][A-Za-z0-9_$]{0,63}){0,3}")


class MountQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which mount."""

    mount: Annotated[str, Meta(description="The path of one mount: /listen/ID/live.mp3")] | None = None


class SidQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which station."""

    sid: Annotated[str, Meta(description="A station's number, from 1, or its id.")] = "1"


class LiveInfoQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What of LibreTime's answer is wanted."""

    station: Annotated[str, Meta(description="A station's id; the first where there is none.")] | None = None
    timezone: Annotated[str, Meta(description="An IANA time zone; the station's own.")] | None = None
    days: Annotated[int, Meta(ge=1, le=7)] = 2
    shows: Annotated[int, Meta(ge=0, le=50)] = 5
    callback: Annotated[str, Meta(description="The name of a function, for JSONP.")] | None = None


class ComposerQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How Composer is to answer; only JSON is known."""

    format: str = "json"


class Dialects:
    """The handlers; whatever they answer is open to any site's pages and may be kept for two seconds."""

    def __init__(self, board: Board, *, network: str, public_url: str = "") -> None:
        self._board = board
        self._network = network
        self._public = public_url.rstrip("/")
        self._all: dict[str, tuple[object, bytes]] = {}

    def routes(self, sockets: LiveSockets, streams: LiveStreams) -> list[web.RouteDef]:
        """The routes, for aiohttp's router, with those of AzuraCast's push."""
        live = "/api/live/nowplaying"
        return [
            web.get("/api/nowplaying", self.all_now_playing),
            web.get("/api/nowplaying/{station}", self.now_playing),
            web.get("/api/nowplaying_static/{station}.json", self.now_playing),
            web.get("/api/nowplaying/{station}/art", self.art),
            web.get(f"{live}/websocket", sockets.handle),
            web.get(f"{live}/sse", streams.events),
            web.get("/status-json.xsl", self.status),
            web.get("/7.html", self.seven),
            web.get("/api/live-info-v2", self.live_info),
            web.get("/v1/widget/{ucs}/now", self.composer_now),
        ]

    @described(
        "AzuraCast: what every station plays", reply=list[NowPlaying], statuses=(304, 400), tag="dialects"
    )
    async def all_now_playing(self, request: web.Request) -> web.Response:
        base = self._base(request)
        stamp = self._board.clock.now_ms() // 1000, tuple(map(self._board.position, self._board.stations))
        if base not in self._all or self._all[base][0] != stamp:
            if len(self._all) >= _BASES:
                self._all.clear()
            told = [azuracast.now_playing(sight, cache="hit") for sight in self._board.sights(base)]
            self._all[base] = stamp, json_bytes(told)
        return public_bytes(request, self._all[base][1], JSON, caching=BRIEFLY)

    @described(
        "AzuraCast: what a station plays",
        reply=NowPlaying,
        statuses=(304, 400, 404),
        tag="dialects",
        more="`{station}` is a station's id, or its number in the order of the configuration, from 1.",
    )
    async def now_playing(self, request: web.Request) -> web.Response:
        sight = self._board.sight(self._board.named(request.match_info["station"]), self._base(request))
        return _json(request, azuracast.now_playing(sight, cache="hit"))

    @described("AzuraCast: the picture of what a station plays", statuses=(302, 400, 404), tag="dialects")
    async def art(self, request: web.Request) -> web.Response:
        sight = self._board.sight(self._board.named(request.match_info["station"]), self._base(request))
        picture = azuracast.artwork(sight)
        if picture is None:
            raise NotFound(f"There is no picture of what {sight.config.id} plays.")
        headers = {**OPEN_TO_ALL, "Location": picture, "Cache-Control": BRIEFLY}
        return web.Response(status=302, headers=headers)

    @described(
        "Icecast: the mounts on the air",
        reply=icecast.Status,
        query=MountQuery,
        statuses=(304, 400, 404),
        tag="dialects",
        more="`source` is left out without a mount, an object for one and an array for several.",
    )
    async def status(self, request: web.Request) -> web.Response:
        base, mount = self._base(request), request.query.get("mount")
        sights = self._board.sights(base)
        paths = {f"/listen/{sight.config.id}/{each.name}" for sight in sights for each in sight.config.mounts}
        if mount is not None and mount not in paths:
            raise UnknownMount(f"There is no mount {mount[:80]!r}.")
        told = icecast.status(
            sights, network=self._network, base=base, started_at_ms=self._board.started_at_ms, mount=mount
        )
        return _json(request, told)

    @described(
        "SHOUTcast: seven values of a station",
        media="text/html",
        query=SidQuery,
        statuses=(304, 400, 404),
        tag="dialects",
    )
    async def seven(self, request: web.Request) -> web.Response:
        sight = self._board.sight(self._board.named(request.query.get("sid", "1")), self._base(request))
        body = icecast.seven(sight).encode()
        return public_bytes(request, body, "text/html; charset=utf-8", caching=BRIEFLY)

    @described(
        "LibreTime: what is, was and will be on",
        reply=libretime.LiveInfo,
        query=LiveInfoQuery,
        statuses=(304, 400, 404),
        tag="dialects",
    )
    async def live_info(self, request: web.Request) -> web.Response:
        first = next(iter(self._board.stations))
        sight = self._board.sight(self._board.named(request.query.get("station", first)), self._base(request))
        told = libretime.live_info(
            sight,
            self._board.airings(sight.config.id),
            zone=_zone(request, sight.config.zone),
            days=number(request, "days", 2, 1, 7),
            shows=number(request, "shows", 5, 0, 50),
        )
        return _script(request, told) if "callback" in request.query else _json(request, told)

    @described(
        "NPR Composer: the programme on the air",
        reply=npr.Now,
        query=ComposerQuery,
        statuses=(304, 400, 404),
        tag="dialects",
        more="`{ucs}` is a station's id or the 24 digits that stand as `ucs` in the answer.",
    )
    async def composer_now(self, request: web.Request) -> web.Response:
        if (form := request.query.get("format", "json")) != "json":
            raise InvalidRequest(f"`format` is {form[:20]!r}.", field="format", allowed="json")
        sight = self._board.sight(self._station_of(request.match_info["ucs"]), self._base(request))
        return _json(request, npr.now(sight, self._board.airings(sight.config.id)))

    def _station_of(self, ucs: str) -> str:
        for station in self._board.stations:
            if ucs in (station, npr.ucs_of(station)):
                return station
        raise UnknownStation(ucs, self._board.stations)

    def _base(self, request: web.Request) -> str:
        return self._public or own_address(request)


def _json(request: web.Request, value: object) -> web.Response:
    return public_bytes(request, json_bytes(value), JSON, caching=BRIEFLY)


def _script(request: web.Request, value: object) -> web.Response:
    name = request.query["callback"]
    if not _CALLBACK.fullmatch(name):
        raise InvalidRequest("`callback` is no name.", field="callback", allowed="the name of a function")
    # the comment keeps what a caller chose from standing first in the file
    body = b"/**/%b(%b);" % (name.encode(), json_bytes(value))
    return public_bytes(request, body, SCRIPT, caching=BRIEFLY)


def _zone(request: web.Request, own: ZoneInfo) -> ZoneInfo:
    name = request.query.get("timezone")
    if not name:
        return own
    try:
        if _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        pass
    raise InvalidRequest(
        f"`timezone` is {name[:40]!r}.", field="timezone", allowed="an IANA name: Europe/Berlin"
    )
