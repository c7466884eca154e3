"""What the tests of faults share: a small station on the air, and listeners that check every byte they get."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from whole_service import fetch, schedule, tone, until

import radio
from radio.app import Service, on_air
from radio.clock import SystemClock
from radio.config import load_config
from radio.store.as_run_events import AsRunEvent
from radio.store.as_run_files import days_of, read_day
from radio.units import UtcMs

BYTES_PER_S = 16_000
FRAME_BYTES = 384
"""MP3 at 128 kbit/s and 48 kHz: every frame has 384 bytes (ISO/IEC 11172-3, section 2.4.3.1)."""

LEAD_S = 4.0
CONFIG = """\
[[stations]]
id = "{id}"
name = "WXYZ"
library = ["{id}"]
next_shows = "item"
sound = {{ lead_s = {lead_s}, crossfade_ms = 0 }}
"""


def lay_out(folder: Path, *, tones: int = 2, seconds: float = 3.0) -> Path:
    """A station that plays short tones by turns, around the present; returns the path of its configuration."""
    for number in range(tones):
        tone(folder / f"wxyz/music/tone-{number}.wav", 300 + 100 * number, seconds=seconds)
    tone(folder / "wxyz/features/rest.wav", 250, seconds=120, rate_hz=8_000)
    return configure(folder, "wxyz")


def configure(folder: Path, *stations: str) -> Path:
    """Write the configuration, and a schedule for each station: its music around the present, then its features."""
    (folder / "schedules").mkdir(parents=True, exist_ok=True)
    for name in stations:
        (folder / f"schedules/{name}.toml").write_text(schedule(before_min=1, after_min=12))
    path = folder / "config.toml"
    path.write_text("\n".join(CONFIG.format(id=name, lead_s=LEAD_S) for name in stations))
    return path


class Course(NamedTuple):
    """How a stream came to one listener: its bytes, the longest time without any, and how much sound a player that
    plays from the first byte on had left when it had least."""

    audio: bytes
    longest_pause_s: float
    least_in_hand_s: float

    @property
    def seconds(self) -> float:
        return len(self.audio) / BYTES_PER_S


def assert_heard(course: Course, least_s: float = 1.0) -> None:
    """The stream never stopped: no pause was longer than what the lead covers, and nothing is missing.

    On a machine that is busy with other things the lead may not be there yet when the listening begins.
    """
    assert course.seconds >= least_s
    assert course.longest_pause_s < LEAD_S
    assert course.least_in_hand_s > -1.0


class Ear:
    """A listener that reads from now on until it is done, and knows whether a player would have run dry."""

    def __init__(self, port: int, *, path: str = "/listen/wxyz/live.mp3", address: str = "127.0.0.1") -> None:
        self._port = port
        self._path = path
        self._address = address
        self._audio = bytearray()
        self._pauses = [0.0]
        self._in_hand = [LEAD_S]
        self.ended = False
        self._task = asyncio.create_task(self._listen())

    async def done(self) -> Course:
        """Stop listening. Raises AssertionError where a frame is broken or missing in the middle."""
        self._task.cancel()
        with_fault = (await asyncio.gather(self._task, return_exceptions=True))[0]
        if isinstance(with_fault, Exception):
            raise with_fault
        audio = bytes(self._audio)
        assert_whole(audio)
        return Course(audio, max(self._pauses), min(self._in_hand))

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(self._address, 0))
        writer.write(f"GET {self._path} HTTP/1.0\r\n\r\n".encode())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.split()[1] == b"200", head
            began_s = last_s = monotonic()
            while data := await reader.read(65_536):
                now_s = monotonic()
                if len(self._audio) > BYTES_PER_S:
                    self._pauses.append(now_s - last_s)
                    self._in_hand.append(len(self._audio) / BYTES_PER_S - (now_s - began_s))
                self._audio += data
                last_s = now_s
            self.ended = True
        finally:
            writer.transport.abort()


def assert_whole(audio: bytes) -> None:
    """Every frame stands where the one before it ends, and all have the same header."""
    heads = {audio[at : at + 2] for at in range(0, len(audio) - 1, FRAME_BYTES)}
    assert heads <= {b"\xff\xfb"}, f"{len(heads)} kinds of frames"


class OffsetClock(SystemClock):
    """The machine's clock with a wall that can be set."""

    def __init__(self) -> None:
        self.offset_ms = 0

    def now_ms(self) -> UtcMs:
        return UtcMs(super().now_ms() + self.offset_ms)


@asynccontextmanager
async def station(folder: Path, clock: SystemClock | None = None) -> AsyncIterator[Service]:
    """The whole service in this process, once its station can be heard."""
    config = load_config(folder / "config.toml", overrides={("server", "port"): 0})
    async with on_air(config, clock=clock) as service:
        await until(
            lambda: all(
                one.state["availability"]["status"] != "starting" for one in service.stations.values()
            ),
            15,
        )
        yield service


async def told(port: int) -> dict[str, dict[str, Any]]:
    """The alarms that ``/readyz`` tells, by their codes."""
    _, answer = await fetch(port, "/readyz")
    return {each["code"]: each for each in answer.get("alarms", [])}


async def comes_up(port: int, code: str, within_s: float = 15.0) -> dict[str, Any]:
    """Wait for an alarm. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while code not in (up := await told(port)):  # noqa: ASYNC110 - it is another process that tells
            await asyncio.sleep(0.2)
    return up[code]


async def is_over(port: int, code: str, within_s: float = 15.0) -> None:
    """Wait for the end of an alarm. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while code in await told(port):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


class Airings(NamedTuple):
    """The as-run log of one station, as the database has it and as the files have it."""

    stored: list[tuple[str, int, bool, str | None]]
    filed: list[AsRunEvent]

    @classmethod
    def of(cls, folder: Path) -> Airings:
        with closing(sqlite3.connect(f"file:{folder}/data/nextup.db?mode=ro", uri=True)) as db:
            query = "SELECT row_id, attempt, started_at_ms IS NOT NULL, outcome FROM as_run ORDER BY at_ms"
            stored = [
                (row, attempt, bool(started), outcome) for row, attempt, started, outcome in db.execute(query)
            ]
        days = days_of(folder / "data/as-run/wxyz")
        return cls(stored, [event for day in days for event in read_day(day)])

    def assert_complete(self, least: int) -> None:
        """What was filed is stored, each attempt once, and a row counts once; all that started has ended."""
        steps = {(event.row_id, event.attempt): event for event in self.filed if event.event == "end"}
        ended = {(row, attempt): outcome for row, attempt, started, outcome in self.stored if started}
        assert set(ended) == {(e.row_id, e.attempt) for e in self.filed if e.event == "start"}
        assert set(ended) <= set(steps)
        counted = [row for row, _, _, outcome in self.stored if outcome in ("aired", "late", "truncated")]
        assert len(counted) == len(set(counted))
        assert len(ended) >= least


class Process:
    """``radio run`` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._said = folder / "said.txt"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "radio", "run", "--config", str(folder / "config.toml"), "--port", "0"],
                env={**os.environ, "PYTHONPATH": str(Path(radio.__file__).parent.parent)}, stderr=said,
            )  # fmt: skip
        self.port = 0

    @property
    def said(self) -> str:
        return self._said.read_text(errors="replace")

    async def on_air(self) -> int:
        """Wait until it can be heard; its port."""
        async with asyncio.timeout(90):
            while (found := re.search(r"Listen at http://[^:]+:(\d+)/", self.said)) is None:
                assert self.process.poll() is None, self.said
                await asyncio.sleep(0.1)
            self.port = int(found[1])
            while await self._status() != "on_air":  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return self.port

    async def _status(self) -> str:
        return str((await fetch(self.port, "/api/stations/wxyz"))[1]["availability"]["status"])

    @property
    def resident_bytes(self) -> int:
        text = Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def end(self, sign: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return self.process.wait(20)
