from __future__ import annotations

import asyncio
import os
import random
import socket
from contextlib import ExitStack

import pytest
from stream_house import Turns

from radio.parking import ParkingLot, Spot, send_all
from radio.streaming import system_copy as module
from radio.streaming.fanout import WORTH_A_COPY, FanOut
from radio.streaming.system_copy import SystemCopy, system_copy


class Owner:
    def __init__(self) -> None:
        self.ends: list[bool] = []

    def heard(self, data: bytes) -> None:
        raise AssertionError("nobody speaks here")

    def gone(self, *, behind: bool) -> None:
        self.ends.append(behind)


class Town:
    """Parked sockets and their other ends."""

    def __init__(self, stack: ExitStack, count: int, limit: int = 1 << 20) -> None:
        self.lot = ParkingLot()
        stack.callback(self.lot.close)
        self.owners = [Owner() for _ in range(count)]
        self.peers: list[socket.socket] = []
        self.spots: list[Spot] = []
        with socket.create_server(("127.0.0.1", 0), backlog=count) as door:
            for owner in self.owners:
                peer = stack.enter_context(socket.create_connection(door.getsockname()))
                peer.setblocking(False)
                mine = door.accept()[0]
                mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
                self.peers.append(peer)
                self.spots.append(self.lot.adopt(mine.detach(), owner, limit=limit))


async def read(peer: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    got = b""
    async with asyncio.timeout(5):
        while len(got) < size:
            got += await loop.sock_recv(peer, size - len(got))
    return got


def open_files() -> set[str]:
    names = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            names.add(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:
            continue
    return {name for name in names if "nextup-chunk" in name}


async def test_what_is_sent_outlives_the_copy_and_is_never_anything_else() -> None:
    dice = random.Random(1)
    chunks = [dice.randbytes(dice.choice([1, 4_095, 4_096, 16_129, 40_321, 90_001])) for _ in range(60)]
    with ExitStack() as stack:
        town = Town(stack, 5, limit=4 << 20)
        for chunk in chunks:
            copy = system_copy(chunk)
            assert copy is not None
            send_all(town.spots, chunk, copy.fd)
            del copy
            # memory that was let go of is given to others at once
            junk = [SystemCopy(b"\xff" * 20_000) for _ in range(3)]
            del junk
        assert not open_files()
        sent = b"".join(chunks)
        assert all(0 < spot.sent < len(sent) and spot.unsent_bytes for spot in town.spots)
        for peer in town.peers:
            assert await read(peer, len(sent)) == sent
        assert [spot.sent for spot in town.spots] == [len(sent)] * 5
        assert not any(owner.ends for owner in town.owners)


async def test_who_has_gone_and_who_is_too_far_behind_end_alone() -> None:
    chunk = bytes(100) * 160
    with ExitStack() as stack:
        town = Town(stack, 3, limit=100_000)
        copy = system_copy(chunk)
        assert copy is not None
        town.spots[0].close()
        town.peers[1].close()
        while not town.owners[1].ends:
            send_all(town.spots, chunk, copy.fd)
            assert await read(town.peers[2], len(chunk)) == chunk
        assert [owner.ends for owner in town.owners] == [[], [False], []]
        while not town.owners[2].ends:
            send_all(town.spots, chunk, copy.fd)
        assert [owner.ends for owner in town.owners] == [[], [False], [True]]


async def test_a_send_to_many_goes_out_as_a_copy_and_lets_go_of_it() -> None:
    for count in (WORTH_A_COPY - 1, WORTH_A_COPY + 20):
        with ExitStack() as stack:
            town = Town(stack, count)
            turns = Turns()
            fan = FanOut(turns, turn=10)
            for owner, spot in zip(town.owners, town.spots, strict=True):
                fan.add(owner, spot)
            plain: list[bytes] = []
            fan.add("carried", plain.append)
            chunk = random.Random(count).randbytes(16_129)
            fan.send(chunk, over_s=0.6)
            assert len(open_files()) == (count >= WORTH_A_COPY)
            turns.run_all()
            assert not open_files()
            for peer in town.peers:
                assert await read(peer, len(chunk)) == chunk
            assert plain == [chunk]


def test_where_files_cannot_be_sent_everything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object) -> int:
        raise OSError("not here")

    module._can_send_files.cache_clear()
    try:
        assert module._can_send_files()
        module._can_send_files.cache_clear()
        monkeypatch.setattr(os, "sendfile", refused)
        assert system_copy(b"sound") is None
        monkeypatch.undo()
        module._can_send_files.cache_clear()
        monkeypatch.delattr(os, "memfd_create")
        assert system_copy(b"sound") is None
    finally:
        monkeypatch.undo()
        module._can_send_files.cache_clear()
    assert system_copy(b"sound") is not None


def test_without_a_descriptor_to_spare_there_is_no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert system_copy(b"sound") is not None

    def none_left(name: str) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "memfd_create", none_left)
    assert system_copy(b"sound") is None
