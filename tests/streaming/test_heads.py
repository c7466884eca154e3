from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.streaming.heads import (
    MAX_HEAD_BYTES,
    HeadError,
    RequestHead,
    head_end,
    may_become_request,
    parse_head,
    parse_request_line,
    problem,
    response,
    response_head,
)

TOKEN = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=20)
VALUE = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40)


def head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def refused(data: bytes) -> int:
    with pytest.raises(HeadError) as caught:
        parse_head(data)
    return int(caught.value.status)


def read_or_status(data: bytes) -> RequestHead | int:
    try:
        return parse_head(data)
    except HeadError as error:
        return int(error.status)


def test_reads_a_players_request():
    parsed = parse_head(
        head("GET /listen/wxyz/live.mp3?session=1&a=b HTTP/1.1", "Host: radio.example", "Icy-MetaData:1 \t")
    )
    assert (parsed.line.method, parsed.line.path) == ("GET", "/listen/wxyz/live.mp3")
    assert (parsed.line.query, parsed.line.version) == ("session=1&a=b", "HTTP/1.1")
    assert parsed.first("ICY-metadata") == "1"
    assert parsed.first("range") is None


def test_keeps_repeats_in_order_and_joins_tokens():
    parsed = parse_head(head("GET / HTTP/1.0", "Upgrade: h2c", "X: 1", "upgrade: WebSocket, foo ,"))
    assert parsed.every("Upgrade") == ["h2c", "WebSocket, foo ,"]
    assert parsed.tokens("upgrade") == {"h2c", "websocket", "foo"}


@given(st.lists(st.tuples(TOKEN, VALUE), max_size=30))
def test_every_sound_field_comes_back(fields):
    fields = [(f"x-{name}", value.strip(" \t")) for name, value in fields]
    parsed = parse_head(head("GET / HTTP/1.0", *(f"{name}: {value}" for name, value in fields)))
    assert parsed.fields == tuple((name.lower(), value) for name, value in fields)


@given(st.binary(max_size=300))
def test_garbage_is_refused_or_read_and_nothing_else(data):
    for candidate in (data, b"GET / HTTP/1.1\r\nHost: a\r\n" + data + b"\r\n\r\n"):
        head_or_status = read_or_status(candidate)
        if isinstance(head_or_status, int):
            assert head_or_status in (400, 414, 431, 505)
        else:
            said = "".join(name + value for name, value in head_or_status.fields)
            assert not {"\r", "\n", "\0"} & set(said)


@pytest.mark.parametrize(
    "line",
    [
        b"X: a\rb",
        b"X: a\nb",
        b"X: a\0b",
        b" folded",
        b"\tfolded",
        b"X : a",
        b"X",
        b": a",
        b"X\x80: a",
        b"X: \x7f",
        b"Host: b",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Content-Length: +1",
        b"Content-Length: \xb2",
        b"Content-Length: 1\r\nTransfer-Encoding: chunked",
    ],
)
def test_two_meanings_are_refused(line):
    assert refused(b"GET / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n\r\n") == 400


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /", 400),
        (b"GET  / HTTP/1.1", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b"G@T / HTTP/1.1", 400),
        (b"GET / http/1.1", 400),
        (b"GET live.mp3 HTTP/1.1", 400),
        (b"GET * HTTP/1.1", 400),
        (b"CONNECT host:80 HTTP/1.1", 400),
        (b"GET /\xc3\xa9 HTTP/1.1", 400),
        (b"GET / HTTP/2.0", 505),
        (b"GET / HTTP/1.2", 505),
        (b"GET / ICE/1.0", 505),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1", 414),
        (b"A" * 33 + b" / HTTP/1.1", 400),
    ],
)
def test_request_lines_that_are_not_taken(line, status):
    with pytest.raises(HeadError) as caught:
        parse_request_line(line)
    assert caught.value.status == status


def test_other_forms_of_the_target():
    assert parse_request_line(b"OPTIONS * HTTP/1.1").path == "*"
    absolute = parse_request_line(b"GET HTTP://radio.example/a?b=/c HTTP/1.1")
    assert (absolute.path, absolute.query) == ("/a", "b=/c")
    assert parse_request_line(b"GET http://radio.example?x HTTP/1.1").path == "/"
    assert parse_request_line(b"SOURCE /source/wxyz ICE/1.0").version == "ICE/1.0"


def test_http_1_1_needs_a_host_and_1_0_does_not():
    assert refused(b"GET / HTTP/1.1\r\n\r\n") == 400
    assert parse_head(b"GET / HTTP/1.0\r\n\r\n").fields == ()
    assert refused(head("POST / HTTP/1.0", "Transfer-Encoding: chunked")) == 400


def test_limits():
    assert refused(head("GET / HTTP/1.0", *(f"X: {n}" for n in range(101)))) == 431
    assert len(parse_head(head("GET / HTTP/1.0", *(f"X: {n}" for n in range(100)))).fields) == 100
    assert refused(head("GET / HTTP/1.0", "X: " + "a" * MAX_HEAD_BYTES)) == 431
    assert refused(b"GET / HTTP/1.0\n\n") == 400


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_the_end_is_found_however_the_head_arrives(before, after):
    data = before.replace(b"\n", b"") + b"\r\n\r\n" + after
    whole = head_end(data)
    seen = 0
    for size in range(1, len(data) + 1):
        end = head_end(data[:size], seen)
        seen = size
        if end >= 0:
            break
    assert end == whole > 0


@given(TOKEN, st.binary(max_size=60))
def test_what_may_become_a_request(method, rest):
    start = method.encode() + b" /"
    assert all(may_become_request(start[:size]) for size in range(len(start) + 1))
    assert may_become_request(start + rest)


@pytest.mark.parametrize("start", [b"\x16\x03\x01\x02\x00", b"\r", b" GET", b"A" * 40, b"GE\0"])
def test_what_cannot_become_a_request(start):
    assert not may_become_request(start)


@given(st.text(max_size=60))
def test_no_value_breaks_out_of_its_line(value):
    made = response_head(200, [("icy-name", value), ("X", "1")])
    assert made.count(b"\r\n") == 4
    assert made.endswith(b"\r\nX: 1\r\n\r\n")
    assert b"\n" not in made.replace(b"\r\n", b"")


def test_whole_responses():
    assert response(204).endswith(b"204 No Content\r\nConnection: close\r\n\r\n")
    said, _, body = problem(404, "unknown_mount", "No \N{SNOWMAN} here.", version="HTTP/1.0").partition(
        b"\r\n\r\n"
    )
    assert said.startswith(b"HTTP/1.0 404 Not Found\r\nContent-Type: application/problem+json\r\n")
    assert f"Content-Length: {len(body)}\r\n".encode() in said
    assert json.loads(body) == {
        "type": "about:blank#unknown_mount",
        "title": "Unknown mount",
        "status": 404,
        "code": "unknown_mount",
        "detail": "No \N{SNOWMAN} here.",
    }
    assert problem(404, "a", "b", head_only=True).endswith(b"\r\n\r\n")
