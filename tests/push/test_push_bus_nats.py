"""The bus over NATS where the server goes away, comes back, or does not let us in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bus_house import Inbox
from nats_server import NatsServer, free_port

from radio.errors import ConfigurationError
from radio.push import nats_link, nats_login
from radio.push.bus import Link
from radio.push.nats_bus import NatsBus
from radio.push.nats_login import Login, read_login

USER = ("--user", "station", "--pass", "s3cret-word")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path)
    yield server
    server.stop()


async def until(holds: Callable[[], bool], within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def test_a_server_that_is_away_stops_nobody_and_is_found_when_it_comes(server: NatsServer) -> None:
    told: list[Link] = []
    inbox = Inbox()
    async with NatsBus([server.url], on_link=told.append) as bus:
        assert not bus.link.connected
        assert f"127.0.0.1:{server.port}" in bus.link.reason
        bus.subscribe("news", inbox)
        bus.publish("news", b"while it was away")
        server.start()
        await until(lambda: bool(inbox.messages))
        assert bus.link == Link(connected=True, server=f"127.0.0.1:{server.port}")
    assert inbox.payloads == [b"while it was away"]
    assert [link.connected for link in told] == [False, True]


async def test_what_waits_for_a_server_is_bounded_newest_kept_and_losses_counted(server: NatsServer) -> None:
    inbox = Inbox()
    async with NatsBus([server.url], outbox_messages=10) as bus:
        bus.subscribe("news", inbox)
        for number in range(25):
            bus.publish("news", b"%d" % number)
        assert bus.lost == 15
        server.start()
        await until(lambda: len(inbox.messages) == 10)
        assert inbox.payloads == [b"%d" % number for number in range(15, 25)]


async def test_what_waits_is_bounded_in_bytes_too(server: NatsServer) -> None:
    async with NatsBus([server.url], outbox_bytes=10_000) as bus:
        for _ in range(25):
            bus.publish("news", bytes(996))
        assert bus.lost == 15


async def test_subscriptions_live_again_after_the_server_was_killed(server: NatsServer) -> None:
    server.start()
    inbox, gone, late = Inbox(), Inbox(), Inbox()
    async with NatsBus([server.url]) as receiver, NatsBus([server.url]) as sender:
        receiver.subscribe("news", inbox)
        closed = receiver.subscribe("news", gone)
        assert await receiver.flush()
        sender.publish("news", b"before")
        await until(lambda: bool(inbox.messages))
        server.kill()
        await until(lambda: not receiver.link.connected and not sender.link.connected)
        receiver.subscribe("news", late)
        closed.close()
        server.start()
        await until(lambda: receiver.link.connected and sender.link.connected)
        assert await receiver.flush()
        sender.publish("news", b"after")
        await until(lambda: bool(late.messages))
        assert (inbox.payloads, late.payloads) == ([b"before", b"after"], [b"after"])
        assert gone.payloads == [b"before"]
        assert (receiver.connections, receiver.lost) == (2, 0)


async def test_publishing_and_leaving_wait_for_no_frozen_server(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_link, "PING_S", 0.2)
    server.start()
    async with NatsBus([server.url], outbox_messages=50) as bus:
        server.freeze()
        began = time.perf_counter()
        for _ in range(100):
            bus.publish("news", bytes(1 << 20))
            await asyncio.sleep(0)
        assert time.perf_counter() - began < 2
        assert bus.lost > 0
        await until(lambda: not bus.link.connected)
        began = time.perf_counter()
    assert time.perf_counter() - began < 4
    server.thaw()


async def test_the_second_server_is_taken_where_the_first_is_away(server: NatsServer) -> None:
    server.start()
    async with NatsBus([f"nats://127.0.0.1:{free_port()}", server.url]) as bus:
        assert bus.link.server == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    "login", [Login(), Login(user="station", password="another"), Login(token="another")]
)
async def test_a_login_that_is_refused_is_told_at_the_start(tmp_path: Path, login: Login) -> None:
    server = NatsServer(tmp_path, *USER)
    server.start()
    try:
        with pytest.raises(
            ConfigurationError, match=f"127.0.0.1:{server.port} refuses the service's login"
        ) as refused:
            async with NatsBus([server.url], login=login):
                raise AssertionError("it was let in")
        assert refused.value.key == "bus.credentials"
        assert "another" not in str(refused.value)
        async with NatsBus([server.url], login=Login(user="station", password="s3cret-word")) as bus:
            assert bus.link.connected
    finally:
        server.stop()


async def test_a_login_that_is_refused_later_is_tried_again(tmp_path: Path) -> None:
    server = NatsServer(tmp_path)
    server.start()
    async with NatsBus([server.url]) as bus:
        server.kill()
        closed = NatsServer(tmp_path, *USER, port=server.port)
        closed.start()
        await until(lambda: "refuses" in bus.link.reason)
        closed.kill()
        server.start()
        await until(lambda: bus.link.connected)
    server.stop()


async def test_another_service_at_the_address_is_no_server(tmp_path: Path) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-elsewhere\r\n")
        await reader.read(1)
        writer.close()

    other = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    async with NatsBus([f"nats://127.0.0.1:{port}"]) as bus:
        assert not bus.link.connected
        assert "INFO" in bus.link.reason
        bus.publish("news", b"1")
    other.close()
    await other.wait_closed()


async def test_a_server_with_a_lower_limit_refuses_one_message_and_takes_the_next(tmp_path: Path) -> None:
    settings = tmp_path / "small.conf"
    settings.write_text("max_payload: 1000\n")
    server = NatsServer(tmp_path, "--config", str(settings))
    server.start()
    inbox = Inbox()
    try:
        async with NatsBus([server.url]) as bus:
            bus.subscribe("news", inbox)
            bus.publish("news", bytes(1001))
            bus.publish("news", b"short")
            assert await bus.flush()
            await until(lambda: bool(inbox.messages))
            assert (inbox.payloads, bus.lost, bus.connections) == ([b"short"], 1, 1)
    finally:
        server.stop()


async def test_who_is_told_of_the_link_may_fail(server: NatsServer) -> None:
    def broken(link: Link) -> None:
        raise RuntimeError("broken")

    server.start()
    async with NatsBus([server.url], on_link=broken) as bus:
        assert await bus.flush()


def test_a_login_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "nats.toml"
    file.write_text('user = "station"\npassword = "p"\n')
    assert read_login(file) == Login(user="station", password="p")
    file.write_text('token = "t"\n')
    assert read_login(file) == Login(token="t")
    assert "t" not in repr(read_login(file)).replace("Login", "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "does not say who the service is"),
        (b'user = "station"\n', "does not say who the service is"),
        (b'user = "a"\npassword = "b"\ntoken = "hidden"\n', "does not say who the service is"),
        (b"token = 12345678\n", "does not say who the service is"),
        (b'token = ""\n', "does not say who the service is"),
        (b"hidden-token\n", "is neither TOML nor a .creds file"),
        (b"\xff\xfehidden", "is no text"),
        (b"#" * 70_000, "is longer than"),
    ],
)
def test_a_login_that_cannot_be_read_names_the_file_and_no_secret(
    tmp_path: Path, text: bytes, problem: str
) -> None:
    file = tmp_path / "nats.toml"
    file.write_bytes(text)
    with pytest.raises(ConfigurationError, match=problem) as fault:
        read_login(file)
    assert (fault.value.file, fault.value.key) == (str(file), "bus.credentials")
    assert "hidden" not in str(fault.value)
    assert "1234" not in str(fault.value)


def test_a_login_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_login(tmp_path / "none.toml")


def test_a_creds_file_needs_a_package_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "station.creds"
    file.write_text("-----BEGIN NATS USER JWT-----\nhidden\n------END NATS USER JWT------\n")
    monkeypatch.setattr(nats_login, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="needs the Python package nkeys") as fault:
        read_login(file)
    assert "hidden" not in str(fault.value)
    monkeypatch.setattr(nats_login, "find_spec", lambda name: object())
    assert read_login(file) == Login(creds=str(file))
