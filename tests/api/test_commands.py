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
from whole_service import Radio, Station, configuration, fetch, load, pitch, tone, until

from radio.app import Service, on_air
from radio.clock import SystemClock
from radio.errors import LimitReached, UnknownItem
from radio.log import first_fault
from radio.playout import Engine
from radio.playout import commands as playout_commands
from radio.store import as_run, log_rows, operators
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

    async def rows(self) -> list[dict[str, Any]]:
        """What the log holds from the row on the air on."""
        status, found = await fetch(
            self.service.port, "/api/console/stations/wxyz/rows?limit=8", token=self.token
        )
        assert status == 200
        return list(found["rows"])

    async def as_run(self, row: str) -> as_run.Aired | None:
        """What became of a row, as far as it has ended."""
        found = await self.service.store.read(as_run.history, "wxyz", limit=50)
        return next((one for one in found if one.row.id == row and one.outcome), None)

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


async def test_coming_rows_are_moved_and_taken_out(desk: Desk) -> None:
    before = await desk.rows()
    assert before[0]["id"] == (await desk.order("move", row=before[3]["id"], to="next")).json["on_air"]["id"]
    moved = await desk.rows()
    assert [row["id"] for row in moved[:2]] == [before[0]["id"], before[3]["id"]]
    assert moved[1]["starts_at_ms"] == moved[0]["ends_at_ms"]
    gone = (await desk.order("remove", row=moved[1]["id"])).json
    assert gone["next"]["id"] != moved[1]["id"]
    assert moved[1]["id"] not in [row["id"] for row in await desk.rows()]
    async with asyncio.timeout(20):
        while (entry := await desk.as_run(moved[1]["id"])) is None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
    assert (entry.outcome, entry.cause) == ("skipped", "taken out by evening desk")
    unknown = await desk.order("remove", row=moved[1]["id"])
    assert (unknown.status, unknown.code) == (404, "not_found")


async def test_an_emergency_is_heard_at_once_and_the_log_is_joined_afterwards(desk: Desk) -> None:
    before = (await desk.rows())[0]
    put = (await desk.order("emergency", item=desk.item("Foam"), fade_ms=0)).json
    assert (put["on_air"]["title"], put["next"]["title"]) == ("Foam", "Foam")
    refused = await desk.order("skip")
    assert (refused.status, "emergency" in refused.json["detail"]) == (400, True)
    joined = (await desk.order("resume")).json
    assert joined["on_air"]["title"] == before["title"]
    assert joined["on_air"]["starts_at_ms"] == joined["at_ms"]
    assert joined["on_air"]["ends_at_ms"] == before["ends_at_ms"]


async def test_without_a_programme_there_is_none_to_extend_or_end(desk: Desk) -> None:
    for command, body in (("extend", {"minutes": 2}), ("end", {})):
        answer = await desk.order(command, **body)
        assert (answer.status, answer.json["detail"]) == (400, "No programme is on the air.")
    other = await desk.order("end", programme="talk")
    assert (other.status, other.json["field"]) == (412, "programme")


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
        ("move", {}, 400, "invalid_request", "row"),
        ("move", {"row": "x", "to": "away"}, 400, "invalid_request", "to"),
        ("remove", {"row": "nothing"}, 404, "not_found", None),
        ("extend", {}, 400, "invalid_request", "body"),
        ("extend", {"minutes": 0}, 400, "invalid_request", "minutes"),
        ("emergency", {"item": "nothing"}, 404, "unknown_item", None),
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
        for command in ("skip", "insert", "move", "remove", "hold", "resume", "extend", "end", "emergency"):
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
