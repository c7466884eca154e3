"""What a listener of ``bench.switch`` receives, byte by byte, and what is in it: the gaps, the silences, the frames."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
from websockets.asyncio.client import connect

RATE_HZ = 48_000
KBPS = 128
BYTES_PER_MS = KBPS / 8
FRAME_BYTES = 3 * KBPS
WINDOW = RATE_HZ // 100
SILENT_DB = -60.0
FULL_SCALE = 32_768


class Listening:
    """One connection to a station's MP3, and the stream time of its first byte."""

    def __init__(self, station: str) -> None:
        self.station = station
        self.audio = bytearray()
        self.came: list[tuple[float, int]] = []
        self.from_ms = 0

    @property
    def until_ms(self) -> float:
        """Stream time of the last byte received."""
        return self.from_ms + len(self.audio) / BYTES_PER_MS

    async def run(self, session: aiohttp.ClientSession, port: int) -> None:
        """Listen until cancelled, or until the connection ends, which is an error."""
        name = str(uuid.uuid4())
        async with connect(f"ws://127.0.0.1:{port}/api/ws", max_size=1 << 20) as socket:
            await socket.send(
                json.dumps({"type": "listen", "id": 1, "station": self.station, "session": name})
            )
            async with session.get(f"/listen/{self.station}/live.mp3?session={name}", timeout=None) as answer:
                async with asyncio.timeout(10):
                    while (told := json.loads(await socket.recv()))["type"] != "listening":
                        pass
                self.from_ms = told["stream_time_ms"]
                async for piece in answer.content.iter_any():
                    self.audio += piece
                    self.came.append((time.monotonic(), len(self.audio)))
        raise SystemExit(f"the connection to {self.station} has ended")

    async def reach(self, stream_ms: float) -> None:
        """Return when the sound of that moment has been received."""
        while self.until_ms < stream_ms:  # noqa: ASYNC110 - what comes is only counted
            await asyncio.sleep(0.02)


class Heard:
    """A listener's sound when all is over."""

    def __init__(self, listening: Listening) -> None:
        self.from_ms = listening.from_ms
        self._gaps = _gaps(listening)
        whole = bytes(listening.audio[: len(listening.audio) // FRAME_BYTES * FRAME_BYTES])
        self.frames = len(whole) // FRAME_BYTES
        self.out_of_place = sum(whole[at] != 0xFF for at in range(0, len(whole), FRAME_BYTES))
        sound, self.decoded = _decoded(whole)
        self._silent = _silent(sound)

    def gap_ms(self, from_ms: float, to_ms: float) -> float:
        """The longest time without a byte while that part of the stream came."""
        return max((gap_ms for at_ms, gap_ms in self._gaps if from_ms <= at_ms <= to_ms), default=0.0)

    def gaps_outside(self, parts: list[tuple[float, float]]) -> list[float]:
        """Every time between two pieces where nothing was switched."""
        return [
            gap_ms
            for at_ms, gap_ms in self._gaps
            if not any(from_ms <= at_ms <= to_ms for from_ms, to_ms in parts)
        ]

    def silence_ms(self, from_ms: float, to_ms: float) -> float:
        """The longest silence in that part of the stream, in steps of 10 ms."""
        first, last = (max(0, int((at_ms - self.from_ms) / 10)) for at_ms in (from_ms, to_ms))
        longest = run = 0
        for silent in self._silent[first:last]:
            run = run + 1 if silent else 0
            longest = max(longest, run)
        return longest * 10.0


def _gaps(listening: Listening) -> list[tuple[float, float]]:
    """Stream time of each piece's end, and the milliseconds since the piece before; the first second left out."""
    found = []
    for (before_s, before), (at_s, size) in zip(listening.came, listening.came[1:], strict=False):
        if at_s > listening.came[0][0] + 3.0:
            found.append((listening.from_ms + before / BYTES_PER_MS, (at_s - before_s) * 1000))
            found.append((listening.from_ms + size / BYTES_PER_MS, (at_s - before_s) * 1000))
    return found


def _decoded(audio: bytes) -> tuple[Any, int]:
    codec: Any = av.CodecContext.create("mp3", "r")
    pieces = []
    for packet in [*codec.parse(audio), *codec.parse(b"")]:
        # the first frames may reach back to bytes before the listener came
        pieces += [frame.to_ndarray().mean(axis=0) for frame in codec.decode(packet)]
    scale = 1.0 if pieces and pieces[0].dtype.kind == "f" else 1 / FULL_SCALE
    return np.concatenate(pieces).astype(np.float32) * scale, len(pieces)


def _silent(sound: Any) -> list[bool]:
    windows = sound[: len(sound) // WINDOW * WINDOW].reshape(-1, WINDOW).astype(np.float64)
    silent: list[bool] = ((windows**2).mean(axis=1) < 10 ** (SILENT_DB / 10)).tolist()
    return silent


def noise(path: Path, seed: int, seconds: float, rate_hz: int = 24_000) -> None:
    """A file of noise at -23 dBFS without a moment of silence, another one for each seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dice = np.random.default_rng(seed)
    wave = (dice.normal(0, 0.07, int(rate_hz * seconds)).clip(-0.5, 0.5) * FULL_SCALE).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None, :], format="s16", layout="mono")
        frame.sample_rate = rate_hz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
