"""The listening sockets: who is let in at once, who goes to the door, and how many at a time."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from push_house import ACCEPT, REQUEST, TEXT, frame, open_house, raw, say
from push_loops import both_loops

from radio.api.threshold import AT_ONCE, Threshold, listening_at
from radio.parking import Spot
from radio.push.limits import Admission


class Porter(asyncio.Protocol):
    """A door that repeats what it hears."""

    heard: list[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)
        self.transport.write(b"door: " + data)  # type: ignore[attr-defined]


class Members:
    """Takes whoever knows the word."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.gone_ = 0

    def take(self, spot: Spot, address: str, data: bytes) -> bool:
        if not data.startswith(b"sesame"):
            return False
        self.addresses.append(address)
        spot.member = self
        spot(b"inside: " + data)
        return True

    def heard(self, data: bytes) -> None:
        self.addresses.append(data.decode())

    def gone(self, *, behind: bool) -> None:
        self.gone_ += 1


@asynccontextmanager
async def entrance(members: Members | None) -> AsyncIterator[tuple[int, Threshold, list[bytes]]]:
    heard: list[bytes] = []

    def door() -> Porter:
        porter = Porter()
        porter.heard = heard
        return porter

    (listening,) = await listening_at("127.0.0.1", 0, backlog=1024)
    threshold = Threshold((listening,), door, members)
    try:
        yield listening.getsockname()[1], threshold, heard
    finally:
        threshold.close()
        listening.close()
        await asyncio.sleep(0.01)


async def said(port: int, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    answer = await asyncio.wait_for(reader.read(100), 5)
    writer.transport.abort()
    return answer


@both_loops
async def test_the_first_bytes_decide() -> None:
    members = Members()
    async with entrance(members) as (port, _, heard):
        assert await said(port, b"sesame") == b"inside: sesame"
        assert await said(port, b"GET / HTTP/1.1\r\n") == b"door: GET / HTTP/1.1\r\n"
        assert members.addresses == ["127.0.0.1"]
        assert heard == [b"GET / HTTP/1.1\r\n"]
        for _ in range(500):
            if members.gone_:
                break
            await asyncio.sleep(0.002)
        assert members.gone_ == 1


@both_loops
async def test_without_members_all_go_to_the_door() -> None:
    async with entrance(None) as (port, _, _):
        assert await said(port, b"sesame") == b"door: sesame"


@both_loops
async def test_nothing_is_lost_on_the_way_to_the_door() -> None:
    async with entrance(Members()) as (port, _, heard):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(200):
            writer.write(b"%03d" % number)
            await asyncio.sleep(0)
        expected = b"".join(b"%03d" % number for number in range(200))
        async with asyncio.timeout(5):
            while b"".join(heard) != expected:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        assert (await reader.read(5)) == b"door:"
        writer.transport.abort()


@both_loops
async def test_whoever_says_nothing_is_the_doors() -> None:
    async with entrance(Members()) as (port, _, heard):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(2.1)
        writer.write(b"sesame")
        assert await asyncio.wait_for(reader.read(100), 5) == b"door: sesame"
        assert heard == [b"sesame"]
        writer.transport.abort()


@both_loops
async def test_a_storm_is_let_in_some_at_a_time() -> None:
    members = Members()
    async with entrance(members) as (port, _, _):
        storm = [socket.socket() for _ in range(300)]
        for each in storm:
            each.connect(("127.0.0.1", port))
            each.sendall(b"sesame")
        seen, steps = 0, []
        for _ in range(2000):
            await asyncio.sleep(0)
            steps.append(len(members.addresses) - seen)
            seen = len(members.addresses)
            if seen == len(storm):
                break
        assert seen == len(storm)
        assert max(steps) <= 64 + AT_ONCE
        for each in storm:
            each.close()


@both_loops
async def test_out_of_descriptors_is_not_the_end() -> None:
    members = Members()
    async with entrance(members) as (port, _, _):
        client = socket.socket()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = client.fileno()
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
        try:
            client.connect(("127.0.0.1", port))
            client.sendall(b"sesame")
            await asyncio.sleep(0.05)
            assert members.addresses == []
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        client.setblocking(False)
        answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 100), 5)
        assert answer == b"inside: sesame"
        client.close()


@both_loops
async def test_no_room_and_what_is_split_go_the_longer_way() -> None:
    async with open_house(admission=Admission(total=10, per_address=1)) as house:
        async with raw(house) as first:
            first.send(frame(TEXT, say(type="ping", id=1).encode()))
            assert (await first.message())["type"] == "pong"
            async with raw(house, handshake=False) as second:
                second.send(REQUEST)
                assert (await second.head()).startswith(b"HTTP/1.1 503 ")
        await house.until(lambda: house.sockets.admission.connections == 0)
        async with raw(house, handshake=False) as third:
            third.send(REQUEST[:40])
            await asyncio.sleep(0.02)
            third.send(REQUEST[40:] + frame(TEXT, say(type="ping", id=2).encode()))
            assert ACCEPT in await third.head()
            assert [(await third.message())["type"] for _ in range(2)] == ["welcome", "pong"]


async def test_listening_needs_a_free_address() -> None:
    (first,) = await listening_at("127.0.0.1", 0, backlog=8)
    with pytest.raises(OSError, match="in use"):
        await listening_at("127.0.0.1", first.getsockname()[1], backlog=8)
    first.close()
    both = await listening_at("localhost", 0, backlog=8)
    assert len({each.getsockname()[1] for each in both}) == 1
    for each in both:
        each.close()
