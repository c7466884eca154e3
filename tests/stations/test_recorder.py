from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing, suppress
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, text
from station_doubles import NOON, row

from radio.clock import ManualClock
from radio.errors import StoreError
from radio.events import FallbackStarted, RowCued, RowEnded, RowStarted
from radio.log import LogRow, Outcome
from radio.stations import AsRunRecorder
from radio.store import Store, as_run, sqlite_url
from radio.store.as_run import Aired
from radio.store.as_run_files import AsRunFiles
from radio.store.sqlite import DRIVER
from radio.units import DurationMs, UtcMs


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store.open(sqlite_url(tmp_path / "nextup.db"), clock=ManualClock(NOON)) as opened:
        yield opened


async def history(store: Store, recorder: AsRunRecorder | None = None) -> list[Aired]:
    if recorder is not None:
        await all_written(recorder)
    await store.write(lambda conn: None)  # whatever was queued before is written
    return await store.read(as_run.history, "wxyz")


async def all_written(recorder: AsRunRecorder) -> None:
    async with asyncio.timeout(10):
        while recorder.waiting:  # noqa: ASYNC110 - the writer tells nobody
            await asyncio.sleep(0.01)


def ended(row: LogRow, played_ms: int = 30_000, outcome: Outcome = Outcome.AIRED) -> RowEnded:
    return RowEnded(row, UtcMs(row.starts_at_ms + played_ms), DurationMs(played_ms), outcome, "as planned")


async def test_an_intent_is_on_the_disk_before_the_row_starts(store: Store) -> None:
    recorder = AsRunRecorder(store)
    recorder.record(RowCued(row(0), UtcMs(NOON - 5_000)))
    (entry,) = await history(store, recorder)
    assert (entry.row, entry.attempt, entry.cued_at_ms) == (row(0), 1, NOON - 5_000)
    assert (entry.started_at_ms, entry.ended_at_ms, entry.outcome) == (None, None, None)


async def test_a_row_goes_through_start_checkpoints_and_one_end(store: Store) -> None:
    recorder = AsRunRecorder(store)
    recorder.record(RowCued(row(0), UtcMs(NOON - 5_000)))
    recorder.record(RowStarted(row(0), UtcMs(NOON)))
    recorder.checkpoint(row(0), UtcMs(NOON + 1_000), DurationMs(1_000))
    (entry,) = await history(store, recorder)
    assert (entry.started_at_ms, entry.played_ms, entry.outcome) == (NOON, 1_000, None)
    recorder.record(ended(row(0)))
    (entry,) = await history(store, recorder)
    assert (entry.ended_at_ms, entry.played_ms, entry.outcome) == (NOON + 30_000, 30_000, Outcome.AIRED)


async def test_a_row_ends_once_whatever_comes_after(store: Store) -> None:
    recorder = AsRunRecorder(store)
    for event in (RowCued(row(0), UtcMs(NOON)), RowStarted(row(0), UtcMs(NOON)), ended(row(0))):
        recorder.record(event)
    recorder.record(ended(row(0), 12_000, Outcome.TRUNCATED))
    recorder.checkpoint(row(0), UtcMs(NOON + 31_000), DurationMs(31_000))
    (entry,) = await history(store, recorder)
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
    await again.begin(["wxyz"], UtcMs(NOON + 12_000))
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
    (entry,) = await history(store, recorder)
    assert entry.started_at_ms is None
    (other,) = await store.read(as_run.history, "other")
    assert other.outcome is Outcome.AIRED


async def test_a_start_whose_intent_was_lost_is_written_all_the_same(store: Store) -> None:
    recorder = AsRunRecorder(store)
    recorder.record(RowStarted(row(0), UtcMs(NOON)))
    recorder.record(ended(row(0)))
    (entry,) = await history(store, recorder)
    assert (entry.attempt, entry.cued_at_ms, entry.started_at_ms) == (1, NOON, NOON)
    assert entry.outcome is Outcome.AIRED


async def test_what_never_started_and_fallbacks_write_nothing(store: Store) -> None:
    recorder = AsRunRecorder(store)
    recorder.record(ended(row(0)))
    recorder.checkpoint(row(0), UtcMs(NOON), DurationMs(1))
    recorder.record(RowCued(row(1), UtcMs(NOON)))
    recorder.record(FallbackStarted(row(1), UtcMs(NOON), "gone"))
    assert [entry.row.id for entry in await history(store, recorder)] == ["row-1"]


async def test_a_later_checkpoint_takes_the_place_of_one_that_waits(store: Store) -> None:
    recorder = AsRunRecorder(store)
    recorder.record(RowCued(row(0), UtcMs(NOON)))
    recorder.record(RowStarted(row(0), UtcMs(NOON)))
    await history(store, recorder)
    held = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(conn: Connection) -> None:
        asyncio.run_coroutine_threadsafe(held.wait(), loop).result(10)

    store.submit(hold)
    for second in range(1, 9):
        recorder.checkpoint(row(0), UtcMs(NOON + second * 1_000), DurationMs(second * 1_000))
    assert store.backlog <= 2
    held.set()
    (entry,) = await history(store, recorder)
    assert entry.played_ms == 8_000


async def test_an_intent_can_be_withdrawn_until_it_starts(store: Store) -> None:
    recorder = AsRunRecorder(store)
    for number in (0, 1):
        recorder.record(RowCued(row(number), UtcMs(NOON)))
    recorder.record(RowStarted(row(0), UtcMs(NOON)))
    for number in (0, 1, 2):
        recorder.withdraw(row(number), UtcMs(NOON + 1))
    (entry,) = await history(store, recorder)
    assert (entry.row.id, entry.started_at_ms) == ("row-0", NOON)


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


async def test_what_a_database_refused_is_written_in_order_when_it_takes_writes_again(store: Store) -> None:
    recorder = AsRunRecorder(store, retry_s=(0.01,))
    await store.write(lambda conn: conn.execute(text("ALTER TABLE as_run RENAME TO elsewhere")) and None)
    for number in range(3):
        recorder.record(RowCued(row(number), UtcMs(NOON)))
        recorder.record(RowStarted(row(number), row(number).starts_at_ms))
        recorder.record(ended(row(number)))
    await asyncio.sleep(0.1)
    assert recorder.waiting == 9
    await store.write(lambda conn: conn.execute(text("ALTER TABLE elsewhere RENAME TO as_run")) and None)
    await all_written(recorder)
    entries = await history(store)
    assert [(entry.row.id, entry.outcome) for entry in entries] == [
        (f"row-{number}", Outcome.AIRED) for number in (2, 1, 0)
    ]


async def test_more_than_may_wait_is_left_to_the_files(store: Store, tmp_path: Path) -> None:
    files = AsRunFiles(tmp_path / "as-run", {})
    recorder = AsRunRecorder(store, files, waiting_limit=10, retry_s=(60,))
    await store.write(lambda conn: conn.execute(text("ALTER TABLE as_run RENAME TO elsewhere")) and None)
    for number in range(10):
        recorder.record(RowCued(row(number), UtcMs(NOON)))
        recorder.record(RowStarted(row(number), row(number).starts_at_ms))
        recorder.record(ended(row(number)))
    assert (recorder.waiting, recorder.lost) == (10, 20)
    await recorder.close()
    files.close()
    await store.write(lambda conn: conn.execute(text("ALTER TABLE elsewhere RENAME TO as_run")) and None)
    again = AsRunRecorder(store, AsRunFiles(tmp_path / "as-run", {}))
    await again.begin(["wxyz"], UtcMs(NOON + 600_000))
    assert [entry.outcome for entry in await history(store)] == [Outcome.AIRED] * 10
    assert again.was_behind


async def test_a_database_that_another_process_locks_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "nextup.db"
    async with Store.open(sqlite_url(path), clock=ManualClock(NOON)) as store:
        await store.write(lambda conn: conn.exec_driver_sql("PRAGMA busy_timeout = 50") and None)
        recorder = AsRunRecorder(store, retry_s=(0.05,))
        with closing(DRIVER.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            recorder.record(RowCued(row(0), UtcMs(NOON)))
            recorder.record(RowStarted(row(0), UtcMs(NOON)))
            recorder.checkpoint(row(0), UtcMs(NOON + 1_000), DurationMs(1_000))
            await asyncio.sleep(0.3)
            assert recorder.waiting == 2
            other.execute("ROLLBACK")
        await all_written(recorder)
        (entry,) = await history(store)
        assert (entry.started_at_ms, entry.played_ms) == (NOON, 1_000)


async def play(recorder: AsRunRecorder, numbers: range) -> None:
    for number in numbers:
        recorder.record(RowCued(row(number), UtcMs(row(number).starts_at_ms - 5_000)))
        recorder.record(RowStarted(row(number), row(number).starts_at_ms))
        recorder.record(ended(row(number)))
        await asyncio.sleep(0.02)


def overwrite_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)


@pytest.mark.parametrize("harm", [overwrite_header, Path.unlink])
async def test_what_a_ruined_or_deleted_database_lost_is_taken_in_at_the_next_start(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    path = tmp_path / "data/nextup.db"
    files = AsRunFiles(tmp_path / "as-run", {})
    with suppress(StoreError):  # closing a ruined database may say that it is ruined
        async with Store.open(sqlite_url(path), clock=ManualClock(NOON)) as store:
            recorder = AsRunRecorder(store, files, retry_s=(0.05,))
            await play(recorder, range(3))
            await all_written(recorder)
            harm(path)
            await play(recorder, range(3, 6))
            await recorder.close()
    files.close()
    for part in path.parent.glob(f"{path.name}-*"):
        part.unlink()
    # twice: what was taken in once is not taken in again
    for is_first in (True, False):
        files = AsRunFiles(tmp_path / "as-run", {})
        async with Store.open(sqlite_url(path), clock=ManualClock(NOON)) as store:
            recorder = AsRunRecorder(store, files)
            await recorder.begin(["wxyz"], UtcMs(NOON + 600_000))
            entries = await history(store)
            assert [(entry.row.id, entry.attempt, entry.outcome) for entry in entries] == [
                (f"row-{number}", 1, Outcome.AIRED) for number in range(5, -1, -1)
            ]
            assert is_first or not recorder.was_behind
        files.close()


async def test_what_was_open_at_a_crash_is_known_and_its_end_stands_in_the_files(
    store: Store, tmp_path: Path
) -> None:
    files = AsRunFiles(tmp_path / "as-run", {})
    recorder = AsRunRecorder(store, files)
    recorder.record(RowCued(row(0), UtcMs(NOON)))
    recorder.record(RowStarted(row(0), UtcMs(NOON)))
    recorder.checkpoint(row(0), UtcMs(NOON + 7_000), DurationMs(7_000))
    await all_written(recorder)
    await history(store)
    again = AsRunRecorder(store, files)
    (aired,) = (await again.begin(["wxyz", "other"], UtcMs(NOON + 9_000))).values()
    assert (aired.row.id, aired.played_ms, aired.outcome) == ("row-0", 7_000, Outcome.TRUNCATED)
    again.record(RowCued(row(0), UtcMs(NOON + 9_000)))
    again.record(RowStarted(row(0), UtcMs(NOON + 9_000)))
    again.record(ended(row(0)))
    files.close()
    steps = [(event.event, event.attempt, event.outcome) for event in files.recent("wxyz", 1)]
    assert steps == [
        ("intent", 1, None), ("start", 1, None), ("end", 1, Outcome.TRUNCATED),
        ("intent", 2, None), ("start", 2, None), ("end", 2, Outcome.AIRED),
    ]  # fmt: skip
    assert [entry.outcome for entry in await history(store)] == [None, Outcome.TRUNCATED]


async def test_a_row_whose_time_passed_while_nothing_was_on_the_air_is_missed_once(store: Store) -> None:
    recorder = AsRunRecorder(store)
    recorder.record(RowCued(row(0), UtcMs(NOON)))
    recorder.record(RowStarted(row(0), UtcMs(NOON)))
    recorder.record(ended(row(0)))
    for number in (0, 1, 1):
        recorder.missed(row(number), UtcMs(NOON + 90_000), "the station was off the air")
    recorder.missed(row(2, item=None), UtcMs(NOON + 90_000), "the station was off the air")
    found = [(one.row.id, one.outcome, one.started_at_ms) for one in await history(store, recorder)]
    assert found == [("row-1", Outcome.MISSED, None), ("row-0", Outcome.AIRED, NOON)]


async def test_after_a_crash_it_is_known_which_rows_have_their_end(store: Store) -> None:
    crashed = AsRunRecorder(store)
    for event in (RowCued(row(0), NOON), ended(row(0), 0, Outcome.SKIPPED), RowCued(row(1), NOON)):
        crashed.record(event)
    await all_written(crashed)
    recorder = AsRunRecorder(store)
    await recorder.begin(["wxyz"], NOON)
    assert recorder.knows("wxyz", row(0).id)
    assert not recorder.knows("other", row(0).id)
    assert not recorder.knows("wxyz", row(1).id)


async def test_a_row_is_forgotten_hours_after_its_time_and_has_no_second_end_before(store: Store) -> None:
    recorder = AsRunRecorder(store)
    rows = [(row(number), NOON + number * 3_600_000) for number in range(0, 9)]
    later = msgspec.structs.replace(row(99), ends_at_ms=UtcMs(NOON + 3_600_000))
    for one, at_ms in ((later, NOON), *rows):
        recorder.record(RowCued(one, UtcMs(at_ms)))
        recorder.record(RowEnded(one, UtcMs(at_ms), DurationMs(0), Outcome.SKIPPED, "taken out"))
    assert recorder.knows("wxyz", rows[-1][0].id)
    assert recorder.knows("wxyz", rows[3][0].id)
    assert not recorder.knows("wxyz", rows[0][0].id)
    assert not recorder.knows("wxyz", later.id)
    recorder.missed(rows[3][0], UtcMs(NOON), "a restart left no room for it")
    found = await history(store, recorder)
    assert [entry.outcome for entry in found if entry.row.id == rows[3][0].id] == [Outcome.SKIPPED]
