"""What an operator does to a station on the air: skip, put in, move, take out, hold, extend, end, go before all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import structlog
from aiohttp import web

from radio.api.asking import body_of, number
from radio.api.command_shapes import (
    MOST_ROWS,
    Coming,
    ComingRow,
    Commanded,
    Emergency,
    End,
    Extend,
    Insert,
    MoveRow,
    RemoveRow,
    RowsQuery,
    RowView,
    Skip,
)
from radio.api.contract import described
from radio.api.replies import private_json
from radio.api.sign_in import OPERATOR, needs
from radio.errors import ChangedMeanwhile, InvalidRequest, NotFound, UnknownStation
from radio.log import LogRow
from radio.playout import Change, Engine, ask
from radio.playout import Commanded as Playout
from radio.store.operators import Role

_journal = structlog.get_logger(__name__)

ROOT: Final = "/api/console/stations/{station}"
REFUSALS: Final = (400, 401, 403, 404, 503)


class OnAirDesk(msgspec.Struct, frozen=True):
    """The stations that there are, playout of those on the air, and what makes a row of a library item.

    ``rows`` are those of a station's log from where playout stands on, at most so many.
    """

    stations: frozenset[str]
    playouts: Mapping[str, Playout]
    item_row: Callable[[str, str], LogRow]
    rows: Callable[[str, int], Sequence[LogRow]]


def command_routes(desk: OnAirDesk) -> list[web.RouteDef]:
    """Routes that change what is on the air; each needs the role operator for that station."""
    api = _CommandApi(desk)
    names = ("skip", "insert", "move", "remove", "hold", "resume", "extend", "end", "emergency")
    return [
        web.get(f"{ROOT}/rows", api.rows),
        *(web.post(f"{ROOT}/{name}", getattr(api, name)) for name in names),
    ]


class _CommandApi:
    def __init__(self, desk: OnAirDesk) -> None:
        self._desk = desk

    @needs(Role.OPERATOR, Role.TRAFFIC, Role.VIEWER)
    @described(
        "What is on the air and to come, row by row",
        query=RowsQuery,
        reply=Coming,
        statuses=(400, 401, 403, 404),
    )
    async def rows(self, request: web.Request) -> web.Response:
        limit = number(request, "limit", 30, 1, MOST_ROWS)
        station = self._station(request)
        rows = [ComingRow.of(row) for row in self._desk.rows(station, limit)]
        return private_json(Coming(station=station, rows=rows))

    @needs(Role.OPERATOR)
    @described(
        "End what is on the air", body=Skip, body_required=False, reply=Commanded, statuses=(*REFUSALS, 412)
    )
    async def skip(self, request: web.Request) -> web.Response:
        wanted, by = await body_of(request, Skip), request[OPERATOR].name

        def work(engine: Engine) -> Change:
            _check_same(wanted.row, engine.on_air.id if engine.on_air else None, "row")
            return engine.skip(by, wanted.fade_ms)

        return await self._do(request, "skip", work)

    @needs(Role.OPERATOR)
    @described("Put an item in, at once or next", body=Insert, reply=Commanded, statuses=REFUSALS)
    async def insert(self, request: web.Request) -> web.Response:
        wanted, by = await body_of(request, Insert), request[OPERATOR].name
        row = self._item_row(request, wanted.item)
        return await self._do(
            request,
            "insert",
            lambda engine: engine.insert(row, wanted.when, by, wanted.fade_ms),
            item=wanted.item,
            when=wanted.when,
        )

    @needs(Role.OPERATOR)
    @described("Move a coming row", body=MoveRow, reply=Commanded, statuses=REFUSALS)
    async def move(self, request: web.Request) -> web.Response:
        wanted, by = await body_of(request, MoveRow), request[OPERATOR].name
        row = _named(wanted.row, "row", "the id of a row that is to come")
        return await self._do(
            request,
            "move",
            lambda engine: engine.move(row, wanted.to, wanted.other, by),
            row=row,
            to=wanted.to,
            other=wanted.other or "",
        )

    @needs(Role.OPERATOR)
    @described("Take a coming row out", body=RemoveRow, reply=Commanded, statuses=REFUSALS)
    async def remove(self, request: web.Request) -> web.Response:
        wanted, by = await body_of(request, RemoveRow), request[OPERATOR].name
        row = _named(wanted.row, "row", "the id of a row that is to come")
        return await self._do(request, "remove", lambda engine: engine.remove(row, by), row=row)

    @needs(Role.OPERATOR)
    @described("Let the bed sound until resumed", reply=Commanded, statuses=REFUSALS)
    async def hold(self, request: web.Request) -> web.Response:
        by = request[OPERATOR].name
        return await self._do(request, "hold", lambda engine: engine.hold(by))

    @needs(Role.OPERATOR)
    @described("End a hold or an emergency", reply=Commanded, statuses=REFUSALS)
    async def resume(self, request: web.Request) -> web.Response:
        by = request[OPERATOR].name
        return await self._do(request, "resume", lambda engine: engine.resume(by))

    @needs(Role.OPERATOR)
    @described("Let the programme on the air go on", body=Extend, reply=Commanded, statuses=REFUSALS)
    async def extend(self, request: web.Request) -> web.Response:
        wanted, by = await body_of(request, Extend), request[OPERATOR].name
        length_ms = wanted.minutes * 60_000
        return await self._do(
            request, "extend", lambda engine: engine.extend(length_ms, by), minutes=str(wanted.minutes)
        )

    @needs(Role.OPERATOR)
    @described(
        "End the programme on the air",
        body=End,
        body_required=False,
        reply=Commanded,
        statuses=(*REFUSALS, 412),
    )
    async def end(self, request: web.Request) -> web.Response:
        wanted, by = await body_of(request, End), request[OPERATOR].name

        def work(engine: Engine) -> Change:
            _check_same(wanted.programme, engine.on_air.programme if engine.on_air else None, "programme")
            return engine.end(by, wanted.fade_ms)

        return await self._do(request, "end", work)

    @needs(Role.OPERATOR)
    @described("An item before everything, until resumed", body=Emergency, reply=Commanded, statuses=REFUSALS)
    async def emergency(self, request: web.Request) -> web.Response:
        wanted, by = await body_of(request, Emergency), request[OPERATOR].name
        row = self._item_row(request, wanted.item)
        return await self._do(
            request,
            "emergency",
            lambda engine: engine.emergency(row, wanted.repeat, by, wanted.fade_ms),
            item=wanted.item,
        )

    def _item_row(self, request: web.Request, item: str) -> LogRow:
        station = self._station(request)
        return self._desk.item_row(station, _named(item, "item", "the id of a library item"))

    def _station(self, request: web.Request) -> str:
        station = request.match_info["station"]
        if station not in self._desk.stations:
            raise UnknownStation(station, self._desk.stations)
        return station

    async def _do(
        self, request: web.Request, command: str, work: Callable[[Engine], Change], **more: str
    ) -> web.Response:
        station = self._station(request)
        if station not in self._desk.playouts:
            raise NotFound(f"The station {station} is not on the air.")
        journal = _journal.bind(station=station, command=command, operator=request[OPERATOR].name, **more)
        try:
            change = await ask(self._desk.playouts[station], work)
        except Exception as fault:
            journal.warning("command_refused", reason=str(fault))
            raise
        journal.info("command_done", at_ms=change.at_ms, on_air=change.on_air.id if change.on_air else None)
        return private_json(
            Commanded(
                station=station,
                command=command,
                at_ms=change.at_ms,
                on_air=RowView.of(change.on_air),
                next=RowView.of(change.next),
            )
        )


def _named(id_: str, field: str, allowed: str) -> str:
    if not id_:
        raise InvalidRequest(f"No {field} is named.", field=field, allowed=allowed)
    return id_


def _check_same(meant: str | None, found: str | None, field: str) -> None:
    if meant is not None and meant != found:
        raise ChangedMeanwhile(f"Another {field} is on the air already.", field=field)
