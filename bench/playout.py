"""CPU of one station's playout, from opening files to encoded frames, rendered flat out: seconds per hour of stream.

Beside it, where they are installed: Liquidsoap at the same work; and ffmpeg's command line, which decodes the same
files and encodes them once, without crossfades, titles or a clock: a floor rather than a peer. The runs of all are
interleaved. Each figure is the median of its runs, and each ratio the median over the rounds; one mount and three take
turns of a few seconds of stream, so that a machine that is slower for a while weighs on both sides.
"""

from __future__ import annotations

import itertools
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from bench import _liquidsoap
from radio.audio.encode import StreamFormat, encoder_for
from radio.audio.headroom import ceiling_dbtp
from radio.audio.limit import Limiter
from radio.audio.measure import measure
from radio.log import ItemKind, LogRow
from radio.playout import DirectLoader, Engine
from radio.units import SAMPLE_RATE_HZ, DurationMs, UtcMs

HOURS = 0.1
SLICE_S = 21
BLOCK = 4032
CROSSFADE_MS = 2_000
LAPS = 1
"""How often Liquidsoap plays the files: about as long as the others."""

MUSIC = Path(__file__).parent.parent / "audio_fixtures"


RUNS = 5
ONE = "Next Up, MP3"
THREE = "Next Up, MP3 + AAC + Opus"
MOUNTS: tuple[tuple[StreamFormat, int], ...] = (("mp3", 128), ("aac", 128), ("opus", 96))


def main() -> None:
    """Print the table."""
    files = sorted(
        path for station in ("meridian", "lowtide") for path in (MUSIC / station / "music").iterdir()
    )
    peers: dict[str, Callable[[], float]] = {}
    if (liquidsoap := _liquidsoap.version()) is not None:
        peers[f"{liquidsoap}, MP3"] = lambda: _liquidsoap.cpu_s_per_hour(files * LAPS, CROSSFADE_MS)
    if shutil.which("ffmpeg") is not None:
        peers["ffmpeg, decode and encode alone"] = lambda: ffmpeg(files)
    found: dict[str, list[float]] = {name: [] for name in (ONE, THREE, *peers)}
    for _ in range(RUNS):
        one, three = _Station(files, MOUNTS[:1]), _Station(files, MOUNTS)
        for _ in range(int(HOURS * 3600 / SLICE_S)):
            one.go_on()
            three.go_on()
        found[ONE].append(one.close())
        found[THREE].append(three.close())
        for name, run in peers.items():
            found[name].append(run())
    print(f"{'engine':<34}{'CPU-s per hour':>16}{'x real time':>14}{'Next Up, MP3 / this':>22}")
    for name, values in found.items():
        spent_s = median(values)
        print(f"{name:<34}{spent_s:>16.0f}{3600 / spent_s:>14.0f}{_ratio(found[ONE], values):>22.2f}")
    print(f"three mounts cost {_ratio(found[THREE], found[ONE]):.2f} times what one does")
    print(f"Python {sys.version.split()[0]}, {len(files)} files, {HOURS} h, median of {RUNS}")


def _ratio(over: Sequence[float], under: Sequence[float]) -> float:
    return median(a / b for a, b in zip(over, under, strict=True))


class _Station:
    """The real engine, limiter and encoders, and what they have cost."""

    def __init__(self, files: list[Path], mounts: Sequence[tuple[StreamFormat, int]]) -> None:
        by_item = {str(path): path for path in files}
        self._encoders = [encoder_for(name, bitrate_kbps) for name, bitrate_kbps in mounts]
        self._limiter = Limiter(ceiling_db=ceiling_dbtp(mounts))
        self._engine = Engine(
            _Log(list(_rows(files))),
            DirectLoader(lambda row: by_item[row.item or ""]),
            epoch_ms=UtcMs(0),
            station="bench",
            on_event=lambda event: None,
        )
        self._spent_s = 0.0
        self._slices = 0

    def go_on(self) -> None:
        """Render and encode the next slice."""
        began = time.process_time()
        for _ in range(SLICE_S * SAMPLE_RATE_HZ // BLOCK):
            block = self._limiter.process(self._engine.render(BLOCK))
            for encoder in self._encoders:
                encoder.encode(block)
        self._spent_s += time.process_time() - began
        self._slices += 1

    def close(self) -> float:
        """CPU seconds per hour of stream."""
        self._engine.close()
        return (
            self._spent_s
            / (self._slices * (SLICE_S * SAMPLE_RATE_HZ // BLOCK * BLOCK) / SAMPLE_RATE_HZ)
            * 3600
        )


def ffmpeg(files: list[Path]) -> float:
    """CPU seconds per hour of what ffmpeg decodes and encodes, each file once."""
    length_s = sum(measure(path).duration_ms for path in files) / 1000
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for path in files:
        subprocess.run(
            ["ffmpeg", "-nostdin", "-loglevel", "error", "-i", str(path), "-vn", "-ar", "48000", "-ac", "2",
             "-c:a", "libmp3lame", "-b:a", "128k", "-f", "null", "-"],
            check=True,
        )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent * 3600 / length_s


class _Log:
    def __init__(self, rows: list[LogRow]) -> None:
        self._rows = {row.starts_at_ms: row for row in rows}

    def row_at(self, at_ms: int) -> LogRow | None:
        return self._rows.get(UtcMs(at_ms))

    def row_after(self, row: LogRow) -> LogRow | None:
        return self._rows.get(row.ends_at_ms)


def _rows(files: list[Path]) -> Iterator[LogRow]:
    lengths = {path: measure(path).duration_ms for path in files}
    at_ms = 0
    for number, path in enumerate(itertools.cycle(files)):
        if at_ms > HOURS * 3_600_000 + 60_000:
            return
        air_ms = lengths[path] - CROSSFADE_MS
        yield LogRow(
            id=str(number),
            station="bench",
            starts_at_ms=UtcMs(at_ms),
            ends_at_ms=UtcMs(at_ms + air_ms),
            kind=ItemKind.MUSIC,
            title=path.stem,
            reason="bench",
            item=str(path),
            overlap_ms=DurationMs(CROSSFADE_MS),
        )
        at_ms += air_ms
