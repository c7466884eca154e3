"""The library for operators: found, shown, corrected, measured again, exchanged as playlists.

Reading needs any operator's token, changing the role operator. A token sees the items below the folders of
the stations that it covers, and no others: they are as unknown as items that do not exist.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Final

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from radio.api.asking import body_of, names, number
from radio.api.contract import described
from radio.api.library_shapes import (
    AirHistoryQuery,
    DuplicateList,
    ExportQuery,
    ImportedPlaylist,
    ImportQuery,
    ItemDetails,
    ItemHistory,
    ItemPeaks,
    ItemsPage,
    ItemsQuery,
    ItemUses,
    RejectedPage,
    RejectedQuery,
    RescanBegun,
    RescanProgress,
    VersionHeaders,
)
from radio.api.library_views import (
    details_view,
    duplicates_view,
    item_view,
    page_view,
    peaks_view,
    rejected_view,
    search_of,
)
from radio.api.replies import private_json, version_meant
from radio.api.sign_in import OPERATOR, needs
from radio.clock import Clock
from radio.errors import InvalidRequest, LimitReached, NotFound, RadioError, TagsNotWritten
from radio.library import catalog, details, editing, history, playlists
from radio.library import query as queries
from radio.library.advice import tags_refused
from radio.library.duplicates import duplicates
from radio.library.items import Item
from radio.library.keeper import LibraryKeeper
from radio.library.retagging import check_tags, restore_tags, write_tags
from radio.library.search import ids_of, search
from radio.schedule.model import Schedule
from radio.schedule.uses import uses
from radio.sponsors.campaigns import SponsorBook
from radio.store import Store
from radio.store.operators import Operator, Role

_journal = structlog.get_logger(__name__)

ROOT: Final = "/api/console/library"
_ANYONE: Final = (Role.OPERATOR, Role.TRAFFIC, Role.VIEWER)


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of PATCH: ``corrections`` by an item's field (null takes one back), ``tags`` by a tag's field."""

    corrections: dict[str, Any] = {}
    tags: dict[str, Any] = {}


class Rescan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a rescan: these items, those of a search, and rejected files again."""

    items: tuple[str, ...] = ()
    q: str | None = None
    rejected: bool = False


class Stations(msgspec.Struct, frozen=True):
    """What the library's pages must know of the stations: folders, schedules, sponsors."""

    roots: Mapping[str, Sequence[str]]
    schedule: Callable[[str], Schedule]
    sponsors: Callable[[], SponsorBook]


class LibraryApi:
    """Handlers of ``/api/console/library``."""

    def __init__(self, store: Store, library: LibraryKeeper, stations: Stations, clock: Clock) -> None:
        self._store = store
        self._library = library
        self._stations = stations
        self._clock = clock
        self._scanning: asyncio.Task[None] | None = None
        self._last: dict[str, Any] | None = None

    def routes(self) -> list[web.RouteDef]:
        """The routes, for aiohttp's router."""
        reads, changes = _for(*_ANYONE), _for(Role.OPERATOR)
        item = f"{ROOT}/items/{{id}}"
        return [
            web.get(f"{ROOT}/items", reads(self.list_items)),
            web.get(item, reads(self.show)),
            web.get(f"{item}/history", reads(self.history)),
            web.get(f"{item}/uses", reads(self.uses)),
            web.get(f"{item}/peaks", reads(self.peaks)),
            web.get(f"{item}/duplicates", reads(self.duplicates)),
            web.patch(item, changes(self.change)),
            web.post(f"{item}/undo", changes(self.undo)),
            web.get(f"{ROOT}/rejected", reads(self.rejected)),
            web.get(f"{ROOT}/duplicates", reads(self.duplicates)),
            web.get(f"{ROOT}/rescan", reads(self.progress)),
            web.post(f"{ROOT}/rescan", changes(self.rescan)),
            web.get(f"{ROOT}/playlists/export", reads(self.export)),
            web.post(f"{ROOT}/playlists/import", reads(self.import_)),
        ]

    @described(
        "Search the library",
        query=ItemsQuery,
        reply=ItemsPage,
        statuses=(400,),
    )
    async def list_items(self, request: web.Request) -> web.Response:
        wanted = search_of(request, self._roots(request))
        return private_json(page_view(await self._store.read(search, wanted), wanted))

    @described(
        "One item whole",
        reply=ItemDetails,
        statuses=(404,),
        more="Its `ETag` is the version that a change names in `If-Match`.",
    )
    async def show(self, request: web.Request) -> web.Response:
        return await self._item_reply(await self._item(request))

    @described(
        "When an item aired",
        query=AirHistoryQuery,
        reply=ItemHistory,
        statuses=(400, 404),
    )
    async def history(self, request: web.Request) -> web.Response:
        item = await self._item(request)
        limit = number(request, "limit", 50, 1, history.MAX_ROWS)
        before_ms = number(request, "before_ms", self._clock.now_ms() + 1, 0, 1 << 53)
        stations = self._covered(request)
        aired = await self._store.read(
            history.airings, item.id, stations=stations, before_ms=before_ms, limit=limit
        )
        return private_json({"item": item.id, "history": aired})

    @described(
        "Where an item is used and when it is planned",
        reply=ItemUses,
        statuses=(404,),
    )
    async def uses(self, request: web.Request) -> web.Response:
        item = await self._item(request)
        stations = [one for one in self._covered(request) if item.root in self._stations.roots[one]]
        book = await asyncio.to_thread(self._stations.sponsors)
        found: list[dict[str, Any]] = []
        for station in stations:
            campaigns = tuple(one for one in book.campaigns if not one.stations or station in one.stations)
            places = uses(item, self._stations.schedule(station), campaigns)
            found += [{"station": station, **msgspec.to_builtins(place)} for place in places]
        planned = await self._store.read(
            history.planned, item.id, stations=stations, from_ms=self._clock.now_ms()
        )
        return private_json({"item": item.id, "uses": found, "planned": planned})

    @described(
        "The waveform of an item",
        reply=ItemPeaks,
        statuses=(404,),
    )
    async def peaks(self, request: web.Request) -> web.Response:
        item = await self._item(request)
        return private_json(peaks_view(await self._store.read(details.get, item.id)))

    @described(
        "Items with the same sound",
        reply=DuplicateList,
        statuses=(404,),
    )
    async def duplicates(self, request: web.Request) -> web.Response:
        one = (await self._item(request)).id if "id" in request.match_info else None
        found = await self._store.read(duplicates, roots=self._roots(request), item_id=one)
        return private_json({"duplicates": [duplicates_view(group) for group in found]})

    @described(
        "Files that cannot be aired",
        query=RejectedQuery,
        reply=RejectedPage,
        statuses=(400,),
    )
    async def rejected(self, request: web.Request) -> web.Response:
        offset = number(request, "offset", 0, 0, 1_000_000)
        limit = number(request, "limit", 50, 1, 200)
        found = await self._store.read(catalog.load_rejected, self._roots(request))
        shown = [rejected_view(file) for file in found[offset : offset + limit]]
        return private_json({"total": len(found), "rejected": shown})

    @described(
        "Correct fields and write tags",
        body=Changes,
        reply=ItemDetails,
        headers=VersionHeaders,
        statuses=(404, 412, 422),
        more="A correction that is null is taken back. All of it is done, or nothing.",
    )
    async def change(self, request: web.Request) -> web.Response:
        item = await self._item(request)
        version = version_meant(request) or None
        wanted = await body_of(request, Changes)
        if not wanted.corrections and not wanted.tags:
            raise InvalidRequest("Nothing is changed.", field="corrections", allowed="corrections, tags")
        editing.check_version(item, version)
        if wanted.tags:
            await self._check_tags(item, wanted.tags)  # all of it or nothing
        if wanted.corrections:
            operator, now_ms = request[OPERATOR].name, self._clock.now_ms()
            await self._store.write(
                editing.correct, item.id, wanted.corrections, operator, now_ms, version=version
            )
        if wanted.tags:
            await self._write_tags(item, wanted.tags, request[OPERATOR])
        await self._library.refresh()
        return await self._item_reply(await self._item(request))

    @described(
        "Take back the last tags that were written",
        reply=ItemDetails,
        statuses=(404, 422),
    )
    async def undo(self, request: web.Request) -> web.Response:
        item = await self._item(request)
        last = await self._store.read(editing.last_undo, item.id)
        if last is None:
            raise NotFound("No tags of this item were written that could be taken back.")
        try:
            await asyncio.to_thread(restore_tags, last.data, item.file)
        except TagsNotWritten as fault:
            raise tags_refused(fault, "tags") from fault
        await self._store.write(editing.drop_undo, last.id)
        await self._library.scan()
        return await self._item_reply(await self._item(request))

    @described(
        "How far a rescan is",
        reply=RescanProgress,
    )
    async def progress(self, request: web.Request) -> web.Response:
        step = self._library.progress
        running = self._scanning is not None and not self._scanning.done()
        return private_json({"running": running or step is not None, "progress": step, "last": self._last})

    @described(
        "Measure items again",
        body=Rescan,
        body_required=False,
        reply=RescanBegun,
        statuses=(202, 404, 503),
    )
    async def rescan(self, request: web.Request) -> web.Response:
        wanted = await body_of(request, Rescan)
        if self._scanning is not None and not self._scanning.done():
            raise LimitReached("The library is being looked through; try again when that is done.")
        roots = self._roots(request)
        items = [(await self._store.read(catalog.load_item, one, roots)).id for one in wanted.items[:1000]]
        if wanted.q is not None:
            found = search_of(request, roots, query=queries.parse(wanted.q))
            items += await self._store.read(ids_of, found)
        self._scanning = asyncio.create_task(self._rescan(items, wanted.rejected))
        return private_json({"items": len(items), "rejected": wanted.rejected}, status=202)

    @described(
        "Items as a playlist",
        query=ExportQuery,
        media=tuple(form[2] for form in playlists.FORMS.values()),
        statuses=(400,),
    )
    async def export(self, request: web.Request) -> web.Response:
        form, title = request.query.get("format", "m3u"), request.query.get("title", "Playlist")[:200]
        roots = self._roots(request)
        ids = names(request, "items") or await self._store.read(ids_of, search_of(request, roots))
        items = [item for item in await self._store.read(catalog.load_some, ids) if item.root in roots]
        text = playlists.written(form, items, title)
        headers = {
            "Content-Type": f"{playlists.FORMS[form][2]}; charset=utf-8",
            "Content-Disposition": f'attachment; filename="playlist.{form}"',
            "Cache-Control": "no-store",
        }
        return web.Response(body=text.encode(), headers=headers)

    @described(
        "Find the items of a playlist",
        query=ImportQuery,
        reply=ImportedPlaylist,
        body_media=tuple(form[2] for form in playlists.FORMS.values()),
        statuses=(400,),
        more="Nothing is changed: the items are those of the library that the playlist seems to mean.",
    )
    async def import_(self, request: web.Request) -> web.Response:
        entries = playlists.read(request.query.get("format", "m3u"), await request.read())
        # from the store: what waits to be measured is found there too
        mine = await self._store.read(catalog.load_items, self._roots(request))
        found = await asyncio.to_thread(playlists.matched, entries, mine)
        return private_json({"items": [item_view(item) for item in found.items], "missing": found.missing})

    async def _check_tags(self, item: Item, tags: Mapping[str, Any]) -> None:
        try:
            await asyncio.to_thread(check_tags, item.file, tags)
        except TagsNotWritten as fault:
            raise tags_refused(fault, "tags") from fault

    async def _write_tags(self, item: Item, tags: Mapping[str, Any], operator: Operator) -> None:
        try:
            undoing = await asyncio.to_thread(write_tags, item.file, tags)
        except TagsNotWritten as fault:
            raise tags_refused(fault, "tags") from fault
        if undoing is None:
            return
        await self._store.write(
            editing.keep_undo, item.id, item.path, undoing, operator.name, self._clock.now_ms()
        )
        await self._library.scan()

    async def _rescan(self, items: Sequence[str], rejected: bool) -> None:
        try:
            report = await self._library.scan(retry_rejected=rejected, again=items)
            self._last = {"at_ms": self._clock.now_ms(), "report": report}
        except RadioError as fault:
            _journal.error("library_not_scanned", reason=fault.message)
            self._last = {"at_ms": self._clock.now_ms(), "problem": fault.message}

    async def _item(self, request: web.Request) -> Item:
        return await self._store.read(catalog.load_item, request.match_info["id"], self._roots(request))

    async def _item_reply(self, item: Item) -> web.Response:
        known = await self._store.read(details.get, item.id)
        corrections = await self._store.read(details.corrections_of, item.id)
        reply = private_json(details_view(item, known, corrections))
        reply.headers["ETag"] = f'"{editing.version_of(item)}"'
        return reply

    def _covered(self, request: web.Request) -> list[str]:
        return [station for station in self._stations.roots if request[OPERATOR].covers(station)]

    def _roots(self, request: web.Request) -> list[str]:
        roots = (root for station in self._covered(request) for root in self._stations.roots[station])
        return list(dict.fromkeys(roots))


def _for(*roles: Role) -> Callable[[Handler], Handler]:
    def marked(method: Handler) -> Handler:
        @needs(*roles)
        @wraps(method)
        async def handler(request: web.Request) -> web.StreamResponse:
            return await method(request)

        return handler

    return marked
