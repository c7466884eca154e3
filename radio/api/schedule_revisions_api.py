"""Revisions of schedules over HTTP: listed, compared, and gone back to."""

from __future__ import annotations

import asyncio

from aiohttp import web

from radio.api.asking import body_of, number
from radio.api.contract import described
from radio.api.replies import private_json
from radio.api.schedule_api import (
    ROOT,
    TAG,
    ScheduleDesk,
    applied,
    changes,
    reads,
    saves,
)
from radio.api.schedule_shapes import (
    Against,
    Paged,
    Reason,
    Revisions,
    RevisionView,
)
from radio.errors import NotFound
from radio.schedule.texts import diff, unpacked
from radio.store import schedule_revisions as kept


def schedule_revision_routes(desk: ScheduleDesk) -> list[web.RouteDef]:
    """Routes of the texts that a schedule had."""
    address = f"{ROOT}/revisions"

    @reads
    @described(
        "Who changed the schedule, when and why", reply=Revisions, query=Paged, statuses=(400, 404), tag=TAG
    )
    async def page(request: web.Request) -> web.Response:
        station = request.match_info["station"]
        desk.editor.file(station)
        limit = number(request, "limit", 50, 1, kept.MAX_PAGE)
        before = number(request, "before", 1 << 53, 1, 1 << 53)
        found = await desk.store.read(kept.page, station, before=before, limit=limit)
        more = bool(found) and found[-1].number > 1 and len(found) == limit
        return private_json(Revisions(station=station, revisions=found, more=more))

    @reads
    @described(
        "A revision: its text, and what it changed",
        reply=RevisionView,
        query=Against,
        statuses=(400, 404),
        tag=TAG,
    )
    async def one(request: web.Request) -> web.Response:
        station = request.match_info["station"]
        desk.editor.file(station)
        revision = await _revision(desk, station, _number_in(request))
        other = number(request, "diff", revision.parent or 0, 0, 1 << 53) or None
        text = await _kept_text(desk, station, revision.number)
        old: str | None = ""
        if other is not None:
            await _revision(desk, station, other)
            old = await _kept_text(desk, station, other)
        is_known = text is not None and old is not None
        what = await asyncio.to_thread(diff, old or "", text or "") if is_known else None
        return private_json(RevisionView(revision=revision, text=text, against=other, diff=what))

    @changes
    @saves(
        "Go back to a revision, by a new one with its text",
        body=Reason,
        body_required=False,
    )
    async def restore(request: web.Request) -> web.Response:
        station = request.match_info["station"]
        desk.editor.file(station)
        reason = await body_of(request, Reason)
        wanted = _number_in(request)
        text = await desk.editor.text_of(station, wanted)
        why = reason.why or f"as in revision {wanted}"
        return await applied(desk, request, lambda _: text, "restore", why)

    return [
        web.get(address, page),
        web.get(address + r"/{number:\d{1,12}}", one),
        web.post(address + r"/{number:\d{1,12}}/restore", restore),
    ]


async def _revision(desk: ScheduleDesk, station: str, wanted: int) -> kept.Revision:
    found = await desk.store.read(kept.get, station, wanted)
    if found is None:
        raise NotFound(f"There is no revision {wanted}.")
    return found


async def _kept_text(desk: ScheduleDesk, station: str, wanted: int) -> str | None:
    data = await desk.store.read(kept.text_of, station, wanted)
    return None if data is None else await asyncio.to_thread(unpacked, data)


def _number_in(request: web.Request) -> int:
    return int(request.match_info["number"])
