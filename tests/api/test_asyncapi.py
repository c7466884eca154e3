from __future__ import annotations

import json
from typing import Any, get_args
from uuid import uuid4

import msgspec
import pytest
from desk_house import desk_state, row
from json_schema import faults

from radio.api import desk_messages as d
from radio.api.asyncapi import CLOSE_CODES, ERROR_CODES, asyncapi
from radio.api.command_shapes import RowView
from radio.api.openapi import About
from radio.api.shapes import NOON_MS, STATION_EXAMPLE, EventsQuery
from radio.log import Outcome
from radio.push import messages as m
from radio.store.operators import Role

STATE = msgspec.to_builtins(STATION_EXAMPLE)
FRAMES: list[Any] = [
    m.Welcome(protocol=1, epoch="e", server_time_ms=NOON_MS, heartbeat_s=25),
    m.Snapshot(id=1, station="harbor", epoch="e", seq=1, state=STATE),
    m.Snapshot(station="harbor", epoch="e", seq=1, state=STATE),
    m.Update(station="harbor", seq=2, at_ms=NOON_MS, changed=("now",), patch={"now": None}),
    m.Listening(id=2, session=str(uuid4()), station="harbor", stream_time_ms=NOON_MS),
    m.Pong(id=3, server_time_ms=NOON_MS),
    m.Error(id=4, code=m.ErrorCode.UNKNOWN_STATION, message="There is no such station."),
]
REQUESTS: list[Any] = [
    m.Subscribe(id=1, stations=("harbor",), since={"harbor": m.Position("e", 4)}),
    m.Unsubscribe(stations=("harbor",)),
    m.Listen(id=2, station="harbor", session=uuid4()),
    m.Ping(id=3),
]


DESK_TYPES = {
    *("welcome", "desk", "desk_update", "levels", "as_run", "revision", "lost", "pong", "error"),
    *("sign_in", "watch", "ping"),
}
ROW = row()
DESK_FRAMES: list[Any] = [
    d.DeskWelcome(
        protocol=1, server_time_ms=NOON_MS, heartbeat_s=25, name="desk", role="viewer", stations=["harbor"]
    ),
    d.Desk(id=1, station="harbor", seq=1, state=desk_state()),
    d.Desk(station="harbor", seq=1, state=desk_state(on_air=None, lead_s=None)),
    d.DeskUpdate(station="harbor", seq=2, at_ms=NOON_MS, changed=("hold",), patch={"hold": None}),
    d.Levels(
        station="harbor", at_ms=NOON_MS, rms_db=-20.1, true_peak_db=-3.0, momentary_lufs=-18.0, silent_ms=0,
        lead_s=5.0,
    ),
    d.AsRun(
        station="harbor", at_ms=NOON_MS, row=RowView.of(ROW) or ROW, played_ms=1, outcome=Outcome.AIRED, cause=""
    ),
    d.Revised(
        station="harbor", number=1, operator="desk", at_ms=NOON_MS, action="edit", why="", version="v1"
    ),
    d.Lost(station="harbor", count=3),
    d.DeskPong(id=1, server_time_ms=NOON_MS),
    d.DeskError(id=1, code="forbidden", message="no"),
    d.SignIn(token="nu_…"),
    d.Watch(id=1, stations=("harbor",), levels=False),
    d.Watch(stations=()),
    d.DeskPing(id=1),
]  # fmt: skip


def document(server: str = "/") -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(asyncapi(About(version="1.2.3", server=server))))
    return made


@pytest.mark.parametrize("frame", FRAMES + REQUESTS)
def test_every_frame_meets_its_schema(frame: Any) -> None:
    push = document()
    sent = json.loads(m.encode(frame))
    payload = push["components"]["messages"][sent["type"]]["payload"]
    assert faults(sent, payload, push["components"]["schemas"], closed=True) == []


@pytest.mark.parametrize("frame", DESK_FRAMES)
def test_every_frame_of_a_desk_meets_its_schema(frame: Any) -> None:
    push = document()
    sent = json.loads(d.encode_frame(frame))
    payload = push["components"]["messages"][f"desk.{sent['type']}"]["payload"]
    assert faults(sent, payload, push["components"]["schemas"], closed=True) == []


def test_a_desk_is_told_of_every_role_by_its_name() -> None:
    assert set(get_args(d.RoleName)) == {*Role}


def test_a_snapshot_has_the_whole_state() -> None:
    push = document()
    frame = {"type": "snapshot", "station": "x", "epoch": "e", "seq": 1, "state": {**STATE, "now": 5}}
    payload = push["components"]["messages"]["snapshot"]["payload"]
    assert any("$.state.now" in one for one in faults(frame, payload, push["components"]["schemas"]))


def test_all_frames_and_codes_are_told() -> None:
    push = document()
    types = {one.__name__.lower() for one in (*get_args(m.ServerMessage), *get_args(m.ClientMessage))}
    desk_types = {f"desk.{name}" for name in DESK_TYPES}
    assert set(push["components"]["messages"]) == types | desk_types
    assert set(push["channels"]["socket"]["messages"]) == types
    assert set(push["channels"]["desk"]["messages"]) == desk_types
    assert {*m.CloseCode} <= set(CLOSE_CODES)
    assert set(ERROR_CODES) == {*m.ErrorCode}
    told = {one["code"]: one["come_back"] for one in push["channels"]["socket"]["x-close-codes"]}
    assert all(come_back == m.may_come_back(code) for code, come_back in told.items())
    desk_codes = {one["code"]: one["come_back"] for one in push["channels"]["desk"]["x-close-codes"]}
    assert {*d.DeskCloseCode} <= set(desk_codes)
    assert all(come_back == m.may_come_back(code) for code, come_back in desk_codes.items())
    desk_errors = {one["code"] for one in push["channels"]["desk"]["x-error-codes"]}
    assert desk_errors == {*d.DeskErrorCode}
    assert push["x-heartbeat-s"] == m.HEARTBEAT_S


def test_each_request_says_what_answers_it() -> None:
    operations = document()["operations"]
    answers = {
        name: [one["$ref"].rpartition("/")[2] for one in operation.get("reply", {}).get("messages", ())]
        for name, operation in operations.items()
        if operation["action"] == "receive"
    }
    assert answers == {
        "receiveSubscribe": ["snapshot", "update", "error"],
        "receiveUnsubscribe": [],
        "receiveListen": ["listening", "error"],
        "receivePing": ["pong", "error"],
        "receiveSignIn": ["desk.welcome"],
        "receiveWatch": [
            *("desk.desk", "desk.desk_update", "desk.levels", "desk.as_run"),
            *("desk.revision", "desk.lost", "desk.error"),
        ],
        "receiveDeskPing": ["desk.pong", "desk.error"],
    }


@pytest.mark.parametrize(
    ("server", "host", "protocols"),
    [
        ("/", "localhost:8000", ["ws", "http"]),
        ("http://radio.example:8080", "radio.example:8080", ["ws", "http"]),
        ("https://radio.example", "radio.example", ["wss", "https"]),
    ],
)
def test_clients_are_told_where_to_connect(server: str, host: str, protocols: list[str]) -> None:
    servers = list(document(server)["servers"].values())
    assert [one["host"] for one in servers] == [host, host]
    assert [one["protocol"] for one in servers] == protocols


def test_an_event_stream_is_asked_for_as_the_http_contract_says() -> None:
    query = document()["operations"]["sendEvents"]["bindings"]["http"]["query"]
    assert set(query["properties"]) == set(EventsQuery.__struct_fields__)
    assert query["required"] == ["stations"]
    sent = document()["channels"]["events"]["messages"]
    assert set(sent) == {"welcome", "snapshot", "update", "listening"}
