"""A service that goes on in another process: listeners, subscribers and the as-run log notice nothing."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from whole_service import configuration, tone

import radio
from radio.client import PushClient

SCHEDULE = """\
default_clock = "talk"

[clocks.talk]
positions = [{ rotate = ["features"] }]
"""
MOUNTS = ("live.mp3", "live.aac", "live.opus")


class Services:
    """Processes of ``radio run``, one after the other on one folder."""

    def __init__(self, folder: Path) -> None:
        for number in range(3):
            tone(folder / f"wxyz/features/{number}.wav", 300 + 50 * number, seconds=11, rate_hz=16_000)
        self.config = configuration(folder, "wxyz")
        mounts = "".join(f'[[stations.mounts]]\nname = "{name}"\nbitrate_kbps = 64\n' for name in MOUNTS)
        text = self.config.read_text().replace("lead_s = 2,", "lead_s = 5,")
        self.config.write_text(text + mounts)
        (folder / "schedules/wxyz.toml").write_text(SCHEDULE)
        self.folder = folder
        self.port = 0
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "radio", "run", "--config", str(self.config), "--port", "0", *options],
            env={**os.environ, "PYTHONPATH": str(Path(radio.__file__).parent.parent)},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def said(self, process: subprocess.Popen[str], words: str) -> str:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if words in line:
                return line
        raise AssertionError("".join(lines))

    def on_air(self) -> subprocess.Popen[str]:
        process = self.start()
        line = self.said(process, "Listen at")
        self.port = int(re.search(r":(\d+)/", line)[1])  # type: ignore[index]
        for _ in range(300):
            if self.get("/api/stations/wxyz")["now"] is not None:
                return process
            time.sleep(0.05)
        raise AssertionError("nothing came on the air")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return json.load(answer)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.folder}/data/nextup.db?mode=ro", uri=True, timeout=5) as db:
            return db.execute(query).fetchall()

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait(10)
            if process.stderr is not None:
                process.stderr.close()


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = Services(tmp_path)
    yield made
    made.end()


class Listener:
    """One connection to a stream, and every byte that came."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.ended = False
        self.longest_s = 0.0
        self.task: asyncio.Task[None] | None = None

    async def listen(self, port: int, mount: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /listen/wxyz/{mount} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        self.task = asyncio.create_task(self._collect(reader, writer))

    async def _collect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        last_s = time.monotonic()
        try:
            while part := await reader.read(65_536):
                self.longest_s = max(self.longest_s, time.monotonic() - last_s)
                last_s = time.monotonic()
                self.data += part
            self.ended = True
        finally:
            writer.close()


def packets_of(container: Any, size: int) -> Iterator[Any]:
    """The packets of a recording, whose last page may be cut off."""
    at = 0
    packets = container.demux(audio=0)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.InvalidDataError:
            assert at > size - 16_000, f"broken at byte {at} of {size}"
            return
        at = max(at, packet.pos or 0)
        if packet.size:
            yield packet


def sound_of(data: bytes) -> np.ndarray[Any, Any]:
    """What is decoded; only a last frame that was cut off may be broken."""
    with av.open(io.BytesIO(data), "r") as container:
        packets = list(packets_of(container, len(data)))
        frames = []
        for number, packet in enumerate(packets):
            try:
                frames += [frame.to_ndarray() for frame in packet.decode()]
            except av.InvalidDataError:
                assert number >= len(packets) - 2, f"packet {number} of {len(packets)} is broken"
    return np.concatenate([frame if len(frame) == 2 else frame.reshape(-1, 2).T for frame in frames], axis=1)


async def test_nobody_notices_that_another_process_goes_on(services: Services) -> None:
    old = await asyncio.to_thread(services.on_air)
    listeners = {mount: Listener() for mount in MOUNTS}
    for mount, listener in listeners.items():
        await listener.listen(services.port, mount)
    crowd = [Listener() for _ in range(40)]
    for listener in crowd:
        await listener.listen(services.port, "live.mp3")
    changes = []
    async with PushClient(f"http://127.0.0.1:{services.port}", ["wxyz"]) as client:
        first = await anext(aiter(client))
        before = first.state["now"]
        new = services.start("--takeover")
        await asyncio.to_thread(services.said, new, "Listen at")
        assert await asyncio.to_thread(old.wait, 10) == 0
        state = services.get("/api/stations/wxyz")
        if before["id"] == state["now"]["id"]:
            assert state["now"]["starts_at_ms"] == before["starts_at_ms"]
        async with asyncio.timeout(40):
            async for change in client:
                changes.append(change)
                if change.state["now"] and change.state["now"]["id"] != before["id"]:
                    break
    assert [change.seq for change in changes] == list(range(first.seq + 1, first.seq + 1 + len(changes)))
    assert {(change.epoch, change.is_snapshot) for change in changes} == {(first.epoch, False)}
    await asyncio.sleep(1.5)
    assert services.get("/api/stations/wxyz")["listeners"]["current"] >= 0
    for listener in (*listeners.values(), *crowd):
        assert listener.task is not None
        assert not listener.ended
        assert listener.longest_s < 4.0
        listener.task.cancel()
    for mount, listener in listeners.items():
        heard = sound_of(bytes(listener.data))
        windows = heard[:, 4_800 : heard.shape[1] // 4_800 * 4_800].reshape(2, -1, 4_800)
        assert np.sqrt((windows.astype(np.float64) ** 2).mean(axis=(0, 2))).min() > 0.05, mount
    frames = len(crowd[0].data) // 192
    assert all(crowd[0].data[at * 192] == 0xFF for at in range(frames))
    assert all(None is not change.state["now"] for change in changes)
    rows = services.ask("SELECT row_id, count(*) FROM as_run GROUP BY row_id")
    assert {times for _, times in rows} == {1}
    ended = services.ask(
        "SELECT outcome, played_ms, ends_at_ms - starts_at_ms FROM as_run WHERE ended_at_ms IS NOT NULL"
    )
    assert ("aired",) in {(outcome,) for outcome, _, _ in ended[-1:]}
    new.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(new.wait, 15) == 0


async def test_a_service_whose_mounts_differ_is_not_gone_on_with(services: Services) -> None:
    old = await asyncio.to_thread(services.on_air)
    listener = Listener()
    await listener.listen(services.port, "live.mp3")
    services.config.write_text(services.config.read_text().replace("bitrate_kbps = 64", "bitrate_kbps = 96"))
    new = services.start("--takeover")
    assert "mounts have changed" in await asyncio.to_thread(services.said, new, "radio:")
    assert await asyncio.to_thread(new.wait, 10) == 1
    before = len(listener.data)
    await asyncio.sleep(2.5)
    assert len(listener.data) > before
    assert old.poll() is None
    assert services.get("/api/stations/wxyz")["availability"]["status"] == "on_air"


async def test_where_nobody_runs_there_is_nothing_to_take_over(services: Services) -> None:
    new = services.start("--takeover")
    assert "No running service" in await asyncio.to_thread(services.said, new, "radio:")
    assert await asyncio.to_thread(new.wait, 10) == 1
