from __future__ import annotations

import asyncio
import threading

from radio.clock import ManualClock, SystemClock


async def test_sleepers_wake_in_order_and_only_when_time_has_come() -> None:
    clock = ManualClock()
    woken: list[int] = []

    async def sleeper(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (3, 1, 2)]
    await asyncio.sleep(0)
    clock.advance(2)
    await asyncio.sleep(0.01)
    assert woken == [1, 2]
    clock.advance(1)
    await asyncio.gather(*tasks)
    assert woken == [1, 2, 3]


def test_wall_time_can_step_while_monotonic_time_goes_on() -> None:
    clock = ManualClock(now_ms=1_000)
    clock.advance(1.5)
    clock.step_wall(-3600)
    assert (clock.now_ms(), clock.monotonic_s()) == (2_500 - 3_600_000, 1.5)


def test_a_waiting_thread_is_released_by_time_or_by_its_stop_event() -> None:
    clock = ManualClock()
    stop = threading.Event()
    results: list[bool] = []
    waiting = threading.Thread(target=lambda: results.append(clock.wait(5, stop)))
    waiting.start()
    clock.advance(5)
    waiting.join(2)
    stop.set()
    assert (results, clock.wait(5, stop)) == ([False], True)


async def test_the_system_clock_does_not_wait_for_the_past() -> None:
    clock = SystemClock()
    before = clock.monotonic_s()
    await clock.sleep(-5)
    assert not clock.wait(-5, threading.Event())
    assert clock.monotonic_s() - before < 1
    assert clock.now_ms() > 1_700_000_000_000
