"""How many stations one core carries: playouts with one MP3 mount each, in one process that is bound to one core.

Real playout threads, files, limiters, meters and encoders on the real clock. CPU-seconds count, so that what else runs
on the machine matters little; it matters for the lead, which is how far the latest chunk was ahead of the moment at
which it is to be heard (5 s at best; below 0 it would be late). After ``--counts`` the number that should still hold
is tried: nine tenths of what the CPU of the last count allows. ``--seconds`` for each.

``--together 24 32 40`` measures the whole service instead, with so many stations really at once on one core: store,
planner, as-run log, state and event loop beside the playouts. Nothing is extrapolated. It takes one to three minutes
for each beside ``--seconds``, for the start.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from radio.allocator import be_frugal

be_frugal()

from radio.audio.measure import measure  # noqa: E402
from radio.clock import SystemClock  # noqa: E402
from radio.diagnostics import configure_logs  # noqa: E402
from radio.log import ItemKind, LogRow  # noqa: E402
from radio.playout import Output, StationPlayout, ThreadLoader  # noqa: E402
from radio.streaming.chunks import Chunk  # noqa: E402
from radio.units import DurationMs, UtcMs  # noqa: E402

SOUNDS = Path(__file__).parent.parent / "audio_fixtures"
CROSSFADE_MS = 2_000
LEAD_S = 5.0
SETTLE_S = 8.0
SHARE = 0.9


def main() -> None:
    """Print the table; with ``--one N`` be the process with N stations."""
    reader = argparse.ArgumentParser(prog="bench stations")
    reader.add_argument("--counts", type=int, nargs="*", default=[1, 4, 8])
    reader.add_argument("--seconds", type=float, default=30.0)
    reader.add_argument("--verify", type=int, help="try this many instead of the number that should hold")
    reader.add_argument("--together", type=int, nargs="+", help="whole services with so many stations")
    reader.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = reader.parse_args()
    if options.together:
        _together(options.together, options.seconds)
        return
    if options.one:
        print(json.dumps(_carry(options.one, options.seconds)))
        return
    print(
        f"{'stations':>9}{'CPU of a core':>15}{'each':>9}{'least lead s':>14}{'chunks':>8}{'late':>6}{'RSS MB':>8}"
    )
    found = [_measured(count, options.seconds) for count in options.counts]
    most = options.verify or int(SHARE / found[-1]["each"])
    held = _measured(most, options.seconds)
    print(f"one core carries {most} stations: {'yes' if not held['late'] else 'no'}", end="; ")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, Python {sys.version.split()[0]}")


def _measured(count: int, seconds: float) -> dict[str, float]:
    said = subprocess.run(
        [sys.executable, "-m", "bench.stations", "--one", str(count), "--seconds", str(seconds)],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    found: dict[str, float] = json.loads(said.stdout)
    print(
        f"{count:>9}{found['cpu']:>14.1%} {found['each']:>8.2%}{found['lead_s']:>14.2f}{found['chunks']:>8}"
        f"{found['late']:>6}{found['rss_mb']:>8.1f}",
        flush=True,
    )
    return found


def _together(counts: list[int], seconds: float) -> None:
    print(
        f"{'stations':>9}{'CPU of a core':>15}{'each':>9}{'least lead s':>14}{'chunks':>8}{'late':>6}{'RSS MB':>8}"
        f"{'loop p99 ms':>13}{'worst':>8}{'start s':>9}"
    )
    for count in counts:
        said = subprocess.run(
            [sys.executable, "-m", "bench._stations_service", str(count), str(seconds)],
            check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        found: dict[str, float] = json.loads(said.stdout)
        print(
            f"{count:>9}{found['cpu']:>14.1%} {found['each']:>8.2%}{found['lead_s']:>14.2f}{found['chunks']:>8}"
            f"{found['late']:>6}{found['rss_mb']:>8.1f}{found['loop_p99_ms']:>13.1f}{found['loop_max_ms']:>8.1f}"
            f"{found['start_s']:>9.0f}",
            flush=True,
        )
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, Python {sys.version.split()[0]}")


def _carry(count: int, seconds: float) -> dict[str, float]:
    configure_logs("console", "error")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    files = sorted(path for name in ("meridian", "lowtide") for path in (SOUNDS / name / "music").iterdir())
    lengths = {file: measure(file).duration_ms for file in files}
    watch = _Watch()
    playouts = [_playout(number, lengths, watch) for number in range(count)]
    for playout in playouts:
        playout.start()
        time.sleep(min(0.1, SETTLE_S / count))
    time.sleep(SETTLE_S)
    watch.begin()
    began_s, spent_s = time.monotonic(), time.process_time()
    time.sleep(seconds)
    took_s, spent_s = time.monotonic() - began_s, time.process_time() - spent_s
    leads_s = watch.taken()
    rss_mb = int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024
    for playout in playouts:
        playout.stopped.set()
    return {
        "cpu": spent_s / took_s,
        "each": spent_s / took_s / count,
        "lead_s": min(leads_s, default=-LEAD_S),
        "chunks": len(leads_s),
        "late": sum(lead_s < 0 for lead_s in leads_s),
        "rss_mb": rss_mb,
    }


def _playout(number: int, lengths: dict[Path, DurationMs], watch: _Watch) -> StationPlayout:
    return StationPlayout(
        station=f"bench-{number}",
        name=f"Bench {number}",
        outputs=(Output(mount="live.mp3", bitrate_kbps=128),),
        lead_s=LEAD_S,
        log=_Round(lengths, number),
        loader=lambda: ThreadLoader(lambda row: Path(row.item or ""), f"bench-{number}"),
        clock=SystemClock(),
        on_event=lambda event: None,
        on_chunk=watch.take,
        on_pulse=lambda pulse: None,
    )


class _Watch:
    """How far each chunk was ahead of its time when it was made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leads_s: list[float] = []

    def take(self, chunk: Chunk) -> None:
        lead_s = (chunk.starts_at_ms - SystemClock().now_ms()) / 1000
        with self._lock:
            self._leads_s.append(lead_s)

    def begin(self) -> None:
        with self._lock:
            self._leads_s = []

    def taken(self) -> list[float]:
        with self._lock:
            return self._leads_s


class _Round:
    """A log without an end: the files in turn, each station beginning with another one."""

    def __init__(self, lengths: dict[Path, DurationMs], first: int) -> None:
        self._files = itertools.islice(itertools.cycle(lengths.items()), first % len(lengths), None)
        self._number = 0

    def row_at(self, at_ms: int) -> LogRow | None:
        # stations do not change their items all at the same moment
        return self._next(at_ms)

    def row_after(self, row: LogRow) -> LogRow | None:
        return self._next(row.ends_at_ms)

    def _next(self, starts_ms: int) -> LogRow:
        file, length_ms = next(self._files)
        self._number += 1
        return LogRow(
            id=str(self._number),
            station="bench",
            starts_at_ms=UtcMs(starts_ms),
            ends_at_ms=UtcMs(starts_ms + length_ms - CROSSFADE_MS),
            kind=ItemKind.MUSIC,
            title=file.stem,
            reason="bench",
            item=str(file),
            overlap_ms=DurationMs(CROSSFADE_MS),
        )


if __name__ == "__main__":
    main()
