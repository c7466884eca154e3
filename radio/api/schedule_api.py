"""A schedule as a whole over HTTP: read, checked, tried, saved, drafted, published and taken back.

Reading needs any operator's token, changing the role operator. Every answer about a schedule carries the version of
its file as ``ETag``, and every change says with ``If-Match`` which version it is meant for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

import msgspec
from aiohttp import web

from radio.api.asking import body_of
from radio.api.contract import H, Shape, described
from radio.api.replies import private_json, version_meant
from radio.api.schedule_shapes import (
    TOML,
    Asked,
    ConflictProblem,
    Findings,
    NewText,
    OfVersion,
    RefusedProblem,
    ScheduleView,
    Trial,
    fault_of,
    findings_of,
    schedule_view,
)
from radio.api.sign_in import OPERATOR, needs
from radio.clock import Clock
from radio.errors import InvalidRequest, NotFound, VersionNeeded
from radio.schedule.editor import Edit, Rewrite, ScheduleEditor
from radio.schedule.previewer import Previewer
from radio.schedule.revisions import Preview, Saved
from radio.schedule.schedule_source import Source
from radio.schedule.texts import unpacked, version_of
from radio.store import Store
from radio.store import schedule_revisions as kept
from radio.store.operators import Role
from radio.toml_source import LIMIT_BYTES

ROOT: Final = "/api/console/stations/{station}/schedule"
TAG: Final = "schedule"
CHANGES: Final = (400, 404, 412, 422, 428, 503, 507)
REFUSALS: Final = MappingProxyType({412: ConflictProblem, 422: RefusedProblem})

reads: Final = needs(Role.OPERATOR, Role.TRAFFIC, Role.VIEWER)
changes: Final = needs(Role.OPERATOR)


def saves(summary: str, *, body: Shape | None = None, **more: Any) -> Callable[[H], H]:
    """Describes a handler that saves a schedule, or with ``?preview=1`` tells what that would change."""
    return described(
        summary,
        body=body,
        reply=Saved | Preview,
        query=Asked,
        headers=OfVersion,
        statuses=CHANGES,
        replies=REFUSALS,
        tag=TAG,
        **more,
    )


class ScheduleDesk(msgspec.Struct, frozen=True):
    """What the handlers work with."""

    editor: ScheduleEditor
    previewer: Previewer
    store: Store
    clock: Clock


async def applied(
    desk: ScheduleDesk, request: web.Request, rewrite: Rewrite, action: str, why: str = ""
) -> web.Response:
    """Save an edit, or with ``preview`` in the address tell what it would change."""
    station = request.match_info["station"]
    if request.query.get("preview", "") in ("1", "true"):
        return private_json(await desk.previewer.preview(station, rewrite))
    desk.editor.file(station)
    saved = await desk.editor.save(
        station,
        Edit(
            base=meant_for(request),
            rewrite=rewrite,
            operator=request[OPERATOR].name,
            action=action,
            why=(why or request.query.get("why", ""))[:500],
        ),
    )
    return tagged(private_json(saved), saved.version)


def meant_for(request: web.Request) -> str:
    """The version in ``If-Match``. Raises VersionNeeded (RFC 6585, section 3) where there is none."""
    given = version_meant(request)
    if not given or given == "*":
        raise VersionNeeded(
            "A change has to say which version it is meant for.",
            field="If-Match",
            allowed="the ETag with which the schedule was read",
        )
    return given


def schedule_routes(desk: ScheduleDesk) -> list[web.RouteDef]:
    """Routes of the text of a schedule."""
    editor = desk.editor

    @reads
    @described(
        "The schedule file as it is",
        reply=ScheduleView,
        statuses=(304, 404, 422),
        media=("application/json", TOML),
        tag=TAG,
    )
    async def read(request: web.Request) -> web.Response:
        station = request.match_info["station"]
        present = await editor.present(station)
        accepted = request.headers.get("Accept", "")
        if any(form in accepted for form in (TOML, "text/toml", "text/plain")):
            return _as_it_is(request, present.source)
        view = schedule_view(station, editor.file(station).name, present)
        return tagged(private_json(view), present.source.version)

    @changes
    @saves(
        "Save a whole schedule",
        body=NewText,
        body_media=("application/json", TOML),
    )
    async def save(request: web.Request) -> web.Response:
        wanted = await _text_in(request)
        return await applied(desk, request, lambda _: wanted.text, "text", wanted.why)

    @reads
    @described("What the checks say of the schedule in force", reply=Findings, statuses=(404, 422), tag=TAG)
    async def findings(request: web.Request) -> web.Response:
        present = await editor.present(request.match_info["station"])
        return private_json(findings_of(present.in_force, present.findings, fault_of(present)))

    @reads
    @described(
        "Check a text or the draft",
        body=Trial,
        body_media=("application/json", TOML),
        reply=Findings,
        statuses=(400, 404),
        tag=TAG,
    )
    async def check(request: web.Request) -> web.Response:
        text = await _tried(desk, request)
        verdict = await editor.verdict(request.match_info["station"], text)
        return private_json(findings_of(version_of(text), verdict.findings))

    @reads
    @described(
        "What a text or the draft would change in the next seven days",
        body=Trial,
        body_media=("application/json", TOML),
        reply=Preview,
        statuses=(400, 404, 422, 503),
        tag=TAG,
    )
    async def preview(request: web.Request) -> web.Response:
        text = await _tried(desk, request)
        return private_json(await desk.previewer.preview(request.match_info["station"], lambda _: text))

    return [
        web.get(ROOT, read),
        web.put(ROOT, save),
        web.get(f"{ROOT}/findings", findings),
        web.post(f"{ROOT}/check", check),
        web.post(f"{ROOT}/preview", preview),
    ]


def _as_it_is(request: web.Request, source: Source) -> web.Response:
    if f'"{source.version}"' in request.headers.get("If-None-Match", ""):
        return tagged(web.Response(status=304), source.version)
    text = web.Response(body=source.text.encode(), headers={"Content-Type": f"{TOML}; charset=utf-8"})
    return tagged(text, source.version)


async def _text_in(request: web.Request) -> NewText:
    """A whole text: as it is, or in JSON with the reason."""
    if request.content_type == "application/json":
        wanted = await body_of(request, NewText)
        check_size(wanted.text)
        return wanted
    try:
        text = (await request.read()).decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise InvalidRequest("The body is not UTF-8 text.", field="body", allowed=TOML) from fault
    check_size(text)
    return NewText(text, request.query.get("why", "")[:500])


async def _tried(desk: ScheduleDesk, request: web.Request) -> str:
    station = request.match_info["station"]
    desk.editor.file(station)
    if request.content_type != "application/json" and request.can_read_body:
        return (await _text_in(request)).text
    trial = await body_of(request, Trial)
    if trial.draft:
        return (await draft_of(desk, request))[1]
    if trial.text is not None:
        check_size(trial.text)
        return trial.text
    return (await desk.editor.present(station)).source.text


async def draft_of(desk: ScheduleDesk, request: web.Request) -> tuple[kept.Draft, str]:
    """The operator's own draft and its text. Raises NotFound where there is none."""
    station = request.match_info["station"]
    desk.editor.file(station)
    draft = await desk.store.read(kept.draft, station, request[OPERATOR].name)
    if draft is None:
        raise NotFound("There is no draft.")
    return draft, await asyncio.to_thread(unpacked, draft.data)


def check_size(text: str) -> None:
    """Raise InvalidRequest for a text over 1 MB."""
    if len(text.encode()) > LIMIT_BYTES:
        raise InvalidRequest("The text is too large.", field="text", allowed="1 MB")


def tagged(response: web.Response, version: str) -> web.Response:
    """The response with the schedule's version as its ETag."""
    response.headers["ETag"] = f'"{version}"'
    response.headers.setdefault("Cache-Control", "no-store")
    return response
