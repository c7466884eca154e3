"""Programmes for other programs: calendars, JSON-LD and RadioDNS for anyone; the log as a playlist for operators."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

import msgspec
from aiohttp import web

from radio.api.contract import described
from radio.api.playlists import own_address
from radio.api.public import DAY_MS, LONGEST_SCHEDULE_MS
from radio.api.replies import public_bytes
from radio.api.shapes import KnownHeaders, SpanQuery
from radio.api.sign_in import needs
from radio.clock import Clock
from radio.errors import InvalidRequest, NotFound, RadioError, UnknownStation
from radio.interchange import jsonld, rivendell, spi
from radio.interchange.calendars import feed_text, materialised_text
from radio.interchange.face import Face
from radio.interchange.log_playlists import M3U_MIME, XSPF_MIME, log_m3u, log_xspf
from radio.library.items import Item
from radio.log import LogRow
from radio.schedule import ProgrammeAiring, Schedule
from radio.schedule.airings import airings
from radio.schedule.wallclock import wall_to_ms
from radio.sponsors.campaigns import SponsorBook
from radio.sponsors.weektime import HOUR_MS
from radio.store.operators import Role
from radio.units import UtcMs

MAX_AGE_S: Final = 300
FRESH_MS: Final = 60_000
MAX_KEPT: Final = 64
AT_ONCE: Final = 2
LOG_MIMES: Final = {"m3u": M3U_MIME, "xspf": XSPF_MIME, "rivendell": "text/plain"}
LATEST_MS: Final = 7_258_000_000_000
"""Near the end of the year 2199: no schedule is asked about later."""

_XML: Final = "application/xml; charset=utf-8"
_PI_DATE: Final = re.compile(r"(2\d{3})(\d{2})(\d{2})")

Key = tuple[str, ...]


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes need of the service. ``faces`` gives the enabled stations by id as they are heard at an
    address; ``schedule`` is the one in force, ``rows`` the log's rows in a span, ``item`` a library item by its id."""

    network: str
    stations: tuple[str, ...]
    public_url: str
    faces: Callable[[str], Mapping[str, Face]]
    schedule: Callable[[str], Schedule]
    sponsors: Callable[[], SponsorBook]
    rows: Callable[[str, int, int], Sequence[LogRow]]
    item: Callable[[str], Item | None]


class LogQuery(SpanQuery, frozen=True, kw_only=True):
    """A span of the log, and how it is written."""

    format: Literal["m3u", "xspf", "rivendell"] = "m3u"


class _Kept(msgspec.Struct):
    """A document, the schedule that it was made of, and when."""

    body: bytes
    schedule: Schedule | None
    made_ms: int


class InterchangeApi:
    """Handlers of calendars, JSON-LD, RadioDNS and the log's playlists.

    Documents are made in threads, two at once at most, and kept for a minute: asking often costs little.
    """

    def __init__(self, outside: Outside, clock: Clock) -> None:
        self._outside = outside
        self._clock = clock
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._making = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[web.RouteDef]:
        """The routes, for aiohttp's router."""

        @needs(Role.OPERATOR, Role.TRAFFIC, Role.VIEWER)
        @described(
            "The log with the files that it plays",
            query=LogQuery,
            media=tuple(LOG_MIMES.values()),
            statuses=(400, 404),
        )
        async def log(request: web.Request) -> web.StreamResponse:
            return await self.log(request)

        return [
            web.get("/api/stations/{station}/schedule.ics", self.calendar),
            web.get("/api/stations/{station}/schedule.jsonld", self.linked_data),
            web.get(f"{spi.ROOT}/SI.xml", self.service_information),
            web.get(spi.ROOT + r"/{service:.{1,400}}/{date:\d{8}}_PI.xml", self.programme_information),
            web.get("/api/console/stations/{station}/log", log),
        ]

    @described(
        "Programmes as a calendar",
        query=SpanQuery,
        headers=KnownHeaders,
        media="text/calendar; charset=utf-8",
        statuses=(304, 400, 404),
        more="Without `from` and `to` a feed with its recurrences, else the single airings of the span.",
    )
    async def calendar(self, request: web.Request) -> web.Response:
        face = self._face(request)
        schedule = self._outside.schedule(face.id)
        now_ms = self._clock.now_ms()
        is_feed = "from" not in request.query and "to" not in request.query
        from_ms, to_ms = self._span(request)

        def make() -> str:
            if is_feed:
                return feed_text(face, schedule, now_ms)
            return materialised_text(face, self._airings(face, schedule, from_ms, to_ms), now_ms)

        key = ("ics", face.id, face.base, "" if is_feed else f"{from_ms}-{to_ms}")
        return _document(request, await self._made(key, schedule, make), "text/calendar; charset=utf-8")

    @described(
        "Programmes as JSON-LD, schema.org's BroadcastEvent",
        query=SpanQuery,
        headers=KnownHeaders,
        media=jsonld.MIME,
        statuses=(304, 400, 404),
    )
    async def linked_data(self, request: web.Request) -> web.Response:
        face = self._face(request)
        schedule = self._outside.schedule(face.id)
        from_ms, to_ms = self._span(request)

        def make() -> str:
            told = self._airings(face, schedule, from_ms, to_ms)
            return jsonld.jsonld_text(jsonld.broadcasts(face, told))

        body = await self._made(("jsonld", face.id, face.base, f"{from_ms}-{to_ms}"), schedule, make)
        return _document(request, body, jsonld.MIME)

    async def head_element(self, request: web.Request) -> str:
        """The programmes of the coming day on every station, as an element for the head of a page. Never raises."""
        try:
            faces = self._outside.faces(self._base(request))
            parts = [await self._linked_day(face) for face in faces.values()]
        except RadioError:
            return ""
        return "".join(parts)

    async def _linked_day(self, face: Face) -> str:
        schedule = self._outside.schedule(face.id)
        from_ms = _hour(self._clock.now_ms())

        def make() -> str:
            told = self._airings(face, schedule, from_ms, from_ms + DAY_MS)
            return jsonld.script_element(jsonld.broadcasts(face, told))

        return (await self._made(("page", face.id, face.base), schedule, make)).decode()

    @described("RadioDNS service information", headers=KnownHeaders, media=_XML, statuses=(304,))
    async def service_information(self, request: web.Request) -> web.Response:
        base = self._base(request)
        faces = self._outside.faces(base)
        make = partial(
            spi.service_information, faces.values(), self._outside.network, _hour(self._clock.now_ms())
        )
        return _document(request, await self._made(("si", base), None, make), _XML)

    @described(
        "RadioDNS programme information of one local day",
        headers=KnownHeaders,
        media=_XML,
        statuses=(304, 404),
        more="`{date}` is `YYYYMMDD`, `{service}` an address of the service as RadioDNS builds it from a bearer.",
    )
    async def programme_information(self, request: web.Request) -> web.Response:
        faces = self._outside.faces(self._base(request))
        wanted = request.match_info["service"]
        face = next((face for face in faces.values() if wanted in spi.service_paths(face)), None)
        if face is None:
            raise NotFound("There is no such service.")
        from_ms, to_ms = _local_day(request.match_info["date"], face)
        schedule, now_ms = self._outside.schedule(face.id), _hour(self._clock.now_ms())

        def make() -> str:
            told = self._airings(face, schedule, from_ms, to_ms)
            return spi.programme_information(face, told, from_ms, to_ms, now_ms)

        key = ("pi", face.id, face.base, request.match_info["date"])
        return _document(request, await self._made(key, schedule, make), _XML)

    async def log(self, request: web.Request) -> web.Response:
        """The log's rows as far as they are compiled, by the files that they play."""
        name = request.match_info["station"]
        faces = self._outside.faces(self._base(request))
        if name not in self._outside.stations:
            raise UnknownStation(name, self._outside.stations)
        form = request.query.get("format", "m3u")
        if form not in LOG_MIMES:
            problem = f"There is no format {form[:20]!r}."
            raise InvalidRequest(problem, field="format", allowed=", ".join(LOG_MIMES))
        face = faces.get(name)
        if face is None:
            raise NotFound("The station is not enabled.")
        from_ms, to_ms = self._span(request)
        rows = self._outside.rows(name, from_ms, to_ms)
        text = await asyncio.to_thread(self._log_text, form, rows, face)
        return web.Response(
            body=text.encode(),
            headers={
                "Content-Type": f"{LOG_MIMES[form]}; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{name}-log.{_ENDINGS[form]}"',
                "Cache-Control": "no-store",
            },
        )

    def _log_text(self, form: str, rows: Sequence[LogRow], face: Face) -> str:
        def item_of(row: LogRow) -> Item | None:
            return self._outside.item(row.item) if row.item else None

        def place_of(row: LogRow) -> str | None:
            item = item_of(row)
            return str(item.file) if item else None

        def cart_of(row: LogRow) -> int | None:
            item = item_of(row)
            return rivendell.cart_number(item) if item else None

        if form == "rivendell":
            return rivendell.written_import(rows, cart_of, face.zone)
        write = log_m3u if form == "m3u" else log_xspf
        return write(rows, place_of, face.zone, face.name)

    async def _made(self, key: Key, schedule: Schedule | None, make: Callable[[], str]) -> bytes:
        """The document of that key: one that was kept, or a new one."""
        if (kept := self._fresh(key, schedule)) is None:
            async with self._making:
                if (kept := self._fresh(key, schedule)) is None:
                    body = (await asyncio.to_thread(make)).encode()
                    kept = _Kept(body, schedule, self._clock.now_ms())
                    self._kept[key] = kept
                    while len(self._kept) > MAX_KEPT:
                        self._kept.popitem(last=False)
        return kept.body

    def _fresh(self, key: Key, schedule: Schedule | None) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is None or kept.schedule is not schedule:
            return None
        return kept if 0 <= self._clock.now_ms() - kept.made_ms < FRESH_MS else None

    def _airings(self, face: Face, schedule: Schedule, from_ms: int, to_ms: int) -> Sequence[ProgrammeAiring]:
        """Blocking."""
        return airings(schedule, self._outside.sponsors(), face.id, face.zone, from_ms, to_ms)

    def _span(self, request: web.Request) -> tuple[UtcMs, UtcMs]:
        """``from`` and ``to``; without them a day from the beginning of this hour on. Raises InvalidRequest."""
        from_ms = _moment(request, "from", _hour(self._clock.now_ms()))
        to_ms = _moment(request, "to", from_ms + DAY_MS)
        if not from_ms < to_ms <= from_ms + LONGEST_SCHEDULE_MS:
            allowed = "a moment after `from`, 15 days at most"
            raise InvalidRequest("The span cannot be shown.", field="to", allowed=allowed)
        return UtcMs(from_ms), UtcMs(to_ms)

    def _base(self, request: web.Request) -> str:
        return self._outside.public_url.rstrip("/") or own_address(request)

    def _face(self, request: web.Request) -> Face:
        name = request.match_info["station"]
        faces = self._outside.faces(self._base(request))
        if name not in faces:
            raise UnknownStation(name, faces)
        return faces[name]


def _moment(request: web.Request, field: str, default: int) -> int:
    text = request.query.get(field)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= LATEST_MS):
        allowed = f"Unix milliseconds, 0 to {LATEST_MS}"
        raise InvalidRequest(f"`{field}` is {text[:40]!r}.", field=field, allowed=allowed)
    return int(text)


def _hour(at_ms: int) -> UtcMs:
    return UtcMs(at_ms - at_ms % HOUR_MS)


_ENDINGS: Final = {"m3u": "m3u8", "xspf": "xspf", "rivendell": "tfc"}


def _document(request: web.Request, body: bytes, mime: str) -> web.Response:
    return public_bytes(request, body, mime, caching=f"public, max-age={MAX_AGE_S}")


def _local_day(text: str, face: Face) -> tuple[UtcMs, UtcMs]:
    found = _PI_DATE.fullmatch(text)
    try:
        day = datetime(int(found[1]), int(found[2]), int(found[3])) if found else None  # noqa: DTZ001 - wall time
    except ValueError:
        day = None
    if day is None or day.year > 2199:
        raise NotFound("There is no such day.")
    return wall_to_ms(day, face.zone), wall_to_ms(day + timedelta(days=1), face.zone)
