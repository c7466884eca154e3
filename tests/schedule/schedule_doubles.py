"""Items, stations and a store for the tests of the schedule: plain values, and doubles that keep state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from radio.errors import ScheduleError
from radio.library.items import Item
from radio.log import LogRow
from radio.schedule import Inputs, Play, Pool, Schedule, StationPlan
from radio.schedule.files import schedule_of
from radio.schedule.remains import Remains
from radio.sponsors import SponsorBook
from radio.toml_source import TomlDocument
from radio.units import DurationMs, UtcMs

ROOT = "/library/station"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def utc_ms(text: str) -> UtcMs:
    """``"2026-11-01 05:00"`` in UTC as milliseconds."""
    return UtcMs(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000))


def item(path: str, air_ms: int, *, title: str | None = None, artist: str | None = None) -> Item:
    """An item whose folder, name and id come from its path."""
    stem = path.rpartition(".")[0]
    return Item(
        id=f"id-{stem}",
        root=ROOT,
        path=path,
        size_bytes=1,
        mtime_ns=1,
        content_hash=stem,
        category=path.partition("/")[0] if "/" in path else "",
        title=title or stem.rpartition("/")[2],
        artist=artist,
        duration_ms=DurationMs(air_ms + 250),
        cue_in_ms=DurationMs(100),
        cue_out_ms=DurationMs(air_ms + 100),
    )


def folder(name: str, count: int, shortest_ms: int, longest_ms: int, *, artists: int = 0) -> list[Item]:
    """``count`` items of uneven lengths; always the same ones."""
    random = Random(f"{name}/{count}")
    return [
        item(
            f"{name}/{name}-{number:03}.mp3",
            random.randint(shortest_ms, longest_ms),
            artist=f"Artist {number % artists}" if artists else None,
        )
        for number in range(count)
    ]


def music_library() -> list[Item]:
    """Forty songs of two to five minutes, a few idents, promos and sponsors' messages, one legal ID."""
    return [
        *folder("music", 40, 120_000, 300_000, artists=16),
        *folder("news", 12, 20_000, 70_000),
        *folder("idents", 5, 3_000, 9_000),
        *folder("promos", 5, 12_000, 25_000),
        *folder("sponsors", 4, 10_000, 20_000),
        *folder("fill", 2, 60_000, 90_000),
        item("legal-id/legal-id.wav", 7_480),
    ]


def station(timezone: str = "America/New_York") -> StationPlan:
    """A station whose library is :data:`ROOT`."""
    return StationPlan(id="wxyz", name="Station WXYZ", timezone=timezone, roots=(ROOT,))


def inputs(
    items: Sequence[Item] = (),
    schedule: Schedule | None = None,
    *,
    timezone: str = "America/New_York",
    sponsors: SponsorBook | None = None,
    history: Sequence[Play] = (),
    kept: Sequence[LogRow] = (),
    seed: str = "",
) -> Inputs:
    """Inputs of the builder with everything else left as it is."""
    return Inputs(
        station=station(timezone),
        schedule=schedule or Schedule(),
        pool=Pool.of(items, (ROOT,)),
        sponsors=sponsors or SponsorBook(),
        history=tuple(history),
        kept=tuple(kept),
        seed=seed,
    )


def written(text: str) -> Schedule:
    """The schedule that a file with this text holds."""
    return schedule_of(TomlDocument.parse(text, Path("wxyz.toml"), error=ScheduleError)).schedule


class Shelf:
    """A library snapshot that a test can change."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = list(items)

    @property
    def by_id(self) -> Mapping[str, Item]:
        return {one.id: one for one in self.items}


class MemoryLogs:
    """A log store in memory, with the same rules as the database's."""

    def __init__(self) -> None:
        self.rows: dict[str, list[LogRow]] = {}
        self.revisions: dict[str, str] = {}
        self.heard: list[Play] = []
        self.besides: dict[str, Remains] = {}

    async def load(self, station: str, from_ms: UtcMs, to_ms: UtcMs) -> Sequence[LogRow]:
        return [
            row for row in self.rows.get(station, []) if row.ends_at_ms > from_ms and row.starts_at_ms < to_ms
        ]

    async def revision(self, station: str) -> str | None:
        return self.revisions.get(station)

    async def remains(self, station: str) -> Remains:
        return self.besides.get(station, Remains())

    async def replace_from(
        self, station: str, from_ms: UtcMs, rows: Sequence[LogRow], revision: str, remains: Remains
    ) -> None:
        self.replace_soon(station, from_ms, rows, revision, remains)

    def replace_soon(
        self, station: str, from_ms: UtcMs, rows: Sequence[LogRow], revision: str, remains: Remains
    ) -> None:
        self.besides[station] = remains
        kept = [row for row in self.rows.get(station, []) if row.starts_at_ms < from_ms]
        self.rows[station] = [*kept, *rows]
        self.revisions[station] = revision

    async def plays(self, station: str, since_ms: UtcMs) -> Sequence[Play]:
        return [play for play in self.heard if play.started_ms >= since_ms]

    async def prune(self, before_ms: UtcMs) -> None:
        for name, rows in self.rows.items():
            self.rows[name] = [row for row in rows if row.ends_at_ms > before_ms]
