"""RFC 6455 over raw sockets, case by case, through the same entrance as in the service."""

from __future__ import annotations

import asyncio
import struct

import pytest
from push_house import ACCEPT, CLOSE, CONT, FIN, NOW, PING, PONG, REQUEST, TEXT, frame, open_house, raw, say
from push_loops import both_loops

from radio.push.messages import CloseCode

ASK = say(type="ping", id=7).encode()
ANSWER = {"type": "pong", "id": 7, "server_time_ms": NOW}


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


def long_form(first: int, payload: bytes, form: int) -> bytes:
    """A masked frame whose length takes more bytes than it needs."""
    size = struct.pack("!BBH" if form == 126 else "!BBQ", first, 0x80 | form, len(payload))
    return size + bytes(4) + payload


def split(text: bytes, *at: int) -> bytes:
    """``text`` as a fragmented message, cut at the places given."""
    cuts = [0, *at, len(text)]
    parts = [text[start:end] for start, end in zip(cuts, cuts[1:], strict=False)]
    opcodes = [0x01] + [0x00] * (len(parts) - 1)
    return b"".join(
        frame(opcode | (FIN if number == len(parts) - 1 else 0), part)
        for number, (opcode, part) in enumerate(zip(opcodes, parts, strict=True))
    )


ENDS = {
    # 5.1: masking
    "text that is not masked": (frame(TEXT, ASK, masked=False), 1002),
    "ping that is not masked": (frame(PING, b"x", masked=False), 1002),
    "close that is not masked": (frame(CLOSE, b"\x03\xe8", masked=False), 1002),
    "empty text that is not masked": (frame(TEXT, masked=False), 1002),
    # 5.2: reserved bits and opcodes
    "RSV1 on text": (frame(TEXT | 0x40, ASK), 1002),
    "RSV2 on text": (frame(TEXT | 0x20, ASK), 1002),
    "RSV3 on text": (frame(TEXT | 0x10, ASK), 1002),
    "all RSV on text": (frame(TEXT | 0x70, ASK), 1002),
    "RSV1 on ping": (frame(PING | 0x40), 1002),
    "RSV3 on close": (frame(CLOSE | 0x10), 1002),
    "RSV1 on a continuation": (frame(0x01, b"{") + frame(CONT | 0x40, b"}"), 1002),
    **{
        f"opcode {opcode:x}": (frame(FIN | opcode, b"x"), 1002)
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    # 5.4: fragments
    "continuation of nothing": (frame(CONT, ASK), 1002),
    "fragment of nothing": (frame(0x00, ASK), 1002),
    "continuation after a whole message": (frame(TEXT, ASK) + frame(CONT, b"x"), 1002),
    "text within a message": (frame(0x01, b"{") + frame(TEXT, b"}"), 1002),
    "binary within a message": (frame(0x01, b"{") + frame(0x82, b"}"), 1002),
    "new fragments within a message": (frame(0x01, b"{") + frame(0x01, b"}"), 1002),
    "close within a message": (frame(0x01, b"{") + closing(1000), 1002),
    # 5.5: control frames
    "fragmented ping": (frame(0x09, b"x"), 1002),
    "fragmented pong": (frame(0x0A), 1002),
    "fragmented close": (frame(0x08, b"\x03\xe8"), 1002),
    "ping of 126 bytes": (frame(PING, bytes(126)), 1002),
    "pong of 126 bytes": (frame(PONG, bytes(126)), 1002),
    "close of 126 bytes": (closing(1000, b"x" * 124), 1002),
    "ping of 65,536 bytes": (frame(PING, bytes(65_536)), 1009),
    # 7.4: close codes
    "close of one byte": (frame(CLOSE, b"\x03"), 1002),
    **{
        f"close code {code}": (closing(code), 1002)
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
    },
    **{
        f"close code {code} is echoed": (closing(code), code)
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4500, 4999)
    },
    "close without a code": (frame(CLOSE), 1005),
    "close with the longest reason": (closing(1000, b"x" * 123), 1000),
    "close with an UTF-8 reason": (closing(1000, "Grüße".encode()), 1000),
    "close whose reason is no UTF-8": (closing(1000, b"\xff"), 1007),
    "close whose reason is cut within a character": (closing(1000, b"\xc3"), 1007),
    "only the first of two closes": (closing(1001) + closing(1000), 1001),
    # 8.1: UTF-8
    "bad continuation byte": (frame(TEXT, b'{"\xc3\x28": 1}'), 1007),
    "surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "overlong slash": (frame(TEXT, b"\xc0\xaf"), 1007),
    "beyond U+10FFFF": (frame(TEXT, b"\xf4\x90\x80\x80"), 1007),
    "lone continuation byte": (frame(TEXT, b"\x80"), 1007),
    "character cut at the end": (frame(TEXT, b"\xf0\x9f\x8e"), 1007),
    "wrong across fragments": (split(b"\xc3\x28", 1), 1007),
    "cut at the end of fragments": (split(b"ab\xe2\x82", 1, 3), 1007),
    # 10.4: sizes
    "text of 4,097 bytes": (frame(TEXT, b" " * 4097), 1009),
    "text of 65,536 bytes": (frame(TEXT, bytes(65_536)), 1009),
    "text of a megabyte": (frame(TEXT, bytes(1 << 20)), 1009),
    "text that says it is a terabyte": (frame(TEXT, length=1 << 40), 1009),
    "length with the highest bit": (b"\x81\xff" + b"\xff" * 8 + bytes(4), 1009),
    "fragments of 8,000 bytes": (split(b" " * 8000, 4000), 1009),
    "binary of a megabyte": (frame(0x82, bytes(1 << 20)), 1009),
    # how fast
    "5,000 pings": (b"".join(frame(PING, b"x") for _ in range(5000)), CloseCode.TOO_FAST),
    "5,000 pongs": (b"".join(frame(PONG) for _ in range(5000)), CloseCode.TOO_FAST),
    "empty fragments": (frame(0x01, b"{") + b"".join(frame(0x00) for _ in range(100)), CloseCode.TOO_FAST),
}

LIVES = {
    "plain": frame(TEXT, ASK),
    "length 126 where 7 bits do": long_form(TEXT, ASK, 126),
    "length 127 where 7 bits do": long_form(TEXT, ASK, 127),
    "4,096 bytes": frame(TEXT, ASK.ljust(4096)),
    "mask of zeros": b"\x81" + bytes((0x80 | len(ASK),)) + bytes(4) + ASK,
    "two fragments": split(ASK, 3),
    "a fragment for each byte": b"".join((split(ASK, *range(4, len(ASK), 4)),)),
    "an empty first fragment": split(ASK, 0),
    "an empty last fragment": split(ASK, len(ASK)),
    "pong before it": frame(PONG, b"unasked") + frame(TEXT, ASK),
    "pong of 125 bytes before it": frame(PONG, bytes(125)) + frame(TEXT, ASK),
    "pong within it": frame(0x01, ASK[:3]) + frame(PONG) + frame(CONT, ASK[3:]),
    "UTF-8 cut across fragments": split('{"type":"ping","id":7,"é":"🎷"}'.encode(), 24, 29, 31),
}

REFUSED = {
    "POST": (REQUEST.replace(b"GET", b"POST"), 405),
    "HEAD": (REQUEST.replace(b"GET", b"HEAD"), 405),
    "HTTP/1.0": (REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"), 505),
    "no Upgrade": (REQUEST.replace(b"Upgrade: websocket\r\n", b""), 426),
    "Upgrade to another protocol": (REQUEST.replace(b"Upgrade: websocket", b"Upgrade: h2c"), 426),
    "Upgrade to two protocols": (REQUEST.replace(b"Upgrade: websocket", b"Upgrade: h2c, websocket"), 426),
    "no Connection": (REQUEST.replace(b"Connection: Upgrade\r\n", b""), 426),
    "Connection: close": (REQUEST.replace(b"Connection: Upgrade", b"Connection: close"), 426),
    "version 8": (REQUEST.replace(b"Version: 13", b"Version: 8"), 400),
    "version 013": (REQUEST.replace(b"Version: 13", b"Version: 013"), 400),
    "no version": (REQUEST.replace(b"Sec-WebSocket-Version: 13\r\n", b""), 400),
    "two versions": (REQUEST.replace(b"Version: 13", b"Version: 13\r\nSec-WebSocket-Version: 13"), 400),
    "no key": (REQUEST.replace(b"Sec-WebSocket-Key", b"Sec-WebSocket-Lock"), 400),
    "a short key": (REQUEST.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"c2hvcnQ="), 400),
    "a key that is no base64": (REQUEST.replace(b"dGhl", b"d!hl"), 400),
    "an empty key": (REQUEST.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b""), 400),
    "two keys": (REQUEST.replace(b"Version: 13", b"Version: 13\r\nSec-WebSocket-Key: " + b"A" * 22 + b"=="), 400),
    "a line of 9,000 bytes": (REQUEST.replace(b"Host", b"A: " + b"x" * 9000 + b"\r\nHost"), 431),
    "a head of 20,000 bytes": (REQUEST.replace(b"\r\n\r\n", b"\r\nA: " + b"x" * 20_000), 431),
    "200 fields": (REQUEST.replace(b"Host", b"A: b\r\n" * 200 + b"Host"), 431),
    "a body": (REQUEST.replace(b"Host", b"Content-Length: 5\r\nHost"), 400),
    "a space before the colon": (REQUEST.replace(b"Host:", b"Host :"), 400),
    "a folded line": (REQUEST.replace(b"Version: 13", b"Version: 13\r\n folded"), 400),
    "a NUL": (REQUEST.replace(b"Host: radio", b"Host: ra\0dio"), 400),
}  # fmt: skip

TAKEN = {
    "fields in any case": REQUEST.replace(b"Upgrade", b"uPGRADE").replace(b"Sec-WebSocket", b"SEC-WEBSOCKET"),
    "Firefox's Connection": REQUEST.replace(b"Connection: Upgrade", b"Connection: keep-alive, Upgrade"),
    "blanks around values": REQUEST.replace(b"Version: 13", b"Version:\t 13 \t"),
    "no blank before values": REQUEST.replace(b": ", b":"),
    "another origin": REQUEST.replace(b"Host", b"Origin: https://elsewhere.example\r\nHost"),
    "a null origin": REQUEST.replace(b"Host", b"Origin: null\r\nHost"),
    "extensions and subprotocols": REQUEST.replace(
        b"Host",
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nSec-WebSocket-Protocol: a, b\r\nHost",
    ),
    "a query": REQUEST.replace(b"/api/ws", b"/api/ws?a=b"),
    "Latin-1 in a cookie": REQUEST.replace(b"Host", b"Cookie: a=\xe9\r\nHost"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
@both_loops
async def test_what_ends_a_connection(name: str) -> None:
    data, code = ENDS[name]
    async with open_house() as house, raw(house) as client:
        client.send(data)
        assert await client.close_code() == code
        client.writer.write_eof()
        assert await client.reader.read() == b""
        await house.until(lambda: len(house.sockets) == 0)


@pytest.mark.parametrize("name", LIVES)
@both_loops
async def test_what_is_answered(name: str) -> None:
    async with open_house() as house, raw(house) as client:
        client.send(LIVES[name])
        assert await client.message() == ANSWER
        client.send(frame(PING, b"still here"))
        assert await client.frame() == (PONG, b"still here")


@pytest.mark.parametrize("name", ["plain", "two fragments", "pong within it"])
@both_loops
async def test_what_is_answered_comes_byte_by_byte(name: str) -> None:
    async with open_house() as house, raw(house) as client:
        for byte in LIVES[name]:
            client.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert await client.message() == ANSWER


@pytest.mark.parametrize("name", REFUSED)
@both_loops
async def test_handshakes_that_are_refused(name: str) -> None:
    request, status = REFUSED[name]
    # What is not taken at the threshold comes here with a transport.
    async with open_house(quick=False) as house, raw(house, handshake=False) as client:
        client.send(request)
        answer = await client.reader.read()
        assert int(answer.split()[1]) == status
        client.writer.write_eof()
        await house.until(lambda: len(house.sockets) == 0)


@pytest.mark.parametrize("name", TAKEN)
@both_loops
async def test_handshakes_that_are_taken(name: str) -> None:
    async with open_house() as house, raw(house, handshake=False) as client:
        client.send(TAKEN[name])
        head = await client.head()
        assert head.startswith(b"HTTP/1.1 101 ")
        assert ACCEPT in head
        assert b"sec-websocket-extensions" not in head.lower()
        assert b"sec-websocket-protocol" not in head.lower()
        assert (await client.message())["type"] == "welcome"
