"""The log of a station, compiled: what a day costs by the size of the library and a span by its days, and how well
hours fit.

Processor time, so that other work on the machine does not count. The fit error of a hard anchor is what had to be
faded out of an item, or filled with the bed, so that it starts to the millisecond. A year in three zones is looked
through for gaps.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random

from radio.errors import ScheduleError
from radio.library.items import Item
from radio.log import Anchor, LogRow, first_fault
from radio.schedule import Inputs, Pool, StationPlan, compile_log
from radio.schedule.files import schedule_of
from radio.toml_source import TomlDocument
from radio.units import DurationMs

ROOT = "/library/station"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FROM_MS = int(datetime(2026, 11, 23, 5, tzinfo=UTC).timestamp() * 1000)
SIZES = (1_000, 10_000, 100_000)
DAYS = (1, 7, 28)
HOURS = 1_000

SCHEDULE = """
default_clock = "music"
[categories.music]
album_separation_min = 60
same_hour_days = 1
[clocks.news]
positions = [
  { at = "00:00", anchor = "hard", category = "legal-id", legal_id = true },
  { category = "news", count = 2 },
  { rotate = ["news", "music"] },
  { at = "18:00", anchor = "hard", break = "local-1", length = "1:00", max_units = 3 },
  { at = "40:00", window = "1:00", break = "local-2", length = "0:45", max_units = 2 },
]
[clocks.music]
positions = [
  { at = "00:00", anchor = "hard", category = "legal-id", legal_id = true },
  { rotate = ["music", "music", "music", "idents"] },
  { at = "30:00", anchor = "hard", category = "news" },
]
[[programmes]]
id = "morning"
title = "Morning"
clock = "news"
airs = [{ days = "mon-fri", from = "06:00", to = "10:00" }, { days = "sat,sun", from = "07:00", to = "10:00" }]
[[programmes]]
id = "night"
title = "Night"
airs = [{ days = "daily", from = "22:00", to = "06:00" }]
"""


def main() -> None:
    """Print the tables; each size runs in a process of its own, for its memory."""
    if sys.argv[1:2] == ["--one"]:
        _one(int(sys.argv[2]), int(sys.argv[3]))
        return
    print(f"{'items':>9}{'days':>6}{'rows':>9}{'ms a row':>10}{'pool s':>9}{'compile s':>11}{'peak MB':>9}")
    cases = [(size, 1) for size in SIZES] + [(SIZES[-1], days) for days in DAYS[1:]]
    for size, days in cases:
        subprocess.run([sys.executable, "-m", "bench.schedule", "--one", str(size), str(days)], check=True)
    _fit()
    for zone in ("America/New_York", "Europe/London", "Australia/Lord_Howe"):
        _year(zone)


def _one(size: int, days: int) -> None:
    items = _library(size)
    start_s = time.process_time()
    inputs = _inputs(items)
    pool_s = time.process_time() - start_s
    rows = compile_log(inputs, FROM_MS, FROM_MS + days * DAY_MS)
    compile_s = time.process_time() - start_s - pool_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    each_ms = compile_s * 1000 / len(rows)
    print(
        f"{size:>9,}{days:>6}{len(rows):>9,}{each_ms:>10.2f}{pool_s:>9.2f}{compile_s:>11.2f}{peak_mb:>9.0f}",
        flush=True,
    )


def _fit() -> None:
    """A thousand hours at random of ten years, each compiled alone, over libraries of 40 to 2,000 songs."""
    random = Random("fit")
    errors: list[int] = []
    start_s = time.process_time()
    for size in (40, 100, 300, 1_000, 2_000):
        inputs = _inputs(_library(size))
        for _ in range(HOURS // 5):
            from_ms = FROM_MS + random.randrange(10 * 365 * 24) * HOUR_MS
            errors += fit_errors(compile_log(inputs, from_ms, from_ms + HOUR_MS + 1), inputs)
    within = sum(error <= 1_000 for error in errors) / len(errors)
    errors.sort()
    print(
        f"\nfit: {len(errors):,} hard anchors of {HOURS:,} random hours; {within:.2%} within 1 s; "
        f"p99 {errors[len(errors) * 99 // 100] / 1000:.2f} s, worst {errors[-1] / 1000:.1f} s; "
        f"{(time.process_time() - start_s) * 1000 / HOURS:.0f} ms an hour"
    )


def fit_errors(rows: Sequence[LogRow], inputs: Inputs) -> Iterator[int]:
    """What each hard anchor cost, in ms: the sound that was faded out before it, or the bed that was put there."""
    for before, row in pairwise(rows):
        if row.anchor is not Anchor.HARD:
            continue
        if before.item is None:
            yield before.duration_ms
        else:
            whole_ms = inputs.pool.by_id[before.item].air_ms
            yield max(0, whole_ms - before.duration_ms) if before.fade_out_ms else 0


def _year(zone: str) -> None:
    inputs = _inputs(_library(400), zone)
    from_ms = FROM_MS - 300 * DAY_MS
    start_s = time.process_time()
    rows = compile_log(inputs, from_ms, from_ms + 365 * DAY_MS)
    fault = first_fault(rows) or (
        "ends early" if rows[-1].ends_at_ms < from_ms + 365 * DAY_MS else "no gap, no overlap"
    )
    print(
        f"a year in {zone}: {len(rows):,} rows in {time.process_time() - start_s:.1f} s; {fault}", flush=True
    )


def _inputs(items: Sequence[Item], zone: str = "America/New_York") -> Inputs:
    document = TomlDocument.parse(SCHEDULE, Path("bench.toml"), error=ScheduleError)
    return Inputs(
        station=StationPlan(id="bench", name="Bench", timezone=zone, roots=(ROOT,)),
        schedule=schedule_of(document).schedule,
        pool=Pool.of(items, (ROOT,)),
    )


def _library(size: int) -> list[Item]:
    """Mostly music of two to five minutes, by an artist for each ten songs; news, idents, promos and fill beside it."""
    return [
        *_folder("music", size, (120_000, 300_000), artists=max(20, size // 10)),
        *_folder("news", max(60, size // 100), (20_000, 70_000)),
        *_folder("idents", 12, (3_000, 9_000)),
        *_folder("promos", 12, (12_000, 25_000)),
        *_folder("fill", 3, (60_000, 90_000)),
        *_folder("legal-id", 1, (7_480, 7_480)),
    ]


def _folder(name: str, count: int, lengths_ms: tuple[int, int], artists: int = 0) -> list[Item]:
    random = Random(f"{name}/{count}")
    return [
        Item(
            id=f"{name}-{number}",
            root=ROOT,
            path=f"{name}/{number:06}.mp3",
            size_bytes=1,
            mtime_ns=1,
            content_hash=f"{name}-{number}",
            category=name,
            title=f"{name} {number}",
            artist=f"Artist {number % artists}" if artists else None,
            album=f"Album {number // 10}" if artists else None,
            duration_ms=DurationMs((length_ms := random.randint(*lengths_ms)) + 250),
            cue_in_ms=DurationMs(100),
            cue_out_ms=DurationMs(length_ms + 100),
        )
        for number in range(count)
    ]


if __name__ == "__main__":
    main()
