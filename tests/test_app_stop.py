"""What the whole service leaves behind when it stops, fails to start, and starts again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from whole_service import (
    Radio,
    Station,
    at_rest,
    children,
    configuration,
    load,
    own_threads,
    schedule,
    tone,
    until,
)  # fmt: skip

from radio.app import on_air
from radio.clock import SystemClock
from radio.config import load_config
from radio.errors import AddressInUse
from radio.log import Outcome
from radio.store import as_run


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A configuration of one station with two sounds."""
    tone(tmp_path / "wxyz/music/tide.wav", 440, title="Tide")
    tone(tmp_path / "wxyz/music/rope.wav", 880, title="Rope")
    tone(tmp_path / "wxyz/features/rest.wav", 300, seconds=120, rate_hz=8_000)
    config = configuration(tmp_path, "wxyz")
    (tmp_path / "schedules/wxyz.toml").write_text(schedule())
    return config


async def test_a_stop_closes_everything_and_a_restart_goes_on_with_the_same_log(small: Path) -> None:
    threads, tasks, processes = own_threads(), asyncio.all_tasks(), children()
    async with on_air(load(small)) as service:
        station = Station(service, "wxyz", small.parent)
        await until(lambda: station.status == "on_air" and station.state["now"])
        assert own_threads() - threads
        port = service.port
        radio = await Radio.tune_in(port, "/listen/wxyz/live.mp3")
        assert (await radio.listen(3, until_bytes=1)).status == 200
        listening = asyncio.create_task(radio.listen())
        on_the_air = station.state["now"]["id"]
        planned = [row.id for row in service.planner.log("wxyz").coming(SystemClock().now_ms(), 500)]
    stopped_at_ms = SystemClock().now_ms()
    with suppress(ConnectionError):
        await asyncio.wait_for(listening, 3)
    radio.switch_off()
    await at_rest(threads, tasks)
    assert children() <= processes
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)

    async with on_air(load(small)) as again:
        station = Station(again, "wxyz", small.parent)
        resumed = [row.id for row in again.planner.log("wxyz").coming(0, 1_000)]
        assert set(planned) <= set(resumed)
        await until(lambda: station.status == "on_air" and station.state["now"])
        assert station.state["now"]["id"] in [on_the_air, *planned]
        entries = await again.store.read(as_run.history, "wxyz")
    entry = next(entry for entry in entries if entry.row.id == on_the_air and entry.attempt == 1)
    assert (entry.outcome, entry.cause) == (Outcome.TRUNCATED, "the station stopped")
    assert entry.ended_at_ms is not None
    assert entry.ended_at_ms <= stopped_at_ms
    assert entry.played_ms == entry.ended_at_ms - (entry.started_at_ms or 0)


async def test_a_start_that_fails_leaves_nothing_behind(small: Path) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    threads, tasks, processes = own_threads(), asyncio.all_tasks(), children()
    taken = load_config(small, overrides={("server", "port"): server.sockets[0].getsockname()[1]})
    with pytest.raises(AddressInUse):
        async with on_air(taken):
            raise AssertionError("the port is taken")
    await at_rest(threads, tasks)
    assert children() <= processes
    server.close()


async def test_a_start_that_is_given_up_leaves_nothing_behind(small: Path) -> None:
    """A signal that comes while the library is read for the first time."""
    threads, tasks, processes = own_threads(), asyncio.all_tasks(), children()
    for after_s in (0.0, 0.1, 0.6):
        starting = asyncio.create_task(on_air(load(small)).__aenter__())
        await asyncio.sleep(after_s)
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
            raise AssertionError("it was faster than the signal")
        await at_rest(threads, tasks)
        assert children() <= processes
