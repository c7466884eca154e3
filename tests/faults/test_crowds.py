"""Those who mean no good come in crowds to a service in a process of its own; others are served as if alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from time import monotonic

import pytest
import pytest_asyncio
from faults_house import Ear, Process, assert_heard, comes_up, lay_out
from whole_service import fetch

from radio.parking import raise_descriptor_limit

pytestmark = pytest.mark.asyncio(loop_scope="module")

CROWD = 1_000
ADDRESSES = 5
"""On loopback every address of 127.0.0.0/8 is a visitor of its own."""

ANSWERED_S = 3.0
"""On a machine that does nothing else it is a few milliseconds."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Process]:
    folder = tmp_path_factory.mktemp("crowds")
    lay_out(folder)
    made = Process(folder)
    try:
        await made.on_air()
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def visitor(port: int, number: int, said: bytes) -> socket.socket:
    """A connection that says ``said`` and then reads nothing."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024)
    peer.bind((f"127.0.1.{1 + number % ADDRESSES}", 0))
    peer.connect(("127.0.0.1", port))
    peer.send(said)
    return peer


@contextmanager
def crowd(port: int, count: int, said: bytes) -> Iterator[list[socket.socket]]:
    raise_descriptor_limit()
    peers: list[socket.socket] = []
    try:
        peers.extend(visitor(port, number, said) for number in range(count))
        yield peers
    finally:
        for peer in peers:
            peer.close()


async def slowest_answer_s(port: int, seconds: float) -> float:
    """Ask for the state ten times a second; how long the slowest answer took."""
    slowest, until_s = 0.0, monotonic() + seconds
    while monotonic() < until_s:
        began_s = monotonic()
        status, _ = await fetch(port, "/api/stations/wxyz")
        assert status == 200
        slowest = max(slowest, monotonic() - began_s)
        await asyncio.sleep(0.1)
    return slowest


async def metric(port: int, name: str) -> float:
    text = (await fetch(port, "/metrics"))[1].decode()
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


async def grows(port: int, name: str, to: float, within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while await metric(port, name) < to:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.2)


async def settles(port: int, name: str, at_most: float, within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while await metric(port, name) > at_most:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def test_a_thousand_listeners_who_read_nothing_are_dropped_and_the_others_hear_everything(
    process: Process,
) -> None:
    port = process.port
    ears = [Ear(port) for _ in range(10)]
    before = process.resident_bytes
    with crowd(port, CROWD, b"GET /listen/wxyz/live.mp3 HTTP/1.0\r\nIcy-MetaData: 1\r\n\r\n"):
        await grows(port, "nextup_listeners{", CROWD + 10)
        slowest_s = await slowest_answer_s(port, 3)
        grown = process.resident_bytes - before
        # a listener may lag by half a megabyte, half a minute: what drops it is shown fast in tests/streaming
    await settles(port, "nextup_listeners{", 10)
    for ear in ears:
        course = await ear.done()
        assert_heard(course)
    assert slowest_s < ANSWERED_S
    assert grown < 40_000_000


async def test_heads_that_come_byte_by_byte_are_bounded_for_each_address_and_told(process: Process) -> None:
    port = process.port
    ear = Ear(port)
    with crowd(port, 1_500, b"GET /api/stations HTTP/1.1\r\nHost: a\r\n") as peers:

        async def drip() -> None:
            while True:
                for peer in peers:
                    with suppress(OSError):
                        peer.send(b"x")
                await asyncio.sleep(1)

        dripping = asyncio.create_task(drip())
        slowest_s = await slowest_answer_s(port, 3)
        undecided = await metric(port, "nextup_door_undecided")
        alarm = await comes_up(port, "many_idle_connections")
        await settles(port, "nextup_door_undecided", 5)
        dripping.cancel()
    course = await ear.done()
    assert undecided <= 1_000
    assert slowest_s < ANSWERED_S
    assert_heard(course)
    assert "said or took nothing" in alarm["message"]
    assert "firewall" in alarm["advice"]


async def test_answers_that_nobody_reads_cost_little_and_end(process: Process) -> None:
    port = process.port
    ear = Ear(port)
    before = process.resident_bytes
    ask = b"GET /api/stations/wxyz/schedule HTTP/1.1\r\nHost: a\r\n\r\n" * 20
    with crowd(port, 300, ask):
        slowest_s = await slowest_answer_s(port, 3)
        grown = process.resident_bytes - before
    course = await ear.done()
    assert slowest_s < ANSWERED_S
    assert_heard(course)
    assert grown < 60_000_000
