"""What operators may do over HTTP, each route with the right that it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from radio.api.contract import described
from radio.api.replies import private_json
from radio.api.sign_in import OPERATOR, needs
from radio.errors import UnknownStation
from radio.store.operators import Role


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Whose token this is, and the stations that it opens."""

    name: str
    role: Role
    stations: list[str]


class ScanCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many files a scan added, found changed or moved, removed and rejected."""

    added: int
    changed: int
    moved: int
    removed: int
    rejected: int


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with the file that was taken up; the schedule in force then stays."""

    station: str
    problem: str | None


class Actions(msgspec.Struct, frozen=True, kw_only=True):
    """What the console can set in motion, as functions that the composition root hands in.

    ``scan`` looks through the library and returns its counts; ``reload`` takes up a station's schedule file
    anew and returns what is wrong with it, or None.
    """

    scan: Callable[[], Awaitable[dict[str, int]]]
    reload: Callable[[str], Awaitable[str | None]]
    stations: frozenset[str]


def console_routes(actions: Actions) -> list[web.RouteDef]:
    """Routes under ``/api/console``; all of them need an operator's token."""

    @needs(Role.OPERATOR, Role.TRAFFIC, Role.VIEWER)
    @described("Whose token this is", reply=Me)
    async def me(request: web.Request) -> web.Response:
        operator = request[OPERATOR]
        stations = sorted(actions.stations if operator.stations is None else operator.stations)
        return private_json(Me(name=operator.name, role=operator.role, stations=stations))

    @needs(Role.OPERATOR)
    @described("Look through the library now", reply=ScanCounts)
    async def scan(_: web.Request) -> web.Response:
        return private_json(await actions.scan())

    @needs(Role.OPERATOR)
    @described("Take up the schedule file now", reply=Reloaded, statuses=(404,), replies={422: Reloaded})
    async def reload(request: web.Request) -> web.Response:
        station = request.match_info["station"]
        if station not in actions.stations:
            raise UnknownStation(station, actions.stations)
        problem = await actions.reload(station)
        return private_json(Reloaded(station=station, problem=problem), status=422 if problem else 200)

    return [
        web.get("/api/console/me", me),
        web.post("/api/console/library/scan", scan),
        web.post("/api/console/stations/{station}/reload", reload),
    ]
