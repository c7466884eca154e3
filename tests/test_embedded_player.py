"""The embedded player of the documentation, run as it stands against real event streams."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from radio.api.events_stream import EventStreams
from radio.api.problems import problems
from radio.clock import SystemClock
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub

PLAYER = Path(__file__).parent.parent / "docs/examples/embedded_player.py"


class House(NamedTuple):
    hub: Hub
    clock: SystemClock
    port: int
    heads: list[str]
    links: list[asyncio.StreamWriter]

    def play(self, **state: Any) -> None:
        self.hub.publish_state("wxyz", state, self.clock.now_ms())

    async def cut(self) -> None:
        """End every connection without a word."""
        while self.links:
            self.links.pop().transport.abort()


@asynccontextmanager
async def open_house() -> AsyncIterator[House]:
    """A hub with event streams, behind a wire that notes request heads and can be cut."""
    clock, hub = SystemClock(), Hub()
    hub.open("wxyz", {"now": {"title": "Morning bells"}})
    app = web.Application(middlewares=[problems])
    runner = web.AppRunner(app, shutdown_timeout=1)
    async with Heartbeat(clock) as heartbeat, EventStreams(hub, clock, heartbeat) as streams:
        app.router.add_get("/api/events", streams.handle)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        behind = runner.addresses[0][1]
        heads: list[str] = []
        links: list[asyncio.StreamWriter] = []

        async def wire(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head.decode())
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", behind)
            links.append(writer)
            far_writer.write(head)
            try:
                while data := await far_reader.read(4096):
                    writer.write(data)
                    await writer.drain()
            except OSError:
                pass
            finally:
                far_writer.close()
                writer.close()

        server = await asyncio.start_server(wire, "127.0.0.1", 0)
        try:
            house = House(hub, clock, server.sockets[0].getsockname()[1], heads, links)
            yield house
            await house.cut()
        finally:
            server.close()
            await runner.cleanup()


async def player(port: int, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-u", str(PLAYER), "127.0.0.1", str(port), *arguments, stdout=asyncio.subprocess.PIPE
    )


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(10):
        return (await process.stdout.readline()).decode().rstrip("\n")


async def test_it_tells_each_change_and_comes_back_where_it_was() -> None:
    async with open_house() as house:
        process = await player(house.port, "wxyz", "4")
        assert await line(process) == "Morning bells"
        house.play(now={"title": "Tide", "artist": "The Bay"}, next=[{"title": "Rope"}])
        assert await line(process) == "Tide by The Bay | next: Rope"
        position = house.hub.position("wxyz")
        await house.cut()
        house.play(now={"title": "Rope"}, supported_by={"sponsor": "Saltmarsh Bakery"})
        assert await line(process) == "Rope | supported by Saltmarsh Bakery"
        assert "Last-Event-ID" not in house.heads[0]
        assert f"Last-Event-ID: {position.epoch}:{position.seq}\r\n" in house.heads[1]
        house.play(now={"title": "Foam"})
        assert await line(process) == "Foam"
        async with asyncio.timeout(5):
            assert await process.wait() == 0
        assert len(house.heads) == 2


async def test_a_station_that_is_not_there_ends_it() -> None:
    async with open_house() as house:
        process = await player(house.port, "kxyz")
        assert await line(process) == "the server refuses: 404"
        async with asyncio.timeout(5):
            assert await process.wait() == 1


async def test_a_line_without_an_end_costs_it_no_memory() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        try:
            writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
            while True:
                writer.write(b"data: " + b"x" * 60_000)
                await writer.drain()
                sent += 60_006
        except OSError:
            writer.close()
            hung_up.set()

    hung_up = asyncio.Event()
    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    process = await player(server.sockets[0].getsockname()[1], "wxyz")
    try:
        async with asyncio.timeout(10):
            await hung_up.wait()
        assert sent < 20_000_000  # what fits into the sockets' own buffers, and no more
    finally:
        process.kill()
        await process.wait()
        server.close()
