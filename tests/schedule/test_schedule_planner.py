from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from schedule_doubles import (
    DAY_MS,
    HOUR_MS,
    MemoryLogs,
    Shelf,
    folder,
    inputs,
    music_library,
    station,
    utc_ms,
)

from radio.clock import ManualClock
from radio.errors import ConfigurationError, InvalidRequest, UnknownStation
from radio.log import first_fault
from radio.schedule import PlannedStation, Planner, StationLog, compile_log
from radio.units import UtcMs

NOW = utc_ms("2026-11-23 14:20")
CLOCK = '[clocks.hour]\npositions = [{ rotate = ["music"] }]\n'
NEWS = 'default_clock = "hour"\n[clocks.hour]\npositions = [{ rotate = ["news"] }]\n'
WRONG = 'default_clock = "huor"\n' + CLOCK


@dataclass
class Desk:
    """A planner with everything around it, and what it told."""

    folder: Path
    shelf: Shelf = field(default_factory=lambda: Shelf(music_library()))
    logs: MemoryLogs = field(default_factory=MemoryLogs)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    changes: list[UtcMs] = field(default_factory=list)
    problems: list[ConfigurationError | None] = field(default_factory=list)

    def write(self, text: str) -> None:
        (self.folder / "wxyz.toml").write_text(text)

    @asynccontextmanager
    async def planner(self) -> AsyncIterator[Planner]:
        planned = PlannedStation(plan=station(), schedule_file=self.folder / "wxyz.toml")
        planner = Planner(
            [planned],
            clock=self.clock,
            store=self.logs,
            library=lambda: self.shelf,
            sponsors_file=self.folder / "sponsors.toml",
            on_change=lambda _, from_ms: self.changes.append(from_ms),
            on_problem=lambda _, problem: self.problems.append(problem),
        )
        async with AsyncExitStack() as stack:
            await planner.start(stack)
            await planner.extend()
            yield planner


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def all_rows(log: StationLog) -> list[object]:
    return list(log.coming(0, 10_000))


async def test_a_day_ahead_is_compiled_stored_and_told(desk: Desk) -> None:
    async with desk.planner() as planner:
        log = planner.log("wxyz")
        rows = log.coming(0, 10_000)
        assert first_fault(rows) is None
        assert rows[0].starts_at_ms == NOW
        assert rows[-1].ends_at_ms >= NOW + DAY_MS
        assert desk.logs.rows["wxyz"] == list(rows)
        assert desk.changes[0] == NOW
        told = len(desk.changes)
        await planner.extend()
        assert len(desk.changes) == told
        desk.clock.advance(3 * 3_600)
        await planner.extend()
        assert (log.ends_at_ms or 0) >= NOW + 3 * HOUR_MS + DAY_MS
        assert first_fault(log.coming(0, 10_000)) is None


async def test_taken_rows_stay_and_all_others_change(desk: Desk) -> None:
    async with desk.planner() as planner:
        log = planner.log("wxyz")
        on_air = log.row_at(NOW)
        assert on_air is not None
        cued = log.row_after(on_air)
        assert cued is not None
        desk.write(NEWS)
        await planner.reload()
        rows = log.coming(0, 10_000)
        assert rows[:2] == (on_air, cued)
        assert {row.category for row in rows[2:]} <= {"news", "promos", "idents", "fill", "music"}
        assert rows[2].category == "news"
        assert first_fault(rows) is None
        assert log.row_after(cued) == rows[2]
        assert desk.logs.rows["wxyz"] == list(rows)
        assert cued.ends_at_ms in desk.changes


async def test_a_row_on_the_air_is_kept_even_where_nobody_takes_rows(desk: Desk) -> None:
    async with desk.planner() as planner:
        on_air = planner.log("wxyz").peek(NOW)
        desk.clock.advance(1)
        desk.write(NEWS)
        await planner.reload()
        assert planner.log("wxyz").peek(NOW) == on_air


async def test_an_item_that_was_removed_cannot_air(desk: Desk) -> None:
    async with desk.planner() as planner:
        log = planner.log("wxyz")
        taken = log.row_at(NOW)
        assert taken is not None
        gone = {row.item for row in log.coming(taken.ends_at_ms, 6)}
        desk.shelf.items = [one for one in desk.shelf.items if one.id not in gone]
        desk.write(WRONG)
        await planner.reload()
        assert planner.problem("wxyz") is not None
        assert not gone & {row.item for row in log.coming(taken.ends_at_ms, 10_000)}


async def test_a_wrong_file_leaves_the_last_good_schedule_in_force(desk: Desk) -> None:
    desk.write(NEWS)
    async with desk.planner() as planner:
        before, revision = all_rows(planner.log("wxyz")), planner.revision("wxyz")
        desk.write(WRONG)
        await planner.reload()
        problem = planner.problem("wxyz")
        assert problem is not None
        assert (problem.line, problem.key) == (1, "default_clock")
        assert desk.problems == [problem]
        assert (all_rows(planner.log("wxyz")), planner.revision("wxyz")) == (before, revision)
        desk.write(NEWS)
        await planner.reload("wxyz")
        assert planner.problem("wxyz") is None
        assert desk.problems == [problem, None]
        assert all_rows(planner.log("wxyz")) == before


async def test_a_wrong_file_at_the_start_does_not_keep_a_station_off_the_air(desk: Desk) -> None:
    desk.write(WRONG)
    async with desk.planner() as planner:
        assert planner.problem("wxyz") is not None
        row = planner.log("wxyz").peek(NOW)
        assert row is not None
        assert row.item is not None


async def test_a_restart_goes_on_with_the_stored_log(desk: Desk) -> None:
    desk.write(NEWS)
    async with desk.planner() as planner:
        before = all_rows(planner.log("wxyz"))
    desk.clock.advance(600)
    async with desk.planner() as planner:
        assert all_rows(planner.log("wxyz"))[: len(before)] == before
    desk.write('default_clock = "hour"\n' + CLOCK)
    async with desk.planner() as planner:
        log = planner.log("wxyz")
        on_air = log.peek(desk.clock.now_ms())
        assert on_air in before
        assert on_air is not None
        assert log.coming(on_air.ends_at_ms, 1)[0].category == "music"


async def test_a_long_stop_starts_anew_at_the_present(desk: Desk) -> None:
    async with desk.planner():
        pass
    desk.clock.advance(3 * DAY_MS / 1000)
    async with desk.planner() as planner:
        assert all_rows(planner.log("wxyz"))[0].starts_at_ms == desk.clock.now_ms()  # type: ignore[attr-defined]


async def test_a_reload_without_a_change_changes_nothing(desk: Desk) -> None:
    async with desk.planner() as planner:
        before, told = all_rows(planner.log("wxyz")), len(desk.changes)
        await planner.reload()
        assert all_rows(planner.log("wxyz")) == before
        assert len(desk.changes) == told


async def test_a_preview_airs_nothing(desk: Desk) -> None:
    async with desk.planner() as planner:
        before = all_rows(planner.log("wxyz"))
        start = UtcMs(NOW + 40 * HOUR_MS)
        rows = await planner.preview("wxyz", start, UtcMs(start + 5 * HOUR_MS))
        assert first_fault(rows) is None
        assert rows[0].starts_at_ms == start
        assert all_rows(planner.log("wxyz")) == before
        with pytest.raises(InvalidRequest):
            await planner.preview("wxyz", start, start)
        with pytest.raises(UnknownStation):
            planner.log("wxzy")


async def test_an_empty_library_is_bed_until_it_is_scanned(desk: Desk) -> None:
    desk.shelf.items = []
    async with desk.planner() as planner:
        log = planner.log("wxyz")
        row = log.peek(NOW)
        assert row is not None
        assert row.item is None
        desk.shelf.items = folder("music", 5, 100_000, 200_000)
        await planner.reload()
        assert log.coming(row.ends_at_ms, 1)[0].item is not None


def test_the_published_log_refuses_what_would_change_a_taken_row() -> None:
    rows = compile_log(inputs(music_library()), NOW, NOW + HOUR_MS)
    log = StationLog("wxyz")
    assert log.row_at(NOW) is None
    assert log.replace_from(NOW, rows)
    assert log.row_at(rows[1].starts_at_ms) == rows[1]
    assert log.frontier_ms == rows[1].ends_at_ms
    assert not log.replace_from(rows[1].starts_at_ms, rows[1:])
    assert not log.replace_from(rows[2].starts_at_ms + 1, [])
    assert log.replace_from(rows[2].starts_at_ms, rows[2:])
    with pytest.raises(ValueError, match="no log"):
        log.replace_from(rows[2].starts_at_ms, [rows[2], rows[4]])
    assert log.between(rows[2].starts_at_ms, rows[3].ends_at_ms) == (rows[2], rows[3])
    log.drop_before(rows[2].starts_at_ms)
    assert log.peek(NOW) is None
    assert log.row_after(rows[-1]) is None
