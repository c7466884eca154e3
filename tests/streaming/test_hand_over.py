"""Listeners that go from one set of mounts to another, as they do when a new process takes over."""

from __future__ import annotations

import os
import socket
from concurrent.futures import Future

import msgspec
from stream_house import (
    BASE_MS,
    CHUNK_BYTES,
    SESSION,
    STREAM_PATH,
    House,
    close,
    make_chunk,
    open_house,
    read_head,
    sound,
    until,
)
from structlog.testing import capture_logs

from radio.streaming.icy import EMPTY, metadata_block
from radio.streaming.listening import HandedListener
from radio.streaming.mounts import ListenerLimits
from radio.streaming.session_log import SessionLog

FIRST = metadata_block("Morning Edition")


def carried(handed: list[HandedListener]) -> list[HandedListener]:
    """What a Unix socket makes of them: the values as bytes, other numbers for the same sockets."""
    moved = []
    for listener in handed:
        fd = os.dup(listener.fd)
        os.close(listener.fd)
        moved.append(msgspec.structs.replace(listener, fd=fd))
    return msgspec.msgpack.decode(msgspec.msgpack.encode(moved), type=list[HandedListener])


def noted(house: House) -> list:
    written: list = []

    def submit(work, sessions) -> Future:
        written.extend(sessions)
        future: Future = Future()
        future.set_result(None)
        return future

    house.mounts.session_log = SessionLog(submit, house.clock, keep_addresses_days=1)
    return written


def test_listeners_hear_no_gap_and_are_noted_once(run):
    async def work():
        async with open_house() as old, open_house() as new:
            written = noted(old), noted(new)
            old.publish(*range(3))
            plain, plain_writer = await old.ask(STREAM_PATH, "User-Agent: mpv 0.37")
            icy, icy_writer = await old.ask(f"{STREAM_PATH}?session={SESSION}", "Icy-MetaData: 1")
            heads = [len(await reader.readuntil(b"\r\n\r\n")) for reader in (plain, icy)]
            await until(lambda: old.mount.listeners == 2)
            handed = old.mounts.hand_over()
            assert (old.mount.listeners, old.mounts.occupied, len(old.mounts.parking)) == (0, 0, 0)
            assert old.sessions.find(SESSION) is not None
            new.clock.advance(1)
            assert new.mounts.adopt(carried(handed)) == 2
            assert (new.mount.listeners, new.mounts.occupied) == (2, 2)
            assert new.sessions.find(SESSION).stream_time_ms == BASE_MS
            new.publish(3)
            new.publish(4)
            assert await plain.readexactly(5 * CHUNK_BYTES) == b"".join(map(sound, range(5)))
            blocks = [FIRST, EMPTY, EMPTY, FIRST, EMPTY]
            expected = b"".join(sound(seq) + block for seq, block in enumerate(blocks))
            assert await icy.readexactly(len(expected)) == expected
            await close(plain_writer, icy_writer)
            await until(lambda: new.mounts.occupied == 0)
            for house in (old, new):
                house.mounts.session_log.flush()
            assert written[0] == []
            sessions = sorted(written[1], key=lambda session: session.agent)
            assert [session.bytes_sent for session in sessions] == [
                heads[0] + 5 * CHUNK_BYTES,
                heads[1] + len(expected),
            ]
            assert [session.agent for session in sessions] == ["mpv", "other"]
            assert {session.started_at_ms for session in sessions} == {BASE_MS}
            assert {session.address for session in sessions} == {"127.0.0.1"}

    run(work())


def test_what_is_unsent_and_what_is_on_its_way_comes_first(run):
    async def work():
        limits = ListenerLimits(per_address=1_000, kernel_buffer_bytes=4_096)
        async with open_house(limits) as old, open_house(limits) as new:
            old.publish(0)
            slow = socket.socket()
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            slow.setblocking(False)
            slow.connect_ex(("127.0.0.1", old.port))
            await until(lambda: old.door.accepted == 1)
            slow.send(f"GET {STREAM_PATH} HTTP/1.0\r\n\r\n".encode())
            await until(lambda: old.mount.listeners == 1)
            others = [await old.ask() for _ in range(300)]
            await until(lambda: old.mount.listeners == 301)
            for seq in range(1, 15):
                old.publish(seq)
            handed = carried(old.mounts.hand_over())
            assert any(listener.unsent for listener in handed)
            assert new.mounts.adopt(handed) == 301
            new.publish(15)
            expected = b"".join(map(sound, range(16)))
            for reader, _ in others:
                await read_head(reader)
                assert await reader.readexactly(len(expected)) == expected
            got = b""
            while not got.partition(b"\r\n\r\n")[2].endswith(sound(15)):
                try:
                    got += slow.recv(65_536)
                except BlockingIOError:
                    await until_readable(slow)
            assert got.partition(b"\r\n\r\n")[2] == expected
            slow.close()
            await close(*(writer for _, writer in others))

    async def until_readable(peer: socket.socket) -> None:
        await until(lambda: can_be_read(peer))

    def can_be_read(peer: socket.socket) -> bool:
        try:
            return bool(peer.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False

    run(work())


def test_the_old_one_goes_on_where_nobody_takes_over(run):
    async def work():
        async with open_house() as house:
            house.publish(0)
            reader, writer = await house.ask()
            await read_head(reader)
            await until(lambda: house.mount.listeners == 1)
            handed = house.mounts.hand_over()
            refused, refused_writer = await house.ask()
            assert (await read_head(refused))[0] == 503
            assert house.mounts.adopt(handed) == 1
            house.publish(1)
            assert await reader.readexactly(2 * CHUNK_BYTES) == sound(0) + sound(1)
            again, again_writer = await house.ask()
            assert (await read_head(again))[0] == 200
            await close(writer, again_writer, refused_writer)

    run(work())


def test_who_cannot_go_on_is_closed(run):
    async def work():
        async with open_house() as old, open_house(chunk_bytes=None) as new:
            old.publish(0)
            readers = []
            for fields in ([], ["Icy-MetaData: 1"], [], []):
                readers.append(await old.ask(STREAM_PATH, *fields))
                await read_head(readers[-1][0])
            await until(lambda: old.mount.listeners == 4)
            handed = carried(old.mounts.hand_over())
            handed[0] = msgspec.structs.replace(handed[0], mount="live.aac")
            os.close(handed[3].fd)
            with capture_logs() as journal:
                assert new.mounts.adopt(handed) == 1
            assert [entry["event"] for entry in journal] == ["listener_not_adopted"] * 3
            assert (new.mounts.occupied, new.mount.listeners) == (1, 1)
            new.mount.publish(make_chunk(1))
            assert [await reader.read() for reader, _ in readers[:2]] == [sound(0), sound(0) + FIRST]
            assert await readers[2][0].readexactly(2 * CHUNK_BYTES) == sound(0) + sound(1)
            await close(*(writer for _, writer in readers))

    run(work())


def test_who_waits_or_is_carried_by_a_transport_stays(run):
    async def work():
        async with open_house(parked=False) as house:
            house.publish(0)
            reader, writer = await house.ask()
            await read_head(reader)
            await until(lambda: house.mount.listeners == 1)
            assert house.mounts.hand_over() == []
            house.publish(1)
            assert await reader.readexactly(2 * CHUNK_BYTES) == sound(0) + sound(1)
            await close(writer)
        async with open_house() as house:
            waiting, writer = await house.ask()
            await until(lambda: house.mount.waiting == 1)
            assert house.mounts.hand_over() == []
            assert house.mount.waiting == 1
            house.mounts.close()
            assert await waiting.read() == b""
            await close(writer)

    run(work())
