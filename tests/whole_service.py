"""What tests of the whole service share: small true sounds, a folder to run in, and ways to listen."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np

from radio.app import Service
from radio.clock import SystemClock
from radio.config import Config, load_config
from radio.streaming.icy import IcyReader, StreamTitle

BYTES_PER_MS = 16
SCHEDULE = """\
default_clock = "rest"

[clocks.rest]
positions = [{ rotate = ["features"] }]

[clocks.short]
positions = [{ rotate = ["music"] }]

[[programmes]]
id = "short"
title = "Short Pieces"
clock = "short"
airs = [{ days = "daily", from = "%s", to = "%s" }]
"""
"""Short items around the present alone: a whole day of them would be 28,800 rows."""


def schedule(*, before_min: int = 3, after_min: int = 20) -> str:
    """Short items from ``before_min`` ago to ``after_min`` from now: the fewer, the sooner the log is there."""
    now_min = SystemClock().now_ms() // 60_000
    times = tuple(f"{at // 60 % 24:02d}:{at % 60:02d}" for at in (now_min - before_min, now_min + after_min))
    return SCHEDULE % times


def configuration(folder: Path, *stations: str) -> Path:
    """A configuration of the named stations, each with a library folder of its own name."""
    text = "".join(
        f'[[stations]]\nid = "{name}"\nname = "{name.upper()}"\nlibrary = ["{name}"]\nnext_shows = "item"\n'
        "sound = { lead_s = 2, crossfade_ms = 0 }\n\n"
        for name in stations
    )
    path = folder / "config.toml"
    path.write_text(text)
    (folder / "schedules").mkdir(exist_ok=True)
    return path


def load(path: Path) -> Config:
    return load_config(path, overrides={("server", "port"): 0})


_CODECS = {".wav": ("pcm_s16le", "s16"), ".flac": ("flac", "s16"), ".mp3": ("libmp3lame", "s16p")}


def tone(path: Path, hertz: float, *, seconds: float = 3.0, rate_hz: int = 48_000, **tags: str) -> Path:
    """Write a sine in the format that the ending says; ``tags`` are title, artist and so on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec, sample_format = _CODECS[path.suffix]
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    wave = (np.sin(2 * np.pi * hertz * time_s) * 8_000).astype(np.int16)
    beside = path.with_name(f".{path.name}.part{path.suffix}")
    with av.open(str(beside), "w") as container:
        container.metadata.update(tags)
        stream = container.add_stream(codec, rate=rate_hz, layout="stereo", format=sample_format)
        resampler = av.AudioResampler(
            sample_format, "stereo", rate_hz, stream.codec_context.frame_size or 1_024
        )
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None, :], format="s16", layout="stereo")
        frame.sample_rate = rate_hz
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    beside.rename(path)
    return path


class Heard(NamedTuple):
    """What a listener was sent: the audio, and each title with the audio that came before it."""

    status: int
    audio: bytes
    titles: list[StreamTitle]

    def sound(self) -> Any:
        """The audio, decoded: samples of the left channel at 48 kHz."""
        codec = av.CodecContext.create("mp3", "r")
        frames = [
            frame.to_ndarray()[0][:1152]
            for packet in [*codec.parse(self.audio), *codec.parse(b"")]
            for frame in codec.decode(packet)
        ]
        return np.concatenate(frames)


class Radio:
    """A radio that listens to one stream until it is switched off or the server hangs up."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._audio = bytearray()
        self._titles: list[StreamTitle] = []
        self.status = 0

    @classmethod
    async def tune_in(cls, port: int, path: str) -> Radio:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nIcy-MetaData: 1\r\n\r\n".encode())
        return cls(reader, writer)

    async def listen(self, seconds: float | None = None, *, until_bytes: int = 1 << 40) -> Heard:
        """Take in the stream for ``seconds`` or ``until_bytes`` of audio came, at most to its end."""
        try:
            async with asyncio.timeout(seconds):
                await self._take_in(until_bytes)
        except TimeoutError:
            pass
        if self._reader.at_eof():
            self._writer.close()
        return Heard(self.status, bytes(self._audio), self._titles)

    def switch_off(self) -> None:
        self._writer.transport.abort()

    async def _take_in(self, until_bytes: int) -> None:
        if not self.status:
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
            self.status = int(head.split(" ")[1])
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            self._icy = IcyReader(int(fields["icy-metaint"]) if "icy-metaint" in fields else None)
        while len(self._audio) < until_bytes and (data := await self._reader.read(65_536)):
            for piece in self._icy.feed(data):
                if isinstance(piece, StreamTitle):
                    self._titles.append(piece)
                else:
                    self._audio += piece


def pitch(sound: Any, at_ms: float, length_ms: float = 100) -> float:
    """The strongest frequency in ``length_ms`` of ``sound`` around ``at_ms``."""
    first = round((at_ms - length_ms / 2) * 48)
    window = sound[first : first + round(length_ms * 48)]
    spectrum = np.abs(np.fft.rfft(window * np.hanning(len(window)), 1 << 16))
    return float(np.argmax(spectrum) * 48_000 / (1 << 16))


async def fetch(port: int, path: str, *, method: str = "GET", token: str | None = None) -> tuple[int, Any]:
    """One request on a connection of its own: the status, and the JSON of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    fields = ["Host: localhost", "Connection: close", "Content-Length: 0"]
    if token is not None:
        fields.append(f"Authorization: Bearer {token}")
    try:
        writer.write("\r\n".join([f"{method} {path} HTTP/1.1", *fields, "", ""]).encode())
        answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body) if body.startswith((b"{", b"[")) else body


async def until(holds: Callable[[], Any], within_s: float = 10.0) -> None:
    """Wait for ``holds`` to be true. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.02)


def own_threads() -> set[threading.Thread]:
    """The threads that run, but for those that asyncio and anyio keep for later work."""
    pooled = ("asyncio_", "AnyIO", "MainThread")
    return {thread for thread in threading.enumerate() if not thread.name.startswith(pooled)}


async def at_rest(threads: set[threading.Thread], tasks: set[asyncio.Task[Any]]) -> None:
    """Wait until no thread and no task is left but these. Raises AssertionError, which names what is left."""
    try:
        await until(lambda: own_threads() <= threads and asyncio.all_tasks() <= tasks, 3)
    except TimeoutError:
        places = sys._current_frames()
        left = [
            f"{thread.name}: {''.join(traceback.format_stack(places[thread.ident])[-3:])}"
            for thread in own_threads() - threads
            if thread.ident in places
        ]
        raise AssertionError(f"left are {left} and {asyncio.all_tasks() - tasks}") from None


def children() -> set[int]:
    """The ids of this process's child processes."""
    found: set[int] = set()
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        found |= {int(child) for child in (task / "children").read_text().split()}
    return found


class Station:
    """One station of the running service."""

    def __init__(self, service: Service, id_: str, folder: Path) -> None:
        self.service = service
        self.id = id_
        self.folder = folder
        self.schedule = folder / f"schedules/{id_}.toml"

    @property
    def state(self) -> dict[str, Any]:
        return self.service.stations[self.id].state

    @property
    def status(self) -> str:
        return str(self.state["availability"]["status"])

    def coming(self) -> list[str]:
        """The categories of the rows that follow those that playout has taken."""
        log = self.service.planner.log(self.id)
        return [row.category or "" for row in log.coming(log.frontier_ms, 8)]

    async def get(self, below: str = "") -> Any:
        return (await fetch(self.service.port, f"/api/stations/{self.id}{below}"))[1]
