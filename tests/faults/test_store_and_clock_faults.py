"""The database and the clock fail under a running service; a listener hears everything, and the alarm says what it is.

Each fault has a service of its own. All of them go on at the same time; each test looks at what came of one.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from faults_house import (
    Airings,
    Ear,
    OffsetClock,
    Process,
    assert_heard,
    comes_up,
    is_over,
    lay_out,
    station,
    told,
)
from whole_service import fetch, until

from radio.app import Service
from radio.store import operators
from radio.store.operators import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELD_S = 20
HOUR_MS = 3_600_000

HOLD = """\
import sqlite3, sys, time
held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
held.execute("PRAGMA busy_timeout = 10000")
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
held.execute("ROLLBACK")
"""

Seen = dict[str, Any]


class Air:
    """A station on the air in this process, with a listener from its first moment on."""

    def __init__(self, folder: Path, service: Service, ear: Ear, clock: OffsetClock) -> None:
        self.folder = folder
        self.service = service
        self.port = service.port
        self.ear = ear
        self.clock = clock
        self.database = folder / "data/nextup.db"

    @property
    def status(self) -> str:
        return str(self.service.stations["wxyz"].state["availability"]["status"])

    async def history(self) -> set[str]:
        _, answer = await fetch(self.port, "/api/stations/wxyz/history")
        return {entry["id"] for entry in answer["history"]}


@asynccontextmanager
async def air(folder: Path) -> AsyncIterator[Air]:
    lay_out(folder)
    clock = OffsetClock()
    async with station(folder, clock) as service:
        ear = Ear(service.port)
        await asyncio.sleep(2)
        yield Air(folder, service, ear, clock)


async def locked(folder: Path) -> Seen:
    async with air(folder) as on:
        holder = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLD, str(on.database), str(HELD_S), stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        await holder.stdout.readline()
        alarm = await comes_up(on.port, "database_locked")
        waits = await comes_up(on.port, "as_run_waits")
        metrics = (await fetch(on.port, "/metrics"))[1].decode()
        history = await on.history()
        await holder.wait()
        await is_over(on.port, "database_locked")
        await is_over(on.port, "as_run_waits")
        course = await on.ear.done()
    return {
        "alarm": alarm, "waits": waits, "metrics": metrics, "history": history, "course": course,
        "airings": Airings.of(folder),
    }  # fmt: skip


async def corrupt(folder: Path) -> Seen:
    async with air(folder) as on:
        before = await on.history()
        spoil(folder)
        await on.service.store.check()
        alarm = await comes_up(on.port, "database_replaced")
        after = await on.history()
        status, token = on.status, await a_token(on)
        told_to = (await fetch(on.port, "/api/console/alarms", token=token))[1]
        await asyncio.sleep(8)
        course = await on.ear.done()
        known = len(on.service.library.current)
    return {
        "alarm": alarm, "before": before, "after": after, "course": course, "status": status, "told": told_to,
        "aside": set_aside(folder), "known": known,
        "airings": Airings.of(folder),
    }  # fmt: skip


async def missing(folder: Path) -> Seen:
    async with air(folder) as on:
        await on.service.store.back_up()
        before = await on.history()
        delete(folder)
        alarm = await comes_up(on.port, "database_missing")
        replaced = await comes_up(on.port, "database_replaced")
        await is_over(on.port, "database_missing")
        await is_over(on.port, "as_run_waits")
        after = await on.history()
        await asyncio.sleep(6)
        course = await on.ear.done()
    return {
        "alarm": alarm, "replaced": replaced, "before": before, "after": after, "course": course,
        "airings": Airings.of(folder),
    }  # fmt: skip


async def full(folder: Path) -> Seen:
    """A bound on the size of files, set and lifted while the process runs, is a disk that is full for a while."""
    lay_out(folder)
    process = Process(folder)
    try:
        port = await process.on_air()
        ear = Ear(port)
        await asyncio.sleep(2)
        hard = resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (512, hard))
        alarm = await comes_up(port, "database_input_output", 20)
        files = await comes_up(port, "as_run_files_not_written")
        ready = (await fetch(port, "/readyz"))[0]
        await asyncio.sleep(8)
        resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        for code in ("database_input_output", "as_run_waits", "as_run_files_not_written"):
            await is_over(port, code, 25)
        course = await ear.done()
        end = process.end()
    finally:
        process.process.kill()
    return {
        "alarm": alarm, "files": files, "ready": ready, "course": course, "end": end, "said": process.said,
        "airings": Airings.of(folder),
    }  # fmt: skip


async def set_clock(folder: Path, by_ms: int) -> Seen:
    async with air(folder) as on:
        on.clock.offset_ms = by_ms
        statuses = {on.status}
        alarm = await comes_up(on.port, "clock_was_set")
        for _ in range(200):
            statuses.add(on.status)
            await asyncio.sleep(0.1)
        log = on.service.planner.log("wxyz")
        await until(lambda: log.peek(on.clock.now_ms()) is not None)
        await until(lambda: on.status == "on_air")
        course = await on.ear.done()
        now = on.service.stations["wxyz"].state["now"]
        seen = {"now": now, "now_ms": on.clock.now_ms()}
    return {"alarm": alarm, "course": course, "statuses": statuses, "airings": Airings.of(folder), **seen}


def spoil(folder: Path) -> None:
    """Overwrite the database and its journal where they lie."""
    for part in folder.glob("data/nextup.db*"):
        if not part.name.endswith("-shm"):
            with part.open("r+b") as file:
                file.seek(100)
                file.write(b"\xa5" * max(0, part.stat().st_size - 100))


def delete(folder: Path) -> None:
    for part in folder.glob("data/nextup.db*"):
        part.unlink()


def set_aside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("data/*.corrupt-*"))


async def a_token(on: Air) -> str:
    token: str = await on.service.store.write(operators.add, "newsroom", Role.VIEWER, None, on.clock.now_ms())
    return token


FAULTS: dict[str, Callable[[Path], Awaitable[Seen]]] = {
    "locked": locked,
    "corrupt": corrupt,
    "missing": missing,
    "full": full,
    "set back": lambda folder: set_clock(folder, -HOUR_MS),
    "set forward": lambda folder: set_clock(folder, HOUR_MS),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def faults(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, asyncio.Task[Seen]]]:
    tasks = {}
    for name, fault in FAULTS.items():
        folder = tmp_path_factory.mktemp(name.replace(" ", "-"))
        tasks[name] = asyncio.ensure_future(fault(folder))
        await asyncio.sleep(2.0)
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


Faults = dict[str, "asyncio.Task[Seen]"]


@pytest.mark.parametrize("name", list(FAULTS))
async def test_the_bytes_never_stop(faults: Faults, name: str) -> None:
    assert_heard((await faults[name])["course"], 8)


@pytest.mark.parametrize("name", list(FAULTS))
async def test_the_as_run_log_is_whole_afterwards_and_counts_once(faults: Faults, name: str) -> None:
    (await faults[name])["airings"].assert_complete(4)


async def test_a_locked_database_is_told_and_reading_goes_on(faults: Faults) -> None:
    seen = await faults["locked"]
    assert seen["alarm"]["severity"] == "critical"
    assert "Another program holds the database locked" in seen["alarm"]["message"]
    assert "Close the program" in seen["alarm"]["advice"]
    assert "events of the as-run log wait" in seen["waits"]["message"]
    assert 'nextup_alarm{code="database_locked",station=""} 1.0' in seen["metrics"]
    assert seen["history"]


async def test_a_corrupt_database_is_set_aside_and_made_anew_while_it_runs(faults: Faults) -> None:
    seen = await faults["corrupt"]
    assert "was damaged while the service ran" in seen["alarm"]["message"]
    assert seen["before"] <= seen["after"]
    assert seen["status"] == "on_air"
    assert seen["known"] == 3
    assert len([name for name in seen["aside"] if not name.endswith(("-wal", "-shm"))]) == 1
    (alarm,) = [each for each in seen["told"]["alarms"] if each["code"] == "database_replaced"]
    assert seen["aside"][0] in alarm["detail"]


async def test_a_deleted_database_is_restored_from_its_backup(faults: Faults) -> None:
    seen = await faults["missing"]
    assert "deleted" in seen["alarm"]["message"]
    assert "a backup was restored" in seen["replaced"]["message"]
    assert seen["before"] <= seen["after"]


async def test_a_full_disk_is_told_and_does_not_make_the_service_less_ready(faults: Faults) -> None:
    seen = await faults["full"]
    assert (seen["ready"], seen["end"]) == (200, 0)
    assert "no room left" in seen["alarm"]["message"]
    assert "events are held in memory" in seen["files"]["message"]
    assert "Make room" in seen["files"]["advice"]
    assert "as_run_file_written_again" in seen["said"]


@pytest.mark.parametrize(("name", "word"), [("set back", "back"), ("set forward", "forward")])
async def test_a_clock_that_is_set_is_told_and_the_station_stays_on_the_air(
    faults: Faults, name: str, word: str
) -> None:
    seen = await faults[name]
    assert f"was set {word} by 3,600.0 s" in seen["alarm"]["message"]
    assert "NTP" in seen["alarm"]["advice"]
    # while an hour is compiled anew the bed may be heard for a moment
    assert seen["statuses"] <= {"on_air", "degraded"}
    assert seen["now"]["starts_at_ms"] <= seen["now_ms"] < seen["now"]["ends_at_ms"] + 1_000


@pytest.mark.parametrize("has_backup", [False, True])
async def test_a_database_that_is_corrupt_at_the_start_keeps_no_station_off_the_air(
    tmp_path: Path, has_backup: bool
) -> None:
    lay_out(tmp_path)
    async with station(tmp_path) as service:
        if has_backup:
            await service.store.back_up()
        await asyncio.sleep(5)
    before = Airings.of(tmp_path)
    (tmp_path / "data/nextup.db").touch()
    spoil(tmp_path)
    async with station(tmp_path) as service:
        assert "database_replaced" in await told_soon(service)
    after = Airings.of(tmp_path)
    after.assert_complete(len([row for row in before.stored if row[2]]))
    assert {row[:2] for row in before.stored if row[2]} <= {row[:2] for row in after.stored}


async def told_soon(service: Service) -> dict[str, Any]:
    with suppress(TimeoutError):
        await comes_up(service.port, "database_replaced", 5)
    return await told(service.port)
