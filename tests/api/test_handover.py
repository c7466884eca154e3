from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop
from aiohttp import web

from radio.api.door import Door, standard_route
from radio.api.handover import handover_routes
from radio.api.problems import problems


class Parrot(asyncio.Protocol):
    """Says which request it was given, and then repeats what it hears."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        first = not self.heard
        self.heard += data
        reply = self.name.encode() + b" took " + data.split(b"\r\n")[0] + b"\n" if first else data
        self.transport.write(reply)  # type: ignore[attr-defined]


@asynccontextmanager
async def service() -> AsyncIterator[int]:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    def streams() -> Parrot:
        return Parrot("streams")

    def sockets() -> Parrot:
        return Parrot("sockets")

    application = web.Application(middlewares=[problems])
    application.add_routes([web.get("/", hello), *handover_routes(streams=streams, sockets=sockets)])
    runner = web.AppRunner(application)
    await runner.setup()
    door = Door(standard_route(web=lambda: runner.server(), stream=streams, socket=sockets))
    server = await asyncio.get_running_loop().create_server(door, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()


async def kept_alive(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which one ordinary request was answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"hello" in await reader.readuntil(b"hello")
    return reader, writer


async def a_stream_and_then_more_bytes() -> None:
    async with service() as port:
        reader, writer = await kept_alive(port)
        writer.write(
            b"GET /listen/wxyz/live.mp3?session=a%20b HTTP/1.1\r\nHost: x\r\nIcy-MetaData: 1\r\n\r\n"
        )
        line = await asyncio.wait_for(reader.readline(), 5)
        assert line == b"streams took GET /listen/wxyz/live.mp3?session=a%20b HTTP/1.1\n"
        writer.write(b"still here")
        assert await asyncio.wait_for(reader.readexactly(10), 5) == b"still here"
        writer.close()


async def an_upgrade() -> None:
    async with service() as port:
        reader, writer = await kept_alive(port)
        writer.write(
            b"GET /api/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert await asyncio.wait_for(reader.readline(), 5) == b"sockets took GET /api/ws HTTP/1.1\n"
        writer.write(b"frame")
        assert await asyncio.wait_for(reader.readexactly(5), 5) == b"frame"
        writer.close()


async def ordinary_requests_before_and_beside_go_on() -> None:
    async with service() as port:
        first, second = await kept_alive(port), await kept_alive(port)
        first[1].write(b"HEAD /listen/wxyz/live.mp3 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await asyncio.wait_for(first[0].readline(), 5)).startswith(b"streams took HEAD")
        second[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"hello" in await asyncio.wait_for(second[0].readuntil(b"hello"), 5)
        for _, writer in (first, second):
            writer.close()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize(
    "story", [a_stream_and_then_more_bytes, an_upgrade, ordinary_requests_before_and_beside_go_on]
)
def test_a_kept_alive_connection_is_handed_over_without_a_word_in_the_log(
    loop: Callable[[], asyncio.AbstractEventLoop],
    story: Callable[[], object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story())  # type: ignore[arg-type]
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
