from __future__ import annotations

from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import InvalidRequest
from radio.push.messages import (
    BadFrame,
    CloseCode,
    Error,
    Listen,
    Listening,
    Ping,
    Pong,
    Position,
    Snapshot,
    Subscribe,
    Unsubscribe,
    Update,
    Welcome,
    decode_message,
    decode_request,
    encode,
    encode_snapshot,
    may_come_back,
)
from radio.units import UtcMs

SESSION = UUID("6f1c8d2e-3b4a-4c5d-8e9f-0a1b2c3d4e5f")
MOMENT = UtcMs(1_800_000_000_000)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        (
            b'{"type": "subscribe", "id": 1, "stations": ["wxyz"], "since":{"wxyz": {"epoch":"e","seq":41}}}',
            Subscribe(id=1, stations=("wxyz",), since={"wxyz": Position("e", 41)}),
        ),
        (b'{"type":"subscribe","stations":["a","b"]}', Subscribe(stations=("a", "b"))),
        (b'{"type":"unsubscribe","id":3,"stations":["wxyz"]}', Unsubscribe(id=3, stations=("wxyz",))),
        (
            f'{{"type":"listen","id":2,"station":"wxyz","session":"{str(SESSION).upper()}"}}'.encode(),
            Listen(id=2, station="wxyz", session=SESSION),
        ),
        (b'{"type":"ping","id":4,"a later release":"adds this"}', Ping(id=4)),
    ],
)
def test_what_clients_say(text: bytes, request_: object) -> None:
    assert decode_request(text) == request_


@pytest.mark.parametrize(
    ("text", "code", "request_id"),
    [
        (b"", "invalid_json", None),
        (b"{", "invalid_json", None),
        (b"\xff\xfe", "invalid_json", None),
        (b"[" * 4000, "invalid_json", None),
        (b'{"type":"ping","id":1e999}', "invalid_json", None),
        (b"[]", "unknown_type", None),
        (b'"ping"', "unknown_type", None),
        (b'{"id":7}', "unknown_type", 7),
        (b'{"type":"publish","id":7}', "unknown_type", 7),
        (b'{"type":null,"id":true}', "unknown_type", None),
        (b'{"type":"subscribe","id":7}', "invalid_request", 7),
        (b'{"type":"subscribe","id":7,"stations":[]}', "invalid_request", 7),
        (b'{"type":"subscribe","id":7,"stations":"wxyz"}', "invalid_request", 7),
        (b'{"type":"subscribe","id":-7,"stations":["a"]}', "invalid_request", None),
        (b'{"type":"subscribe","id":"x","stations":["a"]}', "invalid_request", None),
        (b'{"type":"subscribe","stations":["' + b"a" * 65 + b'"]}', "invalid_request", None),
        (
            b'{"type":"subscribe","stations":["a"],"since":{"a":{"epoch":"e","seq":-1}}}',
            "invalid_request",
            None,
        ),
        (b'{"type":"listen","id":0,"station":"a","session":"no uuid"}', "invalid_request", 0),
    ],
)
def test_what_clients_must_not_say(text: bytes, code: str, request_id: int | None) -> None:
    with pytest.raises(BadFrame) as refused:
        decode_request(text)
    assert (refused.value.answer.code, refused.value.answer.id) == (code, request_id)
    assert refused.value.answer.message


def test_more_stations_than_a_connection_may_follow_are_refused() -> None:
    with pytest.raises(BadFrame):
        decode_request(msgspec.json.encode({"type": "subscribe", "stations": [f"s{n}" for n in range(201)]}))


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
near_requests = st.fixed_dictionaries(
    {"type": st.sampled_from(["subscribe", "unsubscribe", "listen", "ping", "x"]) | json_like},
    optional={
        "id": json_like,
        "stations": json_like,
        "since": json_like,
        "station": json_like,
        "session": json_like,
    },
)


@given(st.binary(max_size=60) | near_requests.map(msgspec.json.encode))
def test_any_bytes_are_a_request_or_get_an_answer(text: bytes) -> None:
    try:
        request: object = decode_request(text)
        again: object = decode_request(encode(decode_request(text)))
    except BadFrame as refused:
        request, again = refused.answer, decode_message(encode(refused.answer))
    assert again == request


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            Welcome(protocol=1, epoch="e", server_time_ms=MOMENT, heartbeat_s=25),
            '{"type":"welcome","protocol":1,"epoch":"e","server_time_ms":1800000000000,"heartbeat_s":25}',
        ),
        (
            Update(station="wxyz", seq=58, at_ms=MOMENT, changed=("now",), patch={"now": None}),
            '{"type":"update","station":"wxyz","seq":58,"at_ms":1800000000000,"changed":["now"],"patch":{"now":null}}',
        ),
        (
            Listening(id=2, session=str(SESSION), station="wxyz", stream_time_ms=MOMENT),
            f'{{"type":"listening","id":2,"session":"{SESSION}","station":"wxyz","stream_time_ms":1800000000000}}',
        ),
        (Pong(id=0, server_time_ms=MOMENT), '{"type":"pong","id":0,"server_time_ms":1800000000000}'),
        (
            Error(id=1, code="unknown_station", message="…"),
            '{"type":"error","id":1,"code":"unknown_station","message":"…"}',
        ),
    ],
)
def test_what_the_server_says(message: Welcome, text: str) -> None:
    assert encode(message).decode() == text
    assert decode_message(text) == message


def test_a_snapshot_is_built_around_an_encoded_state() -> None:
    text = encode_snapshot("wxyz", "e", 57, b'{"now":null}', request_id=1)
    assert text == b'{"type":"snapshot","id":1,"station":"wxyz","epoch":"e","seq":57,"state":{"now":null}}'
    assert decode_message(text) == Snapshot(id=1, station="wxyz", epoch="e", seq=57, state={"now": None})


def test_a_client_passes_over_what_a_later_release_adds() -> None:
    assert decode_message('{"type":"weather","sky":"blue"}') is None
    assert decode_message('{"type":"pong","server_time_ms":1,"leap":true}') == Pong(server_time_ms=UtcMs(1))


@pytest.mark.parametrize("text", ["{}", "[1]", "", '{"type":"pong"}', '{"type":"update","seq":"x"}'])
def test_a_client_is_told_when_the_server_makes_no_sense(text: str) -> None:
    with pytest.raises(InvalidRequest, match="not understood"):
        decode_message(text)


def test_close_codes_say_whether_to_come_back() -> None:
    assert all(may_come_back(code) for code in CloseCode if code < 4500)
    assert not may_come_back(CloseCode.BAD_REQUESTS)
    assert [may_come_back(code) for code in (1000, 1001, 1006, 1011, 1003, 1008)] == [True] * 4 + [False] * 2
