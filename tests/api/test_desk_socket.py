from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from desk_house import DeskHouse, close_code, desk_state, ended, hear, open_desks, pulse, revision, say
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.protocol import State

from radio.api.desk_messages import DeskCloseCode, MountState
from radio.api.desk_socket import DeskLimits, is_own_origin
from radio.push.messages import may_come_back
from radio.store import operators
from radio.store.operators import Role

SHORT = DeskLimits(sign_in_s=0.2, patience_s=0.3, close_s=0.3)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[DeskHouse]:
    async with open_desks(tmp_path) as made:
        yield made


async def refusal(house: DeskHouse, token: str = "", **options: Any) -> tuple[int, dict[str, Any]]:
    """The status and the problem document with which a handshake is refused."""
    with pytest.raises(InvalidStatus) as raised:
        async with house.connect(token, **options):
            pass
    response = raised.value.response
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, json.loads(response.body)


# Signing in


async def test_an_operator_signs_in_by_header_and_is_told_what_is_open(house: DeskHouse) -> None:
    token = await house.token("harbor desk", Role.OPERATOR, ["harbor", "kday"])
    async with house.connect(token) as client:
        assert await hear(client) == {
            "type": "welcome",
            "protocol": 1,
            "server_time_ms": house.clock.now_ms(),
            "heartbeat_s": 25.0,
            "name": "harbor desk",
            "role": "operator",
            "stations": ["harbor", "kday"],
        }
        assert client.response is not None
        assert client.response.headers["Server"] == "Next Up"
        assert "Sec-WebSocket-Extensions" not in client.response.headers


async def test_a_browser_signs_in_by_its_first_frame(house: DeskHouse) -> None:
    token = await house.token("harbor desk")
    own = f"http://127.0.0.1:{house.port}"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(house.url.replace("ws", "http", 1), origin=own, heartbeat=5) as client,
    ):
        await client.send_json({"type": "sign_in", "token": token})
        assert (await client.receive_json(timeout=5))["type"] == "welcome"
        await client.send_json({"type": "watch", "stations": ["wxyz"]})
        heard = await client.receive_json(timeout=5)
        assert (heard["type"], heard["station"], heard["seq"]) == ("desk", "wxyz", 1)
        await client.send_json({"type": "ping", "id": 3})
        assert (await client.receive_json(timeout=5))["id"] == 3
        await client.close()
    await house.until(lambda: len(house.sockets) == 0)


@pytest.mark.parametrize("token", ["nu_00000000_" + "A" * 43, "secret", "nu_"])
async def test_a_wrong_token_in_the_header_is_401(house: DeskHouse, token: str) -> None:
    status, told = await refusal(house, token)
    assert (status, told["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "first",
    [
        say(type="sign_in", token="nu_00000000_" + "A" * 43),
        say(type="sign_in", token="x" * 300),
        say(type="sign_in"),
        say(type="watch", stations=["harbor"]),
        "not json",
        "[]",
    ],
)
async def test_without_a_known_token_first_the_connection_is_closed_for_good(
    house: DeskHouse, first: str
) -> None:
    async with house.connect() as client:
        await client.send(first)
        code = await close_code(client)
    assert code == DeskCloseCode.NOT_SIGNED_IN
    assert not may_come_back(code)


async def test_nobody_signs_in_in_time(tmp_path: Path) -> None:
    async with open_desks(tmp_path, limits=SHORT) as house, house.connect() as client:
        assert await close_code(client) == DeskCloseCode.SIGN_IN_LATE


async def test_a_token_in_the_address_is_refused(house: DeskHouse) -> None:
    token = await house.token("harbor desk")
    status, told = await refusal(house, token, query=f"?token={token}")
    assert (status, told["code"]) == (400, "invalid_request")
    assert token not in told["detail"]


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://127.0.0.1:1", "null", "nonsense"])
async def test_pages_of_other_sites_are_refused(house: DeskHouse, origin: str) -> None:
    status, told = await refusal(house, await house.token("harbor desk"), origin=origin)
    assert (status, told["code"]) == (403, "forbidden")


async def test_the_public_address_is_an_origin_of_its_own(tmp_path: Path) -> None:
    async with open_desks(tmp_path, public_url="https://radio.example/") as house:
        token = await house.token("harbor desk")
        async with house.connect(token, origin="https://radio.example") as client:
            assert (await hear(client))["type"] == "welcome"
        assert (await refusal(house, token, origin="https://radio.example.evil"))[0] == 403


@pytest.mark.parametrize(
    ("origins", "host", "is_own"),
    [
        ([], "radio.example", True),
        (["http://radio.example"], "radio.example", True),
        (["http://Radio.Example:80"], "radio.example", True),
        (["https://radio.example"], "radio.example", True),
        (["https://radio.example"], "radio.example:80", False),
        (["http://radio.example:8000"], "radio.example", False),
        (["http://[::1]:8000"], "[::1]:8000", True),
        (["http://radio.example", "http://radio.example"], "radio.example", False),
        (["http://radio.example"], "", False),
        (["http://user@elsewhere.example"], "radio.example", False),
        (["http://radio.example:99999"], "radio.example", False),
        (["file://radio.example"], "radio.example", False),
        ([""], "", False),
    ],
)
def test_an_origin_is_own_by_host_and_port(origins: list[str], host: str, is_own: bool) -> None:
    assert is_own_origin(origins, host, "") is is_own


async def test_a_connection_that_was_kept_alive_becomes_a_desk(house: DeskHouse) -> None:
    token = await house.token("harbor desk")
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    await reader.readexactly(size)
    writer.write(
        b"GET /api/console/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    assert b'"welcome"' in await reader.readuntil(b"}")
    writer.transport.abort()
    await house.until(lambda: len(house.sockets) == 0)


async def test_a_request_that_is_no_upgrade_is_told_so(house: DeskHouse) -> None:
    url, token = house.url.replace("ws", "http", 1), await house.token("harbor desk")
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        async with session.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
            assert answer.status == 426


# Rights


async def test_stations_that_there_are_not_or_that_are_not_open_are_refused(house: DeskHouse) -> None:
    token = await house.token("harbor desk", Role.TRAFFIC, ["harbor"])
    async with house.connect(token) as client:
        await hear(client)
        await client.send(say(type="watch", id=1, stations=["harbro"]))
        unknown = await hear(client)
        assert (unknown["type"], unknown["id"], unknown["code"]) == ("error", 1, "unknown_station")
        assert "Did you mean `harbor`?" in unknown["message"]
        await client.send(say(type="watch", id=2, stations=["harbor", "wxyz"]))
        forbidden = await hear(client)
        assert (forbidden["type"], forbidden["id"], forbidden["code"]) == ("error", 2, "forbidden")
        assert house.feed.stations == frozenset()


async def test_a_token_that_is_revoked_ends_the_connection_within_a_minute(house: DeskHouse) -> None:
    async with house.desk("harbor") as client:
        await house.pass_time(21)
        await house.store.write(operators.remove, "night desk")
        await house.pass_time(21)
        code = await close_code(client)
    assert code == DeskCloseCode.NOT_SIGNED_IN
    assert not may_come_back(code)
    await house.until(lambda: not house.feed.stations)


async def test_other_rights_end_the_connection_and_it_may_come_back(house: DeskHouse) -> None:
    def narrow(conn: Any) -> None:
        conn.exec_driver_sql("""UPDATE operators SET stations = '["kday"]'""")

    async with house.desk("harbor") as client:
        await house.store.write(narrow)
        await house.pass_time(21)
        code = await close_code(client)
    assert code == DeskCloseCode.RIGHTS_CHANGED
    assert may_come_back(code)


# What a desk is told


async def test_a_snapshot_comes_first_and_then_every_change_as_a_patch(house: DeskHouse) -> None:
    async with house.connect(await house.token("harbor desk")) as client:
        await hear(client)
        await client.send(say(type="watch", id=5, stations=["harbor"]))
        first = await hear(client)
        assert (first["type"], first["id"], first["seq"]) == ("desk", 5, 1)
        assert first["state"]["on_air"]["id"] == "row-1"
        assert first["state"]["next"][0]["anchor"] == "hard"
        house.states["harbor"] = desk_state(
            mounts={"live.mp3": MountState(format="mp3", bitrate_kbps=128, listeners=4)}
        )
        house.feed.touch("harbor")
        assert await hear(client) == {
            "type": "desk_update",
            "station": "harbor",
            "seq": 2,
            "at_ms": house.clock.now_ms(),
            "changed": ["mounts"],
            "patch": {"mounts": {"live.mp3": {"listeners": 4}}},
        }
    assert house.prepared == ["harbor"]


async def test_levels_ended_rows_and_revisions_are_told(house: DeskHouse) -> None:
    async with house.desk("harbor") as client:
        house.feed.pulse("harbor", pulse())
        assert await hear(client) == {
            "type": "levels",
            "station": "harbor",
            "at_ms": pulse().at_ms,
            "rms_db": -20.0,
            "true_peak_db": -3.2,
            "momentary_lufs": -18.0,
            "silent_ms": 0,
            "lead_s": 5.08,
        }
        house.feed.ended(ended())
        told = await hear(client)
        assert (told["type"], told["row"]["id"], told["outcome"]) == ("as_run", "row-1", "skipped")
        assert (told["cause"], told["played_ms"]) == ("skipped by the night desk", 59_000)
        house.feed.revised("harbor", revision())
        told = await hear(client)
        assert (told["type"], told["number"], told["operator"]) == ("revision", 7, "night desk")
        assert told["why"] == "a late programme"


async def test_what_nobody_tells_is_seen_within_a_second_or_two(house: DeskHouse) -> None:
    async with house.desk("harbor") as client:
        house.states["harbor"] = desk_state(lead_s=4.5)
        await house.pass_time(1)
        assert (await hear(client))["patch"] == {"lead_s": 4.5}


async def test_another_watch_takes_the_place_of_the_last(house: DeskHouse) -> None:
    async with house.desk("harbor", "kday") as client:
        await client.send(say(type="watch", id=2, stations=["kday"], levels=False))
        assert (await hear(client))["station"] == "kday"
        assert house.feed.stations == {"kday"}
        house.feed.pulse("kday", pulse())
        house.feed.ended(ended(station="harbor"))
        house.feed.ended(ended(station="kday"))
        assert (await hear(client))["type"] == "as_run"
        await client.send(say(type="watch", stations=[]))
        await house.until(lambda: not house.feed.stations)


async def test_nothing_is_done_for_desks_that_watch_nothing(house: DeskHouse) -> None:
    async with house.desk():
        looks, members = house.looks, len(house.heartbeat)
        house.feed.touch("harbor")
        house.feed.pulse("harbor", pulse())
        await house.pass_time(3)
        assert (house.looks, looks, members) == (0, 0, 0)
    async with house.desk("harbor", name="day desk"):
        assert len(house.heartbeat) == 1
    await house.until(lambda: len(house.heartbeat) == 0)


# Bad clients


async def test_a_binary_frame_ends_the_connection(house: DeskHouse) -> None:
    async with house.desk() as client:
        await client.send(b"\x00")
        assert await close_code(client) == 1003


async def test_a_frame_of_a_megabyte_ends_the_connection(house: DeskHouse) -> None:
    async with house.desk() as client:
        with suppress(ConnectionClosed):
            await client.send("x" * 1_000_000)
        await client.wait_closed()
        assert client.close_code == 1009


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "invalid_json"),
        ("[1]", "unknown_type"),
        (say(type="subscribe", id=4), "unknown_type"),
        (say(type="watch", id=4), "invalid_request"),
        (say(type="watch", id=4, stations=["x" * 65]), "invalid_request"),
        (say(type="watch", id=4, stations=["a"] * 201), "invalid_request"),
        (say(type="sign_in", token="again"), "invalid_request"),
        ("[" * 5_000, "invalid_json"),
    ],
)
async def test_a_bad_request_is_told_and_the_desk_goes_on(house: DeskHouse, text: str, code: str) -> None:
    async with house.desk() as client:
        await client.send(text)
        told = await hear(client)
        assert (told["type"], told["code"]) == ("error", code)
        await client.send(say(type="ping", id=9))
        assert (await hear(client))["id"] == 9


async def test_too_many_bad_requests_end_the_connection(house: DeskHouse) -> None:
    async with house.desk() as client:
        for _ in range(10):
            await client.send("{")
        assert await close_code(client) == DeskCloseCode.BAD_REQUESTS


async def test_too_many_requests_end_the_connection(house: DeskHouse) -> None:
    async with house.desk() as client:
        for _ in range(62):
            await client.send(say(type="ping"))
        assert await close_code(client) == DeskCloseCode.TOO_FAST


async def test_bad_utf_8_ends_the_connection(house: DeskHouse) -> None:
    async with house.desk() as client:
        await client.send(b"\xff\xfe", text=True)
        assert await close_code(client) == 1007


async def test_a_desk_that_is_gone_is_noticed_by_its_silence(tmp_path: Path) -> None:
    limits = DeskLimits(ping_s=0.1, close_s=0.1)
    async with open_desks(tmp_path, limits=limits) as house:
        token = await house.token("harbor desk")
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(
            b"GET /api/console/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
        )
        await reader.readuntil(b"welcome")
        assert len(house.sockets) == 1
        await house.until(lambda: len(house.sockets) == 0)
        writer.transport.abort()


async def test_a_slow_reader_gets_the_newest_state_and_no_backlog(tmp_path: Path) -> None:
    limits = DeskLimits(kernel_buffer_bytes=4_096, write_buffer_bytes=4_096)
    async with (
        open_desks(tmp_path, limits=limits) as house,
        house.slow_desk() as client,
    ):
        for number in range(2, 1_200):
            house.states["harbor"] = desk_state(number, stream_row="x" * 2_000 + str(number))
            house.feed.touch("harbor")
            house.feed.pulse("harbor", pulse())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        (talk,) = house.sockets
        assert talk.waiting <= 20
        client.transport.resume_reading()
        seq, state, snapshots = 1, {}, 0
        while state.get("stream_row", "")[-4:] != "1199":
            heard = await hear(client)
            if heard["type"] == "desk":
                seq, state, snapshots = heard["seq"], heard["state"], snapshots + 1
            elif heard["type"] == "desk_update":
                assert heard["seq"] == seq + 1
                seq, state = heard["seq"], state | heard["patch"]
        assert state["on_air"]["id"] == "row-1199"
        assert snapshots >= 1
        assert seq == 1_199


@pytest.mark.parametrize("reads_again", [True, False])
async def test_a_desk_that_takes_nothing_is_closed(tmp_path: Path, reads_again: bool) -> None:
    limits = DeskLimits(
        kernel_buffer_bytes=4_096,
        write_buffer_bytes=4_096,
        patience_s=0.3,
        close_s=5.0 if reads_again else 0.2,
    )
    async with open_desks(tmp_path, limits=limits) as house, house.slow_desk() as client:
        (talk,) = house.sockets
        number = 1
        while talk.connection.state is State.OPEN:
            number += 1
            house.states["harbor"] = desk_state(number, stream_row="x" * 100_000 + str(number))
            house.feed.touch("harbor")
            await asyncio.sleep(0.005)
            assert number < 2_000
        if reads_again:
            client.transport.resume_reading()
            code = await close_code(client)
            assert code == DeskCloseCode.TOO_SLOW
            assert may_come_back(code)
        await house.until(lambda: len(house.sockets) == 0)


async def test_clients_that_come_and_go_at_any_moment_leave_nothing_behind(house: DeskHouse) -> None:
    token = (await house.token("harbor desk")).encode()
    said = (
        b"GET /api/console/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Authorization: Bearer " + token + b"\r\n\r\n"
    )
    for number in range(120):
        _, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(said if number % 2 else said.replace(b"nu_", b"no_"))
        for _ in range(number % 12):
            await asyncio.sleep(0)
        await asyncio.sleep(number % 5 / 1000)
        writer.transport.abort()
    await house.until(lambda: not house.sockets.waiting and not len(house.sockets))


# How many, and the end


async def test_there_are_so_many_desks_and_no_more(tmp_path: Path) -> None:
    async with open_desks(tmp_path) as house, AsyncExitStack() as stack:
        token = await house.token("harbor desk")
        first = await stack.enter_async_context(house.connect())
        for _ in range(50):
            client = await stack.enter_async_context(house.connect(token))
            assert (await hear(client))["type"] == "welcome"
        assert len(house.sockets) == 50
        status, told = await refusal(house, token)
        assert (status, told["code"]) == (503, "limit_reached")
        await first.send(say(type="sign_in", token=token))
        code = await close_code(first)
        assert code == DeskCloseCode.FULL
        assert may_come_back(code)
        await client.close()
        await house.until(lambda: len(house.sockets) == 49)
        async with house.connect(token) as another:
            assert (await hear(another))["type"] == "welcome"


async def test_those_who_do_not_sign_in_keep_nobody_out(tmp_path: Path) -> None:
    limits = DeskLimits(waiting=3)
    async with open_desks(tmp_path, limits=limits) as house, AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(house.connect()) for _ in range(3)]
        async with house.desk("harbor"):
            await asyncio.wait_for(idle[0].wait_closed(), 5)
            assert [client.close_code for client in idle] == [1006, None, None]


async def test_a_service_that_stops_says_come_back(tmp_path: Path) -> None:
    async with open_desks(tmp_path) as house:
        signed_in = await house.connect(await house.token("harbor desk"))
        await hear(signed_in)
        await signed_in.send(say(type="watch", stations=["harbor"]))
        await hear(signed_in)
        waiting = await house.connect()
    for client in (signed_in, waiting):
        code = await close_code(client)
        assert code == DeskCloseCode.SERVER_RESTARTS
        assert may_come_back(code)


async def test_a_service_that_stops_does_not_wait_for_a_desk_that_reads_nothing(tmp_path: Path) -> None:
    limits = DeskLimits(kernel_buffer_bytes=4_096, write_buffer_bytes=4_096, close_s=0.3)
    async with AsyncExitStack() as stack:
        async with open_desks(tmp_path, limits=limits) as house:
            await stack.enter_async_context(house.slow_desk())
            for number in range(2, 200):
                house.states["harbor"] = desk_state(number, stream_row="x" * 100_000 + str(number))
                house.feed.touch("harbor")
                await asyncio.sleep(0)
            began_s = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began_s < 3
