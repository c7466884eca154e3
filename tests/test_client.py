"""The client against the real server side, through breaks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from radio.api.push_socket import PushSockets
from radio.client import Backoff, Change, ClockOffset, ConnectionFailed, PushClient
from radio.clock import ManualClock, SystemClock
from radio.errors import InvalidRequest, NotFound
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub
from radio.push.messages import CloseCode, encode
from radio.push.wire import text_frame
from radio.units import UtcMs

NOW = 1_800_000_000_000
AT = UtcMs(NOW)


def state(title: str | None) -> dict[str, Any]:
    return {"now": title and {"title": title, "artist": None}}


class Server:
    """A push server that can be stopped and started on the same port."""

    def __init__(self) -> None:
        self.hub = Hub(epoch="first")
        self.hub.open("wxyz", state("A"))
        self.hub.open("kday", state("Sea song"))
        self.clock = ManualClock(NOW)
        self.port = 0
        self.heartbeat = Heartbeat(self.clock)
        self.sockets = PushSockets(self.hub, self.clock, self.heartbeat)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.sockets = PushSockets(self.hub, self.clock, self.heartbeat)
        self._server = await loop.create_server(self.sockets.protocol, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self.sockets.__aexit__()

    def cut(self) -> None:
        for connection in self.sockets:
            connection.abort()


class PausesClock(ManualClock):
    """A clock on which nobody waits, and which knows how long they would have."""

    def __init__(self, now_ms: UtcMs) -> None:
        super().__init__(now_ms)
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    await server.start()
    yield server
    server.cut()
    await server.stop()


def client_of(server: Server, *stations: str, **arguments: Any) -> PushClient:
    return PushClient(server.url, stations, backoff=Backoff(base_s=0.01, cap_s=0.02), **arguments)


async def next_of(client: PushClient) -> Change:
    return await asyncio.wait_for(anext(aiter(client)), 5)


def title(change: Change) -> str | None:
    now = change.state.get("now")
    return None if now is None else str(now["title"])


async def test_a_whole_state_comes_first_and_then_each_change(server: Server) -> None:
    async with client_of(server, "wxyz") as client:
        first = await next_of(client)
        assert (first.station, first.seq, first.is_snapshot, title(first)) == ("wxyz", 0, True, "A")
        server.hub.publish_state("wxyz", state("B"), AT)
        server.hub.publish_state("wxyz", state(None), AT)
        second, third = await next_of(client), await next_of(client)
        assert (title(second), second.changed, second.at_ms) == ("B", ("now",), NOW)
        assert (title(third), third.seq) == (None, 2)
        assert client.states() == {"wxyz": third}


async def test_iteration_ends_when_the_client_is_left(server: Server) -> None:
    async with client_of(server, "wxyz", "kday") as client:
        seen = set()
        async for change in client:
            seen.add(change.station)
            if len(seen) == 2:
                break
    async with asyncio.timeout(5):
        while len(server.sockets):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    assert seen == {"wxyz", "kday"}


async def test_after_a_break_it_gets_what_it_missed(server: Server) -> None:
    async with client_of(server, "wxyz") as client:
        await next_of(client)
        for name in "BCD":
            server.cut()
            server.hub.publish_state("wxyz", state(name), AT)
            change = await next_of(client)
            assert (title(change), change.is_snapshot) == (name, False)


async def test_after_a_restart_of_the_server_it_gets_a_whole_state(server: Server) -> None:
    async with client_of(server, "wxyz") as client:
        await next_of(client)
        await server.stop()
        server.hub = Hub(epoch="second")
        server.hub.open("wxyz", state("Z"))
        await server.start()
        change = await next_of(client)
        assert (title(change), change.is_snapshot, change.epoch) == ("Z", True, "second")


async def test_where_another_process_goes_on_it_misses_nothing(server: Server) -> None:
    async with client_of(server, "wxyz", "kday") as client:
        await next_of(client)
        await next_of(client)
        server.hub.publish_state("wxyz", state("B"), AT)
        await next_of(client)
        await server.stop()
        batons, server.hub = server.hub.hand_over(), Hub(epoch="other")
        server.hub.adopt(batons, "first")
        server.hub.publish_state("wxyz", state("C"), AT)
        server.hub.publish_state("wxyz", state("D"), AT)
        await server.start()
        missed = [await next_of(client) for _ in range(2)]
        assert [(title(change), change.seq, change.is_snapshot) for change in missed] == [
            ("C", 2, False),
            ("D", 3, False),
        ]


async def test_hundreds_of_stations_are_asked_for_in_requests_that_the_server_takes(server: Server) -> None:
    names = [f"station-{number:03}-" + "x" * 52 for number in range(200)]
    server.hub = Hub(epoch="e" * 64)
    for name in names:
        server.hub.open(name, state("A"))
    await server.stop()
    await server.start()
    async with client_of(server, *names) as client:
        assert {(await next_of(client)).station for _ in names} == set(names)
        server.cut()
        for name in names:
            server.hub.publish_state(name, state("B"), AT)
        changes = [await next_of(client) for _ in names]
        assert {change.station for change in changes} == set(names)
        assert {change.is_snapshot for change in changes} == {False}


async def test_stations_can_be_added_and_left(server: Server) -> None:
    async with client_of(server, "wxyz") as client:
        await next_of(client)
        await client.follow("kday")
        assert (await next_of(client)).station == "kday"
        await client.leave("wxyz")
        await client.follow("kday")
        server.hub.publish_state("wxyz", state("Unheard"), AT)
        server.hub.publish_state("kday", state("B"), AT)
        assert (await next_of(client)).station == "kday"


async def test_a_listening_session_gets_its_stream_time_even_after_a_break(server: Server) -> None:
    session = uuid4()
    async with client_of(server, "wxyz") as client:
        await next_of(client)
        await client.listen("wxyz", session)
        assert client.stream_time_ms("wxyz", session) is None
        server.cut()
        server.hub.publish_state("wxyz", state("B"), AT)
        await next_of(client)
        async with asyncio.timeout(5):
            while not server.hub.counts().sessions:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        server.hub.session_started("wxyz", str(session), UtcMs(NOW - 5000))
        server.hub.publish_state("wxyz", state("C"), AT)
        await next_of(client)
        assert client.stream_time_ms("wxyz", session) == NOW - 5000


async def test_it_knows_the_servers_time(server: Server) -> None:
    clock = ManualClock(NOW - 7_000)
    async with client_of(server, "wxyz", clock=clock) as client:
        await next_of(client)
        server.hub.publish_state("wxyz", state("B"), AT)
        await next_of(client)
        assert client.offset_ms == 7_000
        assert client.server_now_ms() == NOW


async def test_it_measures_the_clock_again_each_minute(server: Server) -> None:
    clock = ManualClock(NOW)
    async with client_of(server, "wxyz", clock=clock) as client:
        await next_of(client)
        for passed_s, set_s, offset_ms in ((0, 0, 0), (59, 7, 0), (2, 0, 7_000)):
            clock.advance(passed_s)
            server.clock.advance(passed_s + set_s)
            for name in "BC":  # the first lets it ask, the second comes after the answer
                server.hub.publish_state("wxyz", state(name), AT)
                await next_of(client)
            assert client.offset_ms == offset_ms


async def test_the_pauses_begin_small_again_only_after_a_connection_that_lasted(server: Server) -> None:
    clock = ManualClock(NOW)
    backoff = Backoff(base_s=0, cap_s=0)
    async with PushClient(server.url, ["wxyz"], clock=clock, backoff=backoff) as client:
        await next_of(client)
        for name, lasts_s, attempts in (("B", 1, 1), ("C", 1, 2), ("D", 11, 1)):
            clock.advance(lasts_s)
            server.cut()
            server.hub.publish_state("wxyz", state(name), AT)
            assert title(await next_of(client)) == name
            assert backoff.attempts == attempts


async def test_an_unknown_station_is_said(server: Server) -> None:
    async with client_of(server, "wxyy") as client:
        with pytest.raises(NotFound, match="Did you mean `wxyz`"):
            await next_of(client)


async def test_a_gap_is_filled_before_anything_is_shown(server: Server) -> None:
    async with client_of(server, "wxyz") as client:
        await next_of(client)
        (connection,) = server.sockets
        server.hub.unsubscribe(connection, "wxyz")  # an update gets lost on the way
        server.hub.publish_state("wxyz", state("B"), AT)
        server.hub.subscribe(connection, "wxyz", server.hub.position("wxyz"))
        server.hub.publish_state("wxyz", state("C"), AT)
        assert [title(await next_of(client)), title(await next_of(client))] == ["B", "C"]
        server.hub.publish_state("wxyz", state("D"), AT)
        assert title(await next_of(client)) == "D"


async def test_duplicates_and_news_of_a_later_release_are_passed_over(server: Server) -> None:
    async with client_of(server, "wxyz") as client:
        await next_of(client)
        (connection,) = server.sockets
        connection.way(text_frame(b'{"type":"weather","sky":"blue"}'))
        publication = server.hub.publish_state("wxyz", state("B"), AT)
        assert publication is not None
        connection.deliver(publication)
        server.hub.publish_state("wxyz", state("C"), AT)
        assert [title(await next_of(client)), title(await next_of(client))] == ["B", "C"]


async def test_it_does_not_come_back_when_told_not_to(server: Server) -> None:
    async with client_of(server, "wxyz") as client:
        await next_of(client)
        (connection,) = server.sockets
        connection.close(CloseCode.BAD_REQUESTS, "no more of this")
        with pytest.raises(ConnectionFailed, match="no more of this"):
            await next_of(client)


async def test_it_gives_up_after_so_many_attempts() -> None:
    async with PushClient(
        "http://127.0.0.1:1", ["wxyz"], backoff=Backoff(base_s=0.001, cap_s=0.001), attempts=3
    ) as client:
        with pytest.raises(ConnectionFailed, match="cannot be reached"):
            await next_of(client)


@pytest.mark.parametrize(
    ("said", "waits"),
    [("7", (7, 8)), ("90", (60, 60)), ("0", (0, 1)), ("soon", (0, 1)), ("-5", (0, 1)), ("9" * 40, (0, 1))],
)
async def test_a_server_that_asks_for_time_is_given_it_up_to_the_longest_pause(
    said: str, waits: tuple[float, float]
) -> None:
    clock = PausesClock(NOW)

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": said})

    app = web.Application()
    app.router.add_get("/api/ws", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with PushClient(url, ["wxyz"], clock=clock, attempts=2) as client:
            with pytest.raises(ConnectionFailed, match="cannot be reached"):
                await next_of(client)
    finally:
        await runner.cleanup()
    (pause_s,) = clock.pauses
    assert waits[0] <= pause_s <= waits[1]


@asynccontextmanager
async def http_server(body: bytes, status: int = 200) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, status=status, content_type="application/json")

    app = web.Application()
    app.router.add_get("/api/stations", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("wrap", [lambda stations: stations, lambda stations: {"stations": stations}])
async def test_the_list_of_stations(wrap: Any) -> None:
    stations = [{"station": {"id": "wxyz", "name": "x" * 500_000}}, {"station": {"id": "kday"}}]
    async with http_server(encode(wrap(stations))) as url, PushClient(url) as client:
        assert await client.stations() == stations


@pytest.mark.parametrize(
    ("body", "status"), [(b"[]", 500), (b"{}", 200), (b"[1]", 200), (b"<html>", 200), (b"3", 200)]
)
async def test_a_list_that_does_not_come(body: bytes, status: int) -> None:
    async with http_server(body, status) as url, PushClient(url) as client:
        with pytest.raises(ConnectionFailed):
            await client.stations()


async def test_a_server_without_push_is_said() -> None:
    async with http_server(b"[]") as url, PushClient(url, ["wxyz"]) as client:
        with pytest.raises(ConnectionFailed, match="404"):
            await next_of(client)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://radio.example", "http://"])
def test_an_address_is_checked(url: str) -> None:
    with pytest.raises(InvalidRequest, match="is no server"):
        PushClient(url)


def test_pauses_grow_and_are_spread_over_the_whole_span() -> None:
    backoff = Backoff(base_s=1, cap_s=30, rng=random.Random(7))
    bounds = [1, 2, 4, 8, 16, 30, 30]
    rounds = []
    for _ in range(400):
        backoff.reset()
        rounds.append([backoff.next_s() for _ in bounds])
    for bound, pauses in zip(bounds, zip(*rounds, strict=True), strict=True):
        assert 0 <= min(pauses) < bound * 0.05
        assert bound * 0.95 < max(pauses) <= bound


def test_the_clocks_offset_is_that_of_the_shortest_exchange() -> None:
    offset = ClockOffset()
    assert offset.offset_ms == 0
    offset.add(UtcMs(1000), UtcMs(1900), UtcMs(2100))
    offset.add(UtcMs(2000), UtcMs(2010), UtcMs(2505))
    assert offset.offset_ms == 500
    assert isinstance(SystemClock().now_ms(), int)
