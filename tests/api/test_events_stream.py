"""Server-sent events over real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from push_loops import both_loops

from radio.api.event_ids import event_id, positions, sessions
from radio.api.events_stream import EventStreams
from radio.api.problems import problems
from radio.clock import ManualClock
from radio.errors import InvalidRequest
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub
from radio.push.limits import Admission
from radio.push.messages import Position
from radio.units import UtcMs

NOW = 1_800_000_000_000
AT = UtcMs(NOW)
SESSION = "6f1c8d2e-3b4a-4c5d-8e9f-0a1b2c3d4e5f"
OTHER = "0b1c8d2e-3b4a-4c5d-8e9f-0a1b2c3d4e5f"


def state(title: str) -> dict[str, Any]:
    return {"now": {"title": title}}


class House:
    def __init__(self, hub: Hub, clock: ManualClock, streams: EventStreams, port: int) -> None:
        self.hub = hub
        self.clock = clock
        self.streams = streams
        self.port = port

    @asynccontextmanager
    async def events(self, stations: str, last_id: str = "", **query: str) -> AsyncIterator[Reader]:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        url = f"http://127.0.0.1:{self.port}/api/events"
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, params={"stations": stations, **query}, headers=headers) as response,
        ):
            yield Reader(response)

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(0.005)
        self.clock.advance(seconds)
        await asyncio.sleep(0.02)

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(2500):
            if holds():
                return
            await asyncio.sleep(0.002)
        raise AssertionError("it never came to that")


class Reader:
    """Reads an event stream as a browser's EventSource does."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.last_id = ""
        self.retry_ms: int | None = None
        self.comments = 0

    async def event(self) -> dict[str, Any]:
        data = b""
        while True:
            async with asyncio.timeout(5):
                line = await self.response.content.readuntil(b"\n")
            name, _, value = line.rstrip(b"\n").partition(b":")
            value = value.removeprefix(b" ")
            if name == b"data":
                data += value
            elif name == b"id":
                self.last_id = value.decode()
            elif name == b"retry":
                self.retry_ms = int(value)
            elif line.startswith(b":"):
                self.comments += 1
            elif line == b"\n" and data:
                decoded: dict[str, Any] = msgspec.json.decode(data)
                return decoded


@asynccontextmanager
async def open_house(*, hub: Hub | None = None, admission: Admission | None = None) -> AsyncIterator[House]:
    clock = ManualClock(NOW)
    hub = hub or Hub(epoch="first")
    hub.open("wxyz", state("Morning bells"))
    hub.open("kday", state("Sea song"))
    app = web.Application(middlewares=[problems])
    runner = web.AppRunner(app, shutdown_timeout=1)
    async with Heartbeat(clock) as heartbeat:
        streams = EventStreams(hub, clock, heartbeat, admission=admission)
        app.router.add_get("/api/events", streams.handle)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            async with streams:
                yield House(hub, clock, streams, runner.addresses[0][1])
        finally:
            await runner.cleanup()
    assert len(streams) == 0
    assert hub.counts().subscribers == 0


@both_loops
async def test_the_same_objects_as_by_websocket() -> None:
    async with open_house() as house, house.events("wxyz") as stream:
        assert stream.response.content_type == "text/event-stream"
        assert stream.response.headers["Access-Control-Allow-Origin"] == "*"
        assert await stream.event() == {
            **{"type": "welcome", "protocol": 1, "epoch": "first"},
            **{"server_time_ms": NOW, "heartbeat_s": 25},
        }
        assert stream.retry_ms is not None
        assert 1000 < stream.retry_ms < 5000
        assert (await stream.event())["state"] == state("Morning bells")
        house.hub.publish_state("wxyz", state("A"), AT)
        assert (await stream.event())["patch"] == {"now": {"title": "A"}}
        assert stream.last_id == "first:1"


@both_loops
async def test_whoever_returns_gets_what_it_missed_of_each_station() -> None:
    async with open_house() as house:
        async with house.events("wxyz,kday") as stream:
            for _ in range(3):
                await stream.event()
            house.hub.publish_state("kday", state("A"), AT)
            await stream.event()
            last_id = stream.last_id
        assert last_id == "first:0,first:1"
        for name in "BC":
            house.hub.publish_state("wxyz", state(name), AT)
        async with house.events("wxyz,kday", last_id) as stream:
            heard = [await stream.event() for _ in range(3)]
            assert [(m["type"], m.get("station"), m.get("seq")) for m in heard] == [
                ("welcome", None, None),
                ("update", "wxyz", 1),
                ("update", "wxyz", 2),
            ]
            assert stream.last_id == "first:2,first:1"


@both_loops
async def test_the_address_may_say_what_a_page_has_and_the_header_is_newer() -> None:
    async with open_house() as house:
        for name in "ABC":
            house.hub.publish_state("wxyz", state(name), AT)
        async with house.events("wxyz,kday", since="first:1,") as stream:
            heard = [await stream.event() for _ in range(4)]
            assert [(m["type"], m.get("station"), m.get("seq")) for m in heard] == [
                ("welcome", None, None),
                ("update", "wxyz", 2),
                ("update", "wxyz", 3),
                ("snapshot", "kday", 0),
            ]
        async with house.events("wxyz", "first:2", since="first:1") as stream:
            assert [(await stream.event()).get("seq") for _ in range(2)] == [None, 3]


@both_loops
async def test_a_session_is_told_its_moment_whenever_it_starts() -> None:
    started = {SESSION: AT}
    hub = Hub(epoch="first", session_lookup=lambda session, station: started.get(session))
    listen = f"wxyz:{SESSION.upper()},kday:{OTHER}"
    async with open_house(hub=hub) as house, house.events("wxyz,kday", listen=listen) as stream:
        heard = [await stream.event() for _ in range(4)]
        t0 = {"type": "listening", "session": SESSION, "station": "wxyz", "stream_time_ms": NOW}
        assert heard[-1] == t0
        last_id = stream.last_id
        hub.session_started("kday", OTHER, UtcMs(NOW + 7))
        hub.session_started("wxyz", SESSION, UtcMs(NOW + 9))
        assert [(await stream.event())["stream_time_ms"] for _ in range(2)] == [NOW + 7, NOW + 9]
        assert stream.last_id == last_id


@both_loops
async def test_a_position_of_another_epoch_gets_a_snapshot() -> None:
    async with open_house() as house, house.events("wxyz", "before:7") as stream:
        assert [(await stream.event())["type"] for _ in range(2)] == ["welcome", "snapshot"]


@pytest.mark.parametrize(
    ("stations", "status", "code"),
    [
        ("", 400, "invalid_request"),
        (",", 400, "invalid_request"),
        (",".join(f"s{n}" for n in range(201)), 400, "invalid_request"),
        ("wxyz,wxyy", 404, "unknown_station"),
    ],
)
@both_loops
async def test_requests_that_cannot_be_met(stations: str, status: int, code: str) -> None:
    async with open_house() as house, house.events(stations) as stream:
        assert stream.response.status == status
        assert (await stream.response.json(content_type=None))["code"] == code


@pytest.mark.parametrize(
    "listen",
    [
        "wxyz",
        "wxyz:",
        f"kday:{SESSION}",
        f"wxyz:{SESSION}x",
        "wxyz:" + "z" * 36,
        f"wxyz:{SESSION},wxyz:{OTHER}",
    ],
)
@both_loops
async def test_sessions_that_cannot_be_are_refused(listen: str) -> None:
    async with open_house() as house, house.events("wxyz", listen=listen) as stream:
        assert stream.response.status == 400
        assert "listen" in (await stream.response.text())


@both_loops
async def test_connections_are_bounded_per_address() -> None:
    async with open_house(admission=Admission(per_address=1)) as house:
        async with house.events("wxyz") as first:
            await first.event()
            async with house.events("wxyz") as second:
                assert second.response.status == 503
        await house.pass_time(1)
        async with house.events("wxyz") as third:
            assert third.response.status == 200


@both_loops
async def test_a_sign_of_life_when_nothing_happens() -> None:
    async with open_house() as house, house.events("wxyz") as stream:
        for _ in range(2):
            await stream.event()
        for _ in range(3):
            await house.pass_time(25)
        house.hub.publish_state("wxyz", state("A"), AT)
        await stream.event()
        assert stream.comments == 3


@both_loops
async def test_a_stop_ends_every_stream() -> None:
    async with open_house() as house, house.events("wxyz") as stream:
        await stream.event()
        await house.streams.__aexit__()
        rest = await asyncio.wait_for(stream.response.content.read(), 5)
        assert rest.startswith(b"id: first:0\ndata: ")


def big_state(number: int) -> dict[str, Any]:
    return {"now": {"title": f"{number} " + os.urandom(1000).hex()}}


async def deaf_client(house: House) -> socket.socket:
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    await loop.sock_connect(client, ("127.0.0.1", house.port))
    await loop.sock_sendall(client, b"GET /api/events?stations=wxyz HTTP/1.1\r\nHost: radio.example\r\n\r\n")
    await house.until(lambda: house.hub.counts().subscriptions == 1)
    return client


async def flood(house: House, count: int) -> None:
    for number in range(count):
        house.hub.publish_state("wxyz", big_state(number), AT)
        await asyncio.sleep(0)


@both_loops
async def test_a_slow_reader_gets_a_fresh_snapshot() -> None:
    async with open_house() as house:
        client = await deaf_client(house)
        await flood(house, 400)
        reader, writer = await asyncio.open_connection(sock=client)
        kinds: list[bytes] = []
        async with asyncio.timeout(10):
            while not kinds or kinds[-1] != b"400":
                line = await reader.readuntil(b"\n")
                if line.startswith(b"data: "):
                    kinds.append(b"snapshot" if b'"type":"snapshot"' in line else b"update")
                    if b'"seq":400,' in line:
                        kinds.append(b"400")
        writer.transport.abort()
        assert kinds.count(b"snapshot") == 2
        assert kinds[-2:] == [b"snapshot", b"400"]
        assert len(kinds) < 400


@both_loops
async def test_a_reader_that_stays_behind_is_cut() -> None:
    async with open_house() as house:
        client = await deaf_client(house)
        await flood(house, 400)
        for _ in range(29):
            await house.pass_time(1)
        assert len(house.streams) == 1
        for _ in range(2):
            await house.pass_time(1)
        assert len(house.streams) == 0
        client.close()


held = st.lists(
    st.builds(Position, st.text("abcXYZ019-_", min_size=1, max_size=12), st.integers(0, 10**15)),
    min_size=1,
    max_size=5,
)


@given(held)
def test_an_id_says_where_a_client_stands(held: list[Position]) -> None:
    stations = [f"s{number}" for number in range(len(held))]
    assert positions(event_id(held), stations) == dict(zip(stations, held, strict=True))


@given(st.text(max_size=40) | st.sampled_from(["a:1,b:2", "a:-1", "a:1e3", ":1", "a:", "a:²", "9" * 9000]))
def test_any_other_id_means_no_position_or_a_wellformed_one(text: str) -> None:
    found = positions(text, ["wxyz"])
    assert all(position.epoch and position.seq >= 0 for position in found.values())
    assert set(found) <= {"wxyz"}


@given(st.text(max_size=60))
def test_any_text_names_sessions_of_these_stations_or_is_refused(text: str) -> None:
    try:
        found = dict(sessions(text, ["wxyz", "kday"]))
    except InvalidRequest:
        return
    assert set(found) <= {"wxyz", "kday"}
