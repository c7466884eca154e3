"""The public WebSocket, over real sockets on both event loops."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from push_house import (
    ACCEPT,
    AT,
    CLOSE,
    CONT,
    NOW,
    PING,
    PONG,
    REQUEST,
    SESSION,
    TEXT,
    House,
    Raw,
    frame,
    hear,
    hear_all,
    open_house,
    raw,
    say,
    state,
)
from push_loops import both_loops
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from radio.api.door import Door, standard_route
from radio.api.push_connection import framed
from radio.api.push_socket import PushSockets, SocketLimits
from radio.clock import ManualClock
from radio.push.conversation import FAULTS_LIMIT
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub
from radio.push.limits import Admission
from radio.push.messages import CloseCode
from radio.units import UtcMs

# The protocol's course, with the websockets client


@both_loops
async def test_welcome_snapshot_update_and_ping() -> None:
    async with open_house() as house, connect(house.url) as client:
        assert await hear(client) == {
            **{"type": "welcome", "protocol": 1, "epoch": "first"},
            **{"server_time_ms": NOW, "heartbeat_s": 25},
        }
        await client.send(say(type="subscribe", id=1, stations=["wxyz", "kday"]))
        assert await hear(client) == {
            **{"type": "snapshot", "id": 1, "station": "wxyz", "epoch": "first", "seq": 0},
            "state": state("Morning bells"),
        }
        assert (await hear(client))["station"] == "kday"
        house.hub.publish_state("wxyz", state("River song"), AT)
        assert await hear(client) == {
            **{"type": "update", "station": "wxyz", "seq": 1, "at_ms": NOW, "changed": ["now"]},
            "patch": {"now": {"title": "River song"}},
        }
        await client.send(say(type="unsubscribe", id=2, stations=["wxyz"]))
        await client.send(say(type="ping", id=4))
        assert await hear(client) == {"type": "pong", "id": 4, "server_time_ms": NOW}
        house.hub.publish_state("wxyz", state("Unheard"), AT)
        house.hub.publish_state("kday", state("Dune song"), AT)
        assert (await hear(client))["station"] == "kday"
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers


@both_loops
async def test_whoever_returns_with_a_position_gets_the_missed_updates() -> None:
    async with open_house() as house, connect(house.url) as client:
        for title in "ABC":
            house.hub.publish_state("wxyz", state(title), AT)
        await hear(client)
        since = {"wxyz": {"epoch": "first", "seq": 1}, "kday": {"epoch": "before", "seq": 0}}
        await client.send(say(type="subscribe", id=1, stations=["wxyz", "kday"], since=since))
        heard = [await hear(client) for _ in range(3)]
        assert [(m["type"], m["station"], m["seq"]) for m in heard] == [
            ("update", "wxyz", 2),
            ("update", "wxyz", 3),
            ("snapshot", "kday", 0),
        ]


@both_loops
async def test_listening_is_answered_at_once_or_when_the_stream_starts() -> None:
    known, later = str(uuid4()), str(uuid4())
    hub = Hub(session_lookup=lambda session, station: UtcMs(NOW - 4000) if session == known else None)
    async with open_house(hub=hub) as house, connect(house.url) as client:
        await hear(client)
        await client.send(say(type="listen", id=2, station="wxyz", session=known.upper()))
        told = {
            "type": "listening",
            "id": 2,
            "session": known,
            "station": "wxyz",
            "stream_time_ms": NOW - 4000,
        }
        assert await hear(client) == told
        await client.send(say(type="listen", id=3, station="wxyz", session=later))
        await client.send(say(type="ping"))
        assert (await hear(client))["type"] == "pong"
        for moment in (AT, UtcMs(NOW + 60_000)):
            house.hub.session_started("wxyz", later, moment)
            assert await hear(client) == {**told, "id": 3, "session": later, "stream_time_ms": moment}


@both_loops
async def test_aiohttps_client_speaks_it_too() -> None:
    async with (
        open_house() as house,
        aiohttp.ClientSession() as session,
        session.ws_connect(house.url) as client,
    ):
        assert (await client.receive_json())["type"] == "welcome"
        await client.send_str(say(type="subscribe", id=1, stations=["wxyz"]))
        assert (await client.receive_json())["state"] == state("Morning bells")
        await client.ping()
        house.hub.publish_state("wxyz", state("A"), AT)
        assert (await client.receive_json())["seq"] == 1
        await client.close()
        assert client.close_code == 1000


@both_loops
async def test_behind_the_door_that_shares_the_port() -> None:
    async with open_house() as house:
        loop = asyncio.get_running_loop()
        door = Door(
            standard_route(web=asyncio.Protocol, stream=asyncio.Protocol, socket=house.sockets.protocol)
        )
        async with await loop.create_server(door, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with connect(
                f"ws://127.0.0.1:{port}/api/ws", origin=Origin("https://elsewhere.example")
            ) as client:
                assert (await hear(client))["type"] == "welcome"


# Requests that are wrong


@pytest.mark.parametrize(
    ("text", "code", "request_id"),
    [
        (say(type="subscribe", id=1, stations=["wxyy"]), "unknown_station", 1),
        (say(type="listen", id=2, station="nowhere", session=SESSION), "unknown_station", 2),
        (say(type="publish", id=3), "unknown_type", 3),
        (say(type="subscribe", id=4, stations=[]), "invalid_request", 4),
        ("not JSON", "invalid_json", None),
        (b"\x00\x01", "text_only", None),
    ],
)
@both_loops
async def test_a_wrong_request_is_answered_and_the_connection_lives(
    text: str | bytes, code: str, request_id: int | None
) -> None:
    async with open_house() as house, connect(house.url) as client:
        await hear(client)
        await client.send(text)
        error = await hear(client)
        assert (error["type"], error["code"], error.get("id")) == ("error", code, request_id)
        await client.send(say(type="subscribe", id=9, stations=["wxyz"]))
        assert (await hear(client))["type"] == "snapshot"


@both_loops
async def test_known_stations_of_a_request_are_served_beside_unknown_ones() -> None:
    async with open_house() as house, connect(house.url) as client:
        await hear(client)
        await client.send(say(type="subscribe", id=1, stations=["nowhere", "wxyz"]))
        assert (await hear(client))["message"] == "There is no station 'nowhere'."
        assert (await hear(client))["station"] == "wxyz"


@pytest.mark.parametrize(
    ("text", "close"), [("not JSON", CloseCode.BAD_REQUESTS), (b"\x00", 1003)], ids=["text", "binary"]
)
@both_loops
async def test_whoever_goes_on_with_nonsense_is_closed_for_good(text: str | bytes, close: int) -> None:
    async with open_house() as house, connect(house.url) as client:
        for _ in range(FAULTS_LIMIT):
            await client.send(text)
        heard = await hear_all(client)
        assert [m["type"] for m in heard] == ["welcome"] + ["error"] * FAULTS_LIMIT
        assert client.close_code == close


@both_loops
async def test_a_flood_is_first_refused_and_then_closed() -> None:
    async with open_house() as house, connect(house.url) as client:
        await hear(client)
        for number in range(21):
            await client.send(say(type="ping", id=number))
        heard = [await hear(client) for _ in range(21)]
        assert [m["type"] for m in heard] == ["pong"] * 20 + ["error"]
        assert heard[-1]["code"] == "limit_reached"
        await house.pass_time(10)
        await client.send(say(type="ping", id=1))
        assert (await hear(client))["type"] == "pong"
        for _ in range(60):
            await client.send(say(type="ping"))
        await hear_all(client)
        assert client.close_code == CloseCode.TOO_FAST


@both_loops
async def test_a_connection_follows_a_bounded_number_of_stations() -> None:
    async with open_house(limits=SocketLimits(subscriptions=1)) as house, connect(house.url) as client:
        await hear(client)
        for number in range(2):
            await client.send(say(type="subscribe", id=number, stations=["wxyz"]))
            assert (await hear(client))["type"] == "snapshot"
        await client.send(say(type="subscribe", id=5, stations=["kday", "wxyz"]))
        error = await hear(client)
        assert (error["code"], error["id"]) == ("limit_reached", 5)


@both_loops
async def test_connections_are_bounded_per_address_and_come_back_later() -> None:
    async with open_house(admission=Admission(total=10, per_address=2)) as house:
        async with connect(house.url) as first, connect(house.url):
            with pytest.raises(InvalidStatus) as refused:
                await connect(house.url)
            assert refused.value.response.status_code == 503
            assert int(refused.value.response.headers["Retry-After"]) > 0
            await first.close()
            async with connect(house.url) as client:
                assert (await hear(client))["type"] == "welcome"
        await house.until(lambda: house.sockets.admission.connections == 0)


# RFC 6455 in bytes


@both_loops
async def test_fragments_with_control_frames_between_them_make_one_message() -> None:
    text = say(type="ping", id=7).encode()
    async with open_house() as house, raw(house) as client:
        client.send(frame(0x01, text[:5]) + frame(PING, b"in between") + frame(0x00) + frame(0x00, text[5:9]))
        client.send(frame(PONG, b"unasked") + frame(CONT, text[9:]))
        assert await client.frame() == (PONG, b"in between")
        assert await client.message() == {"type": "pong", "id": 7, "server_time_ms": NOW}


@both_loops
async def test_pings_are_answered_with_their_own_data() -> None:
    async with open_house() as house, raw(house) as client:
        for payload in (b"", b"x" * 125, bytes(range(100))):
            client.send(frame(PING, payload))
            assert await client.frame() == (PONG, payload)


@both_loops
async def test_a_message_of_4096_bytes_is_just_short_enough() -> None:
    async with open_house() as house, raw(house) as client:
        client.send(frame(TEXT, say(type="ping", id=1).encode().ljust(4096)))
        assert (await client.message())["type"] == "pong"


@both_loops
async def test_a_frame_in_the_handshakes_segment_is_answered_after_it() -> None:
    async with open_house() as house, raw(house, handshake=False) as client:
        client.send(REQUEST + frame(PING, b"early") + frame(TEXT, say(type="ping", id=1).encode()))
        assert (await client.head()).startswith(b"HTTP/1.1 101 ")
        assert (await client.message())["type"] == "welcome"
        heard = [await client.frame(), await client.frame()]
        assert (PONG, b"early") in heard
        assert any(first == TEXT and b'"pong"' in payload for first, payload in heard)


@both_loops
async def test_one_byte_at_a_time() -> None:
    async with open_house() as house, raw(house, handshake=False) as client:
        for byte in REQUEST + frame(TEXT, say(type="subscribe", id=1, stations=["wxyz"]).encode()):
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert ACCEPT in await client.head()
        assert [(await client.message())["type"] for _ in range(2)] == ["welcome", "snapshot"]


@both_loops
async def test_a_handshake_that_does_not_end_is_cut() -> None:
    async with open_house(quick=False) as house, raw(house, handshake=False) as client:
        client.send(REQUEST[:50])
        await house.until(lambda: len(house.sockets) == 1)
        await house.pass_time(10)
        assert await client.reader.read() == b""


@both_loops
async def test_clients_that_vanish_leave_nothing_behind() -> None:
    async with open_house() as house:
        for ending in (b"", frame(CLOSE), frame(TEXT, b"{")[:3]):
            async with raw(house) as client:
                client.send(frame(TEXT, say(type="subscribe", stations=["wxyz"]).encode()))
                await client.message()
                client.send(ending)
        await house.until(lambda: len(house.sockets) == 0)
        assert house.hub.counts().subscriptions == 0


# Time


@both_loops
async def test_pings_go_out_and_answers_keep_the_connection() -> None:
    async with open_house() as house, connect(house.url, ping_interval=None) as client:
        await hear(client)
        for _ in range(6):
            await house.pass_time(25)
        await client.send(say(type="ping", id=1))
        assert (await hear(client))["type"] == "pong"


@both_loops
async def test_silence_for_two_heartbeats_is_the_end() -> None:
    async with open_house() as house, raw(house) as client:
        await house.pass_time(25)
        assert await client.frame() == (PING, b"")
        await house.pass_time(24)
        assert len(house.sockets) == 1
        await house.pass_time(2)
        assert await client.close_code() == CloseCode.SILENT
        await house.pass_time(5)
        assert len(house.sockets) == 0


@both_loops
async def test_a_server_that_stood_still_does_not_blame_its_clients() -> None:
    async with open_house() as house, raw(house) as client:
        await house.pass_time(3600)
        assert await client.frame() == (PING, b"")
        client.send(frame(PONG))
        await house.pass_time(25)
        await house.pass_time(1)
        assert await client.frame() == (PING, b"")
        assert len(house.sockets) == 1


@both_loops
async def test_a_stop_closes_everyone_and_waits_no_longer_than_it_should() -> None:
    clock, hub = ManualClock(NOW), Hub()
    hub.open("wxyz", state("A"))
    async with Heartbeat(clock) as heartbeat:
        sockets = PushSockets(hub, clock, heartbeat)
        loop = asyncio.get_running_loop()
        async with await loop.create_server(sockets.protocol, "127.0.0.1", 0) as server:
            house = House(hub, clock, sockets, server.sockets[0].getsockname()[1])
            async with connect(house.url) as polite, raw(house) as deaf, raw(house, handshake=False) as slow:
                slow.send(REQUEST[:20])
                await house.until(lambda: len(sockets) == 3)
                stop = asyncio.ensure_future(sockets.__aexit__())
                await polite.wait_closed()
                assert polite.close_code == CloseCode.SERVER_RESTARTS
                await asyncio.sleep(0.02)
                assert not stop.done()
                async with raw(house, handshake=False) as late:
                    late.send(REQUEST)
                    assert (await late.head()).startswith(b"HTTP/1.1 503")
                clock.advance(5)
                await asyncio.wait_for(stop, 2)
                assert len(sockets) == 0
                assert await deaf.close_code() == CloseCode.SERVER_RESTARTS


# Slow readers


def big_state(number: int) -> dict[str, Any]:
    return {"now": {"title": f"{number} " + os.urandom(1000).hex()}}


async def deaf_client(house: House) -> socket.socket:
    """A subscriber that never reads after its snapshot, with as little room in the kernel as it can have."""
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    await loop.sock_connect(client, ("127.0.0.1", house.port))
    await loop.sock_sendall(client, REQUEST + frame(TEXT, say(type="subscribe", stations=["wxyz"]).encode()))
    return client


@both_loops
async def test_a_slow_reader_is_bounded_gets_a_fresh_snapshot_and_harms_no_other() -> None:
    async with open_house() as house, connect(house.url, max_queue=None) as quick:
        await quick.send(say(type="subscribe", stations=["wxyz"]))
        slow = await deaf_client(house)
        await house.until(lambda: house.hub.counts().subscriptions == 2)
        limits = house.sockets.limits
        for number in range(400):
            house.hub.publish_state("wxyz", big_state(number), AT)
            for connection in house.sockets:
                assert connection.waiting_bytes < limits.backlog_bytes + limits.write_buffer_bytes + 4096
            await asyncio.sleep(0)
        assert [connection.is_behind for connection in house.sockets].count(True) == 1
        assert [await hear(quick) for _ in range(402)][-1]["seq"] == 400
        reader, writer = await asyncio.open_connection(sock=slow)
        client = Raw(reader, writer)
        await client.head()
        seen: list[dict[str, Any]] = []
        async with asyncio.timeout(5):
            while not seen or seen[-1].get("seq") != 400:
                seen.append(await client.message())
        house.hub.publish_state("wxyz", big_state(401), AT)
        seen.append(await client.message())
        writer.transport.abort()
        kinds = [m["type"] for m in seen if m["type"] != "welcome"]
        assert kinds[0] == "snapshot"
        assert kinds[-2:] == ["snapshot", "update"]
        assert kinds.count("snapshot") == 2
        first = [m["seq"] for m in seen if m["type"] != "welcome"]
        assert first[:-2] == list(range(len(first) - 2))
        assert first[-2:] == [400, 401]


@both_loops
async def test_a_reader_that_stays_behind_is_closed_and_cut() -> None:
    async with open_house() as house:
        slow = await deaf_client(house)
        await house.until(lambda: house.hub.counts().subscriptions == 1)
        for number in range(400):
            house.hub.publish_state("wxyz", big_state(number), AT)
            await asyncio.sleep(0)
        for _ in range(29):
            await house.pass_time(1)
        assert house.hub.counts().subscriptions == 1
        for _ in range(2):
            await house.pass_time(1)
        assert house.hub.counts().subscriptions == 0
        for _ in range(5):
            await house.pass_time(1)
        assert len(house.sockets) == 0
        slow.close()


@both_loops
async def test_a_client_that_asks_without_reading_is_cut() -> None:
    states = {f"s{n}": {"text": "x" * 2000} for n in range(200)}
    hub = Hub()
    for station, value in states.items():
        hub.open(station, value)
    async with open_house(hub=hub) as house:
        client = await deaf_client(house)
        loop = asyncio.get_running_loop()
        for _ in range(10):
            text = say(type="subscribe", stations=list(states)[:198]).encode()
            await loop.sock_sendall(client, frame(TEXT, text))
        await house.until(lambda: house.hub.counts().subscriptions == 199)
        (connection,) = house.sockets
        assert connection.waiting_bytes < 40_000 + house.sockets.limits.backlog_bytes
        client.close()


@both_loops
async def test_every_subscriber_is_sent_the_same_bytes() -> None:
    async with open_house() as house:
        clients = [await connect(house.url) for _ in range(20)]
        for client in clients:
            await client.send(
                say(type="subscribe", stations=["wxyz"], since={"wxyz": {"epoch": "first", "seq": 0}})
            )
        await house.until(lambda: house.hub.counts().subscriptions == 20)
        kept = house.hub.publish_state("wxyz", state("A"), AT)
        assert kept is not None
        assert list(kept._forms) == [framed]
        assert house.hub.counts().encoded == 1
        for client in clients:
            assert [(await hear(client))["type"] for _ in range(2)] == ["welcome", "update"]
            client.transport.abort()
