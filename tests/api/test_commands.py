"""Commands to a station on the air, in a whole service and in real time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from api_house import Answer, ask_raw
from whole_service import Radio, Station, configuration, load, pitch, tone, until

from radio.api.commands import OnAirDesk, command_routes
from radio.app import Service, on_air
from radio.clock import SystemClock
from radio.errors import LimitReached, UnknownItem
from radio.log import first_fault
from radio.playout import Engine
from radio.playout import commands as playout_commands
from radio.store import log_rows, operators
from radio.store.operators import Role
from radio.units import UtcMs

pytestmark = pytest.mark.asyncio(loop_scope="module")

HERTZ = {"Tide": 300.0, "Rope": 450.0, "Foam": 700.0, "Gull": 1_000.0, "Reef": 1_400.0}
LEAD_MS = 2_000
DAY_MS = 23 * 3_600_000


class Desk:
    """An operator at the running service."""

    def __init__(self, service: Service, folder: Path, token: str) -> None:
        self.service = service
        self.station = Station(service, "wxyz", folder)
        self.token = token

    async def order(
        self, command: str, station: str = "wxyz", *, token: str | None = None, **body: Any
    ) -> Answer:
        data = json.dumps(body).encode() if body else b""
        head = (
            f"POST /api/console/stations/{station}/{command} HTTP/1.1\r\nHost: localhost\r\n"
            f"Connection: close\r\nContent-Length: {len(data)}\r\n"
            f"Authorization: Bearer {token or self.token}\r\n\r\n"
        )
        return await ask_raw(self.service.port, head.encode() + data)

    def item(self, title: str) -> str:
        return next(item.id for item in self.service.library.current if item.title == title)

    def has_all(self) -> bool:
        """Whether the planner knows of every item."""
        try:
            return all(self.service.planner.item_row("wxyz", self.item(title)) for title in HERTZ)
        except (StopIteration, UnknownItem):
            return False

    def now_ms(self) -> int:
        return SystemClock().now_ms()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("commanded")
    for name, hertz in HERTZ.items():
        tone(folder / f"wxyz/music/{name.lower()}.wav", hertz, seconds=150, rate_hz=8_000, title=name)
    config = configuration(folder, "wxyz", "quiet")
    config.write_text(config.read_text().replace('id = "quiet"', 'id = "quiet"\nenabled = false'))
    async with on_air(load(config)) as service:
        token = await service.store.write(
            operators.add, "evening desk", Role.OPERATOR, None, SystemClock().now_ms()
        )
        made = Desk(service, folder, token)
        await until(lambda: made.station.status == "on_air" and made.station.state["now"], 40)
        await until(made.has_all, 40)
        yield made


def hertz_of(row: dict[str, Any]) -> float:
    return HERTZ[row["title"]]


async def test_a_skip_is_heard_after_the_lead_and_shown_at_once(desk: Desk) -> None:
    before = desk.station.state["now"]
    radio = await Radio.tune_in(desk.service.port, "/listen/wxyz/live.mp3")
    listening = asyncio.create_task(radio.listen(4.5))
    await asyncio.sleep(0.3)
    called_ms = desk.now_ms()
    answer = await desk.order("skip", fade_ms=200)
    answered_ms = desk.now_ms()
    assert answer.status == 200
    change = answer.json
    assert (change["station"], change["command"]) == ("wxyz", "skip")
    assert change["on_air"]["title"] != before["title"]
    assert change["on_air"]["starts_at_ms"] == change["at_ms"]
    assert answered_ms - called_ms < 1_000  # some tens of milliseconds, but for a machine that is busy
    assert change["at_ms"] - called_ms < LEAD_MS + 300
    shown = desk.station.state["now"]
    assert (shown["id"], shown["ends_at_ms"]) == (before["id"], change["at_ms"])
    assert desk.station.state["next"][0]["id"] == change["on_air"]["id"]
    assert desk.station.state["next"][0]["starts_at_ms"] == change["at_ms"]
    heard = await listening
    radio.switch_off()
    sound = heard.sound()
    # what is heard last is the new item, and what was heard first the old one
    assert pitch(sound, 200) == pytest.approx(hertz_of(before), abs=5)
    assert pitch(sound, len(sound) / 48 - 300) == pytest.approx(hertz_of(change["on_air"]), abs=5)
    await until(lambda: desk.station.state["now"]["id"] == change["on_air"]["id"])
    history = (await desk.station.get("/history"))["history"]
    skipped = next(entry for entry in history if entry["id"] == before["id"])
    assert skipped["outcome"] == "skipped"


async def test_items_are_put_in_held_back_and_resumed(desk: Desk) -> None:
    await check_next(desk)
    await check_now(desk)
    await check_hold(desk)


async def check_next(desk: Desk) -> None:
    """An item that is put in next stays, and the log behind it is compiled anew and stored."""
    log = desk.service.planner.log("wxyz")
    change = (await desk.order("insert", item=desk.item("Reef"), when="next")).json
    assert change["next"]["title"] == "Reef"
    assert change["next"]["item"] == desk.item("Reef")
    assert change["next"]["starts_at_ms"] == change["on_air"]["ends_at_ms"]

    async def stored() -> list[Any]:
        return await desk.service.store.read(log_rows.load, "wxyz", UtcMs(change["at_ms"]), UtcMs(2**53))

    def planned() -> list[str]:
        return [row.id for row in log.between(change["at_ms"], 2**53)]

    async with asyncio.timeout(40):
        rows = await stored()
        while [row.id for row in rows] != planned() or rows[-1].ends_at_ms < desk.now_ms() + DAY_MS:
            await asyncio.sleep(0.1)
            rows = await stored()
    assert first_fault(rows) is None
    assert rows[1].id == change["next"]["id"]
    assert rows[2].item not in (rows[1].item, rows[0].item)


async def check_now(desk: Desk) -> None:
    change = (await desk.order("insert", item=desk.item("Gull"), when="now")).json
    assert change["on_air"]["title"] == "Gull"
    assert change["on_air"]["starts_at_ms"] == change["at_ms"]
    assert change["next"]["title"] == "Reef"
    assert 0 < change["at_ms"] - desk.now_ms() < LEAD_MS + 300


async def check_hold(desk: Desk) -> None:
    held = (await desk.order("hold")).json
    assert held["on_air"]["title"] == "Gull"
    assert (held["next"]["kind"], held["next"]["item"]) == ("fill", None)
    bed = (await desk.order("skip")).json
    assert bed["on_air"]["id"].endswith("-hold")
    resumed = (await desk.order("resume")).json
    assert resumed["on_air"]["title"] == "Reef"
    again = await desk.order("resume")
    assert (again.status, again.code) == (400, "invalid_request")


async def test_a_skip_of_what_is_no_longer_on_the_air_is_refused(desk: Desk) -> None:
    answer = await desk.order("skip", row="of-old")
    assert (answer.status, answer.code, answer.json["field"]) == (412, "changed_meanwhile", "row")


async def test_wrong_orders_are_told_with_their_place(desk: Desk) -> None:
    for command, body, status, code, field in (
        ("insert", {}, 400, "invalid_request", "item"),
        ("insert", {"item": "nothing"}, 404, "unknown_item", None),
        ("insert", {"item": "x", "when": "later"}, 400, "invalid_request", "when"),
        ("skip", {"fade_ms": 5_001}, 400, "invalid_request", "fade_ms"),
        ("skip", {"fade": 5}, 400, "invalid_request", "body"),
    ):
        answer = await desk.order(command, **body)
        assert (answer.status, answer.code) == (status, code), (command, body)
        assert answer.json.get("field") == field
    unknown = await desk.order("hold", station="nowhere")
    assert (unknown.status, unknown.code) == (404, "unknown_station")
    quiet = await desk.order("skip", station="quiet")
    assert (quiet.status, quiet.code) == (404, "not_found")


async def test_only_an_operator_of_the_station_gives_orders(desk: Desk) -> None:
    store = desk.service.store
    for role, stations in ((Role.VIEWER, None), (Role.TRAFFIC, None), (Role.OPERATOR, ["quiet"])):
        token = await store.write(operators.add, f"{role} {stations}", role, stations, desk.now_ms())
        for command in ("skip", "insert", "hold", "resume"):
            assert (await desk.order(command, token=token)).status == 403
    assert (await desk.order("skip", token="nu_nobody")).status == 401


class Full:
    """A playout that takes no commands."""

    def command(self, work: Callable[[Engine], None]) -> None:
        raise LimitReached("wxyz takes no more commands at present")


class Deaf:
    """A playout that takes commands and does none."""

    def command(self, work: Callable[[Engine], None]) -> None:
        return


async def test_a_station_that_is_too_busy_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playout_commands, "ANSWER_WITHIN_S", 0.05)
    for playout in (Full(), Deaf()):
        with pytest.raises(LimitReached):
            await playout_commands.ask(playout, lambda engine: engine.hold("the desk"))
    routes = command_routes(OnAirDesk(frozenset({"wxyz"}), {"wxyz": Full()}, lambda station, item: None))  # type: ignore[arg-type,return-value]
    assert len(routes) == 4
