"""A day in minutes: one station's playout on a clock that runs as fast as it can render, and the memory it holds.

The real playout thread, with its helper threads, limiter and MP3 encoder, plays the demo's music round and round.
``--hours 24`` takes about half an hour; memory, open files and threads are told for each hour.
"""

from __future__ import annotations

import argparse
import itertools
import os
import threading
from pathlib import Path

from radio.allocator import be_frugal, give_back
from radio.audio.measure import measure
from radio.log import ItemKind, LogRow
from radio.playout import Output, StationPlayout, ThreadLoader
from radio.streaming.chunks import Chunk
from radio.units import DurationMs, UtcMs

SOUNDS = Path(__file__).parent.parent / "audio_fixtures"
EPOCH_MS = UtcMs(1_800_000_000_000)
CROSSFADE_MS = 2_000
HOUR_MS = 3_600_000


def main() -> None:
    """Print the table."""
    reader = argparse.ArgumentParser(prog="bench soak")
    reader.add_argument("--hours", type=int, default=24)
    hours = reader.parse_args().hours
    be_frugal()
    files = sorted((SOUNDS / "meridian/music").iterdir())
    lengths = {file: measure(file).duration_ms for file in files}
    clock, ended = _Racing(), threading.Event()
    meter = _Meter(hours, ended)
    playout = StationPlayout(
        station="soak",
        name="Soak",
        outputs=(Output(mount="live.mp3", bitrate_kbps=128),),
        lead_s=5.0,
        log=_Cycle(lengths),
        loader=lambda: ThreadLoader(lambda row: Path(row.item or ""), "soak"),
        clock=clock,
        on_event=meter.heard,
        on_chunk=meter.take,
        on_pulse=lambda pulse: None,
    )
    print(f"{'hour':>6}{'RSS MB':>9}{'files':>7}{'threads':>9}{'chunks':>9}{'gaps':>6}{'not as planned':>16}")
    playout.start()
    ended.wait()
    playout.stop()


class _Racing:
    """A clock that jumps to whatever is waited for."""

    def __init__(self) -> None:
        self._s = 0.0

    def now_ms(self) -> UtcMs:
        return UtcMs(EPOCH_MS + round(self._s * 1000))

    def monotonic_s(self) -> float:
        return self._s

    async def sleep(self, seconds: float) -> None:
        self._s += max(0.0, seconds)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        self._s += max(0.0, seconds)
        return stop.is_set()


class _Cycle:
    """A log without an end: the files in turn."""

    def __init__(self, lengths: dict[Path, DurationMs]) -> None:
        self._files = itertools.cycle(lengths.items())
        self._number = 0

    def row_at(self, at_ms: int) -> LogRow | None:
        return self._next(at_ms)

    def row_after(self, row: LogRow) -> LogRow | None:
        return self._next(row.ends_at_ms)

    def _next(self, starts_ms: int) -> LogRow:
        file, length_ms = next(self._files)
        self._number += 1
        return LogRow(
            id=str(self._number),
            station="soak",
            starts_at_ms=UtcMs(starts_ms),
            ends_at_ms=UtcMs(starts_ms + length_ms - CROSSFADE_MS),
            kind=ItemKind.MUSIC,
            title=file.stem,
            reason="soak",
            item=str(file),
            overlap_ms=DurationMs(CROSSFADE_MS),
        )


class _Meter:
    def __init__(self, hours: int, ended: threading.Event) -> None:
        self._hours = hours
        self._ended = ended
        self._hour = 0
        self._chunks = self._gaps = self._faults = 0
        self._next_first: int | None = None

    def heard(self, event: object) -> None:
        outcome = getattr(event, "outcome", None)
        self._faults += type(event).__name__ == "FallbackStarted" or outcome not in (None, "aired")

    def take(self, chunk: Chunk) -> None:
        self._chunks += 1
        self._gaps += self._next_first is not None and chunk.first_sample != self._next_first
        self._next_first = chunk.first_sample + chunk.samples
        if chunk.starts_at_ms >= EPOCH_MS + self._hour * HOUR_MS and not self._ended.is_set():
            give_back()
            status = Path("/proc/self/status").read_text()
            rss_mb = int(status.split("VmRSS:")[1].split()[0]) / 1024
            files = len(os.listdir("/proc/self/fd"))
            threads = threading.active_count()
            print(
                f"{self._hour:>6}{rss_mb:>9.1f}{files:>7}{threads:>9}{self._chunks:>9}{self._gaps:>6}{self._faults:>16}",
                flush=True,
            )
            self._hour += 1
            if self._hour > self._hours:
                self._ended.set()
