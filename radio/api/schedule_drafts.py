"""Drafts of schedules over HTTP: an operator's own text, kept until it is published or dropped."""

from __future__ import annotations

import asyncio

from aiohttp import web

from radio.api.asking import body_of
from radio.api.contract import described
from radio.api.replies import private_json
from radio.api.schedule_api import (
    ROOT,
    TAG,
    ScheduleDesk,
    applied,
    changes,
    check_size,
    draft_of,
    meant_for,
    saves,
    tagged,
)
from radio.api.schedule_shapes import (
    DraftView,
    NewDraft,
    Reason,
    draft_view,
)
from radio.api.sign_in import OPERATOR
from radio.errors import NotFound
from radio.schedule.editor import Edit
from radio.schedule.texts import packed, version_of
from radio.store import schedule_revisions as kept
from radio.units import UtcMs


def schedule_draft_routes(desk: ScheduleDesk) -> list[web.RouteDef]:
    """Routes of the operators' own drafts."""
    address = f"{ROOT}/draft"

    @changes
    @described("The operator's own draft", reply=DraftView, statuses=(404,), tag=TAG)
    async def read(request: web.Request) -> web.Response:
        return private_json(await _draft_view(desk, request))

    @changes
    @described("Keep a draft", body=NewDraft, reply=DraftView, statuses=(400, 404, 503), tag=TAG)
    async def keep(request: web.Request) -> web.Response:
        station = request.match_info["station"]
        wanted = await body_of(request, NewDraft)
        check_size(wanted.text)
        base = wanted.base or (await desk.editor.present(station)).source.version
        draft = kept.Draft(
            operator=request[OPERATOR].name,
            at_ms=UtcMs(desk.clock.now_ms()),
            base=base,
            why=wanted.why,
            data=await asyncio.to_thread(packed, wanted.text),
        )
        await desk.store.write(kept.put_draft, station, draft)
        return private_json(await _draft_view(desk, request))

    @changes
    @described("Drop the draft", statuses=(204, 404), tag=TAG)
    async def drop(request: web.Request) -> web.Response:
        station, operator = request.match_info["station"], request[OPERATOR].name
        desk.editor.file(station)
        if not await desk.store.write(kept.drop_draft, station, operator):
            raise NotFound("There is no draft.")
        return web.Response(status=204)

    @changes
    @saves(
        "Make the draft the schedule",
        body=Reason,
        body_required=False,
    )
    async def publish(request: web.Request) -> web.Response:
        station, operator = request.match_info["station"], request[OPERATOR].name
        reason = await body_of(request, Reason)
        draft, text = await draft_of(desk, request)
        why = reason.why or draft.why
        if request.query.get("preview", "") in ("1", "true"):
            return await applied(desk, request, lambda _: text, "publish")
        base = meant_for(request)
        if base != draft.base and (await desk.editor.present(station)).source.version != draft.base:
            base = draft.base  # both have to be the present version: the draft knows of nothing newer
        edit = Edit(base=base, rewrite=lambda _: text, operator=operator, action="publish", why=why)
        saved = await desk.editor.save(station, edit)
        await desk.store.write(kept.drop_draft, station, operator)
        return tagged(private_json(saved), saved.version)

    return [
        web.get(address, read),
        web.put(address, keep),
        web.delete(address, drop),
        web.post(f"{address}/publish", publish),
    ]


async def _draft_view(desk: ScheduleDesk, request: web.Request) -> DraftView:
    station = request.match_info["station"]
    draft, text = await draft_of(desk, request)
    present = await desk.editor.present(station)
    return draft_view(station, draft, text, version_of(text), present.source.version)
