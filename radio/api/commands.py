"""What an operator does to a station on the air: skip, put an item in, hold and resume."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
import structlog
from aiohttp import web

from radio.api.library_views import body_of
from radio.api.replies import private_json
from radio.api.sign_in import OPERATOR, needs
from radio.errors import ChangedMeanwhile, InvalidRequest, NotFound, UnknownStation
from radio.log import LogRow
from radio.playout import Change, Commanded, Engine, ask
from radio.schedule.moves import FADE_MS, When
from radio.store.operators import Role

_journal = structlog.get_logger(__name__)

ROOT: Final = "/api/console/stations/{station}"
LONGEST_FADE_MS: Final = 5_000

Fade = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_FADE_MS)]


class Skip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a skip. ``row`` is what the operator means to skip; without it, whatever is on the air."""

    fade_ms: Fade = FADE_MS
    row: str | None = None


class Insert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an insert: an item's id, and whether it comes in at once or after the row on the air."""

    item: str = ""
    when: When = "next"
    fade_ms: Fade = FADE_MS


class OnAirDesk(msgspec.Struct, frozen=True):
    """The stations that there are, playout of those on the air, and what makes a row of a library item."""

    stations: frozenset[str]
    playouts: Mapping[str, Commanded]
    item_row: Callable[[str, str], LogRow]


def command_routes(desk: OnAirDesk) -> list[web.RouteDef]:
    """Routes that change what is on the air; each needs the role operator for that station."""

    @needs(Role.OPERATOR)
    async def skip(request: web.Request) -> web.Response:
        wanted, by = await body_of(request, Skip), request[OPERATOR].name

        def work(engine: Engine) -> Change:
            if wanted.row is not None and (engine.on_air is None or engine.on_air.id != wanted.row):
                raise ChangedMeanwhile("Another row is on the air already.", field="row")
            return engine.skip(by, wanted.fade_ms)

        return await _do(desk, request, "skip", work)

    @needs(Role.OPERATOR)
    async def insert(request: web.Request) -> web.Response:
        wanted, by = await body_of(request, Insert), request[OPERATOR].name
        station = _station(desk, request)
        if not wanted.item:
            raise InvalidRequest("No item is named.", field="item", allowed="the id of a library item")
        row = desk.item_row(station, wanted.item)
        return await _do(
            desk,
            request,
            "insert",
            lambda engine: engine.insert(row, wanted.when, by, wanted.fade_ms),
            item=wanted.item,
            when=wanted.when,
        )

    @needs(Role.OPERATOR)
    async def hold(request: web.Request) -> web.Response:
        by = request[OPERATOR].name
        return await _do(desk, request, "hold", lambda engine: engine.hold(by))

    @needs(Role.OPERATOR)
    async def resume(request: web.Request) -> web.Response:
        by = request[OPERATOR].name
        return await _do(desk, request, "resume", lambda engine: engine.resume(by))

    return [
        web.post(f"{ROOT}/skip", skip),
        web.post(f"{ROOT}/insert", insert),
        web.post(f"{ROOT}/hold", hold),
        web.post(f"{ROOT}/resume", resume),
    ]


async def _do(
    desk: OnAirDesk, request: web.Request, command: str, work: Callable[[Engine], Change], **more: str
) -> web.Response:
    station = _station(desk, request)
    if station not in desk.playouts:
        raise NotFound(f"The station {station} is not on the air.")
    journal = _journal.bind(station=station, command=command, operator=request[OPERATOR].name, **more)
    try:
        change = await ask(desk.playouts[station], work)
    except Exception as fault:
        journal.warning("command_refused", reason=str(fault))
        raise
    journal.info("command_done", at_ms=change.at_ms, on_air=change.on_air.id if change.on_air else None)
    return private_json(
        {
            "station": station,
            "command": command,
            "at_ms": change.at_ms,
            "on_air": _view(change.on_air),
            "next": _view(change.next),
        }
    )


def _station(desk: OnAirDesk, request: web.Request) -> str:
    station = request.match_info["station"]
    if station not in desk.stations:
        raise UnknownStation(station, desk.stations)
    return station


def _view(row: LogRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    shown = ("id", "kind", "title", "artist", "item", "starts_at_ms", "ends_at_ms")
    return {name: getattr(row, name) for name in shown}
