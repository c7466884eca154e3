from __future__ import annotations

import asyncio

import pytest

from radio.clock import ManualClock
from radio.errors import LimitReached
from radio.push.heartbeat import Heartbeat, Rounds
from radio.push.limits import Admission, Rate


def test_admission_counts_in_all_and_per_address() -> None:
    admission = Admission(total=3, per_address=2)
    admission.enter("a")
    admission.enter("a")
    with pytest.raises(LimitReached, match="This address"):
        admission.enter("a")
    admission.enter("b")
    with pytest.raises(LimitReached, match="The server"):
        admission.enter("c")
    admission.leave("a")
    admission.enter("c")
    for address in ("a", "b", "c"):
        admission.leave(address)
    assert admission.connections == 0
    admission.enter("a")
    admission.enter("a")


def test_a_rate_is_a_burst_that_fills_up_again() -> None:
    rate, even_s = Rate(burst=20, period_s=10.0), 0.0

    def taken(now_s: float, count: int) -> list[bool]:
        nonlocal even_s
        seen = []
        for _ in range(count):
            even_s = rate.spend(even_s, now_s)
            seen.append(rate.allows(even_s, now_s))
        return seen

    assert taken(0.0, 21) == [True] * 20 + [False]
    assert not rate.abused(even_s, 0.0)
    assert taken(1.5, 1) == [True]
    assert sum(taken(1000.0, 30)) == 20


def test_going_on_after_the_burst_is_abuse() -> None:
    rate, even_s = Rate(burst=5, period_s=10.0), 0.0
    seen = []
    for _ in range(12):
        even_s = rate.spend(even_s, 0.0)
        seen.append(rate.abused(even_s, 0.0))
    assert seen.index(True) == 8
    assert all(seen[8:])


class Member:
    def __init__(self, fails: bool = False) -> None:
        self.ticks: list[float] = []
        self._fails = fails

    def tick(self, now_s: float) -> None:
        self.ticks.append(now_s)
        if self._fails:
            raise RuntimeError("broken")


async def test_one_timer_ticks_every_member_and_drops_one_that_fails() -> None:
    clock = ManualClock()
    good, bad, gone = Member(), Member(fails=True), Member()
    async with Heartbeat(clock, period_s=1.0) as heartbeat:
        for member in (good, bad, gone):
            heartbeat.add(member)
        heartbeat.discard(gone)
        for _ in range(3):
            await asyncio.sleep(0)
            clock.advance(1.0)
            await asyncio.sleep(0.001)
        assert good.ticks == [1.0, 2.0, 3.0]
        assert bad.ticks == [1.0]
        assert gone.ticks == []
        assert len(heartbeat) == 1
    clock.advance(10)
    await asyncio.sleep(0.001)
    assert len(good.ticks) == 3


class Walker:
    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.beats: list[float] = []
        self.lives = True

    def beat(self, now_s: float) -> bool:
        self.beats.append(self.clock.monotonic_s())
        return self.lives


async def test_rounds_come_to_everyone_once_in_a_period_and_never_to_all_at_once() -> None:
    clock = ManualClock()
    rounds = Rounds(clock, 25.0)
    walkers = [Walker(clock) for _ in range(1000)]
    for walker in walkers:
        rounds.add(walker)
    walkers[0].lives = False
    busiest = 0
    for _ in range(100):
        clock.advance(1.0)
        before = sum(len(walker.beats) for walker in walkers)
        rounds.tick(clock.monotonic_s())
        at_once = sum(len(walker.beats) for walker in walkers) - before
        assert at_once <= 100
        for _ in range(12):
            await asyncio.sleep(0)
        busiest = max(busiest, sum(len(walker.beats) for walker in walkers) - before)
    assert len(walkers[0].beats) == 1
    for walker in walkers[1:]:
        assert 12.5 <= walker.beats[0] <= 26
        assert {round(b - a) for a, b in zip(walker.beats, walker.beats[1:], strict=False)} == {25}
    assert busiest < 100
