"""Plain frames and handshakes, with two other implementations of RFC 6455 as oracles."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.frames import Opcode as RfcOpcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection
from wsproto.events import AcceptConnection, CloseConnection, Message, Ping, Pong
from wsproto.events import Request as WsRequest
from wsproto.utilities import RemoteProtocolError

from radio.push.frames import PING, Opcode, pong_frame, read_frame, text_frame
from radio.push.handshake import accepted
from radio.push.wire import Wire, answer

LIMIT = 4096
KINDS = {RfcOpcode.TEXT: Opcode.TEXT, RfcOpcode.PING: Opcode.PING, RfcOpcode.PONG: Opcode.PONG}


def client_frame(first: int, payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + struct.pack("!H", size)
    return bytes((first,)) + length + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


masks = st.binary(min_size=4, max_size=4)
texts = st.text(max_size=200).map(str.encode) | st.binary(max_size=40)
plain = st.builds(client_frame, st.just(0x81), texts, masks) | st.builds(
    client_frame, st.sampled_from([0x89, 0x8A]), st.binary(max_size=125), masks
)
any_frame = st.builds(client_frame, st.integers(0, 255), texts | st.binary(min_size=126, max_size=300), masks)
close = st.builds(
    lambda code, reason, mask: client_frame(0x88, struct.pack("!H", code) + reason, mask),
    st.integers(0, 6000),
    st.text(max_size=20).map(str.encode) | st.binary(max_size=4),
    masks,
)
conversation = st.lists(plain | any_frame | close, min_size=1, max_size=6).map(b"".join)
noise = st.binary(max_size=60)


def ours(data: bytes, cuts: list[int]) -> tuple[list[tuple[int, bytes]], int | None]:
    """What a connection of ours makes of ``data``, read in pieces: its messages, and its close code."""
    heard: list[tuple[int, bytes]] = []
    wire: Wire | None = None
    closed: int | None = None
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in zip(places, places[1:], strict=False):
        piece, at = data[start:end], 0
        while wire is None and at < len(piece):
            frame = read_frame(piece, at, text_bytes=LIMIT)
            if frame is None:
                wire = Wire(message_bytes=LIMIT)
            else:
                at = frame.end
                if frame.opcode is Opcode.TEXT:
                    heard.append((RfcOpcode.TEXT, frame.payload))
        if wire is not None and at < len(piece):
            for whole in wire.receive(piece[at:]):
                message = wire.message(whole)
                if message is not None:
                    heard.append((int(message[0]), message[1]))
            output, _ = wire.take_output()
            closed = closed or close_code(output)
    return heard, closed


def close_code(output: bytes) -> int | None:
    at = 0
    while at + 2 <= len(output):
        size = output[at + 1]
        if output[at] == 0x88:
            return struct.unpack("!H", output[at + 2 : at + 4])[0] if size else 1005
        at += 2 + size
    return None


def theirs(data: bytes) -> tuple[list[tuple[int, bytes]], int | None]:
    """The same by the whole protocol of ``websockets``, read in one piece."""
    protocol = ServerProtocol(state=State.OPEN, max_size=LIMIT)
    protocol.receive_data(data)
    heard: list[tuple[int, bytes]] = []
    opcode, message = RfcOpcode.TEXT, b""
    for event in protocol.events_received():
        assert isinstance(event, Frame)
        if event.opcode in (RfcOpcode.TEXT, RfcOpcode.BINARY):
            opcode, message = event.opcode, b""
        elif event.opcode is not RfcOpcode.CONT:
            continue
        message += bytes(event.data)
        if event.fin:
            heard.append((int(opcode), message))
    return heard, close_code(b"".join(protocol.data_to_send()))


@settings(max_examples=400, deadline=None)
@given(conversation | noise, st.lists(st.integers(0, 5000), max_size=4))
@example(client_frame(0x81, b"a", b"abcd") + client_frame(0x01, b"b", b"abcd"), [1])
@example(b"\x81\xfe\x00\x01abcdX", [])
def test_any_bytes_in_any_pieces_mean_what_websockets_says(data: bytes, cuts: list[int]) -> None:
    assert ours(data, cuts) == theirs(data)


def by_wsproto(data: bytes) -> tuple[list[Any], bool]:
    connection = Connection(ConnectionType.SERVER)
    heard: list[Any] = []
    connection.receive_data(data)
    try:
        for event in connection.events():
            if isinstance(event, CloseConnection):
                return heard, True
            if isinstance(event, Message | Ping | Pong):
                heard.append(event)
    except RemoteProtocolError:
        return heard, True
    return heard, False


@settings(max_examples=200, deadline=None)
@given(st.lists(plain, min_size=1, max_size=5))
def test_plain_frames_mean_what_wsproto_says(frames: list[bytes]) -> None:
    data, at, read = b"".join(frames), 0, []
    while at < len(data):
        frame = read_frame(data, at, text_bytes=LIMIT)
        assert frame is not None
        read.append((frame.opcode, frame.payload))
        at = frame.end
    whole = [frame for frame in read if frame[0] is not Opcode.TEXT or is_text(frame[1])]
    heard, ended = by_wsproto(data)
    if len(whole) == len(read):
        assert not ended
        texts_heard = "".join(event.data for event in heard if isinstance(event, Message))
        assert texts_heard == "".join(payload.decode() for kind, payload in read if kind is Opcode.TEXT)
        assert [bytes(event.payload) for event in heard if isinstance(event, Ping)] == [
            payload for kind, payload in read if kind is Opcode.PING
        ]
    else:
        assert ended


def is_text(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(st.binary(max_size=300) | st.sampled_from([125, 126, 127, 65_535, 65_536]).map(bytes))
def test_frames_to_clients_are_those_of_websockets(payload: bytes) -> None:
    assert text_frame(payload) == Frame(RfcOpcode.TEXT, payload).serialize(mask=False)
    short = payload[:125]
    assert pong_frame(short) == Frame(RfcOpcode.PONG, short).serialize(mask=False)
    assert Frame(RfcOpcode.PING, b"").serialize(mask=False) == PING


names = st.sampled_from(
    ["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Origin", "Cookie",
     "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Content-Length", "Transfer-Encoding", "X y", "Bad:"]
)  # fmt: skip
values = st.sampled_from(
    ["websocket", "WebSocket", "h2c, websocket", "Upgrade", "keep-alive, Upgrade", "keep-alive , upgrade", "close",
     "Upgrade,", ",Upgrade", "up grade", "13", "8", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZR==", "c2hvcnQ=",
     "0", "5", "chunked", "x;q=1", "\xe9", "", "  13\t", "https://radio.example", "deflate", "\""])  # fmt: skip
good = [
    ("Host", "radio.example"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]
fields = st.tuples(
    st.sets(st.integers(0, 4), max_size=2), st.lists(st.tuples(names, values), max_size=4)
).map(lambda drawn: [field for at, field in enumerate(good) if at not in drawn[0]] + drawn[1])
lines = st.sampled_from(
    ["GET /api/ws HTTP/1.1", "GET /api/ws?a=b HTTP/1.1", "POST /api/ws HTTP/1.1", "GET /api/ws HTTP/1.0",
     "GET  /api/ws HTTP/1.1", "GET /\xe9 HTTP/1.1", "GET /api/ws HTTP/2", "get /api/ws HTTP/1.1", ""])  # fmt: skip


def head_of(line: str, given_fields: list[tuple[str, str]]) -> bytes:
    return "\r\n".join([line, *(f"{name}: {value}" for name, value in given_fields), "", ""]).encode(
        "latin-1"
    )


@settings(max_examples=500, deadline=None)
@given(lines, st.permutations(good) | fields)
def test_a_handshake_is_taken_only_as_websockets_takes_it(
    line: str, given_fields: list[tuple[str, str]]
) -> None:
    head = head_of(line, given_fields)
    said = accepted(head)
    if said is None:
        return
    oracle, opens = answer(head)
    assert opens
    assert answer_fields(oracle) - {b"date"} == answer_fields(said)
    assert accept_of(oracle) == accept_of(said)


def test_what_browsers_send_is_taken_at_once_and_wsproto_agrees() -> None:
    head = head_of("GET /api/ws HTTP/1.1", [*good, ("Origin", "https://a.example"), ("Cookie", "a=\xe9")])
    said = accepted(head)
    assert said is not None
    server = WSConnection(ConnectionType.SERVER)
    server.receive_data(head_of("GET /api/ws HTTP/1.1", good))
    assert [type(event) for event in server.events()] == [WsRequest]
    assert accept_of(server.send(AcceptConnection())) == accept_of(said) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def answer_fields(said: bytes) -> set[bytes]:
    return {line.partition(b":")[0].lower() for line in said.split(b"\r\n")[1:] if line}


def accept_of(said: bytes) -> bytes:
    (value,) = [
        line.partition(b":")[2].strip()
        for line in said.split(b"\r\n")
        if line.lower().startswith(b"sec-websocket-accept:")
    ]
    return value
