"""A hundred thousand changes of metadata on a running service: every one is told, nothing grows, nobody waits."""

from __future__ import annotations

import asyncio
import gc
import resource
from pathlib import Path
from time import monotonic

from faults_house import Ear, assert_heard, lay_out, station
from whole_service import Radio

from radio.clock import SystemClock
from radio.streaming.chunks import Chunk
from radio.streaming.mount import Mount
from radio.streaming.stream_heads import StationFace
from radio.units import Samples, UtcMs

CHANGES = 100_000
AT_ONCE = 40
CHUNK = 384


def resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def chunk(seq: int, at_ms: int) -> Chunk:
    return Chunk(
        station="wxyz", mount="flood.mp3", epoch=0, seq=seq, starts_at_ms=UtcMs(at_ms + seq * 24),
        first_sample=Samples(seq * 1152), samples=Samples(1152), data=b"\xff\xfb" + bytes(CHUNK - 2),
        title=f"Title {seq} 🎺'; StreamUrl='x';\n", level_db=-20.0,
    )  # fmt: skip


async def test_a_hundred_thousand_titles_reach_a_listener_and_leave_nothing_behind(tmp_path: Path) -> None:
    lay_out(tmp_path)
    async with station(tmp_path) as service:
        ear = Ear(service.port)
        loop = asyncio.get_running_loop()
        mount = Mount(
            "wxyz", "flood.mp3", mime="audio/mpeg", bitrate_kbps=128, chunk_bytes=CHUNK, frame_bytes=CHUNK,
            later=loop.call_later, now=loop.time,
        )  # fmt: skip
        service.mounts.add(StationFace(id="wxyz", name="WXYZ", description="", genre="", url=""), mount)
        at_ms = SystemClock().now_ms()
        radio = await Radio.tune_in(service.port, "/listen/wxyz/flood.mp3")
        listening = asyncio.create_task(radio.listen(until_bytes=CHANGES * CHUNK))
        while not mount.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        mount.publish(chunk(0, at_ms))
        before, slowest_s = 0, 0.0
        for seq in range(1, CHANGES):
            mount.publish(chunk(seq, at_ms))
            if seq % AT_ONCE == 0:
                began_s = monotonic()
                await asyncio.sleep(0)
                slowest_s = max(slowest_s, monotonic() - began_s)
            if seq == CHANGES // 4:
                before = resident_bytes() - len(radio._audio)
        heard = await listening
        radio.switch_off()
        grown = resident_bytes() - len(heard.audio) - before
        course = await ear.done()
    titles = {title.title for title in heard.titles}
    assert len(titles) > CHANGES - 3
    assert all("\n" not in title and "';" not in title for title in titles)
    # what the listener in this process keeps of its titles is its own
    assert grown < 80_000_000
    assert_heard(course)
