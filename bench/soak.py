"""A day in minutes: the whole service with the demo's stations, on a clock that runs as fast as they can render.

Playout, encoders, meters, event loop, planner, as-run log and database are the real ones, each station has an MP3
mount and a listener who connects anew each hour. Time passes when all stations wait for it and the event loop has
kept up. For each hour: memory, threads, open files, size of the database, chunks made, how late the event loop ran (of
real time), and how much of the log was bed or went wrong. ``--hours 24`` takes an hour and a half of a quiet core;
``--minutes`` ends it earlier.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import get_ident

from radio.allocator import be_frugal

be_frugal()

import msgspec  # noqa: E402
import uvloop  # noqa: E402

from radio.app import Service, on_air  # noqa: E402
from radio.clock import ManualClock, SystemClock  # noqa: E402
from radio.config import Config, load_config  # noqa: E402
from radio.diagnostics import configure_logs  # noqa: E402

ROOT = Path(__file__).parent.parent
HOUR_S = 3_600
TICK_S = 0.05
LATEST_ANSWER_S = 10.0
_HEADS = (
    "hour",
    "RSS MB",
    "threads",
    "files",
    "db MB",
    "chunks",
    "late p99 ms",
    "late max",
    "as-run rows",
    "not aired",
)


def main() -> None:
    """Print the table."""
    reader = argparse.ArgumentParser(prog="bench soak")
    reader.add_argument("--hours", type=int, default=24)
    reader.add_argument("--minutes", type=float)
    options = reader.parse_args()
    configure_logs("console", "error")
    with tempfile.TemporaryDirectory(prefix="nextup-soak-") as folder:
        uvloop.run(_soak(Path(folder), options.hours, options.minutes and options.minutes * 60))


async def _soak(folder: Path, hours: int, most_s: float | None) -> None:
    config = _config(folder)
    clock = Racing(len(config.stations))
    _print_row(_HEADS)
    late_ms: list[float] = []
    async with on_air(config, clock=clock) as service:
        lateness = asyncio.create_task(_watch_lateness(late_ms))
        visitors = [
            asyncio.create_task(_listen(clock, service.port, station.id)) for station in config.stations
        ]
        began_s, start_s = time.monotonic(), clock.monotonic_s()
        clock.run(asyncio.get_running_loop())
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                for hour in range(hours + 1):
                    await clock.sleep(start_s + hour * HOUR_S - clock.monotonic_s())
                    await service.planner.prune()
                    _print_row(await _row(service, folder, hour, late_ms))
        took_s, passed_s = time.monotonic() - began_s, clock.monotonic_s() - start_s
        _print_row(await _row(service, folder, passed_s / HOUR_S, late_ms))
        speed = passed_s / took_s
        print(f"{took_s / 60:.0f} minutes, {speed:.0f} times real time; load {os.getloadavg()[0]:.1f}")
        for task in (lateness, *visitors):
            task.cancel()
        clock.stop()


def _config(folder: Path) -> Config:
    config = load_config(
        ROOT / "config.toml", overrides={("server", "port"): 0, ("server", "data_dir"): str(folder)}
    )
    stations = [
        msgspec.structs.replace(station, mounts=[mount for mount in station.mounts if mount.format == "mp3"])
        for station in config.stations
    ]
    return msgspec.structs.replace(config, stations=stations)


def _print_row(cells: Iterable[str]) -> None:
    print("".join(f"{cell:>13}" for cell in cells), flush=True)


async def _row(service: Service, folder: Path, hour: float, late_ms: list[float]) -> Iterable[str]:
    late, late_ms[:] = sorted(late_ms), []
    chunks = sum(mount.newest.seq + 1 for mount in service.mounts if mount.newest)
    rows, bad = await service.store.read(_aired)
    rss_mb, size_mb = await asyncio.to_thread(_sizes, folder)
    return (
        f"{hour:.1f}",
        f"{rss_mb:.1f}",
        str(len(os.listdir("/proc/self/task"))),
        str(len(os.listdir("/proc/self/fd"))),
        f"{size_mb:.1f}",
        str(chunks),
        f"{late[int(len(late) * 0.99)]:.1f}" if late else "-",
        f"{late[-1]:.1f}" if late else "-",
        str(rows),
        str(bad),
    )


def _sizes(folder: Path) -> tuple[float, float]:
    """Megabytes of this process, and of the database's files."""
    status = Path("/proc/self/status").read_text()
    rss_mb = int(status.split("VmRSS:")[1].split()[0]) / 1024
    return rss_mb, sum(path.stat().st_size for path in folder.glob("nextup.db*")) / 1e6


def _aired(conn: object) -> tuple[int, int]:
    from sqlalchemy import Connection, func, select

    from radio.store.tables import as_run

    assert isinstance(conn, Connection)
    ended = select(func.count()).where(as_run.c.ended_at_ms.is_not(None))
    bad = ended.where(as_run.c.outcome.is_distinct_from("aired"))
    return conn.execute(ended).scalar_one(), conn.execute(bad).scalar_one()


async def _watch_lateness(late_ms: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + TICK_S
        await asyncio.sleep(TICK_S)
        late_ms.append((loop.time() - due_s) * 1000)


async def _listen(clock: Racing, port: int, station: str) -> None:
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET /listen/{station}/live.mp3 HTTP/1.1\r\nHost: soak\r\n\r\n".encode())
            until_s = clock.monotonic_s() + HOUR_S
            while clock.monotonic_s() < until_s and await reader.read(65_536):
                pass
            writer.close()
        await asyncio.sleep(0.1)


class Racing(ManualClock):
    """Stands still until :meth:`run`; then it goes to the next moment that a station waits for, as soon as all
    ``stations`` wait and the event loop has done what the last second brought."""

    def __init__(self, stations: int) -> None:
        super().__init__(SystemClock().now_ms())
        self._stations = stations
        self._due: dict[int, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answered = threading.Event()
        self._asked_s = 0.0

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let time pass."""
        self._loop = loop
        self._answered.set()
        with self._moved:
            self._turn()

    def stop(self) -> None:
        """Let it stand."""
        self._loop = None

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        self._answered.wait(LATEST_ANSWER_S)
        with self._moved:
            until_s = self._due[get_ident()] = self._monotonic_s + seconds
            self._turn()
            while self._monotonic_s < until_s and not stop.is_set():
                self._moved.wait(0.1)
            del self._due[get_ident()]
        return stop.is_set()

    def _turn(self) -> None:
        if self._loop is None or len(self._due) < self._stations:
            return
        step_s = min(self._due.values()) - self._monotonic_s
        if step_s <= 0:
            return
        self.advance(step_s)
        if self._monotonic_s >= self._asked_s + 1:
            self._asked_s = self._monotonic_s
            self._answered.clear()
            self._loop.call_soon_threadsafe(self._answered.set)


if __name__ == "__main__":
    main()
