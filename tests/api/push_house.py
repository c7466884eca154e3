"""A hub with its WebSockets on a free port, and clients that write bytes, right or wrong."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
from websockets.exceptions import ConnectionClosed

from radio.api.door import Door, standard_route
from radio.api.push_socket import PushSockets, SocketLimits
from radio.api.threshold import Threshold, listening_at
from radio.clock import ManualClock
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub
from radio.push.limits import Admission
from radio.units import UtcMs

NOW = 1_800_000_000_000
AT = UtcMs(NOW)
SESSION = "6f1c8d2e-3b4a-4c5d-8e9f-0a1b2c3d4e5f"
REQUEST = (
    b"GET /api/ws HTTP/1.1\r\nHost: radio.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, section 1.3
TEXT, BINARY, CONT, CLOSE, PING, PONG = 0x81, 0x82, 0x80, 0x88, 0x89, 0x8A
FIN = 0x80


def state(title: str) -> dict[str, Any]:
    return {"now": {"title": title}, "listeners": {"current": 0}}


class House:
    """A hub with two stations and its WebSockets on a free port."""

    def __init__(self, hub: Hub, clock: ManualClock, sockets: PushSockets, port: int) -> None:
        self.hub = hub
        self.clock = clock
        self.sockets = sockets
        self.port = port
        self.url = f"ws://127.0.0.1:{port}/api/ws"

    async def pass_time(self, seconds: float) -> None:
        """Move the clock and let the heartbeat and the sockets do what is due."""
        await asyncio.sleep(0.005)
        self.clock.advance(seconds)
        await asyncio.sleep(0.02)

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(2500):
            if holds():
                return
            await asyncio.sleep(0.002)
        raise AssertionError("it never came to that")


@asynccontextmanager
async def open_house(
    *,
    limits: SocketLimits | None = None,
    admission: Admission | None = None,
    hub: Hub | None = None,
    quick: bool = True,
) -> AsyncIterator[House]:
    """With ``quick`` connections come in as in the service; else each has a transport first."""
    clock = ManualClock(NOW)
    hub = hub or Hub(epoch="first")
    hub.open("wxyz", state("Morning bells"))
    hub.open("kday", state("Sea song"))
    async with Heartbeat(clock) as heartbeat:
        sockets = PushSockets(hub, clock, heartbeat, limits=limits, admission=admission)
        (listening,) = await listening_at("127.0.0.1", 0, backlog=256)
        door = Door(standard_route(web=asyncio.Protocol, stream=asyncio.Protocol, socket=sockets.protocol))
        threshold = Threshold((listening,), door if quick else sockets.protocol, sockets if quick else None)
        async with sockets:
            try:
                yield House(hub, clock, sockets, listening.getsockname()[1])
            finally:
                threshold.stop()
                listening.close()
                # Whoever a test left connected is not waited for.
                for connection in sockets:
                    connection.abort()
                await asyncio.sleep(0.01)
        threshold.close()
        door.close()
    assert len(sockets) == 0
    assert hub.counts().subscribers == 0
    assert sockets.admission.connections == 0


class Raw:
    """A client that writes bytes and reads frames, right or wrong."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def frame(self) -> tuple[int, bytes]:
        first, length = await self.reader.readexactly(2)
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        return first, await self.reader.readexactly(length)

    async def message(self) -> dict[str, Any]:
        first, payload = await self.frame()
        assert first == TEXT
        decoded: dict[str, Any] = msgspec.json.decode(payload)
        return decoded

    async def close_code(self) -> int:
        first, payload = await self.frame()
        while first != CLOSE:
            first, payload = await self.frame()
        (code,) = struct.unpack("!H", payload[:2]) if payload else (1005,)
        return int(code)

    def send(self, data: bytes) -> None:
        self.writer.write(data)


@asynccontextmanager
async def raw(house: House, *, handshake: bool = True) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    client = Raw(reader, writer)
    try:
        async with asyncio.timeout(10):
            if handshake:
                client.send(REQUEST)
                assert ACCEPT in await client.head()
                assert (await client.message())["type"] == "welcome"
            yield client
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


def frame(first: int, payload: bytes = b"", *, masked: bool = True, length: int | None = None) -> bytes:
    """A client's frame, whose length may be a lie."""
    size = len(payload) if length is None else length
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, mask_bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, mask_bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, size)
    if not masked:
        return head + payload
    mask = b"\x11\x22\x33\x44"
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def say(**message: object) -> str:
    return msgspec.json.encode(message).decode()


async def hear(client: Any) -> dict[str, Any]:
    async with asyncio.timeout(5):
        text = await client.recv()
    decoded: dict[str, Any] = msgspec.json.decode(text)
    return decoded


async def hear_all(client: Any) -> list[dict[str, Any]]:
    """Everything up to the end of the connection."""
    heard = []
    with suppress(ConnectionClosed):
        while True:
            heard.append(await hear(client))
    return heard
