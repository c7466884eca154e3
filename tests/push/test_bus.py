from __future__ import annotations

import asyncio

import pytest

from radio.errors import InvalidRequest, LimitReached
from radio.push.bus import PAYLOAD_LIMIT_BYTES, Bus, matcher
from radio.push.local import LocalBus


class Inbox:
    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    def __call__(self, subject: str, payload: bytes) -> None:
        self.messages.append((subject, payload))


async def settle() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


async def test_each_subscription_gets_what_fits_in_order() -> None:
    async with LocalBus() as bus:
        state, everything, other = Inbox(), Inbox(), Inbox()
        bus.subscribe("state.*", state)
        bus.subscribe(">", everything)
        bus.subscribe("chunk.wxyz", other)
        for number in range(3):
            bus.publish("state.wxyz", bytes([number]))
        bus.publish("state.wxyz.old", b"x")
        assert state.messages == []
        await settle()
        assert state.messages == [("state.wxyz", bytes([number])) for number in range(3)]
        assert len(everything.messages) == 4
        assert other.messages == []


async def test_whoever_does_not_keep_up_loses_the_newest_and_counts_them() -> None:
    async with LocalBus(pending_messages=10) as bus:
        inbox = Inbox()
        subscription = bus.subscribe("a", inbox)
        for number in range(25):
            bus.publish("a", b"%d" % number)
        await settle()
        assert [payload for _, payload in inbox.messages] == [b"%d" % number for number in range(10)]
        assert subscription.dropped == 15


async def test_a_receiver_that_fails_harms_no_other() -> None:
    async with LocalBus() as bus:
        inbox = Inbox()

        def broken(subject: str, payload: bytes) -> None:
            raise RuntimeError("broken")

        bus.subscribe("a", broken)
        bus.subscribe("a", inbox)
        bus.publish("a", b"1")
        bus.publish("a", b"2")
        await settle()
        assert len(inbox.messages) == 2


async def test_a_receiver_may_publish_without_holding_the_loop() -> None:
    async with LocalBus() as bus:
        turns = 0

        def again(subject: str, payload: bytes) -> None:
            nonlocal turns
            turns += 1
            bus.publish("a", payload)

        subscription = bus.subscribe("a", again)
        bus.publish("a", b"")
        await settle()
        assert 0 < turns < 10
        subscription.close()
        subscription.close()
        before = turns
        await settle()
        assert turns == before


async def test_closed_subscriptions_and_a_left_bus_deliver_nothing() -> None:
    inbox = Inbox()
    bus: Bus = LocalBus()
    async with bus:
        subscription = bus.subscribe("a", inbox)
        bus.publish("a", b"1")
        subscription.close()
        bus.subscribe("a", inbox)
        bus.publish("a", b"2")
    await settle()
    assert inbox.messages == []


@pytest.mark.parametrize("subject", ["", ".", "a.", ".a", "a..b", "a.*", "a.>", "a b", "ä", "a" * 256])
def test_subjects_are_checked(subject: str) -> None:
    with pytest.raises(InvalidRequest, match="is no subject"):
        LocalBus().publish(subject, b"")


@pytest.mark.parametrize("pattern", ["", "a.>.b", "a*", ">.a", "a.", "a.b>"])
def test_patterns_are_checked(pattern: str) -> None:
    with pytest.raises(InvalidRequest, match="is no subject pattern"):
        LocalBus().subscribe(pattern, Inbox())


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


def test_a_payload_is_bounded() -> None:
    LocalBus().publish("a", bytes(PAYLOAD_LIMIT_BYTES))
    with pytest.raises(LimitReached):
        LocalBus().publish("a", bytes(PAYLOAD_LIMIT_BYTES + 1))
