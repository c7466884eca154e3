"""A station as the dialects' tests know it: its state, a sight of it, and the whole HTTP side on a free port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from radio.api.dialects.board import Board
from radio.api.dialects.live_push import LivePush
from radio.api.dialects.live_socket import LiveLimits, LiveSockets
from radio.api.dialects.live_stream import LiveStreams
from radio.api.dialects.recent import Heard
from radio.api.dialects.routes import Dialects
from radio.api.dialects.sight import Sight
from radio.api.problems import problems
from radio.api.server import serving
from radio.clock import ManualClock
from radio.config import MountConfig, StationConfig
from radio.log import ItemKind, LogRow
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub
from radio.push.limits import Admission
from radio.schedule import ProgrammeAiring
from radio.stations.shapes import StationState
from radio.units import DurationMs, UtcMs

NOON = 1_800_000_000_000  # 2027-01-15T08:00:00Z, 03:00 in New York
BASE = "http://radio.example"
STARTED = UtcMs(NOON - 3_600_000)

WXYZ = StationConfig(
    id="wxyz",
    name="WXYZ & Friends",
    library=("sounds",),
    description="News and talk",
    genre="News",
    timezone="America/New_York",
    logo="stations/wxyz.png",
    mounts=(MountConfig(), MountConfig(name="live.aac", bitrate_kbps=96)),
)
KDAY = StationConfig(id="kday", name="KDAY", library=("sounds",), timezone="UTC", next_shows="item")


def state(
    station: StationConfig = WXYZ,
    *,
    id_: str = "row-1",
    title: str = "Tide",
    listeners: int = 3,
    **changes: Any,
) -> dict[str, Any]:
    """A station's state as the hub has it: 30 s into an item of 180 s."""
    shown: dict[str, Any] = {
        "station": {
            "id": station.id,
            "name": station.name,
            "tagline": "",
            "timezone": station.timezone,
            "logo": "/media/artwork/stations/wxyz.png" if station.logo else None,
            "streams": [],
        },
        "availability": {"status": "on_air", "since_ms": NOON - 600_000, "reason": None},
        "source": "schedule",
        "programme": {
            "id": "morning",
            "title": "Morning <Bells>",
            "host": "The Harbor news desk",
            "description": None,
            "image": None,
            "starts_at_ms": NOON - 600_000,
            "ends_at_ms": NOON + 3_000_000,
        },
        "now": {
            "id": id_,
            "kind": "music",
            "title": title,
            "artist": "The Bay",
            "album": "Shore",
            "artwork": "/api/stations/wxyz/artwork/abc",
            "starts_at_ms": NOON - 30_000,
            "ends_at_ms": NOON + 150_000,
            "duration_ms": 180_000,
        },
        "next": [
            {
                "id": "row-2",
                "kind": "music",
                "title": "Rope",
                "artist": "The Bay",
                "starts_at_ms": NOON + 150_000,
                "basis": "scheduled",
            }
        ],
        "next_programme": None,
        "supported_by": None,
        "listeners": {"current": listeners},
    }
    return shown | changes


def heard(id_: str = "row-0", title: str = "Foam", *, ago_s: int = 230, **changes: Any) -> Heard:
    """An item that was over when the present one began."""
    values: dict[str, Any] = {
        "id": id_,
        "kind": ItemKind.MUSIC,
        "title": title,
        "artist": "The Bay",
        "starts_at_ms": UtcMs(NOON - ago_s * 1000),
        "duration_ms": DurationMs(200_000),
    }
    return Heard(**(values | changes))


def row(id_: str = "row-2", **changes: Any) -> LogRow:
    """The row that comes next."""
    values: dict[str, Any] = {
        "id": id_,
        "station": "wxyz",
        "starts_at_ms": UtcMs(NOON + 150_000),
        "ends_at_ms": UtcMs(NOON + 330_500),
        "kind": ItemKind.MUSIC,
        "title": "Rope",
        "artist": "The Bay",
        "album": "Shore",
        "artwork": "def",
        "reason": "rotation",
    }
    return LogRow(**(values | changes))


def airing(id_: str, from_min: int, to_min: int, **changes: Any) -> ProgrammeAiring:
    """A programme from so many minutes after noon to so many."""
    values: dict[str, Any] = {
        "id": id_,
        "occurrence": f"{id_}@{from_min}",
        "title": id_.title(),
        "starts_at_ms": UtcMs(NOON + from_min * 60_000),
        "ends_at_ms": UtcMs(NOON + to_min * 60_000),
    }
    return ProgrammeAiring(**(values | changes))


DAY = (
    airing("night", -400, -10),
    airing(
        "morning",
        -10,
        50,
        title="Morning <Bells>",
        host="The Harbor news desk",
        link="https://wxyz.example/m",
    ),
    airing("noon", 50, 110),
    airing("evening", 110, 300),
)


def sight(shown: dict[str, Any] | None = None, **changes: Any) -> Sight:
    """A sight of WXYZ."""
    values: dict[str, Any] = {
        "number": 1,
        "config": WXYZ,
        "state": msgspec.convert(shown or state(), StationState),
        "base": BASE,
        "at_ms": UtcMs(NOON),
        "started_at_ms": STARTED,
        "heard": (heard(),),
        "coming": (row(),),
        "listeners": {"live.mp3": 2, "live.aac": 1},
        "peaks": {"live.mp3": 7},
    }
    return Sight(**(values | changes))


class Known:
    """What the board asks for, as set by a test."""

    def __init__(self) -> None:
        self.counts = {"live.mp3": 2, "live.aac": 1}
        self.earlier: list[Heard] = [heard()]
        self.fails = False

    def coming(self, station: str, after_ms: int, limit: int) -> Sequence[LogRow]:
        return [row()] if after_ms <= row().starts_at_ms else []

    def airings(self, station: str) -> Sequence[ProgrammeAiring]:
        return DAY

    def listeners(self, station: str) -> Mapping[str, int]:
        return self.counts

    async def heard(self, station: str, limit: int) -> list[Heard]:
        if self.fails:
            raise RuntimeError("the database is away")
        return self.earlier


class Answer(NamedTuple):
    """A response as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class House:
    """Two stations and every dialect of theirs on one port."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.hub = Hub(epoch="first")
        self.known = Known()
        self.admission = Admission(total=100, per_address=100)
        self.port = 0
        self.board: Board
        self.live: LivePush
        self.sockets: LiveSockets
        self.streams: LiveStreams

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/live/nowplaying/websocket"

    def publish(self, shown: dict[str, Any]) -> None:
        self.hub.publish_state(shown["station"]["id"], shown, self.clock.now_ms())

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

    async def ask(self, target: str, *fields: str, method: str = "GET", body: bytes = b"") -> Answer:
        """Send ``target`` as it is, byte for byte, on a connection of its own."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close", *fields]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(("\r\n".join([*lines, f"Content-Length: {len(body)}"]) + "\r\n\r\n").encode() + body)
            answer = await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.transport.abort()
        head, _, rest = answer.partition(b"\r\n\r\n")
        first, *named = head.decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in named)
        return Answer(int(first.split(" ")[1]), {name.lower(): value for name, value in pairs}, rest)


@asynccontextmanager
async def open_house(
    *, limits: LiveLimits | None = None, public_url: str = "", known: Known | None = None
) -> AsyncIterator[House]:
    house = House()
    house.known = known or house.known
    house.hub.open("wxyz", state())
    house.hub.open("kday", state(KDAY))
    stations = [WXYZ, KDAY]
    async with Heartbeat(house.clock) as heartbeat:
        board = house.board = Board(stations, house.known, house.hub, house.clock, heartbeat)
        live = house.live = LivePush(board, public_url=public_url)
        sockets = house.sockets = LiveSockets(
            live, house.clock, heartbeat, admission=house.admission, limits=limits
        )
        streams = house.streams = LiveStreams(
            live, house.clock, heartbeat, admission=house.admission, limits=limits
        )
        application = web.Application(middlewares=[problems], client_max_size=1_000_000)
        application.add_routes(
            Dialects(board, network="Ellery Sound", public_url=public_url).routes(sockets, streams)
        )
        async with (
            board,
            serving(
                application, streams=asyncio.Protocol, sockets=asyncio.Protocol, host="127.0.0.1", port=0
            ) as made,
            streams,
            sockets,
        ):
            house.port = made.port
            await asyncio.sleep(0)
            try:
                yield house
            finally:
                for connection in sockets:
                    connection.abort()
                await asyncio.sleep(0.01)
    assert len(sockets) == len(live) == 0
    assert house.admission.connections == 0
    assert house.hub.counts().subscribers == 0
