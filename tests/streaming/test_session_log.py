from __future__ import annotations

import asyncio
from concurrent.futures import Future

from structlog.testing import capture_logs

from radio.clock import ManualClock
from radio.errors import LimitReached, StoreError
from radio.store import Store
from radio.store.listener_sessions import ListenerSession, between, record
from radio.store.sqlite import sqlite_url
from radio.streaming.session_log import BATCH, LIMIT, SessionLog

DAY_MS = 86_400_000


def session(number: int = 0, **changes) -> ListenerSession:
    values = {
        "station": "wxyz",
        "mount": "live.mp3",
        "started_at_ms": 1_000 + number,
        "ended_at_ms": 2_000 + number,
        "bytes_sent": 16_000,
        "agent": "VLC",
    }
    return ListenerSession(**{**values, **changes})


class Writer:
    """A store that keeps jobs until it is told to do or to fail them."""

    def __init__(self) -> None:
        self.jobs: list[tuple] = []
        self.refuses: Exception | None = None

    def submit(self, work, *args) -> Future:
        if self.refuses is not None:
            raise self.refuses
        future: Future = Future()
        self.jobs.append((work, args, future))
        return future

    @property
    def batches(self) -> list[int]:
        return [len(args[0]) for work, args, _ in self.jobs if work is record]

    def finish(self, fault: Exception | None = None) -> None:
        for _, _, future in self.jobs:
            future.set_exception(fault) if fault else future.set_result(None)
        self.jobs.clear()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_five_hundred_are_written_at_once_and_the_rest_each_ten_seconds():
    writer, clock = Writer(), ManualClock()
    log = SessionLog(writer.submit, clock)
    async with log.running():
        for number in range(BATCH + 3):
            log.add(session(number))
        assert writer.batches == [BATCH]
        await turns()
        clock.advance(9.9)
        await turns()
        assert writer.batches == [BATCH]
        clock.advance(0.1)
        await turns()
        assert writer.batches == [BATCH, 3]
        log.add(session())
    assert writer.batches == [BATCH, 3, 1]


async def test_a_store_that_fails_loses_sessions_with_one_line():
    writer = Writer()
    log = SessionLog(writer.submit, ManualClock())
    with capture_logs() as journal:
        for fault in (StoreError("locked"), LimitReached("full")):
            writer.refuses = fault
            log.add(session())
            log.flush()
        writer.refuses = None
        for _ in range(2):
            log.add(session())
            log.flush()
            writer.finish(StoreError("disk full"))
    assert log.lost == 4
    assert [(entry["event"], entry["reason"]) for entry in journal] == [("listener_sessions_lost", "locked")]
    log.add(session())
    log.flush()
    writer.finish()
    with capture_logs() as journal:
        log.add(session())
        log.flush()
        writer.finish(StoreError("again"))
    assert [entry["event"] for entry in journal] == ["listener_sessions_lost"]


def test_what_waits_for_a_store_that_hangs_is_bounded():
    writer = Writer()
    log = SessionLog(writer.submit, ManualClock())
    with capture_logs() as journal:
        for number in range(LIMIT + 700):
            log.add(session(number))
    assert (sum(writer.batches), log.lost, len(journal)) == (LIMIT, 700, 1)
    writer.finish()
    log.add(session())
    assert log.lost == 700


def test_without_a_store_nothing_is_kept():
    log = SessionLog(None, ManualClock())
    for number in range(LIMIT + 1):
        log.add(session(number))
    log.flush()
    assert (log.lost, log.keeps_addresses) == (0, False)


async def test_addresses_are_forgotten_when_they_are_old_enough(tmp_path):
    clock = ManualClock(100 * DAY_MS)
    async with Store.open(sqlite_url(tmp_path / "a.db"), clock=clock) as store:
        old, new = 97 * DAY_MS, 99 * DAY_MS
        log = SessionLog(store.submit, clock, keep_addresses_days=2)
        assert log.keeps_addresses
        async with log.running():
            for at_ms in (old, new):
                log.add(session(started_at_ms=at_ms, ended_at_ms=at_ms + 1, address="198.51.100.7"))
            log.flush()
            await turns()
            for _ in range(361):
                clock.advance(10)
                await turns()
        await store.write(lambda conn: None)
        found = await store.read(between, "wxyz", 0, 200 * DAY_MS)
        assert [one.address for one in found] == [None, "198.51.100.7"]
        async with SessionLog(store.submit, clock).running():
            await turns()
        await store.write(lambda conn: None)
        found = await store.read(between, "wxyz", 0, 200 * DAY_MS)
        assert [one.address for one in found] == [None, None]
