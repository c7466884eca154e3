"""Listeners that mean no good, on real sockets, beside those that do."""

from __future__ import annotations

import asyncio
import gc
import resource
import socket
import time
from pathlib import Path

from stream_house import (
    CHUNK_BYTES,
    STREAM_PATH,
    close,
    open_house,
    read_head,
    sound,
    until,
)

from radio.parking import raise_descriptor_limit
from radio.streaming.mounts import ListenerLimits

REQUEST = f"GET {STREAM_PATH} HTTP/1.0\r\nIcy-MetaData: 1\r\n\r\n".encode()
LIMITS = ListenerLimits(per_address=5_000, max_backlog_bytes=64 * 1024, kernel_buffer_bytes=8 * 1024)


def stalled(port: int, number: int = 0) -> socket.socket:
    """A listener that asks and never reads; 200 share an address of 127.0.0.0/8, which the door lets in at once."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024)
    peer.setblocking(False)
    peer.bind((f"127.0.1.{1 + number // 200}", 0))
    peer.connect_ex(("127.0.0.1", port))
    return peer


def ask(peer: socket.socket) -> bool:
    try:
        return bool(peer.send(REQUEST))
    except BlockingIOError:
        return False


def resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def times_of(reader: asyncio.StreamReader, chunks: int, times: list[float]) -> None:
    await read_head(reader)
    for seq in range(chunks):
        assert await reader.readexactly(CHUNK_BYTES) == sound(seq)
        times.append(time.perf_counter())


def test_a_thousand_that_read_nothing_are_dropped_and_harm_nobody(run):
    chunks = 70

    async def work():
        count = min(1_000, (raise_descriptor_limit() - 300) // 2)
        async with open_house(LIMITS) as house:
            house.publish(0)
            good = [await house.ask() for _ in range(20)]
            heard: list[list[float]] = [[] for _ in good]
            readers = [
                asyncio.create_task(times_of(reader, chunks, times))
                for (reader, _), times in zip(good, heard, strict=True)
            ]
            bad = [stalled(house.port, number) for number in range(count)]
            waiting = list(bad)
            while waiting:
                waiting = [peer for peer in waiting if not ask(peer)]
                await asyncio.sleep(0.001)
            await until(lambda: house.mount.listeners == count + 20)
            before, sent = resident_bytes(), []
            for seq in range(1, chunks):
                sent.append(time.perf_counter())
                house.publish(seq)
                await asyncio.sleep(0.02)
            await asyncio.gather(*readers)
            assert resident_bytes() - before < 20_000_000
            late = [times[seq] - sent[seq - 1] for times in heard for seq in range(1, chunks)]
            assert max(late) < 0.5
            assert (house.mount.dropped, house.mount.listeners) == (count, 20)
            assert house.mounts.occupied == len(house.mounts.parking) == 20
            for peer in bad:
                peer.close()
            await close(*(writer for _, writer in good))

    run(work())


def test_one_that_reads_a_few_bytes_at_a_time_is_dropped_at_the_bound(run):
    async def work():
        async with open_house(LIMITS) as house:
            house.publish(0)
            slow = stalled(house.port)
            await until(lambda: ask(slow))
            await until(lambda: house.mount.listeners == 1)
            (way,) = house.mounts.parking._spots.values()
            seq = 0
            while house.mount.listeners:
                assert way.unsent_bytes <= house.mounts.backlog_limit(house.mount)
                seq += 1
                house.publish(seq)
                slow.recv(10)
                await asyncio.sleep(0.001)
            assert house.mount.dropped == 1
            assert seq * CHUNK_BYTES < 4 * house.mounts.backlog_limit(house.mount)
            slow.close()

    run(work())


def test_half_closed_and_reset_connections_give_their_room_back(run):
    async def work():
        async with open_house(LIMITS) as house:
            house.publish(0)
            for end in (lambda peer: peer.shutdown(socket.SHUT_WR), reset):
                peer = stalled(house.port)
                await until(lambda peer=peer: ask(peer))
                await until(lambda: house.mounts.occupied == 1)
                end(peer)
                await until(lambda: house.mounts.occupied == 0)
                peer.close()
            assert (house.mount.listeners, house.mount.dropped, len(house.mounts.parking)) == (0, 0, 0)

    run(work())


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.close()


def test_a_head_that_comes_byte_by_byte_or_never_holds_no_room(run):
    async def work():
        async with open_house(LIMITS) as house:
            house.door.head_timeout_s = 0.2
            house.publish(0)
            slow, silent = stalled(house.port), stalled(house.port)
            await until(lambda: house.door.undecided == 2)
            for byte in REQUEST[:20]:
                slow.send(bytes([byte]))
                await asyncio.sleep(0.001)
            assert house.mounts.occupied == 0
            await until(lambda: house.door.timed_out == 2)
            for peer in (slow, silent):
                peer.close()

    run(work())


def test_the_way_by_transports_has_the_same_bounds(run):
    async def work():
        async with open_house(LIMITS, parked=False) as house:
            house.publish(0)
            reader, writer = await house.ask()
            slow = stalled(house.port)
            await until(lambda: ask(slow))
            await until(lambda: house.mount.listeners == 2)
            times: list[float] = []
            listening = asyncio.create_task(times_of(reader, 101, times))
            for seq in range(1, 101):
                house.publish(seq)
                await asyncio.sleep(0.001)
            await listening
            assert (house.mount.dropped, house.mount.listeners, len(house.mounts.parking)) == (1, 1, 0)
            slow.close()
            await close(writer)

    run(work())
