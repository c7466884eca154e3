from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from station_doubles import NOON, row

from radio.clock import ManualClock
from radio.events import FallbackStarted, RowCued, RowEnded, RowStarted
from radio.log import LogRow, Outcome
from radio.stations import AsRunRecorder
from radio.store import Store, as_run, sqlite_url
from radio.store.as_run import Aired
from radio.units import DurationMs, UtcMs


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store.open(sqlite_url(tmp_path / "nextup.db"), clock=ManualClock(NOON)) as opened:
        yield opened


async def history(store: Store) -> list[Aired]:
    await store.write(lambda conn: None)  # whatever was queued before is written
    return await store.read(as_run.history, "wxyz")


def ended(row: LogRow, played_ms: int = 30_000, outcome: Outcome = Outcome.AIRED) -> RowEnded:
    return RowEnded(row, UtcMs(row.starts_at_ms + played_ms), DurationMs(played_ms), outcome, "as planned")


async def test_an_intent_is_on_the_disk_before_the_row_starts(store: Store) -> None:
    recorder = AsRunRecorder(store)
    recorder.record(RowCued(row(0), UtcMs(NOON - 5_000)))
    (entry,) = await history(store)
    assert (entry.row, entry.attempt, entry.cued_at_ms) == (row(0), 1, NOON - 5_000)
    assert (entry.started_at_ms, entry.ended_at_ms, entry.outcome) == (None, None, None)


async def test_a_row_goes_through_start_checkpoints_and_one_end(store: Store) -> None:
    recorder = AsRunRecorder(store)
    recorder.record(RowCued(row(0), UtcMs(NOON - 5_000)))
    recorder.record(RowStarted(row(0), UtcMs(NOON)))
    recorder.checkpoint(row(0), UtcMs(NOON + 1_000), DurationMs(1_000))
    (entry,) = await history(store)
    assert (entry.started_at_ms, entry.played_ms, entry.outcome) == (NOON, 1_000, None)
    recorder.record(ended(row(0)))
    (entry,) = await history(store)
    assert (entry.ended_at_ms, entry.played_ms, entry.outcome) == (NOON + 30_000, 30_000, Outcome.AIRED)


async def test_a_row_ends_once_whatever_comes_after(store: Store) -> None:
    recorder = AsRunRecorder(store)
    for event in (RowCued(row(0), UtcMs(NOON)), RowStarted(row(0), UtcMs(NOON)), ended(row(0))):
        recorder.record(event)
    recorder.record(ended(row(0), 12_000, Outcome.TRUNCATED))
    recorder.checkpoint(row(0), UtcMs(NOON + 31_000), DurationMs(31_000))
    (entry,) = await history(store)
    assert (entry.played_ms, entry.outcome, entry.cause) == (30_000, Outcome.AIRED, "as planned")


async def test_attempts_are_numbered_and_one_alone_counts(store: Store) -> None:
    first = AsRunRecorder(store)
    for event in (
        RowCued(row(0), UtcMs(NOON)),
        RowStarted(row(0), UtcMs(NOON)),
        ended(row(0), 9_000, Outcome.TRUNCATED),
    ):
        first.record(event)
    again = AsRunRecorder(store)
    for event in (
        RowCued(row(0), UtcMs(NOON + 12_000)),
        RowStarted(row(0), UtcMs(NOON + 12_000)),
        ended(row(0)),
    ):
        again.record(event)
    second, one = await history(store)
    assert [(one.attempt, one.outcome), (second.attempt, second.outcome)] == [
        (1, Outcome.TRUNCATED),
        (2, None),
    ]
    assert "another attempt counts" in second.cause


async def test_an_intent_that_never_started_is_taken_up_by_the_next_attempt(store: Store) -> None:
    AsRunRecorder(store).record(RowCued(row(0), UtcMs(NOON - 5_000)))
    AsRunRecorder(store).record(RowCued(row(0), UtcMs(NOON - 2_000)))
    (entry,) = await history(store)
    assert (entry.attempt, entry.cued_at_ms) == (1, NOON - 2_000)


async def test_two_stations_may_have_rows_of_the_same_name(store: Store) -> None:
    recorder = AsRunRecorder(store)
    here, there = row(0), row(0, station="other")
    for event in (RowCued(here, UtcMs(NOON)), RowCued(there, UtcMs(NOON)), RowStarted(there, UtcMs(NOON))):
        recorder.record(event)
    recorder.record(ended(there))
    (entry,) = await history(store)
    assert entry.started_at_ms is None
    (other,) = await store.read(as_run.history, "other")
    assert other.outcome is Outcome.AIRED


async def test_a_start_whose_intent_was_lost_is_written_all_the_same(store: Store) -> None:
    recorder = AsRunRecorder(store)
    recorder.record(RowStarted(row(0), UtcMs(NOON)))
    recorder.record(ended(row(0)))
    (entry,) = await history(store)
    assert (entry.attempt, entry.cued_at_ms, entry.started_at_ms) == (1, NOON, NOON)
    assert entry.outcome is Outcome.AIRED


async def test_what_never_started_and_fallbacks_write_nothing(store: Store) -> None:
    recorder = AsRunRecorder(store)
    recorder.record(ended(row(0)))
    recorder.checkpoint(row(0), UtcMs(NOON), DurationMs(1))
    recorder.record(RowCued(row(1), UtcMs(NOON)))
    recorder.record(FallbackStarted(row(1), UtcMs(NOON), "gone"))
    assert [entry.row.id for entry in await history(store)] == ["row-1"]


async def test_a_checkpoint_is_left_out_while_many_writes_wait(store: Store) -> None:
    recorder = AsRunRecorder(store)
    recorder.record(RowCued(row(0), UtcMs(NOON)))
    recorder.record(RowStarted(row(0), UtcMs(NOON)))
    held = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(conn: Connection) -> None:
        asyncio.run_coroutine_threadsafe(held.wait(), loop).result(10)

    store.submit(hold)
    for _ in range(110):
        store.submit(lambda conn: None)
    waiting = store.backlog
    recorder.checkpoint(row(0), UtcMs(NOON + 1_000), DurationMs(1_000))
    assert store.backlog == waiting >= 100
    held.set()
    (entry,) = await history(store)
    assert entry.played_ms == 0


async def test_a_store_that_is_closed_raises_nothing(tmp_path: Path) -> None:
    async with Store.open(sqlite_url(tmp_path / "nextup.db"), clock=ManualClock(NOON)) as store:
        recorder = AsRunRecorder(store)
        recorder.record(RowCued(row(0), UtcMs(NOON)))
    recorder.record(RowStarted(row(0), UtcMs(NOON)))
    recorder.checkpoint(row(0), UtcMs(NOON + 1_000), DurationMs(1_000))
    recorder.record(ended(row(0)))
    async with Store.open(sqlite_url(tmp_path / "nextup.db"), clock=ManualClock(NOON)) as store:
        (entry,) = await history(store)
        assert (entry.started_at_ms, entry.ended_at_ms) == (None, None)


async def test_a_database_that_refuses_raises_nothing_and_later_writes_work(store: Store) -> None:
    recorder = AsRunRecorder(store)
    await store.write(lambda conn: conn.execute(text("ALTER TABLE as_run RENAME TO elsewhere")) and None)
    recorder.record(RowCued(row(0), UtcMs(NOON)))
    recorder.record(RowStarted(row(0), UtcMs(NOON)))
    recorder.record(ended(row(0)))
    await store.write(lambda conn: conn.execute(text("ALTER TABLE elsewhere RENAME TO as_run")) and None)
    recorder.record(RowCued(row(1), UtcMs(NOON)))
    recorder.record(RowStarted(row(1), UtcMs(NOON)))
    assert [(entry.row.id, entry.started_at_ms) for entry in await history(store)] == [("row-1", NOON)]
