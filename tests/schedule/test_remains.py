"""What a log knows besides its rows outlives a crash and a change of process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
from schedule_doubles import HOUR_MS, MemoryLogs, Shelf, music_library, station, utc_ms

from radio.clock import ManualClock
from radio.log import LogRow, Outcome
from radio.schedule import PlannedStation, Planner, StationLog
from radio.schedule.emergencies import LONGEST_EMERGENCY_MS, emergency, joined
from radio.schedule.laying import Gone, is_emergency
from radio.schedule.moves import resumed
from radio.schedule.overruns import extended
from radio.schedule.rearranging import removed
from radio.schedule.remains import REMEMBERED_MS, LogBaton, Remains
from radio.units import UtcMs

NOW = utc_ms("2026-11-23 14:20")
BY = "the night desk"
SCHEDULE = """
default_clock = "hour"
[clocks.hour]
positions = [{ rotate = ["music"] }]
[[programmes]]
id = "talk"
title = "Talk"
clock = "hour"
airs = [{ days = "daily", from = "09:00", to = "10:00" }]
"""


@asynccontextmanager
async def planned(
    folder: Path, logs: MemoryLogs, *, ended: frozenset[str] = frozenset(), at_ms: UtcMs = NOW
) -> AsyncIterator[Planner]:
    """A planner that begins with what is stored; ``ended`` are rows whose end is in the as-run log."""
    (folder / "wxyz.toml").write_text(SCHEDULE)
    shelf = Shelf(music_library())
    planner = Planner(
        [PlannedStation(plan=station(), schedule_file=folder / "wxyz.toml")],
        clock=ManualClock(at_ms),
        store=logs,
        library=lambda: shelf,
        sponsors_file=folder / "sponsors.toml",
    )
    async with AsyncExitStack() as stack:
        await planner.begin(stack, {}, lambda _, row: row in ended)
        yield planner
        await planner.keep_ahead(stack)


async def stored(folder: Path) -> MemoryLogs:
    """A log of some hours."""
    logs = MemoryLogs()
    async with planned(folder, logs):
        pass
    return logs


def order(log: StationLog, move: object, over_ms: int = 0) -> None:
    log.apply(NOW, move, over_ms=over_ms)  # type: ignore[arg-type]


def coming(log: StationLog) -> LogRow:
    on_air = log.peek(NOW)
    assert on_air is not None
    return log.coming(on_air.ends_at_ms, 2)[1]


async def test_a_command_is_stored_before_its_consequences_are_and_told_once_after_a_crash(
    tmp_path: Path,
) -> None:
    logs = await stored(tmp_path)
    async with planned(tmp_path, logs) as planner:
        log = planner.log("wxyz")
        gone = coming(log)
        order(log, partial(removed, row=gone.id, by=BY))
        planner._of("wxyz")._moved(NOW)  # in the loop; nothing else has had a turn
        assert gone.id not in {row.id for row in logs.rows["wxyz"]}
        assert [one.row.id for one in log.passed(NOW)] == [gone.id]
        planner._of("wxyz")._keeping.keep_soon(NOW, planner.revision("wxyz"))
        crashed = msgspec.json.decode(msgspec.json.encode(logs.besides["wxyz"]), type=Remains)
        rows = list(logs.rows["wxyz"])
    for ended, told in ((frozenset[str](), [gone.id]), (frozenset({gone.id}), [])):
        logs.besides["wxyz"], logs.rows["wxyz"] = crashed, list(rows)
        async with planned(tmp_path, logs, ended=ended) as planner:
            again = planner.log("wxyz")
            assert [one.row.id for one in again.passed(NOW)] == told
            assert not again.passed(NOW + HOUR_MS)
            assert [row.id for row in again.vacated] == [gone.id]


async def test_after_a_crash_an_emergency_can_be_resumed_and_what_it_lay_over_ends_once(
    tmp_path: Path,
) -> None:
    logs = await stored(tmp_path)
    async with planned(tmp_path, logs) as planner:
        log = planner.log("wxyz")
        alert = msgspec.structs.replace(coming(log), id="alert")
        order(log, partial(emergency, row=alert, by=BY), over_ms=LONGEST_EMERGENCY_MS)
        planner._of("wxyz")._moved(NOW)
        beneath = tuple(log.beneath)
    later_ms = UtcMs(beneath[2].starts_at_ms + 30_000)
    async with planned(tmp_path, logs, at_ms=later_ms) as planner:
        log = planner.log("wxyz")
        on_air = log.peek(later_ms)
        assert on_air is not None
        assert is_emergency(on_air)
        assert log.beneath == beneath
        assert [(one.row.id, one.outcome) for one in log.passed(later_ms)] == [
            (beneath[1].id, Outcome.SKIPPED)
        ]
        log.apply(later_ms, partial(resumed, by=BY, beneath=log.beneath), over_ms=LONGEST_EMERGENCY_MS)
        back = log.peek(later_ms)
        assert back is not None
        assert (back.id, back.item) == (beneath[2].id, beneath[2].item)
        assert not log.passed(later_ms + HOUR_MS)


async def test_a_programme_that_was_extended_is_so_after_a_crash(tmp_path: Path) -> None:
    logs = await stored(tmp_path)
    end_ms = utc_ms("2026-11-23 15:00")
    async with planned(tmp_path, logs) as planner:
        log = planner.log("wxyz")
        order(log, partial(extended, length_ms=300_000, by=BY), over_ms=3 * HOUR_MS)
        planner._of("wxyz")._moved(NOW)
    async with planned(tmp_path, logs) as planner:
        log = planner.log("wxyz")
        assert log.ends == {"talk@2026-11-23T09:00": end_ms + 300_000}
    rows = [row for row in log.between(NOW, NOW + 2 * HOUR_MS) if row.programme == "talk"]
    assert rows[-1].ends_at_ms == end_ms + 300_000


async def test_another_process_goes_on_with_the_log_in_memory_and_this_one_stores_no_more(
    tmp_path: Path,
) -> None:
    logs = await stored(tmp_path)
    async with planned(tmp_path, logs) as planner:
        log = planner.log("wxyz")
        gone = coming(log)
        baton = planner.hand_over()["wxyz"]
        order(log, partial(removed, row=gone.id, by=BY))
        planner._of("wxyz")._moved(NOW)
        assert gone.id in {row.id for row in logs.rows["wxyz"]}
        planner.take_back()
        assert gone.id not in {row.id for row in logs.rows["wxyz"]}
        baton = planner.hand_over()["wxyz"]
        wire = msgspec.msgpack.decode(msgspec.msgpack.encode(baton), type=LogBaton)
    logs.rows["wxyz"] = logs.rows["wxyz"][:3]
    async with planned(tmp_path, logs) as planner:
        planner.adopt("wxyz", wire)
        log = planner.log("wxyz")
        assert tuple(log.coming(0, 10_000)) == wire.rows
        assert log.kept_from(0)[1] == wire.remains
        assert [one.row.id for one in log.passed(NOW)] == [gone.id]
    assert {row.id for row in wire.rows} <= {row.id for row in logs.rows["wxyz"]}


def test_what_is_long_over_gets_no_end_any_more() -> None:
    row = LogRow(
        id="old", station="wxyz", starts_at_ms=NOW, ends_at_ms=UtcMs(NOW + 1_000), kind="music",  # type: ignore[arg-type]
        title="", reason="",
    )  # fmt: skip
    remains = Remains(displaced=(Gone(row, Outcome.MISSED, "no room"),))
    assert remains.without(lambda _: False, NOW + REMEMBERED_MS) == remains
    assert remains.without(lambda _: False, NOW + REMEMBERED_MS + 1_000) == Remains()
    assert remains.without(lambda id_: id_ == "old", NOW) == Remains()


def test_a_row_joined_by_the_clock_says_so() -> None:
    row = LogRow(
        id="song", station="wxyz", starts_at_ms=NOW, ends_at_ms=UtcMs(NOW + 60_000), kind="music",  # type: ignore[arg-type]
        title="", reason="", item="song",
    )  # fmt: skip
    row = msgspec.convert(msgspec.to_builtins(row), LogRow)
    (found,) = joined([row], NOW + 20_000, "")
    assert (found.cue_in_ms, found.reason) == (20_000, "; joined by the clock")
