from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from aiohttp import web

from radio.api.contract import Operation, described, description_of
from radio.api.openapi import About, openapi
from radio.api.replies import json_bytes
from radio.api.shapes import HistoryQuery, KnownHeaders, NotReady, Ready


class Changed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator changes."""

    title: str
    note: str = ""


def operation(method: str, path: str, *, roles: tuple[str, ...] | None = None, **words: Any) -> Operation:
    async def handler(request: web.Request) -> web.Response:
        raise NotImplementedError

    description = description_of(described(words.pop("summary", "Something"), **words)(handler))
    assert description is not None
    return Operation(method=method, path=path, description=description, roles=roles)


def document(*operations: Operation, **about: Any) -> dict[str, Any]:
    return openapi(operations, About(**({"version": "1.2.3", "errors": {"unknown_item": 404}} | about)))


def test_parameters_come_from_the_path_and_from_structs() -> None:
    described_one = operation("GET", "/api/x/{id}", query=HistoryQuery, headers=KnownHeaders)
    one = msgspec.structs.replace(described_one, parts={"id": "[0-9a-f]{1,64}"})
    made = document(one)["paths"]["/api/x/{id}"]["get"]["parameters"]
    assert [(each["in"], each["name"], each["required"]) for each in made] == [
        ("path", "id", True),
        ("query", "limit", False),
        ("query", "before_ms", False),
        ("header", "If-None-Match", False),
    ]
    assert made[0]["schema"]["pattern"] == "^(?:[0-9a-f]{1,64})$"
    assert (made[1]["schema"]["maximum"], made[2]["description"]) == (500, "Unix milliseconds.")


def test_bodies_replies_and_problems() -> None:
    made = document(
        operation("PUT", "/api/console/x", body=Changed, reply=Changed, statuses=(404,), roles=("admin",))
    )
    put = made["paths"]["/api/console/x"]["put"]
    assert put["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/ChangedSent"
    }
    assert put["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Changed"
    }
    assert sorted(put["responses"]) == ["200", "400", "401", "403", "404"]
    assert put["security"] == [{"operatorToken": ["admin"]}]
    problem = made["components"]["responses"]["Problem404"]
    assert problem["description"] == "Not Found: `unknown_item`"
    assert list(problem["content"]) == ["application/problem+json"]


def test_a_status_may_have_a_shape_of_its_own() -> None:
    made = document(operation("GET", "/readyz", reply=Ready, replies={503: NotReady}, statuses=(304,)))
    replies = made["paths"]["/readyz"]["get"]["responses"]
    assert replies["503"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/NotReady"
    }
    assert replies["304"] == {"description": "Not Modified"}


@pytest.mark.parametrize(
    ("words", "status", "content"),
    [
        ({"statuses": (204,)}, "204", None),
        ({"media": ("image/jpeg", "image/webp")}, "200", {"image/jpeg": {}, "image/webp": {}}),
        ({"statuses": (101,)}, "101", None),
    ],
)
def test_replies_that_are_no_json(words: dict[str, Any], status: str, content: Any) -> None:
    (only,) = document(operation("GET", "/x", **words))["paths"]["/x"]["get"]["responses"].items()
    assert (only[0], only[1].get("content")) == (status, content)


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        ("/api/stations/{station}", "Stations"),
        ("/api/console/library/items", "Library desk"),
        ("/api/console/me", "On the air"),
        ("/status-json.xsl", "Pages"),
        ("/api/ws", "Push"),
    ],
)
def test_an_address_tells_the_group(path: str, tag: str) -> None:
    made = document(operation("GET", path))
    assert made["paths"][path]["get"]["tags"] == [tag]
    assert [one["name"] for one in made["tags"]] == [tag]


def test_groups_stand_in_reading_order_and_unknown_ones_last() -> None:
    made = document(
        operation("GET", "/"), operation("GET", "/a", tag="Attic"), operation("GET", "/api/stations")
    )
    assert [one["name"] for one in made["tags"]] == ["Stations", "Pages", "Attic"]


def test_the_same_routes_give_the_same_bytes_in_any_order() -> None:
    routes = [
        operation("GET", "/b", reply=Ready),
        operation("POST", "/a", body=Changed, reply=Changed),
        operation("GET", "/a", reply=NotReady),
    ]
    assert json_bytes(document(*routes)) == json_bytes(document(*reversed(routes)))


def test_a_route_without_words_is_told_as_such() -> None:
    made = document(operation("GET", "/x", summary=""))
    assert made["paths"]["/x"]["get"]["x-undescribed"] is True


def test_the_head_has_version_and_licence() -> None:
    made = document(server="https://radio.example")
    assert (made["openapi"], made["info"]["version"]) == ("3.1.1", "1.2.3")
    assert made["info"]["license"] == {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    assert made["servers"] == [{"url": "https://radio.example"}]
    assert json.loads(json.dumps(made)) == made
