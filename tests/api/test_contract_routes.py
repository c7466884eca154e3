"""The contract of the whole running service: all of its routes are in it, and what they answer is what it says."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import pytest_asyncio
from api_house import Answer, ask_raw
from contract_lock import breaks, contract_of, explained, locked
from json_schema import faults
from websockets.asyncio.client import connect
from whole_service import configuration, fetch, load, schedule, tone, until

from radio.app import Service, on_air
from radio.clock import SystemClock
from radio.store import operators
from radio.store.operators import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARTS = {
    "station": "wxyz",
    "mount": "live.mp3",
    "name": "live",
    "ending": "m3u",
    "date": "20260101",
    "id": "0",
    "number": "1",
}
"""What stands in the place of a path's parts."""

ANSWERED = {
    "/api/stations", "/api/stations/{station}", "/api/stations/{station}/history", "/api/stations/{station}/schedule",
    "/api/openapi.json", "/api/asyncapi.json", "/api/docs", "/healthz", "/readyz", "/metrics",
    "/listen/{station}/{mount}", "/listen/{station}/{name}.{ending}", "/api/events",
    "/api/console/me", "/api/console/library/items", "/api/console/library/rejected", "/api/console/library/rescan",
}  # fmt: skip
"""Addresses that must answer with 200 and not just with a problem that is declared."""


class Running(NamedTuple):
    """The service, its contract, an administrator's token and the ids of what is there."""

    service: Service
    http: dict[str, Any]
    push: dict[str, Any]
    token: str
    item: str

    async def ask(self, target: str, *fields: str, method: str = "GET", body: bytes = b"") -> Answer:
        lines = [f"{method} {target} HTTP/1.1", "Host: radio.example", "Connection: close", *fields]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        return await ask_raw(self.service.port, head.encode() + body)

    async def begin(self, target: str) -> Answer:
        """The head of an answer that has no end, and the body of one that has."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.service.port)
        try:
            writer.write(f"GET {target} HTTP/1.1\r\nHost: radio.example\r\n\r\n".encode())
            first, *lines = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode().split("\r\n")
            fields = dict(line.lower().split(": ", 1) for line in lines if line)
            body = await reader.readexactly(int(fields.get("content-length", 0)))
        finally:
            writer.transport.abort()
        return Answer(int(first.split(" ")[1]), fields, body)

    def gets(self, *, secured: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, methods in self.http["paths"].items():
            if "get" in methods and ("security" in methods["get"]) == secured:
                yield path, methods["get"]

    def target(self, path: str, operation: dict[str, Any]) -> str:
        parts = {**PARTS, "id": self.item} if "/library/" in path else PARTS
        query = []
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", parts.get(parameter["name"], "x"))
            elif parameter["required"] and parameter["in"] == "query":
                query.append(f"{parameter['name']}=wxyz")
        return path + ("?" + "&".join(query) if query else "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("contract")
    tone(folder / "wxyz/music/tide.wav", 440, title="Tide", artist="The Bay")
    tone(folder / "wxyz/features/rest.wav", 300, seconds=120, rate_hz=8_000)
    (folder / "wxyz/broken.mp3").write_text("words")
    config = configuration(folder, "wxyz")
    (folder / "schedules/wxyz.toml").write_text(schedule())
    async with on_air(load(config)) as service:
        await until(lambda: service.stations["wxyz"].state["now"])
        token = await service.store.write(operators.add, "Desk", Role.ADMIN, None, SystemClock().now_ms())
        http = (await fetch(service.port, "/api/openapi.json"))[1]
        push = (await fetch(service.port, "/api/asyncapi.json"))[1]
        item = next(iter(service.library.current)).id
        yield Running(service, http, push, token, item)


async def test_every_route_of_the_router_is_described(running: Running) -> None:
    operations = list(each(running.http))
    bare = [
        name for name, operation in operations if not operation["summary"] or "x-undescribed" in operation
    ]
    assert bare == [], f"no @described(...) from radio.api.contract at: {', '.join(bare)}"
    ids = [operation["operationId"] for _, operation in operations]
    assert len(ids) == len(set(ids))
    assert len(ids) > 40


async def test_every_placeholder_is_a_parameter_and_every_reference_leads_somewhere(running: Running) -> None:
    for name, operation in each(running.http):
        declared = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", name)), name
    for document in (running.http, running.push):
        for ref in set(references(document)):
            place: Any = document
            for part in ref.removeprefix("#/").split("/"):
                place = place[part.replace("~1", "/")]
            assert isinstance(place, dict), ref


async def test_released_shapes_did_not_change(running: Running) -> None:
    problems = breaks(locked(), contract_of(running.http, running.push))
    assert not problems, explained(problems)


@pytest.mark.parametrize("secured", [False, True])
async def test_what_every_get_answers_is_what_is_declared(running: Running, secured: bool) -> None:
    fields = [f"Authorization: Bearer {running.token}"] if secured else []
    wrong, fine = [], set()
    for path, operation in running.gets(secured=secured):
        if "101" in operation["responses"]:
            continue
        target = running.target(path, operation)
        answer = await (running.begin(target) if is_endless(operation) else running.ask(target, *fields))
        fine |= {path} if answer.status == 200 else set()
        wrong += [f"GET {target}: {problem}" for problem in undeclared(running.http, operation, answer)]
    assert wrong == []
    assert {path for path, _ in running.gets(secured=secured)} & ANSWERED <= fine


CHANGES = [
    ("POST", "/api/console/library/scan", "/api/console/library/scan", {}, 200),
    ("POST", "/api/console/library/rescan", "/api/console/library/rescan", {}, 202),
    (
        "PATCH",
        "/api/console/library/items/{id}",
        "/api/console/library/items/{item}",
        {"corrections": {"bpm": 90}},
        200,
    ),
    (
        "PATCH",
        "/api/console/library/items/{id}",
        "/api/console/library/items/{item}",
        {"corrections": 5},
        400,
    ),
    (
        "PATCH",
        "/api/console/library/items/{id}",
        "/api/console/library/items/none",
        {"corrections": {"bpm": 9}},
        404,
    ),
    ("POST", "/api/console/stations/{station}/reload", "/api/console/stations/wxyz/reload", {}, 200),
    (
        "POST",
        "/api/console/stations/{station}/insert",
        "/api/console/stations/wxyz/insert",
        {"item": "{item}"},
        200,
    ),
    ("POST", "/api/console/stations/{station}/hold", "/api/console/stations/wxyz/hold", {}, 200),
    ("POST", "/api/console/stations/{station}/resume", "/api/console/stations/wxyz/resume", {}, 200),
    (
        "POST",
        "/api/console/stations/{station}/skip",
        "/api/console/stations/wxyz/skip",
        {"row": "another"},
        412,
    ),
    ("POST", "/api/console/stations/{station}/skip", "/api/console/stations/nowhere/skip", {}, 404),
]


@pytest.mark.parametrize(("method", "path", "target", "body", "status"), CHANGES)
async def test_what_a_change_answers_is_what_is_declared(
    running: Running, method: str, path: str, target: str, body: Any, status: int
) -> None:
    fields = [f"Authorization: Bearer {running.token}", "Content-Type: application/json"]
    sent = json.dumps(body).replace("{item}", running.item).encode()
    answer = await running.ask(target.replace("{item}", running.item), *fields, method=method, body=sent)
    operation = running.http["paths"][path][method.lower()]
    assert answer.status == status, answer.body
    assert undeclared(running.http, operation, answer) == []


async def test_a_playlist_is_taken_as_it_is_declared(running: Running) -> None:
    operation = running.http["paths"]["/api/console/library/playlists/import"]["post"]
    answer = await running.ask(
        "/api/console/library/playlists/import",
        f"Authorization: Bearer {running.token}",
        "Content-Type: audio/x-mpegurl",
        method="POST",
        body=b"#EXTM3U\n#EXTINF:3,The Bay - Tide\nmusic/tide.wav\n#EXTINF:9,Nobody - Nothing\nnothing.mp3\n",
    )
    assert (answer.status, len(answer.json["items"]), len(answer.json["missing"])) == (200, 1, 1)
    assert undeclared(running.http, operation, answer) == []


async def test_without_a_token_every_secured_get_is_the_problem_that_is_declared(running: Running) -> None:
    for path, operation in running.gets(secured=True):
        answer = await running.ask(running.target(path, operation))
        assert (answer.status, answer.code) == (401, "unauthenticated"), path
        assert undeclared(running.http, operation, answer) == []


async def test_examples_meet_their_schemas(running: Running) -> None:
    shown = 0
    for name, operation in each(running.http):
        for reply in operation["responses"].values():
            for content in reply.get("content", {}).values():
                if "example" in content:
                    shown += 1
                    problems = faults(
                        content["example"], content["schema"], shapes(running.http), closed=True
                    )
                    assert problems == [], name
    assert shown >= 2


async def test_frames_are_what_the_push_contract_says(running: Running) -> None:
    requests: list[Any] = [
        {"type": "subscribe", "id": 1, "stations": ["wxyz"]},
        {"type": "ping", "id": 2},
        {"type": "listen", "id": 3, "station": "wxyz", "session": str(uuid4())},
        {"type": "subscribe", "id": 4, "stations": ["nowhere"]},
        {"type": "dance"},
    ]
    seen = set()
    async with connect(f"ws://127.0.0.1:{running.service.port}/api/ws", compression=None) as socket:
        for request in requests:
            await socket.send(json.dumps(request))
        while not {"welcome", "snapshot", "pong", "error"} <= seen:
            frame = json.loads(await asyncio.wait_for(socket.recv(), 10))
            payload = running.push["components"]["messages"][frame["type"]]["payload"]
            assert faults(frame, payload, shapes(running.push), closed=True) == []
            seen.add(frame["type"])
    for request in requests[:-1]:
        payload = running.push["components"]["messages"][request["type"]]["payload"]
        assert faults(request, payload, shapes(running.push)) == []


@pytest.mark.parametrize("target", ["/api/openapi.json", "/api/asyncapi.json", "/api/docs"])
async def test_documents_are_the_same_each_time_open_to_all_and_have_an_etag(
    running: Running, target: str
) -> None:
    first, again = await running.ask(target), await running.ask(target)
    assert (first.status, first.body) == (200, again.body)
    assert first.headers["access-control-allow-origin"] == "*"
    known = await running.ask(target, f"If-None-Match: {first.headers['etag']}")
    assert (known.status, known.body) == (304, b"")


async def test_the_page_asks_where_it_is_read(running: Running) -> None:
    page = await running.ask("/api/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert b"curl http://radio.example/api/stations/harbor" in page.body
    assert b"here.invalid" not in page.body
    assert "script-src" not in page.headers["content-security-policy"]


def each(http: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return (
        (f"{method.upper()} {path}", operation)
        for path, methods in http["paths"].items()
        for method, operation in methods.items()
    )


def shapes(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"]
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def is_endless(operation: dict[str, Any]) -> bool:
    media = [kind for reply in operation["responses"].values() for kind in reply.get("content", {})]
    return any(kind.startswith(("audio/mpeg", "text/event-stream")) for kind in media) and not any(
        "mpegurl" in kind for kind in media
    )


def undeclared(http: dict[str, Any], operation: dict[str, Any], answer: Answer) -> list[str]:
    """How an answer differs from what its operation declares."""
    reply = operation["responses"].get(str(answer.status))
    if reply is None:
        return [f"the status {answer.status} is not declared: {answer.body[:200]!r}"]
    if "$ref" in reply:
        reply = http["components"]["responses"][reply["$ref"].rpartition("/")[2]]
    content = reply.get("content", {})
    media = answer.headers.get("content-type", "").lower()
    kind = next((one for one in content if fits(one, media)), None)
    if kind is None:
        return (
            [f"{answer.status} is {media!r}, declared are {list(content)}"] if content or answer.body else []
        )
    schema = content[kind].get("schema")
    return [] if schema is None else faults(answer.json, schema, shapes(http), closed=True)


def fits(declared: str, media: str) -> bool:
    kind = declared.partition(";")[0].lower()
    told = media.partition(";")[0]
    return (
        kind == told
        or kind == "application/octet-stream"
        or (kind.endswith("/*") and told.startswith(kind[:-1]))
    )
