"""One lane for what computes: in turn, and what is urgent beside it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from radio.schedule.lane import Lane


class Job:
    """Work that says when it begins, and ends when it is told to."""

    def __init__(self, name: str, begun: list[str]) -> None:
        self.name = name
        self.begun = begun
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def __call__(self) -> str:
        self.begun.append(self.name)
        self.has_begun.set()
        assert self.may_end.wait(5)
        return self.name

    async def until_begun(self) -> None:
        assert await asyncio.to_thread(self.has_begun.wait, 5)


async def test_one_job_at_a_time_in_order_and_none_beside_an_urgent_one() -> None:
    lane, begun = Lane(), list[str]()
    first, second, urgent, other = (Job(name, begun) for name in ("first", "second", "urgent", "other"))
    tasks = [asyncio.create_task(lane.run(first))]
    await first.until_begun()
    tasks += [asyncio.create_task(lane.run(second))]
    tasks += [asyncio.create_task(lane.run_first(urgent)), asyncio.create_task(lane.run_first(other))]
    await urgent.until_begun()  # although the first has not ended
    first.may_end.set()
    assert await tasks[0] == "first"
    await asyncio.sleep(0)
    assert begun == ["first", "urgent"]
    urgent.may_end.set()
    await other.until_begun()
    assert begun == ["first", "urgent", "other"]
    other.may_end.set()
    second.may_end.set()
    assert await asyncio.gather(*tasks) == ["first", "second", "urgent", "other"]
    assert begun[-1] == "second"


async def test_a_job_that_fails_or_is_given_up_leaves_the_lane_free() -> None:
    lane = Lane()
    for run in (lane.run, lane.run_first):
        with pytest.raises(ZeroDivisionError):
            await run(lambda: 1 // 0)
    job = Job("job", [])
    working = asyncio.create_task(lane.run_first(job))
    await job.until_begun()
    waiting = asyncio.create_task(lane.run(lambda: 1))
    urgent = asyncio.create_task(lane.run_first(lambda: 2))
    await asyncio.sleep(0)
    for task in (waiting, urgent, working):
        task.cancel()
    job.may_end.set()
    await asyncio.gather(waiting, urgent, working, return_exceptions=True)
    assert (await lane.run(lambda: 3), await lane.run_first(lambda: 4)) == (3, 4)
