"""Who listened, as the whole service writes it down."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from whole_service import Radio, configuration, fetch, load, schedule, tone, until

from radio.app import on_air
from radio.store import Store
from radio.store.listener_sessions import ListenerSession, between


def station_in(folder: Path) -> Path:
    """A station of short pieces now and long ones for the rest of the day; its configuration."""
    tone(folder / "wxyz/music/Tide.wav", 440)
    tone(folder / "wxyz/features/rest.wav", 300, seconds=120, rate_hz=8_000)
    path = configuration(folder, "wxyz")
    (folder / "schedules/wxyz.toml").write_text(schedule())
    return path


@pytest.mark.parametrize("days", [0, 30])
async def test_listeners_are_noted_at_the_latest_when_the_service_stops(tmp_path: Path, days: int) -> None:
    path = station_in(tmp_path)
    path.write_text(f"[server]\nkeep_addresses_days = {days}\n{path.read_text()}")
    config = load(path)
    async with on_air(config) as service:
        radio = await Radio.tune_in(service.port, "/listen/wxyz/live.mp3")
        heard = await radio.listen(until_bytes=30_000)
        await until(lambda: service.mounts.listeners("wxyz") == 1)
        assert len(service.mounts.parking) == 1
    radio.switch_off()
    (session,) = await sessions_in(config.database_url)
    assert (session.station, session.mount, session.agent) == ("wxyz", "live.mp3", "other")
    assert session.bytes_sent >= len(heard.audio)
    assert session.ended_at_ms > session.started_at_ms
    assert session.address == ("127.0.0.1" if days else None)


async def sessions_in(database: str) -> list[ListenerSession]:
    async with Store.open(database) as store:
        return await store.read(between, "wxyz", 0, 1 << 60)


async def test_a_stream_on_a_connection_that_was_kept_alive_is_parked_too(tmp_path: Path) -> None:
    async with on_air(load(station_in(tmp_path))) as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        for path in ("/healthz", "/healthz", "/listen/wxyz/live.mp3"):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            if b"Content-Length" in head:
                await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r")[0]))
        assert (await reader.readexactly(40_000))[:1] == b"\xff"
        assert (service.mounts.listeners("wxyz"), len(service.mounts.parking)) == (1, 1)
        writer.close()
        await until(lambda: service.mounts.occupied == 0)


async def test_subscribers_are_counted_by_the_protocol_that_they_speak(tmp_path: Path) -> None:
    asked = "cf_connect=%7B%22subs%22:%7B%22station:wxyz%22:%7B%7D%7D%7D"
    async with on_air(load(station_in(tmp_path))) as service:

        async def told(line: str) -> bool:
            return line.encode() in (await fetch(service.port, "/metrics"))[1].splitlines()

        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(f"GET /api/live/nowplaying/sse?{asked} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        assert await told('nextup_subscribers{dialect="azuracast"} 1.0')
        writer.close()
        async with asyncio.timeout(10):
            while not await told('nextup_subscribers{dialect="azuracast"} 0.0'):  # noqa: ASYNC110 - it is asked
                await asyncio.sleep(0.05)
