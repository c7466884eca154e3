from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import pytest
from aiohttp import web
from json_schema import faults
from msgspec import UNSET, Meta, UnsetType

from radio.api.contract import Operation, described, description_of
from radio.api.contract_routes import operations_of
from radio.api.schemas import Schemas, fields_of, plain_text, resolved, sample
from radio.api.sign_in import NEEDS, needs
from radio.store.operators import Role


class Inner(msgspec.Struct, frozen=True):
    """What :class:`radio.api.x.Outer` holds; ``depth`` is a number."""

    depth: int = 0


class Outer(msgspec.Struct, frozen=True):
    name: str
    inner: Inner = Inner()
    several: list[Inner] = []
    absent: int | UnsetType = UNSET


class Brief(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    note: str | None = None


class One(msgspec.Struct):
    one: int


class Other(msgspec.Struct):
    other: int


class Desk:
    @described("In its class", reply=Outer)
    async def handle(self, request: web.Request) -> web.Response:
        raise NotImplementedError

    async def bare(self, request: web.Request) -> web.Response:
        raise NotImplementedError


async def plain(request: web.Request) -> web.Response:
    raise NotImplementedError


def test_functions_methods_and_bound_methods_are_described() -> None:
    async def handler(request: web.Request) -> web.Response:
        raise NotImplementedError

    assert described("A function")(handler) is handler
    assert getattr(description_of(handler), "summary", None) == "A function"
    assert getattr(description_of(Desk().handle), "summary", None) == "In its class"
    described("Bound")(Desk().bare)
    assert getattr(description_of(Desk().bare), "summary", None) == "Bound"
    assert description_of(plain) is None


def test_it_stands_above_or_below_the_right_that_is_needed() -> None:
    async def handler(request: web.Request) -> web.Response:
        raise NotImplementedError

    above = described("Above")(needs(Role.OPERATOR)(handler))
    assert getattr(description_of(above), "summary", None) == "Above"
    assert getattr(above, NEEDS) == {Role.OPERATOR, Role.ADMIN}
    below = needs(Role.VIEWER)(described("Below")(handler))
    assert getattr(description_of(below), "summary", None) == "Below"


def test_a_low_status_is_that_of_the_reply_and_the_rest_stay_beside_it() -> None:
    description = description_of(
        described("Begun", statuses=(404, 202, 304), replies={422: Inner})(plain_copy())
    )
    assert description is not None
    assert (description.status, description.statuses) == (202, (304, 404, 422))


def plain_copy() -> Any:
    async def handler(request: web.Request) -> web.Response:
        raise NotImplementedError

    return handler


@pytest.mark.parametrize(
    ("path", "id_"),
    [("/", "get_root"), ("/api/stations/{station}", "get_api_stations_station"), ("/7.html", "get_7_html")],
)
def test_an_operation_has_a_name_for_anchors(path: str, id_: str) -> None:
    description = description_of(Desk.handle)
    assert description is not None
    assert Operation(method="GET", path=path, description=description).id == id_


def test_the_router_tells_paths_patterns_and_roles() -> None:
    application = web.Application()
    application.router.add_get(
        r"/a/{id:[0-9a-f]{1,64}}/{name}/{rest:(x|[)]\))+}", needs(Role.VIEWER)(plain_copy())
    )
    application.router.add_get("/plain", Desk().handle)
    application.router.add_route("OPTIONS", "/plain", plain_copy())
    first, second = operations_of(application.router)
    assert first.path == "/a/{id}/{name}/{rest}"
    assert dict(first.parts) == {"id": "[0-9a-f]{1,64}", "name": "", "rest": r"(x|[)]\))+"}
    assert (first.roles, first.description.summary) == (("admin", "viewer"), "")
    assert (second.roles, second.description.summary) == (None, "In its class")


def test_what_is_given_has_every_member_and_what_is_taken_may_lack_some() -> None:
    schemas = Schemas(taken=[Outer], given=[Outer])
    given = resolved(schemas.given(Outer), schemas.components)
    taken = resolved(schemas.taken(Outer), schemas.components)
    assert given["required"] == ["name", "inner", "several"]
    assert taken["required"] == ["name"]
    assert set(schemas.components) == {"Outer", "OuterSent", "Inner", "InnerSent"}
    assert taken["properties"]["inner"]["$ref"].endswith("/InnerSent")
    assert given["properties"]["several"]["items"]["$ref"].endswith("/Inner")


def test_what_one_side_alone_knows_keeps_its_name() -> None:
    schemas = Schemas(taken=[Inner], given=[Brief])
    assert set(schemas.components) == {"Inner", "Brief"}
    assert schemas.components["Brief"]["required"] == ["name"]


def test_values_meet_the_schemas_of_their_types() -> None:
    schemas = Schemas(given=[Outer, Brief, One | Other, list[Inner]])
    for value, shape in (
        (Outer("x"), Outer),
        (Outer("x", absent=3, several=[Inner(1)]), Outer),
        (Brief("x"), Brief),
        (Other(1), One | Other),
        ([Inner(2)], list[Inner]),
    ):
        sent = json.loads(msgspec.json.encode(value))
        assert faults(sent, schemas.given(shape), schemas.components, closed=True) == []
    assert faults({"name": 1}, schemas.given(Brief), schemas.components) == ["$.name: '1' is no string"]
    assert faults({"two": 1}, schemas.given(One | Other), schemas.components) != []
    assert faults({"name": "x", "more": 1}, schemas.given(Brief), schemas.components, closed=True) != []


def test_parameters_are_a_structs_fields_without_references() -> None:
    class Query(msgspec.Struct):
        size: Annotated[int, Meta(ge=1, description="How large.")]
        role: Role | UnsetType = msgspec.field(default=UNSET, name="as")

    (size, schema, needed), (role, choice, optional) = fields_of(Query)
    assert (size, needed, schema["minimum"], schema["description"]) == ("size", True, 1, "How large.")
    assert (role, optional, choice["enum"]) == ("as", False, ["admin", "operator", "traffic", "viewer"])


def test_docstrings_become_plain_text() -> None:
    text = plain_text(Inner.__doc__ or "")
    assert text == "What `Outer` holds; `depth` is a number."
    assert plain_text("One.\n\n    Two ``three``.\n    ") == "One.\n\nTwo `three`."


def test_a_sample_meets_its_schema() -> None:
    schemas = Schemas(taken=[Outer, Brief])
    for shape in (Outer, Brief):
        value = sample(schemas.taken(shape), schemas.components)
        assert faults(value, schemas.taken(shape), schemas.components) == []
