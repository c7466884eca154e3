"""CPU of one station's playout, from opening files to MP3 frames, rendered flat out: seconds per hour of stream.

Beside it ffmpeg's command line, where it is installed, decodes the same files and encodes them once, without
crossfades, titles or a clock: a floor rather than a peer.
"""

from __future__ import annotations

import itertools
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from radio.audio.encode import Mp3Encoder
from radio.audio.measure import measure
from radio.log import ItemKind, LogRow
from radio.playout import DirectLoader, Engine
from radio.units import SAMPLE_RATE_HZ, DurationMs, UtcMs

HOURS = 0.5
BLOCK = 4032
CROSSFADE_MS = 2_000
MUSIC = Path(__file__).parent.parent / "audio_fixtures"


def main() -> None:
    """Print the table."""
    files = sorted(
        path for station in ("meridian", "lowtide") for path in (MUSIC / station / "music").iterdir()
    )
    ours = median_of(lambda: render(files))
    print(f"{'engine':<34}{'CPU-s per hour':>16}{'x real time':>14}")
    line("Next Up, one MP3 mount, crossfades", ours)
    if shutil.which("ffmpeg") is None:
        print("ffmpeg is not installed: no comparison.")
        return
    theirs = median_of(lambda: ffmpeg(files))
    line("ffmpeg, decode and encode alone", theirs)
    print(f"ratio {ours / theirs:.2f}; Python {sys.version.split()[0]}, {len(files)} files, median of 3")


def line(name: str, cpu_s_per_hour: float) -> None:
    print(f"{name:<34}{cpu_s_per_hour:>16.0f}{3600 / cpu_s_per_hour:>14.0f}")


def median_of(run: object) -> float:
    """The median of three runs."""
    return sorted(run() for _ in range(3))[1]  # type: ignore[operator]


def render(files: list[Path]) -> float:
    """CPU seconds per hour of stream of the real engine and encoder."""
    rows = list(_rows(files))
    by_item = {str(path): path for path in files}
    log = _Log(rows)
    encoder = Mp3Encoder(128)
    engine = Engine(
        log,
        DirectLoader(lambda row: by_item[row.item or ""]),
        epoch_ms=UtcMs(0),
        station="bench",
        on_event=lambda event: None,
    )
    total = int(HOURS * 3600 * SAMPLE_RATE_HZ)
    began = time.process_time()
    for _ in range(total // BLOCK):
        encoder.encode(engine.render(BLOCK))
    spent = time.process_time() - began
    engine.close()
    return spent / HOURS


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
