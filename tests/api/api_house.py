"""The HTTP side of the service on a free port, with a real database and stations that stand still."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from radio.api.server import http_application, serving
from radio.api.sign_in import sign_in
from radio.clock import ManualClock
from radio.config import StationConfig
from radio.metrics import Metrics
from radio.stations import StationService
from radio.store import Store, operators, sqlite_url
from radio.store.operators import Role

NOON = 1_800_000_000_000


class Answer(NamedTuple):
    """A response as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem document, whose form is checked on the way."""
        assert self.headers["content-type"] == "application/problem+json"
        problem = self.json
        assert set(problem) - {"field"} == {"type", "title", "status", "code", "detail"}
        assert problem["status"] == self.status
        return str(problem["code"])


class House:
    """An open port, the store behind it, and the means to ask."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store = store
        self.clock = clock
        self.port = 0

    async def ask(self, target: str, *fields: str, method: str = "GET", body: bytes = b"") -> Answer:
        """Send ``target`` as it is, byte for byte, on a connection of its own."""
        head = [f"{method} {target} HTTP/1.1", "Host: radio.example", "Connection: close", *fields]
        if body:
            head.append(f"Content-Length: {len(body)}")
        return await ask_raw(self.port, ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + body)

    async def token(self, role: Role, stations: list[str] | None = None) -> str:
        """The token of a new operator."""
        name = f"{role}-{len(await self.store.read(operators.all))}"
        return await self.store.write(operators.add, name, role, stations, self.clock.now_ms())


async def ask_raw(port: int, request: bytes) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.transport.abort()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return Answer(int(first.split(" ")[1]), {name.lower(): value for name, value in pairs}, body)


@asynccontextmanager
async def open_house(folder: Path, routes: Any) -> AsyncIterator[House]:
    """A house with the routes that ``routes(house)`` makes."""
    clock = ManualClock(NOON)
    async with Store.open(sqlite_url(folder / "api-house.db"), clock=clock) as store:
        house = House(store, clock)
        made: Iterable[web.AbstractRouteDef] = routes(house)
        async with serving(
            http_application(made, sign_in(store, clock)),
            streams=asyncio.Protocol,
            sockets=asyncio.Protocol,
            host="127.0.0.1",
            port=0,
        ) as (house.port, *_):
            yield house


class QuietLog:
    """A published log with nothing in it."""

    def coming(self, after_ms: int, limit: int) -> tuple[()]:
        return ()

    def programmes(self, at_ms: int) -> tuple[None, None]:
        return None, None


class NoRecorder:
    def record(self, event: object) -> None:
        raise AssertionError("nothing plays here")

    def checkpoint(self, *note: object) -> None:
        raise AssertionError("nothing plays here")


def station(id_: str = "wxyz", **changes: Any) -> StationConfig:
    values: dict[str, Any] = {"id": id_, "name": id_.upper(), "library": ("sounds",)}
    return StationConfig(**(values | changes))


def service(clock: ManualClock, config: StationConfig) -> StationService:
    """A station that has just been made and does nothing."""
    return StationService(
        config,
        clock=clock,
        log=QuietLog(),
        recorder=NoRecorder(),
        publish=lambda *publication: None,
        listeners=lambda: 0,
        metrics=Metrics(),
    )
