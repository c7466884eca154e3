"""Upgrades under load: the demo goes on in a new process again and again while 1,000 listeners count its bytes.

For each takeover: connections that ended, MP3 frames that are not where they must be, and the longest pause at any
listener, which has the stream's lead (5 s) in its buffer. ``--listeners 1000 --repeats 20``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import uvloop

from radio.parking import raise_descriptor_limit

ROOT = Path(__file__).parent.parent
FRAME_BYTES = 384
MOUNT = "/listen/harbor/live.mp3"
START_S = 120.0


def main() -> None:
    """Print the table."""
    reader = argparse.ArgumentParser(prog="bench takeover")
    reader.add_argument("--listeners", type=int, default=1_000)
    reader.add_argument("--repeats", type=int, default=20)
    options = reader.parse_args()
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="nextup-takeover-") as folder:
        uvloop.run(_measure(Path(folder), options.listeners, options.repeats))


async def _measure(folder: Path, count: int, repeats: int) -> None:
    service, port = await asyncio.to_thread(_start, folder, 0)
    listeners = [_Listener() for _ in range(count)]
    pauses: list[float] = []
    took: list[float] = []
    try:
        for at in range(0, count, 100):
            await asyncio.gather(*(each.connect(port) for each in listeners[at : at + 100]))
        await asyncio.sleep(6.0)
        for _ in range(repeats):
            for each in listeners:
                each.longest_s = 0.0
            began_s = time.monotonic()
            successor, _ = await asyncio.to_thread(_start, folder, port, "--takeover")
            took.append(time.monotonic() - began_s)
            await asyncio.to_thread(service.wait, 20)
            service = successor
            await asyncio.sleep(4.0)
            pauses.append(max(each.longest_s for each in listeners))
        _report(listeners, pauses, took)
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(20)


def _report(listeners: list[_Listener], pauses: list[float], took: list[float]) -> None:
    ended = sum(each.ended for each in listeners)
    broken = sum(each.broken for each in listeners)
    frames = sum(each.frames for each in listeners)
    print(f"{len(listeners)} listeners, {len(pauses)} takeovers")
    print(f"connections that ended          {ended}")
    print(f"frames out of place             {broken} of {frames}")
    print(
        f"longest pause at any listener   {median(pauses):.2f} s median, {max(pauses):.2f} s worst (a chunk: 1.01 s)"
    )
    print(
        f"start of the new process to its being on the air: {median(took):.1f} s median, {max(took):.1f} s worst"
    )


def _start(folder: Path, port: int, *options: str) -> tuple[subprocess.Popen[str], int]:
    command = [
        sys.executable, "-m", "radio", "run", "--config", str(ROOT / "config.toml"), "--data-dir", str(folder),
        "--port", str(port), *options,
    ]  # fmt: skip
    said = folder / f"said-{time.monotonic_ns()}.txt"
    with said.open("w") as out:
        limits = {"NEXTUP_SERVER__MAX_LISTENERS_PER_ADDRESS": "20000"}
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **limits}, stderr=out, text=True)
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        if found := re.search(r"Listen at http://[^:]+:(\d+)/", said.read_text()):
            return process, int(found[1])
        time.sleep(0.05)
    raise SystemExit(said.read_text())


class _Listener(asyncio.Protocol):
    def __init__(self) -> None:
        self.ended = False
        self.frames = 0
        self.broken = 0
        self.longest_s = 0.0
        self._head = bytearray()
        self._in_frame = -1
        self._last_s = 0.0

    async def connect(self, port: int) -> None:
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        transport.write(f"GET {MOUNT} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        now_s = time.monotonic()
        if self._last_s:
            self.longest_s = max(self.longest_s, now_s - self._last_s)
        self._last_s = now_s
        if self._in_frame < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            data, self._in_frame = bytes(self._head[end + 4 :]), 0
        for at in range(-self._in_frame % FRAME_BYTES, len(data), FRAME_BYTES):
            self.frames += 1
            self.broken += data[at] != 0xFF
        self._in_frame = (self._in_frame + len(data)) % FRAME_BYTES

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
