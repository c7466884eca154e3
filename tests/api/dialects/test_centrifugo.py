"""Centrifugo's protocol as bytes: both ways of speaking it, and everything wrong."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.api.dialects.centrifugo import (
    CHANNELS_LIMIT,
    Code,
    Refused,
    Talk,
    disconnect,
    pushed,
    read_connect,
    within_push,
)
from radio.push.messages import Position
from radio.units import UtcMs

DATA = b'{"np":{},"triggers":[],"current_time":1733343440}'
HERE = Position("1732495578", 41)


class Stations:
    """A source with any number of stations, all in one state."""

    def station_of(self, channel: str) -> str | None:
        name = channel.removeprefix("station:")
        return name if channel.startswith("station:") and name.startswith("wxyz") else None

    def newest(self, station: str) -> tuple[Position, bytes]:
        return HERE, DATA

    def now_ms(self) -> UtcMs:
        return UtcMs(1733343446594)


def talk() -> Talk:
    return Talk(Stations(), client="eda818ff", session="ab82be59")


def said(answers: Any) -> list[Any]:
    return [json.loads(answer) for answer in answers]


def test_one_way_the_first_answer_is_the_connect_push_with_the_state() -> None:
    one = talk()
    (connect,) = said(one.receive(b'{"subs":{"station:wxyz":{"recover":true}}}'))
    assert list(connect) == ["connect"]
    assert list(connect["connect"]) == ["client", "version", "subs", "ping", "session", "time"]
    assert connect["connect"]["subs"] == {
        "station:wxyz": {
            "recoverable": True,
            "epoch": "1732495578",
            "positioned": True,
            "offset": 41,
            "recovered": True,
            "was_recovering": True,
            "publications": [{"data": json.loads(DATA), "offset": 41}],
        }
    }
    assert (connect["connect"]["ping"], connect["connect"]["time"]) == (25, 1733343446594)
    assert one.channels == {"wxyz": "station:wxyz"}
    assert list(one.receive(b"{}")) == list(one.receive(b"what?")) == []


def test_without_recover_nothing_is_sent_at_first_nor_to_who_has_it_already() -> None:
    bare = said(talk().receive(b'{"subs":{"station:wxyz":{}}}'))[0]["connect"]["subs"]["station:wxyz"]
    assert bare == {"recoverable": True, "epoch": "1732495578", "positioned": True, "offset": 41}
    held = b'{"subs":{"station:wxyz":{"recover":true,"epoch":"1732495578","offset":41}}}'
    again = said(talk().receive(held))[0]["connect"]["subs"]["station:wxyz"]
    assert again["recovered"]
    assert "publications" not in again
    lying = b'{"subs":{"station:wxyz":{"recover":true,"epoch":"1732495578","offset":900}}}'
    assert said(talk().receive(lying))[0]["connect"]["subs"]["station:wxyz"]["publications"]


def test_pushes_have_the_bytes_of_the_original() -> None:
    push = pushed("station:wxyz", DATA, 42)
    assert push == b'{"channel":"station:wxyz","pub":{"data":' + DATA + b',"offset":42}}'
    assert within_push(push) == b'{"push":' + push + b"}"
    assert disconnect(Code.SHUTDOWN, "shutdown") == b'{"disconnect":{"code":3001,"reason":"shutdown"}}'


def test_two_ways_several_commands_stand_in_one_frame() -> None:
    one = talk()
    frame = (
        b'{"id":1,"connect":{"name":"js","version":"5","data":{"a":[1]}}}\n'
        b'{"id":2,"subscribe":{"channel":"station:wxyz","recover":true,"flag":1}}\n'
        b'{"id":3,"subscribe":{"channel":"station:wxyz2"}}\n\n'
    )
    connect, first, second = said(one.receive(frame))
    assert (connect["id"], connect["connect"]["pong"], connect["connect"]["subs"]) == (1, True, {})
    assert (first["id"], first["subscribe"]["publications"][0]["offset"]) == (2, 41)
    assert "publications" not in second["subscribe"]
    assert one.is_two_way
    assert list(one.channels) == ["wxyz", "wxyz2"]
    assert said(one.receive(b'{"id":4,"unsubscribe":{"channel":"station:wxyz"}}')) == [
        {"id": 4, "unsubscribe": {}}
    ]
    assert list(one.channels) == ["wxyz2"]
    assert list(one.receive(b"{}")) == [], "an answer to a ping"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b'{"id":9,"subscribe":{"channel":"station:nobody"}}', 102),
        (b'{"id":9,"subscribe":{"channel":"chat"}}', 102),
        (b'{"id":9,"publish":{"channel":"station:wxyz","data":{}}}', 104),
        (b'{"id":9,"rpc":{"method":"x"}}', 104),
        (b'{"id":9,"history":{"channel":"station:wxyz"}}', 104),
        (b'{"id":9,"subscribe":{"channel":"station:wxyz"}}', 105),
    ],
)
def test_a_command_that_cannot_be_met_is_answered_and_the_talk_goes_on(command: bytes, code: int) -> None:
    one = talk()
    list(one.receive(b'{"id":1,"connect":{"subs":{"station:wxyz":{}}}}'))
    (error,) = said(one.receive(command))
    assert (error["id"], error["error"]["code"]) == (9, code)
    assert said(one.receive(b'{"id":10,"subscribe":{"channel":"station:wxyz2"}}'))[0]["id"] == 10


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"7",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b'{"subs":{}}',
        b'{"subs":[]}',
        b'{"subs":{"station:wxyz":null}}',
        b'{"subs":{"station:wxyz":{"offset":"x"}}}',
        b'{"subs":{"station:nobody":{"recover":true}}}',
        b'{"id":1}',
        b'{"id":-1,"connect":{}}',
        b'{"id":"1","connect":{}}',
        b'{"id":1,"method":1,"params":{}}',
        b'{"connect":{}}',
        b'{"id":1,"subscribe":{"channel":"station:wxyz"}}',
        b'{"id":1,"connect":{}}\n{"id":2,"connect":{}}',
        b'{"id":1,"connect":{}}\n{"subscribe":{"channel":"station:wxyz"}}',
        b'{"id":1,"connect":{}}\nnonsense',
        b"[" * 10_000,
        b'{"id":1' + b"0" * 400 + b',"connect":{}}',
    ],
)
def test_what_makes_no_sense_ends_the_connection_for_good(frame: bytes) -> None:
    one = talk()
    if not frame.strip():
        assert list(one.receive(frame)) == []
        return
    with pytest.raises(Refused) as refused:
        list(one.receive(frame))
    assert refused.value.code == Code.BAD_REQUEST


def test_the_number_of_channels_is_bounded() -> None:
    many = {f"station:wxyz{n}": {"recover": False} for n in range(CHANNELS_LIMIT + 1)}
    text = json.dumps({"subs": many}).encode()
    for refuse in (lambda: list(talk().receive(text)), lambda: read_connect(text)):
        with pytest.raises(Refused) as refused:
            refuse()
        assert refused.value.code == Code.CHANNEL_LIMIT
    one = talk()
    list(one.receive(b'{"id":1,"connect":{}}'))
    for number in range(CHANNELS_LIMIT):
        list(one.receive(b'{"id":2,"subscribe":{"channel":"station:wxyz%d"}}' % number))
    assert said(one.receive(b'{"id":3,"subscribe":{"channel":"station:wxyz"}}'))[0]["error"]["code"] == 106


def test_channels_that_are_not_known_are_left_out_beside_one_that_is() -> None:
    wanted = b'{"subs":{"station:nobody":{"recover":true},"station:wxyz":{"recover":true}}}'
    assert list(said(talk().receive(wanted))[0]["connect"]["subs"]) == ["station:wxyz"]


@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
def test_no_bytes_do_more_than_end_the_talk(frame: bytes) -> None:
    for first in (b"", b'{"id":1,"connect":{}}'):
        one = talk()
        list(one.receive(first))
        with suppress(Refused):
            said(one.receive(frame))
