"""What the planner makes of a log that playout has changed at its present."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from schedule_doubles import HOUR_MS, MemoryLogs, Shelf, music_library, station, utc_ms

from radio.clock import ManualClock
from radio.errors import InvalidRequest, NotFound, UnknownItem
from radio.log import Anchor, ItemKind, LogRow, first_fault
from radio.schedule import PlannedStation, Planner, StationLog
from radio.schedule.inputs import told_apart
from radio.schedule.moves import Moved, held, inserted, is_bridge, is_hold, resumed, skipped
from radio.schedule.overruns import ended, extended
from radio.schedule.rearranging import removed
from radio.units import UtcMs

NOW = utc_ms("2026-11-23 14:20")
BY = "the night desk"
HARD = """
default_clock = "hour"
[clocks.hour]
positions = [
  { at = "00:00", anchor = "hard", item = "legal-id/legal-id", legal_id = true },
  { rotate = ["music"] },
]
"""


class Night:
    """A planned station, and a thread that stands for its playout."""

    def __init__(self, planner: Planner, clock: ManualClock, logs: MemoryLogs, told: list[tuple[float, int]]):
        self.planner = planner
        self.clock = clock
        self.logs = logs
        self.told = told
        self.log: StationLog = planner.log("wxyz")

    def play_to(self, at_ms: int) -> None:
        """Take rows as playout does at ``at_ms``: what is on the air, and what begins in six seconds."""
        self.log.reached(at_ms)
        row = self.log.row_at(at_ms)
        while row is not None and row.ends_at_ms < at_ms + 6_000:
            row = self.log.row_after(row)

    async def order(self, at_ms: int, move: Callable[..., Any]) -> LogRow:
        """A command at ``at_ms``, given in another thread; returns when the log has been compiled anew."""

        def in_playout() -> LogRow:
            # the planner is told when playout has taken what follows: on a busy machine it may be faster
            tell, told = self.log.on_move, list[UtcMs]()
            self.log.on_move = told.append
            try:
                was = self.log.apply(at_ms, move)
            finally:
                self.log.on_move = tell
            self.play_to(at_ms)
            for from_ms in told:
                tell(from_ms)
            return was

        was = await asyncio.to_thread(in_playout)
        await self.compiled()
        return was

    async def compiled(self) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        following = self.planner._of("wxyz")._following
        assert following is not None
        await following

    def rows(self) -> list[LogRow]:
        return list(self.log.coming(0, 10_000))


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Night]:
    (tmp_path / "wxyz.toml").write_text(HARD)
    clock, logs, told = ManualClock(NOW), MemoryLogs(), []
    shelf = Shelf(music_library())
    planner = Planner(
        [PlannedStation(plan=station(), schedule_file=tmp_path / "wxyz.toml")],
        clock=clock,
        store=logs,
        library=lambda: shelf,
        sponsors_file=tmp_path / "sponsors.toml",
        on_change=lambda _, from_ms: told.append((time.monotonic(), from_ms)),
    )
    async with AsyncExitStack() as stack:
        await planner.start(stack)
        await planner.extend()
        made = Night(planner, clock, logs, told)
        made.play_to(NOW)
        yield made


def check_whole(night: Night, at_ms: int) -> None:
    rows = night.rows()
    assert first_fault(rows) is None
    assert night.logs.rows["wxyz"] == rows
    hours = [row.starts_at_ms for row in rows if row.anchor is Anchor.HARD and row.starts_at_ms > at_ms]
    assert hours[:20] == [utc_ms("2026-11-23 15:00") + hour * HOUR_MS for hour in range(20)]
    assert rows[-1].ends_at_ms >= NOW + 23 * HOUR_MS


async def test_after_a_skip_the_next_hard_time_is_met_again_by_fit_to_time(night: Night) -> None:
    on_air = night.log.peek(NOW)
    assert on_air is not None
    following = night.log.coming(on_air.ends_at_ms, 1)[0]
    at_ms = NOW + 60_000
    began_s, told = time.monotonic(), len(night.told)
    await night.order(at_ms, partial(skipped, by=BY))
    told_s, from_ms = night.told[told]
    assert told_s - began_s < 0.5  # a few milliseconds, but for a machine that is busy
    assert from_ms == on_air.starts_at_ms
    rows = night.rows()
    assert rows[0].id == on_air.id
    assert rows[0].ends_at_ms == at_ms
    assert (rows[1].id, rows[1].starts_at_ms) == (following.id, at_ms)
    check_whole(night, at_ms)
    before_the_hour = [row for row in rows if row.ends_at_ms <= utc_ms("2026-11-23 15:00")]
    assert before_the_hour[-1].ends_at_ms == utc_ms("2026-11-23 15:00")
    assert not any(is_bridge(row) for row in rows)
    assert all(row.item is not None for row in before_the_hour)
    items = [row.item for row in before_the_hour if row.kind is ItemKind.MUSIC]
    assert len(set(items)) == len(items)


async def test_a_bridge_that_sounds_gives_way_to_what_is_compiled(night: Night) -> None:
    hour_ms = utc_ms("2026-11-23 15:00")
    last = [row for row in night.rows() if row.ends_at_ms == hour_ms][0]
    at_ms = max(last.starts_at_ms + 1_000, hour_ms - 100_000)
    night.clock.advance((at_ms - 5_000 - NOW) / 1000)
    night.play_to(at_ms)
    await night.order(at_ms, partial(skipped, by=BY))
    rows = [row for row in night.rows() if at_ms <= row.starts_at_ms < hour_ms]
    assert is_bridge(rows[0])
    assert rows[0].starts_at_ms == at_ms
    assert rows[0].duration_ms == 500
    assert rows[1].item is not None
    assert rows[-1].ends_at_ms == hour_ms
    check_whole(night, at_ms)
    assert night.log.peek(at_ms) == rows[0]


async def test_what_was_put_in_and_held_outlives_every_edit(night: Night, tmp_path: Path) -> None:
    news = next(item.id for item in music_library() if item.category == "news")
    row = night.planner.item_row("wxyz", news)
    assert (row.kind, row.item, row.overlap_ms) == (ItemKind.SPEECH, news, 100)
    at_ms = NOW + 30_000
    await night.order(at_ms, partial(inserted, row=row, when="next", by=BY))
    await night.order(at_ms + 1_000, partial(held, by=BY))
    on_air = night.log.peek(at_ms)
    assert on_air is not None
    for _ in range(2):
        following = night.log.coming(on_air.ends_at_ms, 3)
        assert is_hold(following[0])
        assert following[0].ends_at_ms == utc_ms("2026-11-23 15:00")
        assert following[1].anchor is Anchor.HARD
        (tmp_path / "wxyz.toml").write_text(HARD.replace('"music"]', '"news"]'))
        await night.planner.reload()
    check_whole(night, at_ms)
    await night.order(at_ms + 2_000, partial(resumed, by=BY))
    following = night.log.coming(on_air.ends_at_ms, 3)
    assert not any(is_hold(each) for each in following)
    check_whole(night, at_ms)


async def test_commands_that_follow_each_other_at_once_leave_one_whole_log(night: Night) -> None:
    def many() -> None:
        for step in range(6):
            at_ms = NOW + 10_000 + step * 84
            night.log.apply(at_ms, partial(skipped, by=BY))
            night.play_to(at_ms)

    await asyncio.to_thread(many)
    await night.compiled()
    check_whole(night, NOW + 11_000)


async def test_a_bridge_that_was_stored_is_compiled_over_after_a_restart(night: Night) -> None:
    night.log.apply(NOW + 1_000, partial(skipped, by=BY))
    rows = night.rows()
    bridges = [row for row in rows if is_bridge(row)]
    assert len(bridges) == 1
    assert bridges[0].ends_at_ms == utc_ms("2026-11-23 15:00")
    await night.planner.extend()
    assert not any(is_bridge(row) for row in night.rows())
    await night.compiled()
    check_whole(night, NOW + 1_000)


async def test_an_item_that_the_station_has_not_cannot_be_put_in(night: Night) -> None:
    with pytest.raises(UnknownItem):
        night.planner.item_row("wxyz", "nothing")


def test_a_row_that_was_moved_and_one_made_for_its_moment_have_different_ids() -> None:
    rows = [
        LogRow(
            id="twin",
            station="wxyz",
            starts_at_ms=UtcMs(0),
            ends_at_ms=UtcMs(5),
            kind=ItemKind.FILL,
            title="",
            reason="",
        )
    ]
    assert [row.id for row in told_apart(rows, rows)] == ["twin-2"]
    assert told_apart(rows, []) == rows


def a_log(*hard: int) -> StationLog:
    """Ten hours of rows of a minute, some of them at hard times."""
    log = StationLog("wxyz", "WXYZ")
    rows = [
        LogRow(
            id=f"row-{index}",
            station="wxyz",
            starts_at_ms=UtcMs(NOW + index * 60_000),
            ends_at_ms=UtcMs(NOW + (index + 1) * 60_000),
            kind=ItemKind.MUSIC,
            title="",
            reason="",
            item=f"item-{index}",
            anchor=Anchor.HARD if index in hard else Anchor.FLOAT,
        )
        for index in range(600)
    ]
    assert log.replace_from(NOW, rows)
    return log


def test_a_change_leaves_what_stands_behind_a_hard_row_and_touches_no_more_than_two_hours() -> None:
    log = a_log(30)
    before = log.coming(NOW + 31 * 60_000, 1_000)
    assert log.apply(NOW + 90_000, partial(skipped, by=BY)).id == "row-1"
    assert log.coming(NOW + 31 * 60_000, 1_000) == before
    assert first_fault(log.coming(0, 1_000)) is None
    assert log.ends_at_ms == NOW + 600 * 60_000
    free = a_log()
    free.apply(NOW + 90_000, partial(skipped, by=BY))
    assert first_fault(free.coming(0, 1_000)) is None
    assert NOW + 2 * HOUR_MS < (free.ends_at_ms or 0) < NOW + 2 * HOUR_MS + 180_000
    assert free.generation == 1


def test_a_change_that_cannot_be_leaves_the_log_as_it_was() -> None:
    log = a_log(2)
    before, frontier_ms = log.coming(0, 1_000), log.frontier_ms
    with pytest.raises(InvalidRequest):
        log.apply(NOW + 119_500, partial(inserted, row=before[5], when="now", by=BY))
    with pytest.raises(NotFound):
        log.apply(NOW - 1, partial(skipped, by=BY))
    with pytest.raises(ValueError, match="no log"):
        log.apply(NOW + 1, lambda rows, at_ms, title: Moved(rows[::-1], rows[0].ends_at_ms))
    assert (log.coming(0, 1_000), log.frontier_ms, log.generation) == (before, frontier_ms, 0)


TALK = """
[clocks.hour]
positions = [{ rotate = ["music"] }]
[[programmes]]
id = "talk"
title = "Talk"
clock = "hour"
on_overrun = "operator"
overrun_max = "4:00"
airs = [{ days = "daily", from = "09:00", to = "09:30" }]
[[programmes]]
id = "songs"
title = "Songs"
clock = "hour"
airs = [{ days = "daily", from = "09:30", to = "11:00" }]
"""


async def talk_is_on(night: Night, folder: Path) -> int:
    (folder / "wxyz.toml").write_text(TALK)
    await night.planner.reload()
    end_ms = utc_ms("2026-11-23 14:30")
    assert starts_of(night, "songs") == end_ms
    return end_ms


def starts_of(night: Night, programme: str) -> int:
    return next(row.starts_at_ms for row in night.rows() if row.programme == programme)


async def test_an_extended_programme_is_compiled_with_its_new_end(night: Night, tmp_path: Path) -> None:
    end_ms = await talk_is_on(night, tmp_path)
    now_ms = night.log.frontier_ms + 1_000
    night.clock.advance((now_ms - 5_000 - NOW) / 1000)
    night.play_to(now_ms)
    await night.order(now_ms, partial(extended, length_ms=180_000, by=BY))
    assert starts_of(night, "songs") == end_ms + 180_000
    talk = [row for row in night.rows() if row.programme == "talk" and row.starts_at_ms < end_ms + HOUR_MS]
    assert talk[-1].ends_at_ms == end_ms + 180_000
    assert talk[-1].item is not None
    assert not any(is_bridge(row) for row in night.rows())
    airing = night.log.programmes(now_ms)[0]
    assert airing is not None
    assert (airing.id, airing.ends_at_ms) == ("talk", end_ms + 180_000)
    planned = night.log.planned_end(airing.occurrence)
    assert planned == end_ms
    await night.order(now_ms + 1_000, partial(ended, planned=night.log.planned_end, by=BY))
    rows = [row for row in night.rows() if row.ends_at_ms > now_ms + 1_000]
    assert rows[0].starts_at_ms == now_ms + 1_000
    assert all(row.programme != "talk" for row in rows if row.starts_at_ms < end_ms + HOUR_MS)
    assert starts_of(night, "songs") == end_ms
    assert first_fault(night.rows()) is None


async def test_a_programme_that_an_operator_ends_goes_on_as_far_as_it_may(
    night: Night, tmp_path: Path
) -> None:
    end_ms = await talk_is_on(night, tmp_path)
    night.clock.advance((end_ms - 100_000 - NOW) / 1000)
    night.play_to(end_ms - 95_000)
    await night.planner.extend()
    assert starts_of(night, "songs") == end_ms + 240_000
    at_ms = end_ms + 60_000
    night.clock.advance(155)
    night.play_to(at_ms)
    await night.planner.extend()
    assert starts_of(night, "songs") == end_ms + 240_000
    await night.order(at_ms, partial(ended, planned=night.log.planned_end, by=BY))
    assert starts_of(night, "songs") == at_ms
    assert first_fault(night.rows()) is None


async def test_a_programme_that_is_ended_early_is_followed_by_what_it_names_for_that(
    night: Night, tmp_path: Path
) -> None:
    (tmp_path / "wxyz.toml").write_text(
        TALK.replace('to = "09:30" }]', 'to = "09:30" }]\nearly_end = ["news"]', 1)
    )
    await night.planner.reload()
    end_ms = utc_ms("2026-11-23 14:30")
    at_ms = night.log.frontier_ms + 1_000
    night.clock.advance((at_ms - 5_000 - NOW) / 1000)
    night.play_to(at_ms)
    await night.order(at_ms, partial(ended, planned=night.log.planned_end, by=BY))
    left = [row for row in night.rows() if at_ms <= row.starts_at_ms < end_ms]
    found = [row.category for row in left if row.item]
    assert found.count("news") >= 4
    assert set(found) <= {"news", "promos", "idents", "fill"}
    assert not any(row.programme for row in left)
    assert starts_of(night, "songs") == end_ms
    assert first_fault(night.rows()) is None


async def test_a_row_that_was_taken_out_does_not_come_back_in_its_place(night: Night) -> None:
    on_air = night.log.peek(NOW)
    assert on_air is not None
    gone = night.log.coming(on_air.ends_at_ms, 1)[0]
    await night.order(NOW + 1_000, partial(removed, row=gone.id, by=BY))
    soon = night.log.coming(on_air.ends_at_ms, 4)
    assert gone.item not in [row.item for row in soon]
    assert [one.cause for one in night.log.passed(NOW + 1_000)] == [f"taken out by {BY}"]
    check_whole(night, NOW + 1_000)
