"""The contract of the bus, which every implementation keeps."""

from __future__ import annotations

import asyncio

import pytest
from bus_house import BusHouse, Inbox

from radio.errors import InvalidRequest, LimitReached
from radio.push.bus import PAYLOAD_LIMIT_BYTES


async def test_each_subscription_gets_what_fits_in_order(buses: BusHouse) -> None:
    sender, receiver = await buses.join(), await buses.join()
    state, deep, other, everything = Inbox(), Inbox(), Inbox(), Inbox()
    receiver.subscribe("contract.state.*", state)
    receiver.subscribe("contract.>", deep)
    receiver.subscribe("contract.chunk.wxyz", other)
    receiver.subscribe("*.state.wxyz", everything)
    await buses.settle()
    for number in range(300):
        sender.publish("contract.state.wxyz", b"%d" % number)
    sender.publish("contract.state.wxyz.old", b"x")
    assert state.messages == []
    await buses.settle()
    numbers = [("contract.state.wxyz", b"%d" % number) for number in range(300)]
    assert state.messages == everything.messages == numbers
    assert deep.messages == [*numbers, ("contract.state.wxyz.old", b"x")]
    assert other.messages == []


async def test_a_subscription_hears_what_is_published_after_it_and_nothing_from_before(
    buses: BusHouse,
) -> None:
    bus = await buses.join()
    inbox = Inbox()
    bus.publish("own", b"before")
    bus.subscribe("own", inbox)
    bus.publish("own", b"after")
    await buses.settle()
    assert inbox.payloads == [b"after"]


async def test_every_subscription_hears_a_message_once(buses: BusHouse) -> None:
    sender, receiver = await buses.join(), await buses.join()
    first, second = Inbox(), Inbox()
    receiver.subscribe("twice", first)
    receiver.subscribe("twice", second)
    await buses.settle()
    sender.publish("twice", b"1")
    await buses.settle()
    await buses.settle()
    assert first.payloads == second.payloads == [b"1"]


async def test_whoever_does_not_keep_up_loses_messages_and_counts_them(buses: BusHouse) -> None:
    bus = await buses.join(pending_messages=10)
    inbox, sent = Inbox(), 3_000
    subscription = bus.subscribe("burst", inbox)
    await buses.settle()
    for number in range(sent):
        bus.publish("burst", b"%d" % number)
    await buses.settle()
    numbers = [int(payload) for payload in inbox.payloads]
    assert numbers == sorted(set(numbers))
    assert numbers[:10] == list(range(10))
    assert subscription.dropped > 0
    assert len(numbers) + subscription.dropped == sent
    bus.publish("burst", b"last")
    await buses.settle()
    assert inbox.payloads[-1] == b"last"


async def test_a_receiver_that_fails_harms_neither_others_nor_the_publisher(buses: BusHouse) -> None:
    sender, receiver = await buses.join(), await buses.join()
    inbox, calls = Inbox(), 0

    def broken(subject: str, payload: bytes) -> None:
        nonlocal calls
        calls += 1
        raise RuntimeError("broken")

    receiver.subscribe("fault", broken)
    receiver.subscribe("fault", inbox)
    await buses.settle()
    sender.publish("fault", b"1")
    sender.publish("fault", b"2")
    await buses.settle()
    assert (inbox.payloads, calls) == ([b"1", b"2"], 2)


async def test_a_receiver_may_publish_without_holding_the_loop(buses: BusHouse) -> None:
    bus = await buses.join()
    turns = 0

    def again(subject: str, payload: bytes) -> None:
        nonlocal turns
        turns += 1
        bus.publish("again", payload)

    subscription = bus.subscribe("again", again)
    bus.publish("again", b"")
    for _ in range(2_000):
        await asyncio.sleep(0.001)
        if turns >= 3:
            break
    subscription.close()
    subscription.close()
    before = turns
    await buses.settle()
    assert before >= 3
    assert turns == before


async def test_a_closed_subscription_and_a_bus_that_was_left_deliver_nothing(buses: BusHouse) -> None:
    inbox, gone = Inbox(), Inbox()
    sender = await buses.join()
    async with buses.make() as bus:
        subscription = bus.subscribe("closing", gone)
        bus.publish("closing", b"1")
        subscription.close()
        bus.subscribe("closing", inbox)
        bus.publish("closing", b"2")
    sender.publish("closing", b"3")
    await buses.settle()
    assert gone.messages == inbox.messages == []


async def test_leaving_sends_what_was_published_before(buses: BusHouse) -> None:
    receiver = await buses.join()
    inbox = Inbox()
    receiver.subscribe("leaving", inbox)
    await buses.settle()
    async with BusHouse(buses.url) as other:
        sender = receiver if buses.url is None else await other.join()
        for number in range(500):
            sender.publish("leaving", b"%d" % number)
    await buses.settle()
    assert inbox.payloads == [b"%d" % number for number in range(500)]


@pytest.mark.parametrize(
    "subject", ["", ".", "a.", ".a", "a..b", "a.*", "a.>", "a b", "a\r\nPING", "ä", "a" * 256]
)
async def test_subjects_are_checked(buses: BusHouse, subject: str) -> None:
    with pytest.raises(InvalidRequest, match="is no subject"):
        buses.make().publish(subject, b"")


@pytest.mark.parametrize("pattern", ["", "a.>.b", "a*", ">.a", "a.", "a.b>", "a 1\r\nSUB >"])
async def test_patterns_are_checked(buses: BusHouse, pattern: str) -> None:
    with pytest.raises(InvalidRequest, match="is no subject pattern"):
        buses.make().subscribe(pattern, Inbox())


async def test_a_payload_of_any_bytes_up_to_the_limit_comes_as_it_is(buses: BusHouse) -> None:
    sender, receiver = await buses.join(), await buses.join()
    inbox = Inbox()
    receiver.subscribe("large", inbox)
    await buses.settle()
    largest = bytes(range(256)) * (PAYLOAD_LIMIT_BYTES // 256)
    for payload in (b"", b"\r\n+OK\r\nPING\r\n", largest):
        sender.publish("large", payload)
    with pytest.raises(LimitReached):
        sender.publish("large", bytes(PAYLOAD_LIMIT_BYTES + 1))
    await buses.settle()
    assert inbox.payloads == [b"", b"\r\n+OK\r\nPING\r\n", largest]
