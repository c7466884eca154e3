"""Doubles with state for the tests of stations: a log that is a list, a recorder that remembers, a publisher."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from radio.clock import ManualClock
from radio.config import StationConfig
from radio.events import PlayoutEvent
from radio.log import ItemKind, LogRow, SponsorMessage
from radio.metrics import Metrics
from radio.playout import Pulse
from radio.schedule import ProgrammeAiring
from radio.stations import StationService
from radio.units import DurationMs, UtcMs

NOON = 1_800_000_000_000


def row(number: int = 0, **changes: Any) -> LogRow:
    """Row ``number`` of a log of rows of 30 seconds from noon on."""
    starts = NOON + number * 30_000
    values: dict[str, Any] = {
        "id": f"row-{number}",
        "station": "wxyz",
        "starts_at_ms": starts,
        "ends_at_ms": starts + 30_000,
        "kind": ItemKind.MUSIC,
        "title": f"Piece {number}",
        "artist": "The Quartet",
        "item": f"item-{number}",
        "reason": "rotation",
    }
    return LogRow(**(values | changes))


def airing(number: int = 0, **changes: Any) -> ProgrammeAiring:
    """Airing ``number`` of programmes of an hour from noon on."""
    starts = NOON + number * 3_600_000
    values: dict[str, Any] = {
        "id": f"programme-{number}",
        "occurrence": f"programme-{number}/today",
        "title": f"Programme {number}",
        "starts_at_ms": starts,
        "ends_at_ms": starts + 3_600_000,
    }
    return ProgrammeAiring(**(values | changes))


def sponsor(name: str = "Lantern & Oar Books", **changes: Any) -> SponsorMessage:
    values: dict[str, Any] = {
        "campaign": "reading-group",
        "sponsor": "lantern-and-oar",
        "name": name,
        "message": f"{name}, on Chandler Street.",
        "link": "https://lantern-and-oar.example",
        "image": "sponsors/lantern.png",
    }
    return SponsorMessage(**(values | changes))


def station(**changes: Any) -> StationConfig:
    values: dict[str, Any] = {"id": "wxyz", "name": "WXYZ", "library": ("sounds",)}
    return StationConfig(**(values | changes))


class LogOfRows:
    """A published log over a list of rows and a list of airings."""

    def __init__(self, rows: Sequence[LogRow] = (), airings: Sequence[ProgrammeAiring] = ()) -> None:
        self.rows = list(rows)
        self.airings = list(airings)

    def coming(self, after_ms: int, limit: int) -> Sequence[LogRow]:
        return [each for each in self.rows if each.starts_at_ms >= after_ms][:limit]

    def programmes(self, at_ms: int) -> tuple[ProgrammeAiring | None, ProgrammeAiring | None]:
        now = next((one for one in self.airings if one.starts_at_ms <= at_ms < one.ends_at_ms), None)
        return now, next((one for one in self.airings if one.starts_at_ms > at_ms), None)


class Notebook:
    """A recorder that keeps what it is told, and can be broken."""

    def __init__(self) -> None:
        self.events: list[PlayoutEvent] = []
        self.checkpoints: list[tuple[str, UtcMs, DurationMs]] = []
        self.withdrawn: list[tuple[str, UtcMs]] = []
        self.broken = False

    def record(self, event: PlayoutEvent) -> None:
        if self.broken:
            raise RuntimeError("the notebook is full")
        self.events.append(event)

    def checkpoint(self, row: LogRow, at_ms: UtcMs, played_ms: DurationMs) -> None:
        if self.broken:
            raise RuntimeError("the notebook is full")
        self.checkpoints.append((row.id, at_ms, played_ms))

    def withdraw(self, row: LogRow, at_ms: UtcMs) -> None:
        if self.broken:
            raise RuntimeError("the notebook is full")
        self.withdrawn.append((row.id, at_ms))


class Studio:
    """A station's service on a moved clock, and everything around it that can be looked at."""

    def __init__(self, log: LogOfRows | None = None, **changes: Any) -> None:
        self.clock = ManualClock(NOON)
        self.log = log or LogOfRows()
        self.notebook = Notebook()
        self.published: list[tuple[str, dict[str, Any], UtcMs]] = []
        self.listeners = 0
        self.service = StationService(
            station(**changes),
            clock=self.clock,
            log=self.log,
            recorder=self.notebook,
            publish=lambda *publication: self.published.append(publication),
            listeners=lambda: self.listeners,
            metrics=Metrics(),
        )

    @property
    def state(self) -> dict[str, Any]:
        return self.service.state

    @property
    def shown(self) -> str | None:
        """The id of the row that the state shows."""
        return self.state["now"] and self.state["now"]["id"]

    def pulse(self, **changes: Any) -> None:
        values: dict[str, Any] = {"at_ms": self.clock.now_ms(), "level_db": -20.0, "silent_ms": 0}
        self.service.on_pulse(Pulse(**({"on_bed": False, "lead_s": 5.0} | values | changes)))

    async def pass_time(self, seconds: float, *, step_s: float = 0.25, pulses: bool = True) -> None:
        """Let ``seconds`` go by, with a pulse each second as playout sends them."""
        for step in range(round(seconds / step_s)):
            self.clock.advance(step_s)
            await settle()
            if pulses and step % round(1 / step_s) == 0:
                self.pulse()
        await settle()


async def settle() -> None:
    """Let everything that can run in the loop run."""
    for _ in range(12):
        await asyncio.sleep(0)


@asynccontextmanager
async def on_the_desk(studio: Studio) -> AsyncIterator[Studio]:
    """The studio with its service following the station."""
    async with studio.service.running():
        await settle()
        yield studio


Check = Callable[[], bool]
