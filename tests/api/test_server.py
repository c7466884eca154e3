from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from api_house import House, ask_raw, open_house

from radio.api.server import http_application, serving
from radio.errors import AddressInUse


def application(routes: Any = ()) -> web.Application:
    @web.middleware
    async def open_door(request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)
        return response

    return http_application(routes, open_door)


def listening(host: str = "127.0.0.1", port: int = 0, routes: Any = ()) -> Any:
    return serving(
        application(routes), streams=asyncio.Protocol, sockets=asyncio.Protocol, host=host, port=port
    )


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def test_port_0_takes_a_free_port_and_gives_it() -> None:
    async with listening(routes=[web.get("/hello", hello)]) as (port, *_):
        assert 0 < port < 65_536
        answer = await ask_raw(port, b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (answer.status, answer.body) == (200, b"hello")


async def test_a_port_that_is_taken_is_an_error_with_advice() -> None:
    async with listening() as (port, *_):
        with pytest.raises(AddressInUse) as caught:
            async with listening(port=port):
                raise AssertionError("two cannot listen at one port")
    text = caught.value.message
    assert f"127.0.0.1:{port}" in text
    assert "radio run --port 8001" in text
    async with listening(port=port) as (again, *_):
        assert again == port


@pytest.mark.parametrize("host", ["203.0.113.77", "no-such-host.invalid"])
async def test_an_address_that_is_not_ours_is_an_error_that_names_it(host: str) -> None:
    with pytest.raises(AddressInUse) as caught:
        async with listening(host=host):
            raise AssertionError("nobody can listen there")
    assert host in caught.value.message


async def test_when_it_closes_the_port_is_free_and_connections_end() -> None:
    async with listening(routes=[web.get("/hello", hello)]) as (port, *_):
        idle = await asyncio.open_connection("127.0.0.1", port)
        kept = await asyncio.open_connection("127.0.0.1", port)
        kept[1].write(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        await kept[0].readuntil(b"hello")
    for reader, writer in (idle, kept):
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
    with pytest.raises(OSError, match="refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    assert len(asyncio.all_tasks()) == 1


async def test_two_requests_go_over_one_connection() -> None:
    async with listening(routes=[web.get("/hello", hello)]) as (port, *_):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"200 OK" in await reader.readuntil(b"hello")
        writer.close()
        await writer.wait_closed()


async def test_every_answer_is_of_no_other_type_than_it_says(tmp_path: Path) -> None:
    def routes(_: House) -> list[web.RouteDef]:
        return [web.get("/hello", hello)]

    async with open_house(tmp_path, routes) as house:
        for target in ("/hello", "/nowhere"):
            answer = await house.ask(target)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
        preflight = await house.ask("/hello", "Origin: https://elsewhere.example", method="OPTIONS")
        assert (preflight.status, preflight.code) == (405, "method_not_allowed")
        assert "access-control-allow-origin" not in preflight.headers


NO_HTTP = [
    b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n",
    b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /hello HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
    b"GET /hello HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    b"GET /hello HTTP/9.9\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
]


@pytest.mark.parametrize("request_bytes", NO_HTTP)
async def test_what_is_no_http_is_turned_down_without_a_line_in_the_log_and_the_next_one_served(
    request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(routes=[web.get("/hello", hello)]) as (port, *_):
        answer = await ask_raw(port, request_bytes)
        assert answer.status in (400, 405, 505)
        assert b"Traceback" not in answer.body
        fine = await ask_raw(port, b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert fine.status == 200
    assert caplog.records == []
