"""Bays of parked sockets, with real sockets."""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from radio.bay import Bay
from radio.parking import ParkingLot, Spot

KERNEL_BYTES = 8 * 1024


class Guest:
    """A member at one end, its peer at the other; remembers all that it was to be sent."""

    def __init__(self, lot: ParkingLot, *, limit: int = 1 << 24) -> None:
        mine, self.peer = socket.socketpair()
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        self.peer.setblocking(False)
        self.spot = lot.adopt(mine.detach(), self, limit=limit)
        self.due = b""
        self.got = b""
        self.ends: list[bool] = []
        self.does: Callable[[], None] = lambda: None

    def heard(self, data: bytes) -> None:
        raise AssertionError(data)

    def gone(self, *, behind: bool) -> None:
        self.ends.append(behind)
        self.does()

    def read(self) -> bool:
        """Take what lies there; whether there was anything."""
        try:
            part = self.peer.recv(1 << 20)
        except (BlockingIOError, ConnectionResetError):
            return False
        self.got += part
        return bool(part)


def send(bay: Bay, guests: list[Guest], buffer: bytes) -> None:
    """Send to all of a bay; the busy ones get it behind what they keep."""
    for guest in guests:
        if guest.spot.bays:
            guest.due += buffer
    for busy in bay.send(buffer):
        assert isinstance(busy, Spot)
        busy(buffer)


async def drained(guests: list[Guest]) -> None:
    while sum(guest.read() + guest.spot.unsent_bytes for guest in guests):  # noqa: ASYNC110
        await asyncio.sleep(0)


steps = st.lists(
    st.tuples(st.sampled_from(["send", "large", "read", "close", "leave", "break"]), st.integers(0, 4)),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_each_gets_everything_in_order_whoever_is_slow_or_leaves(script: list[tuple[str, int]]) -> None:
    async def work() -> None:
        lot, bay = ParkingLot(), Bay()
        guests = [Guest(lot) for _ in range(5)]
        for guest in guests:
            bay.add(guest.spot)
        for number, (step, who) in enumerate(script):
            guest = guests[who]
            if step in ("send", "large"):
                send(bay, guests, b"%d," % number * (20_000 if step == "large" else 1))
            elif step == "read":
                guest.read()
                await asyncio.sleep(0)
            elif step == "close":
                guest.spot.close()
            elif step == "leave":
                bay.discard(guest.spot)
            else:
                guest.peer.shutdown(socket.SHUT_RDWR)
            for each in guests:
                assert (
                    each.spot.fd < 0 or each.ends or each.spot.sent + each.spot.unsent_bytes == len(each.due)
                )
        await drained([guest for guest in guests if guest.spot.fd >= 0])
        for guest in guests:
            while guest.read():
                pass
            whole = guest.spot.fd >= 0 and not guest.ends
            assert guest.got == guest.due if whole else guest.due.startswith(guest.got)
            guest.peer.close()
        assert len(bay) == sum(bool(guest.spot.bays) for guest in guests)
        lot.close()
        assert len(bay) == 0

    asyncio.run(work())


async def test_a_slow_one_stands_apart_until_it_has_read() -> None:
    lot, bay, other = ParkingLot(), Bay(), Bay()
    slow, quick = Guest(lot), Guest(lot)
    for guest in (slow, quick):
        bay.add(guest.spot)
        other.add(guest.spot)
    large = bytes(200_000)
    assert bay.send(large) == []
    await drained([quick])
    assert slow.spot.busy
    assert not quick.spot.busy
    assert bay.send(b"one") == other.send(b"two") == [slow.spot]
    assert (quick.spot.sent, slow.spot.sent) == (len(large) + 6, len(large) - slow.spot.unsent_bytes)
    await drained([slow])
    assert bay.send(b"three") == other.send(b"four") == []
    assert slow.spot.sent == len(large) + 9
    await drained([slow, quick])
    assert (slow.got[-9:], quick.got[-15:]) == (b"threefour", b"onetwothreefour")
    lot.close()
    for guest in (slow, quick):
        guest.peer.close()


async def test_a_lost_one_is_told_and_may_take_another_with_it() -> None:
    lot, bay = ParkingLot(), Bay()
    first, second, third = guests = [Guest(lot) for _ in range(3)]
    for guest in guests:
        bay.add(guest.spot)
    first.does = second.spot.close
    first.peer.close()
    second.peer.close()
    assert bay.send(b"news") == []
    assert (first.ends, second.ends, third.ends) == ([False], [], [])
    assert list(bay) == [third.spot]
    assert third.read()
    assert third.got == b"news"
    lot.close()
    third.peer.close()


async def test_one_that_keeps_too_much_is_cut() -> None:
    lot, bay = ParkingLot(), Bay()
    guest = Guest(lot, limit=1000)
    bay.add(guest.spot)
    assert bay.send(bytes(400_000)) == []
    assert guest.ends == [True]
    assert len(bay) == 0
    lot.close()
    guest.peer.close()


async def test_a_descriptor_that_was_given_again_is_not_written_to() -> None:
    lot, bay = ParkingLot(), Bay()
    guest = Guest(lot)
    bay.add(guest.spot)
    number = guest.spot.fd
    ours, theirs = socket.socketpair()
    guest.spot.close()
    os.dup2(ours.fileno(), number)
    assert bay.send(b"a stranger's") == []
    bay.discard(guest.spot)
    assert select.select([theirs], [], [], 0)[0] == []
    os.close(number)
    for each in (ours, theirs, guest.peer):
        each.close()
    lot.close()
