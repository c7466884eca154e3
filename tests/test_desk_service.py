"""A studio desk at a running service: what its operator sees while the station plays, is changed, and goes away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from test_takeover import Services
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from whole_service import configuration, fetch, load, schedule, tone

from radio.app import Service, on_air
from radio.app.desk import hold_of
from radio.clock import SystemClock
from radio.log import ItemKind, LogRow
from radio.push.patch import apply
from radio.schedule.laying import EMERGENCY, PUT_IN
from radio.store import Store, operators, sqlite_url
from radio.store.operators import Role
from radio.units import UtcMs


class Desk:
    """An operator's client: the state as it follows from what it was told, and all that it was told."""

    def __init__(self, client: ClientConnection) -> None:
        self.client = client
        self.state: dict[str, Any] = {}
        self.seq = 0
        self.heard: list[dict[str, Any]] = []

    async def follow(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                self._take(json.loads(await self.client.recv()))

    def _take(self, heard: dict[str, Any]) -> None:
        self.heard.append(heard)
        if heard["type"] == "desk":
            self.state, self.seq = heard["state"], heard["seq"]
        elif heard["type"] == "desk_update":
            assert heard["seq"] == self.seq + 1
            self.state, self.seq = apply(self.state, heard["patch"]), heard["seq"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [heard for heard in self.heard if heard["type"] == kind]

    async def until(self, holds: Callable[[], Any], within_s: float = 15.0) -> None:
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.02)


async def desk_at(port: int, token: str, *, levels: bool = True) -> Desk:
    client = await connect(
        f"ws://127.0.0.1:{port}/api/console/ws", additional_headers={"Authorization": f"Bearer {token}"}
    )
    await client.send(json.dumps({"type": "watch", "id": 1, "stations": ["wxyz"], "levels": levels}))
    return Desk(client)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    for number in range(3):
        tone(tmp_path / f"wxyz/music/{number}.wav", 300 + 50 * number, seconds=4, rate_hz=16_000)
    tone(tmp_path / "wxyz/features/rest.wav", 300, seconds=60, rate_hz=8_000)
    config = configuration(tmp_path, "wxyz")
    (tmp_path / "schedules/wxyz.toml").write_text(schedule())
    async with on_air(load(config)) as made:
        yield made


async def test_a_desk_sees_what_happens_on_the_air(service: Service, tmp_path: Path) -> None:
    token = await service.store.write(
        operators.add, "night desk", Role.OPERATOR, None, SystemClock().now_ms()
    )
    desk = await desk_at(service.port, token)
    following = asyncio.create_task(desk.follow())
    await desk.until(lambda: desk.state.get("on_air") and desk.of("levels"))
    await desk.until(lambda: desk.state["lead_s"] > 1.5 and desk.state["schedule"].get("saved"))
    state = desk.state
    assert state["availability"]["status"] == "on_air"
    assert len(state["next"]) == 8
    assert state["next"][0]["starts_at_ms"] == state["on_air"]["ends_at_ms"]
    assert {row["anchor"] for row in state["next"]} <= {"hard", "soft", "float"}
    assert 1.5 < state["lead_s"] < 4.0
    assert state["mounts"]["live.mp3"] == {"format": "mp3", "bitrate_kbps": 128, "listeners": 0}
    assert state["schedule"]["saved"]["operator"] == "file"
    assert -40 < desk.of("levels")[-1]["rms_db"] < -5
    assert -40 < desk.of("levels")[-1]["true_peak_db"] < 0
    # a row that is skipped
    path = "/api/console/stations/wxyz"
    assert (await fetch(service.port, f"{path}/skip", method="POST", token=token))[0] == 200
    await desk.until(lambda: any(told["outcome"] == "skipped" for told in desk.of("as_run")))
    skipped = next(told for told in desk.of("as_run") if told["outcome"] == "skipped")
    assert skipped["cause"] == "skipped by night desk"
    assert skipped["at_ms"] <= SystemClock().now_ms() + 100
    # a hold that comes, and ends
    assert (await fetch(service.port, f"{path}/hold", method="POST", token=token))[0] == 200
    await desk.until(lambda: desk.state.get("hold"), 3)
    assert (desk.state["hold"]["kind"], desk.state["hold"]["reason"]) == ("hold", "held by night desk")
    assert (await fetch(service.port, f"{path}/resume", method="POST", token=token))[0] == 200
    await desk.until(lambda: not desk.state.get("hold"), 3)
    # a listener
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"GET /listen/wxyz/live.mp3 HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    await desk.until(lambda: desk.state["mounts"]["live.mp3"]["listeners"] == 1, 3)
    writer.transport.abort()
    # a schedule that is changed in its file, rightly and then wrongly
    file = tmp_path / "schedules/wxyz.toml"
    good = schedule().replace('"Short Pieces"', '"Shorter Pieces"')
    file.write_text(good)
    await desk.until(lambda: any(told["number"] == 2 for told in desk.of("revision")))
    told = desk.of("revision")[-1]
    assert (told["operator"], told["action"]) == ("file", "file")
    await desk.until(lambda: desk.state["schedule"]["saved"]["number"] == 2)
    await desk.until(lambda: desk.state["schedule"]["version"] == told["version"])
    file.write_text("default_clock = 5")
    await desk.until(lambda: desk.state["schedule"].get("problem"))
    assert "default_clock" in desk.state["schedule"]["problem"]
    file.write_text(good)
    await desk.until(lambda: not desk.state["schedule"].get("problem"))
    await desk.client.close()
    await following


def a_row(number: int, *, item: str | None = "item", reason: str = "rotation", kind: str = "row") -> LogRow:
    return LogRow(
        id=f"{number}-{kind}",
        station="wxyz",
        starts_at_ms=UtcMs(number * 1_000),
        ends_at_ms=UtcMs((number + 1) * 1_000),
        kind=ItemKind.FILL,
        title="",
        reason=reason,
        item=item,
    )


def test_a_hold_is_shown_on_the_air_and_before_it_comes_and_an_emergency_before_all() -> None:
    rows = [a_row(number) for number in range(3)]
    hold = a_row(1, item=None, kind="hold", reason="held by night desk")
    put_in = a_row(1, reason=f"{PUT_IN}night desk")
    assert hold_of([]) is None
    assert hold_of(rows) is None
    on_air, coming = hold_of([hold, rows[2]]), hold_of([rows[0], put_in, hold])
    assert on_air is not None
    assert (on_air.kind, on_air.is_on_air, on_air.row) == ("hold", True, "1-hold")
    assert coming is not None
    assert (coming.is_on_air, coming.reason) == (False, "held by night desk")
    assert hold_of([rows[0], rows[1], hold]) is None
    emergency = hold_of([a_row(0, reason=f"{EMERGENCY} by night desk"), hold])
    assert emergency is not None
    assert (emergency.kind, emergency.is_on_air) == ("emergency", True)


async def test_a_desk_is_told_to_come_back_when_another_process_goes_on(tmp_path: Path) -> None:
    services = Services(tmp_path)
    try:
        old = await asyncio.to_thread(services.on_air)
        async with Store.open(sqlite_url(tmp_path / "data/nextup.db")) as store:
            token = await store.write(
                operators.add, "night desk", Role.VIEWER, ["wxyz"], SystemClock().now_ms()
            )
        desk = await desk_at(services.port, token, levels=False)
        following = asyncio.create_task(desk.follow())
        await desk.until(lambda: desk.state.get("on_air") and desk.state["schedule"].get("saved"))
        await desk.until(lambda: desk.state["availability"]["status"] == "on_air")
        before = desk.state
        new = services.start("--takeover")
        await asyncio.to_thread(services.said, new, "Listen at")
        assert await asyncio.to_thread(old.wait, 10) == 0
        await asyncio.wait_for(following, 5)
        assert desk.client.close_code == 4001
        again = await desk_at(services.port, token, levels=False)
        following = asyncio.create_task(again.follow())
        await again.until(lambda: again.state.get("on_air"))
        assert again.state["availability"]["since_ms"] == before["availability"]["since_ms"]
        assert again.state["schedule"]["saved"] == before["schedule"]["saved"]
        await again.client.close()
        await following
    finally:
        services.end()
