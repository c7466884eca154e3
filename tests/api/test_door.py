from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from aiohttp import web

from radio.api.door import Door, is_stream, standard_route
from radio.streaming.heads import MAX_HEAD_BYTES

GET = b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = b"GET /api/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
STREAM = b"GET /listen/wxyz/live.mp3 HTTP/1.0\r\n\r\n"

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def go(work: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(work, 20))

    return go


class Stub(asyncio.Protocol):
    """Answers with its name and, from then on, whatever it is sent."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self.name + b":")

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


class Entry:
    """A door on a free port, with aiohttp and two stubs behind it."""

    def __init__(self, door: Door, port: int, stubs: list[Stub]) -> None:
        self.door = door
        self.port = port
        self.stubs = stubs

    async def visit(self, data: bytes = b"", step: int | None = None):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for at in range(0, len(data), step or len(data) or 1):
            writer.write(data[at : at + step] if step else data)
            if step:
                await asyncio.sleep(0)
        return reader, writer


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response({"method": request.method, "path": request.raw_path, "size": len(body)})


@asynccontextmanager
async def open_entry(**settings: Any) -> AsyncIterator[Entry]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stubs: list[Stub] = []

    def stub(name: bytes) -> Callable[[], Stub]:
        def make() -> Stub:
            stubs.append(Stub(name))
            return stubs[-1]

        return make

    route = standard_route(web=runner.server, stream=stub(b"stream"), socket=stub(b"socket"))
    door = Door(route, **settings)
    server = await asyncio.get_running_loop().create_server(door, "127.0.0.1", 0)
    try:
        yield Entry(door, server.sockets[0].getsockname()[1], stubs)
    finally:
        server.close()
        door.close()
        for made in stubs:
            made.transport.abort()
        await runner.cleanup()
        await server.wait_closed()
        await asyncio.sleep(0.01)


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    fields = dict(line.lower().split(": ", 1) for line in head[:-4].split("\r\n")[1:])
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    return int(head.split(" ")[1]), json.loads(body) if body else None


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def abort(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.transport.abort()


@pytest.mark.parametrize("step", [None, 1, 7])
def test_everyone_gets_to_the_right_place(run, step):
    async def work():
        async with open_entry() as entry:
            reader, writer = await entry.visit(GET, step)
            assert await read_answer(reader) == (200, {"method": "GET", "path": "/echo", "size": 0})
            abort(writer)
            for request, name in ((UPGRADE, b"socket:"), (STREAM, b"stream:")):
                reader, writer = await entry.visit(request + b"first frame", step)
                assert await reader.readexactly(len(name + request) + 11) == name + request + b"first frame"
                writer.write(b"more")
                assert await reader.readexactly(4) == b"more"
                abort(writer)
            await until(lambda: all(stub.lost for stub in entry.stubs))
            assert (entry.door.undecided, entry.door.accepted, entry.door.refused) == (0, 3, 0)

    run(work())


def test_pipelining_and_keep_alive_stay_with_aiohttp(run):
    async def work():
        async with open_entry() as entry:
            reader, writer = await entry.visit(GET + GET.replace(b"/echo", b"/two"))
            assert (await read_answer(reader))[1]["path"] == "/echo"
            assert (await read_answer(reader))[1]["path"] == "/two"
            writer.write(GET.replace(b"/echo", b"/three"))
            assert (await read_answer(reader))[1]["path"] == "/three"
            abort(writer)
            assert entry.door.accepted == 1

    run(work())


def test_a_body_of_200_kb_and_a_client_that_waits_for_continue(run):
    async def work():
        async with open_entry() as entry:
            head = b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n"
            for step in (None, 8_000):
                reader, writer = await entry.visit(head + b"\r\n" + b"x" * 200_000, step)
                assert (await read_answer(reader))[1] == {
                    "method": "POST",
                    "path": "/upload",
                    "size": 200_000,
                }
                abort(writer)
            reader, writer = await entry.visit(head + b"Expect: 100-continue\r\n\r\n")
            assert (await read_answer(reader))[0] == 100
            writer.write(b"x" * 200_000)
            assert (await read_answer(reader))[1]["size"] == 200_000
            abort(writer)

    run(work())


def test_other_methods_leave_the_door_with_their_first_line(run):
    async def work():
        async with open_entry() as entry:
            reader, writer = await entry.visit(b"PUT /source/wxyz HTTP/1.1\r\n")
            await until(lambda: entry.door.accepted == 1 and entry.door.undecided == 0)
            writer.write(b"Host: a\r\nContent-Length: 3\r\n\r\nabc")
            assert (await read_answer(reader))[1] == {"method": "PUT", "path": "/source/wxyz", "size": 3}
            abort(writer)

    run(work())


def test_head_options_and_http_1_0(run):
    async def work():
        async with open_entry() as entry:
            reader, writer = await entry.visit(b"HEAD /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
            abort(writer)
            reader, writer = await entry.visit(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 ")
            abort(writer)
            reader, writer = await entry.visit(b"\r\nGET /old HTTP/1.0\r\n\r\n", 1)
            assert (await read_answer(reader))[1]["path"] == "/old"
            assert await reader.read() == b""
            abort(writer)
            for method in (b"HEAD", b"OPTIONS"):
                reader, writer = await entry.visit(method + STREAM[3:])
                assert await reader.readexactly(7) == b"stream:"
                abort(writer)

    run(work())


@pytest.mark.parametrize(
    ("path", "streams"),
    [
        ("/listen/wxyz/live.mp3", True),
        ("/listen/wxyz", True),
        ("/listen/wxyz/live.mp3.m3u", False),
        ("/listen/wxyz/live.mp3.pls", False),
        ("/listen/wxyz/live.mp3.xspf", False),
        ("/listen/wxyz/hls/live.m3u8", False),
        ("/listen/wxyz/hls/seg-1.aac", False),
        ("/listen", False),
        ("/listening/wxyz/live.mp3", False),
        ("/", False),
        ("*", False),
    ],
)
def test_what_is_a_stream(path, streams):
    assert is_stream(path) is streams


@pytest.mark.parametrize(
    "request_bytes",
    [
        GET.replace(b"/echo", b"/api/ws"),
        UPGRADE.replace(b"GET", b"HEAD"),
        UPGRADE.replace(b"/api/ws", b"/api/other"),
        UPGRADE.replace(b"WebSocket", b"h2c"),
        GET.replace(b"/echo", b"/listen/wxyz/live.mp3.m3u"),
    ],
)
def test_what_stays_with_aiohttp(run, request_bytes):
    async def work():
        async with open_entry() as entry:
            reader, writer = await entry.visit(request_bytes)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            assert entry.stubs == []
            abort(writer)

    run(work())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (bytes.fromhex("1603010200010001fc0303") + b"\0" * 500, 400),
        (b"\0" * 10, 400),
        (b"hello world\r\n", 400),
        (b"GET /echo\r\n", 400),
        (b"GET /echo HTTP/1.1\n", 400),
        (b"GET /echo HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400),
        (b"GET /echo HTTP/1.1\r\n\r\n", 400),
        (b"GET /echo HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"GET /echo HTTP/3.0\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n", 414),
        (b"GET /" + b"a" * 20_000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * MAX_HEAD_BYTES, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 101 + b"\r\n", 431),
    ],
)
def test_what_is_no_request_is_told_so_and_closed(run, sent, status):
    async def work():
        async with open_entry() as entry:
            reader, writer = await entry.visit(sent)
            got, body = await read_answer(reader)
            assert (got, body["status"], body["code"]) == (status, status, "invalid_request")
            assert await reader.read() == b""
            writer.close()
            await until(lambda: entry.door.undecided == 0)
            assert (entry.door.refused, entry.stubs) == (1, [])

    run(work())


def test_an_answer_survives_a_client_that_goes_on_sending(run):
    async def work():
        async with open_entry(linger_s=0.2) as entry:
            reader, writer = await entry.visit(b"GET /" + b"a" * 150_000)
            await asyncio.sleep(0.02)
            assert (await read_answer(reader))[0] == 431
            await until(lambda: entry.door.undecided == 0)
            abort(writer)
            reader, writer = await entry.visit(b"\0" * 1_000_000)
            await until(lambda: entry.door.accepted == 2 and entry.door.undecided == 0)
            abort(writer)

    run(work())


def test_a_slow_visitor_is_sent_away_in_time(run):
    async def work():
        async with open_entry(head_timeout_s=0.1, linger_s=0.05) as entry:
            silent, one = await entry.visit()
            dripping, two = await entry.visit(b"GET /echo HTTP/1.1\r\nHo")
            gone, three = await entry.visit(b"GET")
            abort(three)
            await until(lambda: entry.door.timed_out == 2)
            for reader in (silent, dripping):
                status, body = await read_answer(reader)
                assert (status, body["code"]) == (408, "request_timeout")
            await until(lambda: entry.door.undecided == 0)
            reader, writer = await entry.visit(STREAM)
            assert await reader.readexactly(7) == b"stream:"
            await asyncio.sleep(0.15)
            assert not entry.stubs[0].lost
            abort(one, two, writer)

    run(work())


def test_idle_visitors_cannot_shut_others_out(run):
    async def work():
        async with open_entry(max_undecided=5) as entry:
            idle = [await entry.visit(b"GET / HT") for _ in range(12)]
            await until(lambda: entry.door.accepted == 12)
            assert (entry.door.undecided, entry.door.turned_away) == (5, 7)
            assert (await read_answer(idle[0][0]))[0] == 503
            reader, writer = await entry.visit(GET)
            assert (await read_answer(reader))[0] == 200
            abort(writer, *(writer for _, writer in idle))

    run(work())


def test_closing_sends_the_undecided_away_and_nobody_else(run):
    async def work():
        async with open_entry() as entry:
            waiting, one = await entry.visit(b"GET /")
            reader, two = await entry.visit(STREAM)
            await reader.readexactly(7 + len(STREAM))
            await until(lambda: entry.door.undecided == 1)
            entry.door.close()
            assert await waiting.read() == b""
            late, three = await entry.visit()
            assert await late.read() == b""
            assert (entry.door.undecided, entry.door.accepted) == (0, 2)
            two.write(b"still here")
            assert await reader.readexactly(10) == b"still here"
            abort(one, two, three)

    run(work())


def test_a_route_of_ones_own_can_take_live_input(run):
    async def work():
        made: list[Stub] = []

        def source() -> Stub:
            made.append(Stub(b"source"))
            return made[-1]

        async with open_entry() as entry:
            standard = entry.door.route
            entry.door.route = lambda line, head: source if line.method == "SOURCE" else standard(line, head)
            request = b"SOURCE /source/wxyz ICE/1.0\r\nContent-Type: audio/mpeg\r\n\r\naudio"
            reader, writer = await entry.visit(request)
            assert await reader.readexactly(7 + len(request)) == b"source:" + request
            entry.door.route = lambda line, head: None
            nowhere, second = await entry.visit(GET)
            assert (await read_answer(nowhere))[0] == 404
            made[0].transport.abort()
            abort(writer, second)

    run(work())
