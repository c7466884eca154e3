"""The whole service with so many stations, bound to one core, as ``bench.stations --together`` measures it.

``python -m bench._stations_service COUNT SECONDS``. All stations share the library's folders and have no schedule of
their own, so that each day is compiled for all at the same time. One JSON object when it is done.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from radio.allocator import be_frugal, settle

be_frugal()

import uvloop  # noqa: E402

from radio.app import Service, on_air  # noqa: E402
from radio.clock import SystemClock  # noqa: E402
from radio.config import Config, load_config  # noqa: E402
from radio.diagnostics import configure_logs  # noqa: E402

SOUNDS = Path(__file__).parent.parent / "audio_fixtures"
LEAD_S = 5.0
TICK_S = 0.02
LOOK_S = 5.0
LIKE = 0.1
LONGEST_START_S = 600.0
COMPILED_MS = 12 * 3_600_000


async def measured(config: Config, began_s: float, seconds: float) -> dict[str, Any]:
    """Start, wait until the day ahead is compiled everywhere, and look on for so long."""
    async with on_air(config) as service:
        await _on_air(service, began_s)
        await _calm(began_s)
        settle()
        start_s = time.monotonic() - began_s
        late_ms: list[float] = []
        leads_s: list[float] = []
        watching = asyncio.create_task(_watch(service, late_ms, leads_s))
        from_s, spent_s = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        took_s, spent_s = time.monotonic() - from_s, time.process_time() - spent_s
        watching.cancel()
    late_ms.sort()
    return {
        "start_s": start_s,
        "cpu": spent_s / took_s,
        "each": spent_s / took_s / len(config.stations),
        "lead_s": min(leads_s, default=-LEAD_S),
        "chunks": len(leads_s),
        "late": sum(lead_s < 0 for lead_s in leads_s),
        "rss_mb": _rss_mb(),
        "loop_p99_ms": late_ms[int(len(late_ms) * 0.99)],
        "loop_max_ms": late_ms[-1],
    }


def _rss_mb() -> float:
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


async def _on_air(service: Service, began_s: float) -> None:
    """Every station makes chunks and has half a day of its log."""
    clock = SystemClock()
    while not all(
        mount.newest is not None
        and (service.planner.log(mount.station).ends_at_ms or 0) > clock.now_ms() + COMPILED_MS
        for mount in service.mounts
    ):
        _check_time(began_s)
        await asyncio.sleep(0.5)


async def _calm(began_s: float) -> None:
    """What the start brings is over when the CPU spent in two looks is nearly the same."""
    before_s = 0.0
    while True:
        from_s = time.process_time()
        await asyncio.sleep(LOOK_S)
        spent_s = time.process_time() - from_s
        if abs(spent_s - before_s) < LIKE * spent_s:
            return
        before_s = spent_s
        _check_time(began_s)


def _check_time(began_s: float) -> None:
    if time.monotonic() - began_s > LONGEST_START_S:
        raise SystemExit("the start takes too long: there are too many stations for this core")


async def _watch(service: Service, late_ms: list[float], leads_s: list[float]) -> None:
    """How late the loop is each 20 ms, and how far each chunk is ahead of its moment, as the loop finds it."""
    loop, clock = asyncio.get_running_loop(), SystemClock()
    seen = {id(mount): mount.newest for mount in service.mounts}
    while True:
        due_s = loop.time() + TICK_S
        await asyncio.sleep(TICK_S)
        late_ms.append((loop.time() - due_s) * 1000)
        now_ms = clock.now_ms()
        for mount in service.mounts:
            newest = mount.newest
            if newest is not None and newest is not seen[id(mount)]:
                seen[id(mount)] = newest
                leads_s.append((newest.starts_at_ms - now_ms) / 1000)


def configuration(folder: Path, count: int) -> Config:
    """So many stations with one MP3 mount each and the same two folders of sounds."""
    folders = json.dumps([str(SOUNDS / name) for name in ("meridian", "lowtide")])
    path = folder / "config.toml"
    path.write_text(
        "".join(
            f'[[stations]]\nid = "bench-{number}"\nname = "Bench {number}"\nlibrary = {folders}\n'
            f"sound = {{ lead_s = {LEAD_S:g} }}\n\n"
            for number in range(count)
        )
    )
    return load_config(path, overrides={("server", "port"): 0, ("server", "data_dir"): str(folder / "data")})


def main() -> None:
    began_s = time.monotonic()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    configure_logs("console", "error")
    with tempfile.TemporaryDirectory(prefix="nextup-stations-") as folder:
        found = uvloop.run(
            measured(configuration(Path(folder), int(sys.argv[1])), began_s, float(sys.argv[2]))
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
