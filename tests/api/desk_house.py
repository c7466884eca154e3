"""Desks on a free port: a real store and sockets, and stations whose state is what a test says it is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from radio.api.command_shapes import ComingRow
from radio.api.desk_feed import DeskFeed
from radio.api.desk_messages import DeskState, MountState, ScheduleState
from radio.api.desk_socket import DeskLimits, DeskSockets
from radio.api.handover import handover_routes
from radio.api.server import http_application, serving
from radio.api.sign_in import sign_in
from radio.clock import ManualClock
from radio.events import Availability, RowEnded
from radio.log import Anchor, ItemKind, LogRow, Outcome
from radio.playout import Pulse
from radio.push.heartbeat import Heartbeat
from radio.stations.shapes import AvailabilityState
from radio.store import Store, operators, sqlite_url
from radio.store.operators import Role
from radio.store.schedule_revisions import Revision
from radio.units import Decibels, DurationMs, Lufs, UtcMs

NOON = 1_800_000_000_000
STATIONS = ("harbor", "kday", "wxyz")


def row(number: int = 1, *, station: str = "harbor", anchor: Anchor = Anchor.FLOAT) -> LogRow:
    return LogRow(
        id=f"row-{number}",
        station=station,
        starts_at_ms=UtcMs(NOON + number * 60_000),
        ends_at_ms=UtcMs(NOON + (number + 1) * 60_000),
        kind=ItemKind.MUSIC,
        title=f"Song {number}",
        reason="rotation",
        item=f"item-{number}",
        anchor=anchor,
    )


def desk_state(number: int = 1, **changes: Any) -> DeskState:
    """A station with row ``number`` on the air."""
    values: dict[str, Any] = {
        "availability": AvailabilityState(status=Availability.ON_AIR, since_ms=UtcMs(NOON), reason=None),
        "source": "schedule",
        "programme": None,
        "next_programme": None,
        "on_air": ComingRow.of(row(number)),
        "stream_row": f"row-{number}",
        "next": [ComingRow.of(row(number + 1, anchor=Anchor.HARD))],
        "hold": None,
        "lead_s": 5.0,
        "mounts": {"live.mp3": MountState(format="mp3", bitrate_kbps=128, listeners=3)},
        "alarms": [],
        "schedule": ScheduleState(version="v1", saved=None, problem=None),
    }
    return DeskState(**(values | changes))


def pulse(level_db: float = -20.0) -> Pulse:
    return Pulse(
        at_ms=UtcMs(NOON + 5_000),
        level_db=level_db,
        silent_ms=0,
        on_bed=False,
        lead_s=5.08,
        momentary_lufs=Lufs(-18.04),
        short_term_lufs=None,
        true_peak_db=Decibels(-3.21),
    )


def ended(number: int = 1, station: str = "harbor") -> RowEnded:
    row_ = row(number, station=station)
    return RowEnded(row_, row_.ends_at_ms, DurationMs(59_000), Outcome.SKIPPED, "skipped by the night desk")


def revision(number: int = 7) -> Revision:
    return Revision(
        number=number,
        parent=number - 1,
        at_ms=UtcMs(NOON),
        operator="night desk",
        action="edit",
        why="a late programme",
        version="v2",
        size_bytes=100,
        added_lines=1,
        removed_lines=0,
    )


class DeskHouse:
    """Three stations and their desks."""

    def __init__(self, store: Store, clock: ManualClock, feed: DeskFeed) -> None:
        self.store = store
        self.clock = clock
        self.feed = feed
        self.states = {station: desk_state() for station in STATIONS}
        self.looks = 0
        self.prepared: list[str] = []
        self.sockets: DeskSockets
        self.heartbeat: Heartbeat
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/console/ws"

    def look(self, station: str) -> DeskState:
        self.looks += 1
        return self.states[station]

    async def prepare(self, stations: Collection[str]) -> None:
        self.prepared += stations

    async def token(self, name: str, role: Role = Role.VIEWER, stations: list[str] | None = None) -> str:
        return await self.store.write(operators.add, name, role, stations, self.clock.now_ms())

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(0.005)
        self.clock.advance(seconds)
        await asyncio.sleep(0.02)

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(2_500):
            if holds():
                return
            await asyncio.sleep(0.002)
        raise AssertionError("it never came to that")

    def connect(self, token: str = "", query: str = "", **options: Any) -> connect:
        """A client of ``websockets``; with ``token`` it signs in by header."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return connect(self.url + query, additional_headers=headers, compression=None, **options)

    @asynccontextmanager
    async def slow_desk(self) -> AsyncIterator[ClientConnection]:
        """A desk that has the snapshot of one station and reads no more; little fits on the way to it."""
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
        token = await self.token("slow desk")
        async with self.connect(token, sock=raw, max_queue=1, close_timeout=0.1) as client:
            await hear(client)
            await client.send(say(type="watch", stations=["harbor"]))
            await hear(client)
            client.transport.pause_reading()
            try:
                yield client
            finally:
                client.transport.abort()

    @asynccontextmanager
    async def desk(self, *stations: str, name: str = "night desk") -> AsyncIterator[ClientConnection]:
        """A desk that is signed in and has the snapshots of ``stations``."""
        async with self.connect(await self.token(name)) as client:
            assert (await hear(client))["type"] == "welcome"
            if stations:
                await client.send(say(type="watch", id=1, stations=stations))
                heard = [await hear(client) for _ in stations]
                assert [each["station"] for each in heard] == sorted(stations)
            yield client


@asynccontextmanager
async def open_desks(
    folder: Path, *, limits: DeskLimits | None = None, public_url: str = ""
) -> AsyncIterator[DeskHouse]:
    clock = ManualClock(NOON)
    async with (
        Store.open(sqlite_url(folder / "desk-house.db"), clock=clock) as store,
        Heartbeat(clock) as heartbeat,
    ):
        feed = DeskFeed(clock, soon=asyncio.get_running_loop().call_soon)
        house = DeskHouse(store, clock, feed)
        feed.look = house.look
        house.heartbeat = heartbeat
        sockets = house.sockets = DeskSockets(
            feed,
            store,
            clock,
            heartbeat,
            stations=STATIONS,
            prepare=house.prepare,
            public_url=public_url,
            limits=limits,
        )
        routes = handover_routes(streams=asyncio.Protocol, sockets=asyncio.Protocol, desk=sockets.protocol)
        async with (
            sockets,
            serving(
                http_application(routes, sign_in(store, clock)),
                streams=asyncio.Protocol,
                sockets=asyncio.Protocol,
                host="127.0.0.1",
                port=0,
                desk=sockets.protocol,
            ) as (house.port, *_),
            sockets.serving(),
        ):
            yield house
    assert (len(sockets), sockets.waiting) == (0, 0)
    assert feed.stations == frozenset()
    assert len(heartbeat) == 0


def say(**message: object) -> str:
    return msgspec.json.encode(message).decode()


async def hear(client: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        text = await client.recv()
    decoded: dict[str, Any] = msgspec.json.decode(text)
    return decoded


async def close_code(client: ClientConnection) -> int:
    """The code with which the server ends the connection, whatever it says before."""
    with suppress(ConnectionClosed):
        while True:
            await hear(client)
    assert client.close_code is not None
    return client.close_code
