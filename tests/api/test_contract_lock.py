"""What breaks a released contract and what only adds to it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from contract_lock import RENEW, breaks, explained, written

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
REQUIRED = {"required": True, "schema": TEXT}
MAYBE = {"anyOf": [TEXT, {"type": "null"}]}


def small() -> dict[str, Any]:
    """A contract with one of everything."""
    now = {"type": "object", "properties": {"title": TEXT, "artist": MAYBE}, "required": ["title", "artist"]}
    move = {
        "type": "object",
        "properties": {
            "row": TEXT,
            "when": {"enum": ["now", "next"]},
            "fade_ms": {**NUMBER, "maximum": 5000},
        },
        "required": ["row"],
    }
    operation = {
        "parameters": {
            "path station": {"required": True, "schema": TEXT},
            "query limit": {"required": False, "schema": {**NUMBER, "maximum": 500}},
        },
        "replies": {"200": {"application/json": {"$ref": "#/components/schemas/Now"}}, "304": {}, "404": {}},
        "roles": ["admin", "viewer"],
        "body": {"required": False, "content": {"application/json": {"$ref": "#/components/schemas/Move"}}},
    }
    tree = {"type": "object", "properties": {"inner": {"$ref": "#/components/schemas/Tree"}}, "required": []}
    return {
        "operations": {"POST /a/{station}": operation},
        "shapes": {"Now": now, "Move": move},
        "frames": {"server update": {"$ref": "#/x/Tree"}, "client ping": {"$ref": "#/x/Ping"}},
        "frame_shapes": {
            "Tree": tree,
            "Ping": {"type": "object", "properties": {"id": NUMBER}, "required": []},
        },
        "channels": ["/api/ws"],
        "close_codes": [4001],
        "error_codes": ["text_only"],
    }


def change(contract: dict[str, Any], path: str, value: Any) -> None:
    """Set a place that slashes lead to; None takes it away. ``~1`` stands for a slash."""
    *way, last = (part.replace("~1", "/") for part in path.split("/"))
    for part in way:
        contract = contract[part]
    if value is None:
        del contract[last]
    else:
        contract[last] = value


OPERATION = "operations/POST ~1a~1{station}"
NOW, MOVE = "shapes/Now/properties", "shapes/Move/properties"

BROKEN = [
    (OPERATION, None, "POST /a/{station} is gone"),
    (f"{OPERATION}/roles", ["admin"], "POST /a/{station} is closed to viewer now"),
    (f"{OPERATION}/replies/304", None, "POST /a/{station}: no reply 304 any more"),
    (f"{OPERATION}/replies/200", {"text/plain": {}}, "POST /a/{station} 200: no application/json any more"),
    (f"{OPERATION}/parameters/query limit", None, "POST /a/{station}: query limit is gone"),
    (f"{OPERATION}/parameters/query limit/required", True, "POST /a/{station}: query limit must be there now"),
    (f"{OPERATION}/parameters/query limit/schema/maximum", 50, "POST /a/{station} query limit: maximum is 50 now"),
    (f"{OPERATION}/parameters/query q", REQUIRED, "POST /a/{station}: query q must be there now"),
    (f"{OPERATION}/body", None, "POST /a/{station} body is not taken any more"),
    (f"{OPERATION}/body/required", True, "POST /a/{station} body must be there now"),
    (f"{NOW}/title", None, "POST /a/{station} 200.title is gone"),
    (f"{NOW}/title", NUMBER, "POST /a/{station} 200.title was string, is integer"),
    (f"{NOW}/title", MAYBE, "POST /a/{station} 200.title was string, is null"),
    ("shapes/Now/required", ["title"], "POST /a/{station} 200.artist may be absent now"),
    (f"{MOVE}/row", NUMBER, "POST /a/{station} body.row was string, is integer"),
    (f"{MOVE}/when", None, "POST /a/{station} body.when is gone"),
    (f"{MOVE}/when", {"enum": ["now"]}, "POST /a/{station} body.when does not take next any more"),
    (f"{MOVE}/fade_ms", {**NUMBER, "maximum": 9}, "POST /a/{station} body.fade_ms: maximum is 9 now"),
    (f"{MOVE}/row", {**TEXT, "pattern": "^a"}, "POST /a/{station} body.row must match ^a now"),
    ("shapes/Move/required", ["row", "when"], "POST /a/{station} body.when must be there now"),
    ("frames/client ping", None, "client ping is gone"),
    ("frame_shapes/Tree/properties/inner", TEXT, "server update.inner was object, is string"),
    ("frame_shapes/Ping/required", ["id"], "client ping.id must be there now"),
    ("close_codes", [4002], "close_codes: 4001 is gone"),
    ("channels", [], "channels: /api/ws is gone"),
]  # fmt: skip

ADDED = [
    ("operations/GET ~1b", {"parameters": {}, "replies": {}, "roles": []}),
    (f"{OPERATION}/roles", ["admin", "operator", "viewer"]),
    (f"{OPERATION}/roles", []),
    (f"{OPERATION}/replies/404", None),
    (f"{OPERATION}/replies/409", {}),
    (f"{OPERATION}/parameters/query q", {"required": False, "schema": TEXT}),
    (f"{OPERATION}/parameters/query limit/schema/maximum", 5000),
    (f"{NOW}/album", MAYBE),
    (f"{NOW}/artist", TEXT),
    ("shapes/Now/required", ["title", "artist", "album"]),
    (f"{MOVE}/by", TEXT),
    (f"{MOVE}/when", {"enum": ["now", "next", "later"]}),
    (f"{MOVE}/row", MAYBE),
    (f"{MOVE}/fade_ms", {"type": "number", "maximum": 5000}),
    ("shapes/Move/required", []),
    ("frames/server more", {"$ref": "#/x/Tree"}),
    ("close_codes", [4001, 4002]),
]


@pytest.mark.parametrize(("path", "value", "problem"), BROKEN)
def test_what_clients_rely_on_may_not_change(path: str, value: Any, problem: str) -> None:
    new = copy.deepcopy(small())
    change(new, path, value)
    assert breaks(small(), new) == [problem]


@pytest.mark.parametrize(("path", "value"), ADDED)
def test_additions_pass(path: str, value: Any) -> None:
    new = copy.deepcopy(small())
    change(new, path, value)
    assert breaks(small(), new) == []


def test_a_renamed_member_is_gone_and_a_renamed_shape_is_not() -> None:
    new = copy.deepcopy(small())
    members = new["shapes"]["Now"]["properties"]
    members["name"] = members.pop("title")
    assert breaks(small(), new) == ["POST /a/{station} 200.title is gone"]
    new = copy.deepcopy(small())
    new["shapes"]["OnAir"] = new["shapes"].pop("Now")
    new["operations"]["POST /a/{station}"]["replies"]["200"]["application/json"] = {
        "$ref": "#/components/schemas/OnAir"
    }
    assert breaks(small(), new) == []


def test_the_text_says_what_broke_and_how_the_lock_is_renewed() -> None:
    text = explained(["GET /a is gone"])
    assert "GET /a is gone" in text
    assert RENEW in text


def test_the_lock_is_written_the_same_way_each_time() -> None:
    assert json.loads(written(small())) == small()
    assert written(small()) == written(json.loads(written(small())))
