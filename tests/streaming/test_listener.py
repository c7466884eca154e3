from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import socket
import weakref
from concurrent.futures import Future

import pytest
from stream_house import (
    BASE_MS,
    CHUNK_BYTES,
    CHUNK_MS,
    FRAME_BYTES,
    SESSION,
    STREAM_PATH,
    close,
    make_chunk,
    open_house,
    read_head,
    sound,
    until,
)

from radio.streaming.icy import IcyReader, StreamTitle
from radio.streaming.listener import Listener
from radio.streaming.mounts import ListenerLimits
from radio.streaming.session_log import SessionLog
from radio.streaming.sessions import Session

ICY = "Icy-MetaData: 1"


async def answer(house, *asked, **how) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await house.ask(*asked, **how)
    status, fields = await read_head(reader)
    body = await reader.read()
    await close(writer)
    return status, fields, body


def test_a_listener_gets_heads_like_icecasts_and_the_burst(run):
    async def work():
        async with open_house() as house:
            house.publish(*range(6))
            reader, writer = await house.ask(STREAM_PATH, ICY, "Range: bytes=0-")
            status, fields = await read_head(reader)
            assert status == 200
            assert fields["content-type"] == "audio/mpeg"
            assert fields["icy-name"] == "WXYZ Harbor Radio"
            assert (fields["icy-br"], fields["icy-metaint"]) == ("128", str(CHUNK_BYTES))
            assert (fields["connection"], fields["accept-ranges"]) == ("close", "none")
            assert fields["cache-control"] == "no-cache, no-store"
            assert fields["access-control-allow-origin"] == "*"
            assert "icy-metaint" in fields["access-control-expose-headers"]
            assert fields["date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
            assert not {"content-length", "transfer-encoding", "content-range"} & set(fields)
            burst = await reader.readexactly(6 * (CHUNK_BYTES + 1) + 32)
            assert burst.startswith(sound(0) + b"\x02StreamTitle='Morning Edition';")
            house.publish(6)
            assert await reader.readexactly(CHUNK_BYTES + 1) == sound(6) + b"\0"
            assert house.mounts.listeners("wxyz") == house.mounts.occupied == 1
            await close(writer)
            await until(lambda: house.mount.listeners == 0)
            assert house.mounts.occupied == 0

    run(work())


def test_without_the_wish_there_is_no_metadata(run):
    async def work():
        async with open_house() as house:
            house.publish(0)
            reader, writer = await house.ask(version="HTTP/1.0")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.0 200 OK\r\n")
            assert b"\r\nicy-metaint" not in head
            assert await reader.readexactly(CHUNK_BYTES) == sound(0)
            await close(writer)

    run(work())


def test_head_and_options(run):
    async def work():
        async with open_house() as house:
            status, fields, body = await answer(house, STREAM_PATH, ICY, method="HEAD")
            assert (status, body, fields["icy-metaint"]) == (200, b"", str(CHUNK_BYTES))
            status, fields, body = await answer(house, STREAM_PATH, method="OPTIONS")
            assert (status, body) == (204, b"")
            assert fields["access-control-allow-headers"] == "Icy-MetaData, Range"
            assert fields["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
            status, fields, body = await answer(house, STREAM_PATH + "x", method="HEAD")
            assert (status, body, int(fields["content-length"]) > 0) == (404, b"", True)
            assert house.mounts.occupied == 0

    run(work())


@pytest.mark.parametrize(
    ("target", "method", "status", "code"),
    [
        ("/listen/wxyy/live.mp3", "GET", 404, "unknown_station"),
        ("/listen/wxyz/live.aac", "GET", 404, "unknown_mount"),
        ("/listen/wxyz/live.mp3/more", "GET", 404, "not_found"),
        ("/listen/wxyz", "GET", 404, "not_found"),
        ("/listen/%ff%00/live.mp3", "GET", 404, "unknown_station"),
        (STREAM_PATH, "POST", 405, "method_not_allowed"),
        (f"{STREAM_PATH}?session=me", "GET", 400, "invalid_request"),
        (f"{STREAM_PATH}?session=", "GET", 400, "invalid_request"),
        (f"{STREAM_PATH}?session={SESSION}&session={SESSION}", "GET", 400, "invalid_request"),
        (f"{STREAM_PATH}?" + "a=b&" * 17, "GET", 400, "invalid_request"),
    ],
)
def test_refusals_are_problem_documents(run, target, method, status, code):
    async def work():
        async with open_house() as house:
            house.publish(0)
            got, fields, body = await answer(house, target, method=method)
            assert (got, json.loads(body)["code"]) == (status, code)
            assert fields["content-type"] == "application/problem+json"
            assert fields["access-control-allow-origin"] == "*"
            assert ("allow" in fields) == (status == 405)
            assert house.mounts.occupied == house.mount.listeners == 0

    run(work())


def test_the_address_may_be_percent_encoded_and_have_other_fields(run):
    async def work():
        async with open_house() as house:
            house.publish(0)
            reader, writer = await house.ask("/listen/wxyz/live%2Emp3?nocache=1")
            assert (await read_head(reader))[0] == 200
            await close(writer)

    run(work())


def test_who_waits_starts_with_the_next_chunk_or_is_told_to_come_back(run):
    async def work():
        async with open_house(ListenerLimits(wait_s=0.15)) as house:
            reader, writer = await house.ask(f"{STREAM_PATH}?session={SESSION}")
            await until(lambda: house.mount.waiting == 1)
            assert house.sessions.find(SESSION) is None
            house.publish(3)
            assert (await read_head(reader))[0] == 200
            assert await reader.readexactly(CHUNK_BYTES) == sound(3)
            assert house.sessions.find(SESSION).stream_time_ms == BASE_MS + 3 * CHUNK_MS
            house.clock.advance(60)
            status, fields, body = await answer(house)
            assert (status, fields["retry-after"], json.loads(body)["code"]) == (503, "5", "limit_reached")
            assert (house.mount.waiting, house.mount.listeners) == (0, 1)
            gone_reader, gone = await house.ask()
            await until(lambda: house.mount.waiting == 1)
            await close(gone)
            await until(lambda: house.mount.waiting == 0)
            await close(writer)

    run(work())


def test_limits(run):
    async def work():
        async with open_house(ListenerLimits(total=3, per_address=2)) as house:
            house.publish(0)
            writers = []
            for _ in range(2):
                reader, writer = await house.ask()
                assert (await read_head(reader))[0] == 200
                writers.append(writer)
            status, fields, body = await answer(house)
            assert (status, json.loads(body)["code"]) == (429, "limit_reached")
            assert int(fields["retry-after"]) > 0
            await close(writers.pop())
            await until(lambda: house.mounts.occupied == 1)
            reader, writer = await house.ask()
            assert (await read_head(reader))[0] == 200
            await close(writer, *writers)

    run(work())


def test_the_total_limit(run):
    async def work():
        async with open_house(ListenerLimits(total=1)) as house:
            house.publish(0)
            reader, writer = await house.ask()
            assert (await read_head(reader))[0] == 200
            status, fields, _ = await answer(house)
            assert (status, fields["retry-after"]) == (503, "30")
            await close(writer)

    run(work())


def test_sessions_have_the_stream_time_of_their_first_byte(run):
    async def work():
        async with open_house() as house:
            told: list[Session] = []
            house.sessions.on_started = told.append
            house.publish(*range(10))
            house.clock.advance(1.0)
            reader, writer = await house.ask(f"{STREAM_PATH}?session={SESSION.upper()}")
            await read_head(reader)
            assert await reader.readexactly(CHUNK_BYTES) == sound(4)
            expected = Session(
                id=SESSION, station="wxyz", mount="live.mp3", stream_time_ms=BASE_MS + 4 * CHUNK_MS
            )
            assert told == [house.sessions.find(SESSION)] == [expected]
            house.clock.advance(0.5)
            _, again = await house.ask(f"{STREAM_PATH}?session={SESSION}")
            await until(lambda: len(told) == 2)
            await close(writer)
            await until(lambda: house.mount.listeners == 1)
            assert house.sessions.find(SESSION).stream_time_ms == BASE_MS + 6 * CHUNK_MS
            house.publish(10, late_ms=700)
            assert told[-1].stream_time_ms == BASE_MS + 6 * CHUNK_MS + 700
            await close(again)
            await until(lambda: house.mount.listeners == 0)
            assert house.sessions.find(SESSION) is not None
            house.clock.advance(60)
            assert house.sessions.find(SESSION) is None

    run(work())


def test_fifty_listeners_at_random_moments_get_every_byte_and_every_title(run):
    total = 120
    titles = [f"Title {seq // 7} – ö" for seq in range(total)]

    async def listen(house, dice: random.Random) -> tuple[int, list]:
        icy = dice.random() < 0.5
        session = f"{dice.getrandbits(32):08x}-0000-4000-8000-{dice.getrandbits(48):012x}"
        reader, writer = await house.ask(f"{STREAM_PATH}?session={session}", *([ICY] if icy else []))
        _, fields = await read_head(reader)
        icy_reader = IcyReader(int(fields["icy-metaint"]) if icy else None)
        first = (house.sessions.find(session).stream_time_ms - BASE_MS) // CHUNK_MS
        out = []
        while icy_reader.audio_bytes < (total - first) * CHUNK_BYTES or (
            icy and not out_is_closed(out, first)
        ):
            out += icy_reader.feed(await reader.read(dice.choice([100, 5_000, 65_536])))
        await close(writer)
        return first, out

    def out_is_closed(out: list, first: int) -> bool:
        return any(isinstance(o, StreamTitle) and o.title == titles[-1] for o in out)

    def check(first: int, out: list) -> None:
        audio = b"".join(o for o in out if isinstance(o, bytes))
        assert audio == b"".join(map(sound, range(first, total)))
        assert int.from_bytes(audio[2:6], "big") == first * CHUNK_BYTES // FRAME_BYTES
        found = [(o.title, o.after_bytes) for o in out if isinstance(o, StreamTitle)]
        changes = [seq for seq in range(first, total) if seq == first or titles[seq] != titles[seq - 1]]
        expected = [(titles[seq], (seq - first + 1) * CHUNK_BYTES) for seq in changes]
        assert found == (expected if found else [])

    async def work():
        dice = random.Random(11)
        async with open_house() as house:
            house.publish(*range(5), title=titles[0])
            tasks = []
            for seq in range(5, total):
                while len(tasks) < 50 and dice.random() < 0.5:
                    tasks.append(asyncio.create_task(listen(house, random.Random(seq * 100 + len(tasks)))))
                await asyncio.sleep(dice.choice([0, 0, 0.002]))
                house.publish(seq, title=titles[seq])
                house.clock.advance(CHUNK_MS / 1000)
                if len(tasks) >= 50:
                    await until(lambda: house.mount.joined == 50)
            assert len(tasks) == 50
            for first, out in await asyncio.gather(*tasks):
                check(first, out)
            assert house.mount.dropped == 0

    run(work())


def test_a_slow_listener_is_dropped_alone(run):
    chunks = 250

    async def read_all(reader: asyncio.StreamReader) -> bytes:
        await read_head(reader)
        return await reader.readexactly(chunks * CHUNK_BYTES)

    async def work():
        limits = ListenerLimits(max_backlog_bytes=64 * 1024, kernel_buffer_bytes=32 * 1024)
        async with open_house(limits) as house:
            house.publish(0)
            slow = socket.create_connection(("127.0.0.1", house.port))
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
            slow.sendall(f"GET {STREAM_PATH} HTTP/1.0\r\n\r\n".encode())
            pairs = [await house.ask() for _ in range(5)]
            readers = [asyncio.create_task(read_all(reader)) for reader, _ in pairs]
            await until(lambda: house.mount.listeners == 6)
            for seq in range(1, chunks):
                house.publish(seq)
                await asyncio.sleep(0.001)
            assert (house.mount.dropped, house.mount.listeners) == (1, 5)
            expected = b"".join(map(sound, range(chunks)))
            assert all(heard == expected for heard in await asyncio.gather(*readers))
            slow.close()
            await close(*(writer for _, writer in pairs))

    run(work())


def test_a_fast_reader_survives_a_backlog_below_the_bound(run):
    async def work():
        async with open_house(ring_chunks=100) as house:
            house.publish(*range(100))
            reader, writer = await house.ask()
            await read_head(reader)
            await asyncio.sleep(0.01)
            house.publish(100)
            assert await reader.readexactly(101 * CHUNK_BYTES) == b"".join(map(sound, range(101)))
            assert house.mount.dropped == 0
            await close(writer)

    run(work())


def test_a_listener_that_talks_too_much_is_hung_up(run):
    async def work():
        async with open_house() as house:
            house.publish(0)
            reader, writer = await house.ask()
            await read_head(reader)
            writer.write(f"GET {STREAM_PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert await reader.readexactly(CHUNK_BYTES) == sound(0)
            assert house.mount.listeners == 1
            writer.write(b"x" * 100_000)
            await until(lambda: house.mount.listeners == 0)
            await close(writer)

    run(work())


def test_close_hangs_up_on_all(run):
    async def work():
        async with open_house() as house:
            house.publish(0)
            pairs = [await house.ask() for _ in range(4)]
            await until(lambda: house.mount.listeners == 4)
            house.mounts.close()
            for reader, writer in pairs:
                await read_head(reader)
                assert await reader.read() == sound(0)
                await close(writer)
            assert (house.mount.listeners, house.mounts.occupied) == (0, 0)

    run(work())


def _packets() -> list[object]:
    """Every packet of every mount that is still in memory, those of other tests included."""
    return [each for each in gc.get_objects() if type(each).__name__ == "_Packet"]


def test_nothing_is_left_of_listeners_and_chunks_that_are_gone(run):
    async def work():
        born: weakref.WeakSet[Listener] = weakref.WeakSet()
        gc.collect()
        before = len(_packets())
        async with open_house(ListenerLimits(per_address=1000)) as house:
            make = house.door.route
            house.door.route = lambda line, head: make(line, head) and (lambda: remembered(house, born))
            pairs = []
            for seq in range(2000):
                house.publish(seq)
                await asyncio.sleep(0)
                house.clock.advance(CHUNK_MS / 1000)
                if seq % 20 == 0:
                    fields = [ICY] if seq % 40 else []
                    pairs.append(await house.ask(f"{STREAM_PATH}?session={seq:08x}{SESSION[8:]}", *fields))
                    await asyncio.sleep(0)
                if len(pairs) > 5:
                    await close(pairs.pop(0)[1])
            await close(*(writer for _, writer in pairs))
            await until(lambda: house.mounts.occupied == 0 and house.door.undecided == 0)
            assert house.mount.joined >= 90
            assert (house.mount.listeners, house.mount.waiting) == (0, 0)
            assert len(house.sessions) <= 100
            pairs.clear()
            await asyncio.sleep(0.01)
            gc.collect()
            assert len(born) == 0
            assert len(_packets()) - before <= house.mount.ring_chunks

    def remembered(house, born) -> Listener:
        class Weak(Listener):
            __slots__ = ("__weakref__",)

        listener = Weak(house.mounts)
        born.add(listener)
        return listener

    run(work())


def test_the_listener_alone_refuses_a_broken_head(run):
    async def work():
        async with open_house() as house:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: Listener(house.mounts), "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /listen")
            assert (await read_head(reader))[0] == 400
            await reader.read()
            await close(writer)
            server.close()
            await server.wait_closed()

    run(work())


def test_nagle_is_off_and_the_systems_buffer_is_bounded(run):
    async def work():
        async with open_house() as house:
            house.publish(0)
            reader, writer = await house.ask()
            await read_head(reader)
            (spot,) = house.mounts.parking._spots.values()
            with socket.socket(fileno=os.dup(spot.fd)) as sock:
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                size = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            assert size <= 2 * house.mounts.limits.kernel_buffer_bytes
            await close(writer)

    run(work())


def test_what_was_heard_is_noted_without_an_address(run):
    async def work():
        written: list = []
        async with open_house() as house:
            house.mounts.session_log = SessionLog(lambda work, *args: done(written, *args), house.clock)
            house.publish(*range(3))
            reader, writer = await house.ask(STREAM_PATH, "User-Agent: VLC/3.0.20 LibVLC/3.0.20")
            head = await reader.readuntil(b"\r\n\r\n")
            house.clock.advance(7.5)
            house.publish(3)
            await reader.readexactly(4 * CHUNK_BYTES)
            _, waits = await house.ask("/listen/wxyz/live.aac")
            await close(writer, waits)
            await until(lambda: house.mounts.occupied == 0)
            house.mounts.session_log.flush()
            (session,) = written
            assert (session.station, session.mount, session.agent) == ("wxyz", "live.mp3", "VLC")
            assert session.ended_at_ms - session.started_at_ms == 7_500
            assert session.bytes_sent == len(head) + 4 * CHUNK_BYTES
            assert session.address is None

    run(work())


def done(written: list, sessions: list) -> Future:
    written += sessions
    future: Future = Future()
    future.set_result(None)
    return future


def test_a_mount_without_metadata_promises_none(run):
    async def work():
        async with open_house(chunk_bytes=None) as house:
            pages = [make_chunk(seq, lead_in=b"HEADERS") for seq in range(3)]
            house.mount.publish(pages[0])
            reader, writer = await house.ask(STREAM_PATH, ICY)
            assert "icy-metaint" not in (await read_head(reader))[1]
            house.mount.publish(pages[1])
            assert await reader.readexactly(7 + 2 * CHUNK_BYTES) == b"HEADERS" + sound(0) + sound(1)
            await close(writer)

    run(work())


def test_on_a_kept_alive_connection_nothing_of_the_answer_before_is_lost(run):
    class Talkative(Listener):
        __slots__ = ()

        def connection_made(self, transport) -> None:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            transport.write(b"x" * 300_000)
            super().connection_made(transport)

    async def work():
        async with open_house() as house:
            house.door.route = lambda line, head: head and (lambda: Talkative(house.mounts))
            house.publish(0)
            reader, writer = await house.ask()
            assert await reader.readexactly(300_000) == b"x" * 300_000
            assert (await read_head(reader))[0] == 200
            house.publish(1)
            assert await reader.readexactly(2 * CHUNK_BYTES) == sound(0) + sound(1)
            assert len(house.mounts.parking) == 0
            await close(writer)

    run(work())
