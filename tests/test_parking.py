from __future__ import annotations

import asyncio
import os
import random
import resource
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import uvloop

from radio.parking import Carrier, ParkingLot, Spot, Way, raise_descriptor_limit, send_all

LIMIT = 256 * 1024
Work = Callable[[bool], Coroutine[Any, Any, None]]


class Owner:
    """A member that remembers what it was told."""

    def __init__(self) -> None:
        self.said = b""
        self.ends: list[bool] = []

    def heard(self, data: bytes) -> None:
        self.said += data

    def gone(self, *, behind: bool) -> None:
        self.ends.append(behind)


class PatientOwner(Owner):
    """One that is told when there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms = 0

    def room(self) -> None:
        self.rooms += 1


class Host(asyncio.Protocol):
    """Parks every connection as soon as it has said a line."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
        if self.yard.greeting:
            self.transport.write(self.yard.greeting)
        owner = self.yard.owner_type()
        self.yard.owners.append(owner)
        self.yard.ways.append(self.yard.lot.park(self.transport, owner, limit=LIMIT))

    def connection_lost(self, exc: Exception | None) -> None:
        raise AssertionError("the old protocol is told of nothing any more")


class Yard:
    """A port whose connections are parked."""

    def __init__(self, parked: bool) -> None:
        self.lot = ParkingLot(use_epoll=parked)
        self.owner_type: type[Owner] = Owner
        self.owners: list[Owner] = []
        self.ways: list[Way] = []
        self.greeting = b""
        self.port = 0

    async def visitor(self, *, small: bool = False) -> tuple[socket.socket, Way, Owner]:
        peer = socket.socket()
        if small:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024)
        peer.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(peer, ("127.0.0.1", self.port))
        known = len(self.ways)
        await loop.sock_sendall(peer, b"hello\n")
        await until(lambda: len(self.ways) > known)
        return peer, self.ways[-1], self.owners[-1]


@asynccontextmanager
async def open_yard(parked: bool) -> AsyncIterator[Yard]:
    yard = Yard(parked)
    server = await asyncio.get_running_loop().create_server(lambda: Host(yard), "127.0.0.1", 0)
    yard.port = server.sockets[0].getsockname()[1]
    try:
        yield yard
    finally:
        for way in yard.ways:
            way.close()
        yard.lot.close()
        server.close()
        await server.wait_closed()


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def heard(peer: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    got = b""
    while len(got) < size and (part := await loop.sock_recv(peer, 65_536)):
        got += part
    return got


async def takes_all_in_order(parked: bool) -> None:
    dice = random.Random(3)
    async with open_yard(parked) as yard:
        peer, way, owner = await yard.visitor(small=True)
        assert isinstance(way, Spot if parked else Carrier)
        sent, got = b"", b""
        for _ in range(60):
            buffers = [dice.randbytes(dice.randrange(1, 9_000)) for _ in range(dice.randrange(1, 4))]
            way.write_all(buffers)
            way(b"-")
            sent += b"".join(buffers) + b"-"
            while len(sent) - len(got) > dice.randrange(1, 150_000):
                got += await heard(peer, 1)
        assert way.unsent_bytes > 0
        got += await heard(peer, len(sent) - len(got))
        assert got == sent
        await until(lambda: way.unsent_bytes == 0)
        assert (way.sent, owner.ends) == (len(sent), [])
        peer.close()


async def drops_who_is_too_far_behind_alone(parked: bool) -> None:
    async with open_yard(parked) as yard:
        slow, slow_way, slow_owner = await yard.visitor(small=True)
        fast, fast_way, fast_owner = await yard.visitor()
        total = 0
        while not slow_owner.ends:
            for way in (slow_way, fast_way):
                way(b"x" * 10_000)
            total += 10_000
            assert slow_way.unsent_bytes <= LIMIT
            await heard(fast, 10_000)
        assert (slow_owner.ends, fast_owner.ends) == ([True], [])
        assert total > LIMIT
        slow_way(b"more")
        slow_way.write_all([b"and", b"more"])
        assert slow_way.sent < total
        await asyncio.sleep(0.01)
        assert slow_owner.ends == [True]
        for peer in (slow, fast):
            peer.close()


async def hears_what_is_said(parked: bool) -> None:
    async with open_yard(parked) as yard:
        peer, way, owner = await yard.visitor()
        peer.send(b"one ")
        await until(lambda: owner.said == b"one ")
        peer.send(b"two")
        peer.shutdown(socket.SHUT_WR)
        await until(lambda: bool(owner.ends))
        assert (owner.said, owner.ends) == (b"one two", [False])
        way(b"nobody is there")
        peer.close()


async def is_told_of_a_reset_once(parked: bool) -> None:
    async with open_yard(parked) as yard:
        peer, way, owner = await yard.visitor()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        for _ in range(20):
            way(b"x" * 1_000)
            await asyncio.sleep(0.001)
        assert owner.ends == [False]


async def closes_without_a_word_to_the_member(parked: bool) -> None:
    async with open_yard(parked) as yard:
        first, way, owner = await yard.visitor()
        second, last_way, last_owner = await yard.visitor()
        way(b"so far")
        way.close()
        last_way.close(b"bye")
        way(b"nothing")
        way.close()
        assert await heard(second, 10) == b"bye"
        assert await heard(first, 100) in (b"so far", b"")
        assert (owner.ends, last_owner.ends) == ([], [])
        for peer in (first, second):
            peer.close()


async def tells_the_patient_when_there_is_room(parked: bool) -> None:
    async with open_yard(parked) as yard:
        yard.owner_type = PatientOwner
        peer, way, owner = await yard.visitor(small=True)
        assert isinstance(owner, PatientOwner)
        total = 0
        while not way.busy:
            way(b"x" * 5_000)
            total += 5_000
        assert 0 < way.unsent_bytes <= 5_000
        assert owner.rooms == 0
        assert len(await heard(peer, total)) == total
        await until(lambda: owner.rooms == 1)
        assert not way.busy
        while not owner.ends:
            way(b"y" * 10_000)
        assert owner.ends == [True]
        peer.close()


async def ends_one_side_and_hears_the_other(parked: bool) -> None:
    async with open_yard(parked) as yard:
        peer, way, owner = await yard.visitor()
        way(b"last words")
        way.end()
        assert await heard(peer, 100) == b"last words"
        peer.send(b"farewell")
        await until(lambda: owner.said == b"farewell")
        peer.close()
        await until(lambda: owner.ends == [False])
        way.end()


async def leaves_an_unsent_answer_first(parked: bool) -> None:
    async with open_yard(parked) as yard:
        yard.greeting = b"g" * 200_000
        peer, way, _ = await yard.visitor(small=True)
        way(b"after")
        assert isinstance(way, Carrier)
        assert await heard(peer, 200_005) == yard.greeting + b"after"
        peer.close()


@pytest.mark.parametrize("parked", [True, False], ids=["parked", "carried"])
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize(
    "story",
    [
        takes_all_in_order,
        drops_who_is_too_far_behind_alone,
        hears_what_is_said,
        is_told_of_a_reset_once,
        closes_without_a_word_to_the_member,
        tells_the_patient_when_there_is_room,
        ends_one_side_and_hears_the_other,
        leaves_an_unsent_answer_first,
    ],
)
def test_both_ways_do_the_same(
    loop: Callable[[], asyncio.AbstractEventLoop], story: Work, parked: bool
) -> None:
    run(loop, story(parked))


def run(loop: Callable[[], asyncio.AbstractEventLoop], work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.wait_for(work, 10))


LOOPS = pytest.mark.parametrize(
    "loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


@LOOPS
def test_a_hundred_share_one_buffer_and_only_the_short_keep_it(loop: Any) -> None:
    async def work() -> None:
        lot = ParkingLot()
        pairs = [socket.socketpair() for _ in range(100)]
        owners = [Owner() for _ in pairs]
        spots = [
            lot.adopt(mine.detach(), owner, limit=10_000_000)
            for (mine, _), owner in zip(pairs, owners, strict=True)
        ]
        assert len(lot) == 100
        buffer = b"x" * 500_000
        send_all(spots, buffer)
        assert all(0 < spot.sent < len(buffer) and spot.unsent_bytes for spot in spots)
        send_all(spots, b"end")
        for _, peer in pairs:
            peer.setblocking(False)
            assert await heard(peer, 500_003) == buffer + b"end"
            peer.close()
        await until(lambda: all(owner.ends for owner in owners))
        assert len(lot) == 0
        send_all(spots, buffer)
        assert all(owner.ends == [False] for owner in owners)
        lot.close()

    run(loop, work())


@LOOPS
def test_a_descriptor_that_was_given_again_is_not_written_to_by_mistake(loop: Any) -> None:
    async def work() -> None:
        lot = ParkingLot()
        mine, peer = socket.socketpair()
        spot = lot.adopt(mine.detach(), Owner(), limit=100)
        number = spot.fd
        again, other = socket.socketpair()
        spot.close()
        os.dup2(again.fileno(), number)
        send_all([spot], b"a stranger's")
        spot(b"a stranger's")
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.recv(10)
        os.close(number)
        for sock in (peer, again, other):
            sock.close()
        lot.close()

    run(loop, work())


@LOOPS
def test_a_socket_is_taken_out_open_with_what_is_unsent(loop: Any) -> None:
    async def work() -> None:
        lot, new_lot = ParkingLot(), ParkingLot()
        mine, peer = socket.socketpair()
        peer.setblocking(False)
        owner, new_owner = Owner(), Owner()
        spot = lot.adopt(mine.detach(), owner, limit=2_000_000)
        text = random.Random(1).randbytes(1_000_000)
        spot(text)
        fd, unsent = spot.released()
        assert len(unsent) + spot.sent == len(text)
        spot(b"no more")
        lot.close()
        moved = new_lot.adopt(fd, new_owner, limit=2_000_000)
        moved(unsent)
        moved(b"end")
        assert await heard(peer, len(text) + 3) == text + b"end"
        peer.close()
        await until(lambda: new_owner.ends == [False])
        assert owner.ends == []
        new_lot.close()

    run(loop, work())


@LOOPS
def test_what_is_no_socket_is_not_parked_and_stays_the_callers(loop: Any) -> None:
    async def work() -> None:
        lot = ParkingLot()
        with tempfile.TemporaryFile() as file, pytest.raises(OSError, match=r"not permitted"):
            lot.adopt(file.fileno(), Owner(), limit=100)
        with pytest.raises(OSError, match="cannot be parked"):
            ParkingLot(use_epoll=False).adopt(0, Owner(), limit=100)
        assert len(lot) == 0
        lot.close()
        lot.close()

    run(loop, work())


@LOOPS
def test_the_loop_sleeps_while_the_parked_are_quiet(loop: Any) -> None:
    async def work() -> None:
        async with open_yard(True) as yard:
            visitors = [await yard.visitor() for _ in range(10)]
            visitors[0][0].close()
            await until(lambda: visitors[0][2].ends == [False])
            before = resource.getrusage(resource.RUSAGE_THREAD)
            await asyncio.sleep(0.3)
            after = resource.getrusage(resource.RUSAGE_THREAD)
            assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.1
            for peer, _, _ in visitors[1:]:
                peer.close()

    run(loop, work())


def test_the_limit_of_descriptors_is_raised_to_what_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
        assert raise_descriptor_limit() == hard
        assert raise_descriptor_limit() == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
