from __future__ import annotations

import asyncio

import pytest

from radio.clock import ManualClock
from radio.errors import LimitReached
from radio.push.heartbeat import Heartbeat
from radio.push.limits import Admission, Allowance


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


def test_an_allowance_is_a_burst_that_fills_up_again() -> None:
    allowance = Allowance(burst=20, period_s=10.0, now_s=0.0)
    assert [allowance.spend(0.0) for _ in range(21)] == [True] * 20 + [False]
    assert not allowance.abused
    assert allowance.spend(1.5)
    assert sum(allowance.spend(1000.0) for _ in range(30)) == 20


def test_going_on_after_the_allowance_is_abuse() -> None:
    allowance = Allowance(burst=5, period_s=10.0, now_s=0.0)
    seen = []
    for _ in range(12):
        allowance.spend(0.0)
        seen.append(allowance.abused)
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
