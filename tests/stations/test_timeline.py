from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from station_doubles import NOON, settle

from radio.clock import ManualClock
from radio.stations import Timeline


class Desk:
    """A timeline that runs on a moved clock, and the names of what it has done."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.timeline = Timeline(self.clock)
        self.done: list[str] = []

    def at(self, after_ms: int, name: str) -> None:
        self.timeline.at(NOON + after_ms, lambda: self.done.append(name))

    async def advance(self, seconds: float) -> list[str]:
        self.clock.advance(seconds)
        await settle()
        return self.done


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    running = asyncio.create_task(made.timeline.run())
    await settle()
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert len(asyncio.all_tasks()) == 1


async def test_an_action_runs_at_its_moment_and_not_a_millisecond_before(desk: Desk) -> None:
    desk.at(500, "on time")
    await settle()
    assert await desk.advance(0.499) == []
    assert await desk.advance(0.001) == ["on time"]
    assert await desk.advance(60) == ["on time"]


async def test_what_is_past_runs_at_once(desk: Desk) -> None:
    desk.at(-5_000, "late")
    desk.at(0, "now")
    await settle()
    assert desk.done == ["late", "now"]


async def test_the_order_is_that_of_moments_and_within_one_that_of_giving(desk: Desk) -> None:
    for name, after_ms in (("c", 700), ("a1", 300), ("b", 500), ("a2", 300), ("a3", 300)):
        desk.at(after_ms, name)
    await settle()
    assert await desk.advance(1) == ["a1", "a2", "a3", "b", "c"]


async def test_a_nearer_action_that_comes_later_is_not_missed(desk: Desk) -> None:
    desk.at(900, "far")
    await settle()
    desk.at(100, "near")
    await settle()
    assert await desk.advance(0.1) == ["near"]
    assert await desk.advance(0.8) == ["near", "far"]


async def test_an_action_that_raises_does_not_stop_the_others(desk: Desk) -> None:
    def fail() -> None:
        raise RuntimeError("unforeseen")

    desk.at(100, "before")
    desk.timeline.at(NOON + 100, fail)
    desk.at(100, "after")
    desk.at(200, "later")
    await settle()
    assert await desk.advance(0.1) == ["before", "after"]
    assert await desk.advance(0.1) == ["before", "after", "later"]


async def test_an_action_may_give_another_one(desk: Desk) -> None:
    desk.timeline.at(NOON + 100, lambda: desk.at(200, "second"))
    await settle()
    assert await desk.advance(0.1) == []
    assert await desk.advance(0.1) == ["second"]


async def test_a_wall_clock_that_jumps_forward_makes_nothing_late_by_more_than_a_second(desk: Desk) -> None:
    desk.at(60_000, "in a minute")
    await settle()
    desk.clock.step_wall(120)
    assert await desk.advance(1.0) == ["in a minute"]


async def test_a_wall_clock_that_is_set_back_holds_nothing_up(desk: Desk) -> None:
    desk.at(500, "in half a second")
    await settle()
    desk.clock.step_wall(-3_600)
    assert await desk.advance(0.499) == []
    assert await desk.advance(0.501) == ["in half a second"]
    desk.timeline.at(desk.clock.now_ms(), lambda: desk.done.append("in the hour that comes again"))
    await settle()
    assert desk.done[-1] == "in the hour that comes again"


async def test_a_thousand_actions_of_one_moment_all_run(desk: Desk) -> None:
    for number in range(1_000):
        desk.at(100, str(number))
    await settle()
    assert await desk.advance(0.1) == [str(number) for number in range(1_000)]
