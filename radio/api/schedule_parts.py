"""Parts of a schedule over HTTP: programmes, clocks, categories, dayparts, the grid, the default clock; airings.

A part is the JSON form of its table in the file. Saving one rewrites that table alone; every other line of the file
stays as it is. All parts have the version of the whole file.
"""

from __future__ import annotations

import asyncio
import tomllib
from typing import Any, Final

import msgspec
from aiohttp import web

from radio.api.asking import body_of
from radio.api.contract import described
from radio.api.replies import private_json
from radio.api.schedule_api import ROOT, TAG, ScheduleDesk, applied, changes, reads, saves, tagged
from radio.api.schedule_shapes import (
    LISTS,
    TABLES,
    DefaultClock,
    DefaultClockView,
    PartsView,
    PartView,
    table_given,
)
from radio.errors import InvalidRequest, NotFound
from radio.schedule.airing_edits import AiringEdit, edited
from radio.schedule.toml_tables import NAMED, Table, table_of
from radio.toml_source import TomlDocument

ONE: Final = {"programmes": "programme", "clocks": "clock", "categories": "category", "dayparts": "daypart"}
LISTED_AS: Final = {"grid": "the grid", "item_rules": "the item rules"}


def schedule_part_routes(desk: ScheduleDesk) -> list[web.RouteDef]:
    """Routes of the parts of a schedule."""
    routes = [route for kind in TABLES for route in _tables(desk, kind)]
    routes += [route for kind in LISTS for route in _lists(desk, kind)]
    return [*routes, *_default_clock(desk), _airings(desk)]


def _tables(desk: ScheduleDesk, kind: str) -> list[web.RouteDef]:
    one, shape = ONE[kind], TABLES[kind]
    address = f"{ROOT}/{kind}"

    @reads
    @described(f"All {kind} of a schedule", reply=PartsView, statuses=(404, 422), tag=TAG)
    async def listed(request: web.Request) -> web.Response:
        return await _all(desk, request, kind)

    @reads
    @described(f"One {one}", reply=PartView, statuses=(404, 422), tag=TAG)
    async def read(request: web.Request) -> web.Response:
        station, id_ = request.match_info["station"], request.match_info["id"]
        version, data = await _data(desk, station)
        table = table_of(data, kind, id_)
        if table is None:
            raise _missing(kind, id_)
        view = PartView(station=station, version=version, kind=kind, id=id_, table=table)
        return tagged(private_json(view), version)

    @changes
    @saves(
        f"Put in or change a {one}",
        body=shape,
    )
    async def put(request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        table = table_given(_with_id(await _json(request), kind, id_), shape)
        return await applied(
            desk, request, lambda text: _with_table(text, kind, id_, table, _file(desk, request)), "part"
        )

    @changes
    @saves(
        f"Take out a {one}",
    )
    async def delete(request: web.Request) -> web.Response:
        id_ = request.match_info["id"]

        def without(text: str) -> str:
            if table_of(tomllib.loads(text), kind, id_) is None:
                raise _missing(kind, id_)
            return _with_table(text, kind, id_, None, _file(desk, request))

        return await applied(desk, request, without, "part")

    return [
        web.get(address, listed),
        web.get(address + "/{id}", read),
        web.put(address + "/{id}", put),
        web.delete(address + "/{id}", delete),
    ]


def _lists(desk: ScheduleDesk, kind: str) -> list[web.RouteDef]:
    shape: Any = LISTS[kind]

    @reads
    @described(f"All of {LISTED_AS[kind]}", reply=PartsView, statuses=(404, 422), tag=TAG)
    async def read(request: web.Request) -> web.Response:
        return await _all(desk, request, kind)

    @changes
    @saves(
        f"Change {LISTED_AS[kind]} as a whole",
        body=list[shape],
    )
    async def put(request: web.Request) -> web.Response:
        raw = await _json(request)
        if not isinstance(raw, list):
            raise InvalidRequest("The body is no list.", field="body", allowed=f"a list of [[{kind}]] tables")
        tables = [table_given(one, shape, f"[{at}]") for at, one in enumerate(raw)]
        return await applied(
            desk, request, lambda text: _with_list(text, kind, tables, _file(desk, request)), "part"
        )

    return [web.get(f"{ROOT}/{kind}", read), web.put(f"{ROOT}/{kind}", put)]


def _default_clock(desk: ScheduleDesk) -> list[web.RouteDef]:
    address = f"{ROOT}/default_clock"

    @reads
    @described(
        "The clock of the hours without a programme", reply=DefaultClockView, statuses=(404, 422), tag=TAG
    )
    async def read(request: web.Request) -> web.Response:
        station = request.match_info["station"]
        version, data = await _data(desk, station)
        view = DefaultClockView(station=station, version=version, clock=data.get("default_clock"))
        return tagged(private_json(view), version)

    @changes
    @saves(
        "Change the clock of the hours without a programme",
        body=DefaultClock,
    )
    async def put(request: web.Request) -> web.Response:
        wanted = await body_of(request, DefaultClock)
        return await applied(
            desk,
            request,
            lambda text: _with_value(text, "default_clock", wanted.clock, _file(desk, request)),
            "part",
        )

    return [web.get(address, read), web.put(address, put)]


def _airings(desk: ScheduleDesk) -> web.RouteDef:
    @changes
    @saves(
        "Change or cancel one airing, it and all that follow, or the whole series",
        body=AiringEdit,
    )
    async def airing(request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        wanted = await body_of(request, AiringEdit)

        def rewrite(text: str) -> str:
            table = table_of(tomllib.loads(text), "programmes", id_)
            if table is None:
                raise _missing("programmes", id_)
            return _with_table(text, "programmes", id_, edited(table, wanted), _file(desk, request))

        return await applied(desk, request, rewrite, "part", wanted.why or "")

    return web.post(f"{ROOT}/programmes/{{id}}/airings", airing)


def _with_table(text: str, kind: str, id_: str, table: Table | None, file: str) -> str:
    from radio.schedule.toml_edits import with_table

    return with_table(text, kind, id_, table, file)


def _with_list(text: str, kind: str, tables: list[Table], file: str) -> str:
    from radio.schedule.toml_edits import with_list

    return with_list(text, kind, tables, file)


def _with_value(text: str, key: str, value: str | None, file: str) -> str:
    from radio.schedule.toml_edits import with_value

    return with_value(text, key, value, file)


async def _all(desk: ScheduleDesk, request: web.Request, kind: str) -> web.Response:
    station = request.match_info["station"]
    version, data = await _data(desk, station)
    found: Any = data.get(kind, {} if kind in NAMED else [])
    ids = list(found) if kind in NAMED else [str(one["id"]) for one in found if "id" in one]
    tables = list(found.values()) if kind in NAMED else list(found)
    view = PartsView(station=station, version=version, kind=kind, ids=ids, tables=tables)
    return tagged(private_json(view), version)


async def _data(desk: ScheduleDesk, station: str) -> tuple[str, Table]:
    """The version of the file and what stands in it. Raises ScheduleError where it is no TOML."""
    source = (await desk.editor.present(station)).source
    file = desk.editor.file(station)
    document = await asyncio.to_thread(TomlDocument.parse, source.text, file)
    return source.version, document.data


async def _json(request: web.Request) -> Any:
    try:
        return msgspec.json.decode(await request.read())
    except msgspec.DecodeError as fault:
        raise InvalidRequest(
            f"The body is no JSON: {fault}.", field="body", allowed="a JSON object"
        ) from fault


def _with_id(raw: Any, kind: str, id_: str) -> Any:
    """A programme's own id is in its table; it has to be that of the address."""
    if not isinstance(raw, dict):
        raise InvalidRequest("The body is no JSON object.", field="body", allowed="the table of the file")
    if kind in NAMED:
        return raw
    if raw.get("id", id_) != id_:
        raise InvalidRequest("The id is not that of the address.", field="id", allowed=id_)
    return {"id": id_, **raw}


def _missing(kind: str, id_: str) -> NotFound:
    return NotFound(f"There is no {ONE[kind]} {id_[:80]!r}.")


def _file(desk: ScheduleDesk, request: web.Request) -> str:
    return str(desk.editor.file(request.match_info["station"]))
