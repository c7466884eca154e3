"""AzuraCast's push over real sockets: WebSocket and server-sent events."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from dialects_house import KDAY, NOON, House, Known, open_house, state
from push_loops import both_loops
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from radio.api.dialects.live_push import BASES_LIMIT
from radio.api.dialects.live_socket import LiveLimits

WXYZ = '{"subs":{"station:wxyz":{"recover":true}}}'
BOTH = '{"subs":{"station:wxyz":{"recover":true},"station:kday":{"recover":true}}}'


async def hear(socket_: ClientConnection) -> Any:
    async with asyncio.timeout(5):
        return json.loads(await socket_.recv())


async def closed_with(client: ClientConnection, code: int) -> list[Any]:
    """All that is still told before the connection is closed, which is to be with ``code``."""
    told = []
    with suppress(ConnectionClosed):
        for _ in range(1000):
            told.append(await hear(client))  # noqa: PERF401
    assert client.close_code == code
    return told


async def heard_title(socket_: ClientConnection) -> str:
    push = await hear(socket_)
    title: str = push["pub"]["data"]["np"]["now_playing"]["song"]["title"]
    return title


@asynccontextmanager
async def events(house: House, asked: str = WXYZ) -> AsyncIterator[aiohttp.ClientResponse]:
    url = f"{house.base}/api/live/nowplaying/sse?cf_connect={quote(asked)}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        yield response


async def event(response: aiohttp.ClientResponse) -> Any:
    async with asyncio.timeout(5):
        line = await response.content.readline()
        assert line.startswith(b"data: ")
        assert await response.content.readline() == b"\n"
        return json.loads(line[6:])


@both_loops
async def test_a_web_socket_is_told_the_state_and_then_each_change() -> None:
    async with open_house() as house, connect(house.url) as client:
        await client.send(WXYZ)
        connected = (await hear(client))["connect"]
        sub = connected["subs"]["station:wxyz"]
        data = sub["publications"][0]["data"]
        assert data["np"]["now_playing"]["song"]["title"] == "Tide"
        assert data["np"]["station"]["listen_url"].startswith(f"http://127.0.0.1:{house.port}/listen/wxyz")
        assert (data["triggers"], data["current_time"]) == ([], NOON // 1000)
        assert (sub["epoch"], connected["ping"]) == ("first", 25)
        house.publish(state(KDAY, title="Not this"))
        house.publish(state(id_="row-2", title="Rope"))
        push = await hear(client)
        assert (push["channel"], push["pub"]["offset"]) == ("station:wxyz", sub["offset"] + 1)
        assert push["pub"]["data"]["triggers"] == ["song_changed"]
        np = push["pub"]["data"]["np"]
        assert np["now_playing"]["song"]["title"] == "Rope"
        assert [past["song"]["title"] for past in np["song_history"]] == ["Tide", "Foam"]


@both_loops
async def test_two_ways_pushes_are_wrapped_and_pings_are_answered() -> None:
    async with open_house() as house, connect(house.url) as client:
        await client.send(
            '{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"station:wxyz","recover":true}}'
        )
        assert (await hear(client))["connect"]["pong"] is True
        assert (await hear(client))["subscribe"]["publications"]
        house.publish(state(id_="row-2", title="Rope"))
        assert (await hear(client))["push"]["channel"] == "station:wxyz"
        await client.send('{"id":3,"unsubscribe":{"channel":"station:wxyz"}}')
        assert await hear(client) == {"id": 3, "unsubscribe": {}}
        house.publish(state(id_="row-3", title="Foam"))
        await house.pass_time(26)
        assert await hear(client) == {}
        await client.send("{}")
        await house.pass_time(26)
        assert await hear(client) == {}
        assert len(house.live) == 0


async def test_what_is_wanted_may_stand_in_the_address() -> None:
    async with open_house() as house, connect(f"{house.url}?cf_connect={quote(BOTH)}") as client:
        assert set((await hear(client))["connect"]["subs"]) == {"station:wxyz", "station:kday"}


async def test_an_upgrade_comes_on_a_connection_that_was_used_before() -> None:
    async with open_house() as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(b"GET /api/nowplaying/wxyz HTTP/1.1\r\nHost: a.example\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        writer.write(
            b"GET /api/live/nowplaying/websocket HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        writer.close()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", 3501),
        ('{"subs":{"station:nobody":{"recover":true}}}', 3501),
        ('{"id":1,"subscribe":{"channel":"station:wxyz"}}', 3501),
        (b"\x00\x01", 1003),
        ("x" * 20_000, 1009),
    ],
)
async def test_a_wrong_first_frame_ends_the_connection_with_a_code(frame: str | bytes, code: int) -> None:
    async with open_house() as house, connect(house.url) as client:
        await client.send(frame)
        told = await closed_with(client, code)
        assert [push["disconnect"]["code"] for push in told] in ([], [code])


async def test_text_that_is_no_utf_8_is_refused() -> None:
    async with open_house() as house, connect(house.url) as client:
        await client.send(b"\xff\xfe", text=True)
        await closed_with(client, 1007)


async def test_a_client_that_never_says_what_it_wants_or_is_silent_is_sent_away() -> None:
    async with open_house() as house, connect(house.url) as mute:
        await house.pass_time(11)
        assert (await hear(mute))["disconnect"]["code"] == 3502
        async with connect(house.url, ping_interval=None) as silent:
            await silent.send(WXYZ)
            await hear(silent)
            connection = next(one for one in house.sockets if one.follows)
            silent.transport.pause_reading()
            await house.pass_time(26)
            await house.pass_time(26)
            await house.pass_time(26)
            silent.transport.resume_reading()
            told = [await hear(silent) for _ in range(3)]
            assert told[-1]["disconnect"]["code"] == 3012
            assert connection.follows is False


async def test_too_many_commands_end_the_connection() -> None:
    async with open_house() as house, connect(house.url) as client:
        await client.send('{"id":1,"connect":{}}')
        await hear(client)
        for _ in range(6):
            await client.send("\n".join('{"id":2,"subscribe":{"channel":"x"}}' for _ in range(50)))
        await closed_with(client, 3013)


async def test_a_slow_reader_keeps_the_newest_alone_and_is_closed_when_it_stays_slow() -> None:
    limits = LiveLimits(kernel_buffer_bytes=4096, write_buffer_bytes=4096)
    async with open_house(limits=limits) as house:
        slow = socket.create_connection(("127.0.0.1", house.port))
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(
            b"GET /api/live/nowplaying/websocket?cf_connect=%b HTTP/1.1\r\nHost: a.example\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n" % quote(WXYZ).encode()
        )
        await house.until(lambda: len(house.live) == 1)
        (connection,) = house.sockets
        for number in range(400):
            house.publish(state(id_=f"r{number}", title=f"Title {number}"))
        await asyncio.sleep(0.05)
        assert connection.waiting == 1
        assert connection.unsent_bytes < 40_000
        await house.pass_time(31)
        await house.until(lambda: len(house.live) == 0)
        await house.pass_time(6)
        await house.until(lambda: len(house.sockets) == 0)
        slow.close()


@both_loops
async def test_events_are_data_alone() -> None:
    async with open_house() as house, events(house, BOTH) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        subs = (await event(response))["connect"]["subs"]
        assert set(subs) == {"station:wxyz", "station:kday"}
        house.publish(state(id_="row-2", title="Rope"))
        assert (await event(response))["pub"]["data"]["np"]["now_playing"]["song"]["title"] == "Rope"
        await house.pass_time(26)
        assert await event(response) == {}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?cf_connect=", 400),
        ("?cf_connect=%7B", 400),
        ("?cf_connect=%FF", 400),
        ("?cf_connect=%7B%22subs%22%3A%7B%7D%7D", 400),
        ("?cf_connect=" + quote('{"subs":{"station:nobody":{"recover":true}}}'), 404),
    ],
)
async def test_events_that_cannot_be_had_are_refused(query: str, status: int) -> None:
    async with open_house() as house:
        answer = await house.ask(f"/api/live/nowplaying/sse{query}")
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        assert len(house.streams) == 0


async def test_everyone_is_told_when_the_server_stops() -> None:
    async with open_house() as house, connect(house.url) as client, events(house) as response:
        await client.send(WXYZ)
        await hear(client)
        await event(response)
        await house.streams.__aexit__()
        assert await event(response) == {"disconnect": {"code": 3001, "reason": "shutdown"}}
        assert await response.content.read() == b""
        stopping = asyncio.create_task(house.sockets.__aexit__())
        assert (await hear(client))["disconnect"]["code"] == 3001
        with pytest.raises(ConnectionClosed) as closed:
            await hear(client)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 3001
        while not stopping.done():
            await house.pass_time(0.1)
        with pytest.raises(InvalidStatus):
            await connect(house.url)


async def test_one_address_and_all_together_are_bounded() -> None:
    async with open_house() as house:
        for _ in range(100):
            house.admission.enter("127.0.0.1")
        assert (await house.ask("/api/live/nowplaying/sse?cf_connect=" + quote(WXYZ))).status == 503
        with pytest.raises(InvalidStatus) as refused:
            await connect(house.url)
        assert refused.value.response.status_code == 503
        for _ in range(100):
            house.admission.leave("127.0.0.1")


async def test_a_publication_is_encoded_once_for_all() -> None:
    async with open_house(public_url="https://radio.example/") as house:
        clients = [await connect(house.url) for _ in range(20)]
        try:
            for client in clients:
                await client.send(WXYZ)
                assert "https://radio.example/listen/" in json.dumps(await hear(client))
            before = house.live.encoded
            house.publish(state(id_="row-2", title="Rope"))
            assert {await heard_title(client) for client in clients} == {"Rope"}
            assert house.live.encoded == before + 1
        finally:
            for client in clients:
                await client.close()


async def test_hosts_that_are_made_up_cost_no_more_than_a_few_encodings() -> None:
    async with open_house() as house:
        told = [house.live.enter(f"http://{number}.example") for number in range(50)]
        assert told[BASES_LIMIT - 1 :] == [f"http://{BASES_LIMIT - 1}.example", *[""] * (50 - BASES_LIMIT)]
        for base in told:
            house.live.leave(base)
        assert house.live.enter("http://new.example") == "http://new.example"
        house.live.leave("http://new.example")
        answer = await house.ask("/api/nowplaying/wxyz", "Host: <script>")
        assert answer.status == 400


async def test_the_history_does_without_the_database_and_is_read_when_it_is_back() -> None:
    known = Known()
    known.fails = True
    async with open_house(known=known) as house:
        house.publish(state(id_="row-2", title="Rope"))
        assert await history(house) == ["Tide"]
        known.fails = False
        await house.pass_time(5.1)
        assert await history(house) == ["Tide", "Foam"]


async def history(house: House) -> list[str]:
    answer = await house.ask("/api/nowplaying/wxyz")
    return [past["song"]["title"] for past in answer.json["song_history"]]
