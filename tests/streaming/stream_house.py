"""Doubles for streaming tests: chunks with known bytes, and a house with one station on the air."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from radio.api.door import Door
from radio.clock import ManualClock
from radio.parking import ParkingLot
from radio.streaming.chunks import Chunk
from radio.streaming.listener import Listener
from radio.streaming.mount import Mount, Start
from radio.streaming.mounts import ListenerLimits, Mounts
from radio.streaming.sessions import Sessions
from radio.streaming.stream_heads import StationFace

FRAME_BYTES = 384
FRAMES = 10
CHUNK_BYTES = FRAME_BYTES * FRAMES
CHUNK_MS = 240
BASE_MS = 1_800_000_000_000
SESSION = "0f8fad5b-d9cb-469f-a165-70867728950e"
STREAM_PATH = "/listen/wxyz/live.mp3"


def frame(number: int) -> bytes:
    return b"\xff\xfb" + number.to_bytes(4, "big") + bytes([number % 251]) * (FRAME_BYTES - 6)


def sound(seq: int) -> bytes:
    return b"".join(frame(seq * FRAMES + index) for index in range(FRAMES))


def make_chunk(
    seq: int,
    *,
    title: str = "Morning Edition",
    epoch: int = 0,
    late_ms: int = 0,
    lead_in: bytes = b"",
    entry: int = 0,
) -> Chunk:
    return Chunk(
        station="wxyz",
        mount="live.mp3",
        epoch=epoch,
        seq=seq,
        starts_at_ms=BASE_MS + seq * CHUNK_MS + late_ms,
        first_sample=seq * CHUNK_MS * 48,
        samples=CHUNK_MS * 48,
        data=sound(seq),
        title=title,
        level_db=-20.0,
        lead_in=lead_in,
        entry=entry,
    )


class Turns:
    """A loop's ``call_later`` for tests: what is put off runs when the test says so."""

    def __init__(self) -> None:
        self.waiting: list = []
        self.pauses_s: list[float] = []

    def __call__(self, pause_s, work) -> None:
        self.waiting.append(work)
        self.pauses_s.append(pause_s)

    def run_all(self) -> int:
        count = 0
        while self.waiting:
            self.waiting.pop(0)()
            count += 1
        return count


def make_mount(**changes) -> Mount:
    settings = {
        "mime": "audio/mpeg",
        "bitrate_kbps": 128,
        "chunk_bytes": CHUNK_BYTES,
        "frame_bytes": FRAME_BYTES,
        "later": Turns(),
    }
    return Mount("wxyz", "live.mp3", **{**settings, **changes})


class Ear:
    """A member of a mount that keeps what it is sent."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.begun: Start | None = None

    def start(self, start: Start) -> None:
        self.begun = start
        for buffer in start.buffers:
            self.heard += buffer

    def write(self, buffer: bytes) -> None:
        self.heard += buffer

    def join(self, mount: Mount, now_ms: int, *, icy: bool = False) -> Start | None:
        start = mount.join(self, self.write, icy=icy, now_ms=now_ms)
        if start is not None:
            self.start(start)
        return start


class House:
    """One station with one mount, on a free port behind the door."""

    def __init__(self, limits: ListenerLimits | None = None, *, parked: bool = True, **mount_changes) -> None:
        loop = asyncio.get_running_loop()
        self.clock = ManualClock(BASE_MS)
        self.sessions = Sessions(self.clock, keep_s=60, limit=100)
        self.mounts = Mounts(self.clock, self.sessions, limits)
        self.mounts.parking = ParkingLot(use_epoll=parked)
        self.mount = make_mount(later=loop.call_later, now=loop.time, **mount_changes)
        self.face = StationFace(
            "wxyz", "WXYZ Harbor Radio", "News and music", "public", "https://wxyz.example"
        )
        self.mounts.add(self.face, self.mount)
        self.door = Door(lambda line, head: head and (lambda: Listener(self.mounts)))
        self.port = 0

    def publish(self, *seqs: int, title: str = "Morning Edition", **changes) -> None:
        for seq in seqs:
            self.mount.publish(make_chunk(seq, title=title, **changes))

    async def ask(
        self, target: str = STREAM_PATH, *fields: str, method: str = "GET", version: str = "HTTP/1.1"
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = [f"{method} {target} {version}", "Host: localhost", *fields]
        writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
        return reader, writer


@asynccontextmanager
async def open_house(limits: ListenerLimits | None = None, **changes) -> AsyncIterator[House]:
    house = House(limits, **changes)
    server = await asyncio.get_running_loop().create_server(house.door, "127.0.0.1", 0, backlog=4096)
    house.port = server.sockets[0].getsockname()[1]
    try:
        yield house
    finally:
        house.mounts.close()
        house.door.close()
        server.close()
        await server.wait_closed()
        await until(lambda: house.mounts.occupied == 0)


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    text = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = text[:-4].split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return int(first.split(" ")[1]), {name.lower(): value for name, value in pairs}


async def until(holds) -> None:
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def close(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0)
