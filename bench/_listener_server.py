"""The server that ``bench.listeners`` measures: the real door, mounts and listeners, fed by a made-up chunk source.

Runs in a process of its own. Commands come on standard input, one JSON object goes out for each.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from bench._listener_sound import CHUNK_BYTES, CHUNK_S, CHUNK_SAMPLES, KBPS, STATION, title_at
from radio.api.door import Door, Factory, standard_route
from radio.clock import SystemClock
from radio.parking import raise_descriptor_limit
from radio.streaming.chunks import Chunk
from radio.streaming.listener import Listener
from radio.streaming.mount import Mount
from radio.streaming.mounts import ListenerLimits, Mounts
from radio.streaming.sessions import Sessions
from radio.streaming.stream_heads import StationFace
from radio.units import Samples, UtcMs

LEAD_S = 5.0
TICK_S = 0.05


class Source:
    """Publishes a chunk each 1.008 s, five seconds ahead of the clock, as playout does."""

    def __init__(self, mount: Mount, sound: bytes) -> None:
        self.mount = mount
        self.sound = sound
        self.began_s = time.monotonic() - LEAD_S
        self.began_ms = SystemClock().now_ms()
        self.seq = 0

    async def run(self) -> None:
        while True:
            due_s = self.began_s + self.seq * CHUNK_S
            await asyncio.sleep(due_s - time.monotonic())
            self.mount.publish(self._chunk())
            self.seq += 1

    def _chunk(self) -> Chunk:
        first = self.seq * CHUNK_SAMPLES
        place = self.seq * CHUNK_BYTES % len(self.sound)
        return Chunk(
            station=STATION,
            mount=self.mount.name,
            epoch=0,
            seq=self.seq,
            starts_at_ms=UtcMs(self.began_ms + first // 48),
            first_sample=Samples(first),
            samples=Samples(CHUNK_SAMPLES),
            data=self.sound[place : place + CHUNK_BYTES],
            title=title_at(self.seq * CHUNK_S),
            level_db=-20.0,
        )


class Lateness:
    """How late the loop runs what is due each ``tick_s`` seconds."""

    def __init__(self, tick_s: float = TICK_S) -> None:
        self.tick_s = tick_s
        self.late_ms: list[float] = []

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + self.tick_s
            await asyncio.sleep(self.tick_s)
            self.late_ms.append((loop.time() - due_s) * 1000)

    def taken(self) -> dict[str, float]:
        """The quantiles since the last time."""
        late_ms, self.late_ms = sorted(self.late_ms), []
        if not late_ms:
            return {}
        return {
            "late_p50_ms": late_ms[len(late_ms) // 2],
            "late_p99_ms": late_ms[int(len(late_ms) * 0.99)],
            "late_max_ms": late_ms[-1],
        }


async def serve(sound: bytes) -> None:
    raise_descriptor_limit()
    clock = SystemClock()
    limits = ListenerLimits(total=1_000_000, per_address=1_000_000)
    mounts = Mounts(clock, Sessions(clock), limits)
    loop = asyncio.get_running_loop()
    mount = Mount(
        STATION,
        "live.mp3",
        mime="audio/mpeg",
        bitrate_kbps=KBPS,
        chunk_bytes=CHUNK_BYTES,
        frame_bytes=3 * KBPS,
        later=loop.call_later,
        now=loop.time,
    )
    mounts.add(StationFace(STATION, "Bench Radio"), mount)
    nothing: Factory = asyncio.Protocol
    door = Door(standard_route(web=nothing, stream=lambda: Listener(mounts), socket=nothing))
    server = await loop.create_server(door, "127.0.0.1", 0, backlog=4096)
    lateness = Lateness()
    work = [loop.create_task(job.run()) for job in (Source(mount, sound), lateness)]
    say({"port": server.sockets[0].getsockname()[1]})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.strip() == "report":
            say({"listeners": mount.listeners, "dropped": mount.dropped, **lateness.taken()})
    for task in work:
        task.cancel()
    mounts.close()
    server.close()


def say(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]).read_bytes()))
