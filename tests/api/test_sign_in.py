from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from api_house import Answer, House, ask_raw, open_house

import radio.app
import radio.app.web
from radio.api.console import Actions, console_routes
from radio.api.sign_in import needs
from radio.clock import SystemClock
from radio.config import load_config
from radio.store import Store, operators
from radio.store.operators import Role

READING = {"GET", "HEAD", "OPTIONS"}
ANSWERS_ONLY = {
    ("POST", "/api/console/library/playlists/import"),
    ("POST", "/api/console/stations/{station}/schedule/check"),
    ("POST", "/api/console/stations/{station}/schedule/preview"),
}
"""What is sent with POST because it is long, and changes nothing: any operator may."""

OF_WRITERS = {"/api/console/stations/{station}/schedule/draft"}
"""What only those read who may write it."""

WRITING = ("POST", "PUT", "DELETE", "PATCH", "SOURCE", "PROPFIND")
CONFIG = """
[[stations]]
id = "wxyz"
name = "WXYZ"
library = ["sounds"]
enabled = false

[[stations]]
id = "other"
name = "Other"
library = ["sounds"]
enabled = false
"""


class Whole:
    """The whole service with its real route table; no station sounds."""

    def __init__(self, port: int, application: web.Application, store: Store) -> None:
        self.port = port
        self.store = store
        self.routes = sorted(
            {
                (route.method, route.resource.canonical)
                for route in application.router.routes()
                if route.resource is not None
            }
        )

    async def ask(self, method: str, path: str, token: str | None = None) -> Answer:
        fields = ["Host: localhost", "Content-Length: 0", "Connection: close"]
        if token is not None:
            fields.append(f"Authorization: Bearer {token}")
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *fields])
        return await ask_raw(self.port, f"{head}\r\n\r\n".encode())

    async def token(self, role: Role, stations: list[str] | None = None) -> str:
        return await self.store.write(
            operators.add, f"{role} of {stations}", role, stations, SystemClock().now_ms()
        )


@pytest.fixture
async def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whole]:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "sounds").mkdir()
    config = load_config(tmp_path / "config.toml", overrides={("server", "port"): 0})
    made: list[web.Application] = []
    real = radio.app.web.http_application

    def remembered(*arguments: Any) -> web.Application:
        made.append(real(*arguments))
        return made[-1]

    monkeypatch.setattr(radio.app.web, "http_application", remembered)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(radio.app.on_air(config))
        yield Whole(service.port, made[0], service.store)


def filled(path: str, station: str = "wxyz") -> str:
    """A route's path with something in each of its variables."""
    return re.sub(r"\{[^}]*\}", "1", path.replace("{station}", station))


async def test_nothing_can_be_changed_without_the_right(whole: Whole) -> None:
    """Every route that is not for reading, from loopback, with every kind of token that must not do."""
    changing = [(method, path) for method, path in whole.routes if method not in READING]
    assert len(changing) >= 2
    viewer = await whole.token(Role.VIEWER)
    elsewhere = await whole.token(Role.OPERATOR, ["other"])
    for method, path in changing:
        nobody = await whole.ask(method, filled(path))
        assert (nobody.status, nobody.code) == (401, "unauthenticated"), (method, path)
        for token in ("", "nu_", "x" * 60, "nu_00000000_" + "A" * 43, viewer[:-1], viewer + "A"):
            assert (await whole.ask(method, filled(path), token)).status == 401, (method, path, token)
        looker = await whole.ask(method, filled(path), viewer)
        assert (looker.status == 403) == ((method, path) not in ANSWERS_ONLY), (method, path)
        if "{station}" in path:
            stranger = await whole.ask(method, filled(path), elsewhere)
            assert (stranger.status, stranger.code) == (403, "forbidden"), (method, path)


async def test_no_route_for_reading_changes_to_one_for_writing_by_its_method(whole: Whole) -> None:
    tokens = [None, await whole.token(Role.ADMIN)]
    changing = {path for method, path in whole.routes if method not in READING}
    for path in {path for _, path in whole.routes} - changing:
        for method in WRITING:
            for token in tokens:
                answer = await whole.ask(method, filled(path), token)
                assert answer.status in (401, 403, 404, 405), (method, path)


async def test_what_the_console_reads_needs_a_token_as_well(whole: Whole) -> None:
    reading = [(m, p) for m, p in whole.routes if m in READING and p.startswith("/api/console")]
    assert reading
    viewer = await whole.token(Role.VIEWER)
    for method, path in reading:
        assert (await whole.ask(method, filled(path))).status == 401, path
        known = await whole.ask(method, filled(path), viewer)
        assert (known.status == 403) == (path in OF_WRITERS), path
        assert known.status != 401, path
        assert known.status != 200 or known.headers["cache-control"] == "no-store", path


async def test_what_the_public_reads_needs_none(whole: Whole) -> None:
    public = [(m, p) for m, p in whole.routes if m == "GET" and not p.startswith("/api/console")]
    assert len(public) > 10
    for method, path in public:
        if path == "/listen/{station}/{mount}":  # a stream waits for its sound
            continue
        async with asyncio.timeout(5):
            try:
                answer = await whole.ask(method, filled(path))
            except TimeoutError:  # an endless answer has begun
                continue
        assert answer.status not in (401, 403), path


async def test_an_operator_is_let_in_and_told_who_they_are(whole: Whole) -> None:
    operator = await whole.token(Role.OPERATOR, ["wxyz"])
    me = await whole.ask("GET", "/api/console/me", operator)
    assert me.json == {"name": "operator of ['wxyz']", "role": "operator", "stations": ["wxyz"]}
    everywhere = await whole.ask("GET", "/api/console/me", await whole.token(Role.TRAFFIC))
    assert (everywhere.json["role"], everywhere.json["stations"]) == ("traffic", ["other", "wxyz"])
    assert (await whole.ask("POST", "/api/console/stations/wxyz/reload", operator)).status == 200
    assert (await whole.ask("POST", "/api/console/stations/other/reload", operator)).status == 403


async def test_an_operator_who_is_removed_is_out_at_once(whole: Whole) -> None:
    token = await whole.token(Role.ADMIN)
    assert (await whole.ask("GET", "/api/console/me", token)).status == 200
    await whole.store.write(operators.remove, "admin of None")
    assert (await whole.ask("GET", "/api/console/me", token)).status == 401


async def test_a_token_that_ran_out_is_none(whole: Whole) -> None:
    token = await whole.store.write(
        operators.add, "guest", Role.ADMIN, None, SystemClock().now_ms(), expires_at_ms=1
    )
    assert (await whole.ask("GET", "/api/console/me", token)).status == 401


class Desk:
    """The console's actions, as a double that counts."""

    def __init__(self) -> None:
        self.scans = 0
        self.reloaded: list[str] = []
        self.problem: str | None = None

    async def scan(self) -> dict[str, int]:
        self.scans += 1
        return {"added": 2}

    async def reload(self, station: str) -> str | None:
        self.reloaded.append(station)
        return self.problem


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def house(tmp_path: Path, desk: Desk) -> AsyncIterator[House]:
    async def careless(_: web.Request) -> web.Response:
        raise AssertionError("nobody may come here")

    @needs(Role.TRAFFIC)
    async def traffic(_: web.Request) -> web.Response:
        return web.Response(text="done")

    def routes(_: House) -> list[web.RouteDef]:
        actions = Actions(scan=desk.scan, reload=desk.reload, stations=frozenset({"wxyz", "other"}))
        return [
            *console_routes(actions),
            web.post("/careless", careless),
            web.delete("/careless/{station}", careless),
            web.post("/traffic", traffic),
        ]

    async with open_house(tmp_path, routes) as opened:
        yield opened


async def test_a_changing_route_that_nobody_marked_is_shut_for_everyone(house: House) -> None:
    admin = f"Authorization: Bearer {await house.token(Role.ADMIN)}"
    for method, path in (("POST", "/careless"), ("DELETE", "/careless/wxyz")):
        for fields in ((), (admin,)):
            answer = await house.ask(path, "Content-Length: 0", *fields, method=method)
            assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize(
    ("role", "scan", "traffic"),
    [(Role.ADMIN, 200, 200), (Role.OPERATOR, 200, 403), (Role.TRAFFIC, 403, 200), (Role.VIEWER, 403, 403)],
)
async def test_each_role_may_do_its_own_work_and_an_admin_all(
    house: House, desk: Desk, role: Role, scan: int, traffic: int
) -> None:
    field = f"Authorization: Bearer {await house.token(role)}"
    answer = await house.ask("/api/console/library/scan", "Content-Length: 0", field, method="POST")
    assert (answer.status, desk.scans) == (scan, int(scan == 200))
    assert (await house.ask("/traffic", "Content-Length: 0", field, method="POST")).status == traffic


async def test_a_reload_tells_what_is_wrong(house: House, desk: Desk) -> None:
    field = f"Authorization: Bearer {await house.token(Role.OPERATOR)}"
    target = "/api/console/stations/wxyz/reload"
    answer = await house.ask(target, "Content-Length: 0", field, method="POST")
    assert (answer.status, answer.json) == (200, {"station": "wxyz", "problem": None})
    desk.problem = "wxyz.toml:3: is wrong."
    answer = await house.ask(target, "Content-Length: 0", field, method="POST")
    assert (answer.status, answer.json["problem"]) == (422, "wxyz.toml:3: is wrong.")
    unknown = await house.ask(
        "/api/console/stations/nowhere/reload", "Content-Length: 0", field, method="POST"
    )
    assert (unknown.status, unknown.code) == (404, "unknown_station")
    assert desk.reloaded == ["wxyz", "wxyz"]


@pytest.mark.parametrize(
    "field",
    [
        "Authorization: ",
        "Authorization: Bearer",
        "Authorization: Basic {token}",
        "Authorization: {token}",
        "Authorization: Bearer {token} {token}",
        "Authorization: Bearer\x01{token}",
        "X-Authorization: Bearer {token}",
        "Cookie: token={token}",
    ],
)
async def test_a_token_in_any_other_form_is_none(house: House, field: str) -> None:
    token = await house.token(Role.ADMIN)
    answer = await house.ask("/api/console/me", field.replace("{token}", token))
    assert answer.status in (400, 401)
    assert (await house.ask(f"/api/console/me?token={token}")).status == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_may_be_in_any_case(house: House, scheme: str) -> None:
    token = await house.token(Role.ADMIN)
    assert (await house.ask("/api/console/me", f"Authorization: {scheme}  {token} ")).status == 200


async def test_no_other_page_may_use_the_console(house: House) -> None:
    token = await house.token(Role.ADMIN)
    origin = "Origin: https://elsewhere.example"
    answer = await house.ask("/api/console/me", origin, f"Authorization: Bearer {token}")
    assert "access-control-allow-origin" not in answer.headers
    for target in ("/api/console/me", "/api/console/library/scan", "/api/%63onsole/me"):
        preflight = await house.ask(target, origin, "Access-Control-Request-Method: POST", method="OPTIONS")
        assert "access-control-allow-origin" not in preflight.headers
