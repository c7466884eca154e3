"""What is the bus in memory's own; what it shares with others is the contract's (test_push_bus_contract.py)."""

from __future__ import annotations

import asyncio

import pytest
from bus_house import Inbox

from radio.push.bus import matcher
from radio.push.local import LocalBus


async def test_whoever_does_not_keep_up_loses_the_newest_and_counts_them() -> None:
    async with LocalBus(pending_messages=10) as bus:
        inbox = Inbox()
        subscription = bus.subscribe("a", inbox)
        for number in range(25):
            bus.publish("a", b"%d" % number)
        await asyncio.sleep(0.01)
        assert inbox.payloads == [b"%d" % number for number in range(10)]
        assert subscription.dropped == 15


async def test_a_receiver_that_always_publishes_has_one_turn_of_the_loop_at_a_time() -> None:
    async with LocalBus() as bus:
        turns = 0

        def again(subject: str, payload: bytes) -> None:
            nonlocal turns
            turns += 1
            bus.publish("a", payload)

        subscription = bus.subscribe("a", again)
        bus.publish("a", b"")
        for _ in range(4):
            await asyncio.sleep(0)
        subscription.close()
        assert 0 < turns < 10


@pytest.mark.parametrize(
    ("pattern", "subject", "fits"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("*.b", "a.b", True),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        (">", "a", True),
    ],
)
def test_wildcards(pattern: str, subject: str, fits: bool) -> None:
    assert matcher(pattern)(subject) is fits
