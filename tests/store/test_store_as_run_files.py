from __future__ import annotations

import errno
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.log import Outcome
from radio.store import as_run
from radio.store.as_run_events import AsRunEvent, Refused, attempts_since, take_in, write
from radio.store.as_run_files import AsRunFiles, append_durably, days_of, read_day
from radio.units import DurationMs, UtcMs

NOON = 1_800_000_000_000
DAY_MS = 86_400_000


def event(number: int = 0, step: str = "start", **changes: object) -> AsRunEvent:
    values: dict[str, object] = {
        "event": step, "station": "harbor", "row_id": f"row-{number}", "attempt": 1,
        "at_ms": NOON + number * 1_000,
    }  # fmt: skip
    return AsRunEvent(**(values | changes))  # type: ignore[arg-type]


class Disk:
    """A disk that can be full, and tells when somebody tried."""

    def __init__(self) -> None:
        self.is_full = False
        self.tried = threading.Event()

    def append(self, path: Path, lines: bytes) -> None:
        if self.is_full:
            self.tried.set()
            raise OSError(errno.ENOSPC, "No space left on device")
        append_durably(path, lines)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def files(tmp_path: Path, disk: Disk) -> Iterator[AsRunFiles]:
    made = AsRunFiles(
        tmp_path, {"harbor": ZoneInfo("America/New_York")}, keep_days=3, held_limit=20,
        append=disk.append, retry_s=0.01,
    )  # fmt: skip
    yield made
    made.close()


def until(holds: Callable[[], object]) -> None:
    end_s = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.005)


def test_events_stand_one_a_line_in_the_file_of_their_day_in_the_stations_zone(
    tmp_path: Path, files: AsRunFiles
) -> None:
    # 2027-01-15 04:59:59.999 and 05:00 UTC: midnight in New York lies between
    midnight = int(datetime(2027, 1, 15, 5, tzinfo=UTC).timestamp() * 1000)
    for number, at_ms in enumerate((midnight - 1, midnight)):
        files.append(event(number, at_ms=at_ms))
    files.append(event(2, "end", at_ms=midnight + 5, played_ms=5, outcome=Outcome.AIRED, cause="as planned"))
    files.close()
    assert [path.name for path in days_of(tmp_path / "harbor")] == ["2027-01-14.jsonl", "2027-01-15.jsonl"]
    lines = (tmp_path / "harbor/2027-01-15.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line) for line in lines] == [
        {"event": "start", "station": "harbor", "row_id": "row-1", "attempt": 1, "at_ms": midnight},
        {
            "event": "end", "station": "harbor", "row_id": "row-2", "attempt": 1, "at_ms": midnight + 5,
            "played_ms": 5, "outcome": "aired", "cause": "as planned",
        },
    ]  # fmt: skip
    assert [each.row_id for each in files.recent("harbor", 2)] == ["row-0", "row-1", "row-2"]
    assert (tmp_path / "harbor/2027-01-15.jsonl").stat().st_mode & 0o777 == 0o600


def test_old_days_are_deleted_and_foreign_files_stay(tmp_path: Path, files: AsRunFiles) -> None:
    (tmp_path / "harbor").mkdir()
    (tmp_path / "harbor/notes.jsonl").write_text("mine")
    (tmp_path / "harbor/2026-13-99.jsonl").write_text("no day")
    for day in range(8):
        files.append(event(day, at_ms=NOON + day * DAY_MS))
    files.close()
    assert [path.name[8:10] for path in days_of(tmp_path / "harbor")] == ["19", "20", "21", "22"]
    assert (tmp_path / "harbor/notes.jsonl").read_text() == "mine"
    assert (tmp_path / "harbor/2026-13-99.jsonl").exists()


def test_a_full_disk_loses_nothing_up_to_the_limit_and_the_order_stays(
    tmp_path: Path, files: AsRunFiles, disk: Disk
) -> None:
    disk.is_full = True
    for number in range(15):
        files.append(event(number))
    assert disk.tried.wait(10)
    until(lambda: files.failing)
    assert (files.held, files.lost) == (15, 0)
    for number in range(15, 25):
        files.append(event(number))
    assert (files.held, files.lost) == (20, 5)
    disk.is_full = False
    until(lambda: not files.held)
    assert not files.failing
    assert [each.row_id for each in files.recent("harbor", 9)] == [f"row-{n}" for n in range(5, 25)]


def test_closing_on_a_full_disk_does_not_hang(files: AsRunFiles, disk: Disk) -> None:
    disk.is_full = True
    files.append(event())
    files.close()
    assert files.held == 1


def test_a_line_that_was_torn_by_a_crash_costs_itself_alone(tmp_path: Path, files: AsRunFiles) -> None:
    files.append(event(0))
    until(lambda: not files.held)
    (path,) = days_of(tmp_path / "harbor")
    with path.open("ab") as file:
        file.write(b'{"event":"start","stati')
    files.append(event(1))
    files.close()
    assert [each.row_id for each in read_day(path)] == ["row-0", "row-1"]


def test_a_write_that_fails_half_way_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "harbor/2027-01-15.jsonl"
    append_durably(path, b'{"a":1}\n')
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (12, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            append_durably(path, b'{"b":2}\n')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b'{"a":1}\n'


def test_a_folder_that_is_none_reads_as_no_days(tmp_path: Path) -> None:
    assert days_of(tmp_path / "nowhere") == []
    assert read_day(tmp_path / "nowhere/2027-01-15.jsonl") == []


def course(make_row, numbers: range) -> list[AsRunEvent]:
    """What is written of rows that are played whole."""
    return [
        each
        for number in numbers
        for each in (
            event(number, "intent", at_ms=NOON + number * 30_000 - 5_000, row=make_row(number)),
            event(number, "start", at_ms=NOON + number * 30_000),
            event(
                number, "end", at_ms=NOON + number * 30_000 + 30_000, played_ms=30_000,
                outcome=Outcome.AIRED, cause="as planned",
            ),
        )
    ]  # fmt: skip


async def test_what_is_taken_in_is_what_was_written_and_twice_is_once(store, make_row):
    events = course(make_row, range(5))
    assert await store.write(take_in, "harbor", events) == 15
    before = await store.read(as_run.history, "harbor")
    assert [(entry.row.id, entry.outcome) for entry in before] == [
        (f"row-{number}", Outcome.AIRED) for number in range(4, -1, -1)
    ]
    assert await store.write(take_in, "harbor", events) == 0
    assert await store.read(as_run.history, "harbor") == before
    assert await store.write(take_in, "island", events) == 0


async def test_what_the_database_knows_is_gone_on_with(store, make_row):
    events = course(make_row, range(4))
    for known in events[:7]:
        await store.write(write, known)
    assert await store.write(take_in, "harbor", events) == 5
    history = await store.read(as_run.history, "harbor")
    assert [entry.outcome for entry in history] == [Outcome.AIRED] * 4


async def test_an_intent_that_was_withdrawn_is_not_taken_in(store, make_row):
    events = course(make_row, range(1))
    withdrawn = [events[0], event(0, "withdrawn")]
    assert await store.write(take_in, "harbor", withdrawn) == 0
    await store.write(write, events[0])
    assert await store.write(take_in, "harbor", withdrawn) == 1
    assert await store.read(as_run.history, "harbor") == []
    assert await store.write(take_in, "harbor", [*withdrawn, *events]) == 3
    assert len(await store.read(as_run.history, "harbor")) == 1


async def test_an_event_that_fits_nothing_is_refused_and_harms_nothing(store, make_row):
    for wrong in (event(0, "start"), event(0, "intent"), event(0, "end")):
        with pytest.raises(Refused):
            await store.write(write, wrong)
    good = course(make_row, range(1))
    assert await store.write(take_in, "harbor", [event(7, "start"), *good, event(8, "end")]) == 3


async def test_attempts_are_known_for_rows_of_late(store, make_row):
    for each in course(make_row, range(3)):
        await store.write(write, each)
    await store.write(as_run.intent, make_row(7), 1, NOON + 200_000)
    found = await store.read(attempts_since, "harbor", NOON + 30_000)
    assert found == {("harbor", "row-1"): 1, ("harbor", "row-2"): 1}


@given(
    at_ms=st.integers(0, 1 << 45), played_ms=st.integers(0, 1 << 40), text=st.text(max_size=60),
    outcome=st.sampled_from(list(Outcome)),
)  # fmt: skip
def test_every_event_is_one_line_and_comes_back(
    at_ms: int, played_ms: int, text: str, outcome: Outcome
) -> None:
    written = event(
        0,
        "end",
        row_id=text,
        cause=text,
        at_ms=UtcMs(at_ms),
        played_ms=DurationMs(played_ms),
        outcome=outcome,
    )
    line = msgspec.json.encode(written)
    assert b"\n" not in line
    assert msgspec.json.decode(line, type=AsRunEvent) == written
