"""A text is compiled while it is kept, and published when it is: whole, at once, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from schedule_doubles import MemoryLogs, Shelf, folder, music_library, station, utc_ms

from radio.clock import ManualClock
from radio.errors import ScheduleError
from radio.log import LogRow, first_fault
from radio.schedule import PlannedStation, Planner
from radio.schedule.remains import Remains
from radio.units import UtcMs

NOW = utc_ms("2026-11-23 14:20")
HOUR = 'default_clock = "hour"\n[clocks.hour]\npositions = [{ rotate = ["music"] }]\n'
NEWS = HOUR.replace('"music"', '"news"')
PROGRAMME = '[[programmes]]\nid = "tides"\ntitle = "Tides"\nairs = [{ days = "daily", from = "09:00", to = "11:00" }]\n'
SPONSORS = '[[sponsors]]\nid = "quay"\nname = "The Quay"\n'


class SlowLogs(MemoryLogs):
    """A store that takes rows when it is let, and says how much was told of by then."""

    def __init__(self, told: list[UtcMs]) -> None:
        super().__init__()
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.told = told
        self.told_before: list[int] = []

    async def replace_from(
        self, station: str, from_ms: UtcMs, rows: Sequence[LogRow], revision: str, remains: Remains
    ) -> None:
        self.told_before.append(len(self.told))
        await self.may_write.wait()
        await super().replace_from(station, from_ms, rows, revision, remains)


class Desk:
    """A planner of one station with everything around it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "wxyz.toml"
        self.clock = ManualClock(NOW)
        self.shelf = Shelf(music_library())
        self.told: list[UtcMs] = []
        self.logs = SlowLogs(self.told)
        self.planner = self.made()
        self.log = self.planner.log("wxyz")

    def made(self) -> Planner:
        return Planner(
            [PlannedStation(plan=station(), schedule_file=self.file)],
            clock=self.clock,
            store=self.logs,
            library=lambda: self.shelf,
            sponsors_file=self.folder / "sponsors.toml",
            on_change=lambda _, from_ms: self.told.append(from_ms),
        )

    async def put(self, text: str) -> str:
        """As the editor does: read, keep, publish."""
        reading, _ = self.planner.read_as("wxyz", text)

        async def keep() -> str:
            self.file.write_text(text)
            return "kept"

        return await self.planner.put_in_force("wxyz", reading, keep)

    def categories(self) -> set[str | None]:
        rows = self.log.coming(self.log.peek(NOW).ends_at_ms, 5)  # type: ignore[union-attr]
        return {row.category for row in rows}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    made.file.write_text(HOUR)
    async with AsyncExitStack() as stack:
        await made.planner.start(stack)
        await made.planner.extend()
        made.log.row_at(NOW)
        yield made


async def test_a_text_is_in_force_at_once_and_the_rest_follows(desk: Desk) -> None:
    told = len(desk.told)
    assert await desk.put(NEWS) == "kept"
    assert desk.categories() == {"news"}
    assert len(desk.told) == told + 1
    assert desk.planner.version("wxyz") is not None
    before = list(desk.log.coming(0, 10_000))
    await desk.planner.take_up("wxyz")  # the file says what is in force
    assert list(desk.log.coming(0, 10_000)) == before
    await desk.planner.follow_up("wxyz")
    rows = desk.log.coming(0, 10_000)
    assert first_fault(rows) is None
    assert rows[: len(before)] == tuple(before)
    assert desk.logs.rows["wxyz"] == list(rows)


async def test_what_cannot_be_kept_is_not_published(desk: Desk) -> None:
    before, told, revision = desk.log.coming(0, 10_000), len(desk.told), desk.planner.revision("wxyz")
    reading, _ = desk.planner.read_as("wxyz", NEWS + PROGRAMME)

    async def refuse() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        await desk.planner.put_in_force("wxyz", reading, refuse)
    assert desk.log.coming(0, 10_000) == before
    assert (len(desk.told), desk.planner.revision("wxyz")) == (told, revision)
    assert desk.log.programmes(NOW) == (None, None)
    with pytest.raises(ScheduleError):
        desk.planner.read_as("wxyz", NEWS.replace('"hour"', '"huor"', 1))
    assert desk.planner.problem("wxyz") is None


async def test_what_playout_took_meanwhile_stays(desk: Desk) -> None:
    reading, _ = desk.planner.read_as("wxyz", NEWS)
    on_air = desk.log.peek(NOW)
    assert on_air is not None

    async def keep() -> LogRow | None:
        await asyncio.sleep(0.05)
        return desk.log.row_after(on_air)

    taken = await desk.planner.put_in_force("wxyz", reading, keep)
    assert taken is not None
    rows = desk.log.coming(0, 10_000)
    assert rows[:2] == (on_air, taken)
    assert taken.category == "music"
    assert {row.category for row in rows[2:6]} == {"news"}
    assert first_fault(rows) is None


async def test_programmes_that_change_are_shown_with_the_rows(desk: Desk) -> None:
    await desk.put(NEWS + PROGRAMME)
    now, _ = desk.log.programmes(NOW)
    assert (now and now.title) == "Tides"
    await desk.put(HOUR + PROGRAMME)  # the same programmes
    assert desk.log.programmes(NOW)[0] == now


async def test_items_and_sponsors_that_came_meanwhile_count(desk: Desk) -> None:
    reading, _ = desk.planner.read_as("wxyz", NEWS)

    async def keep() -> None:
        desk.file.write_text(NEWS)
        desk.shelf.items = [one for one in desk.shelf.items if one.category != "news"]
        desk.shelf.items += folder("news", 3, 30_000, 40_000)
        (desk.folder / "sponsors.toml").write_text(SPONSORS)
        await desk.planner.reload("wxyz")

    await desk.planner.put_in_force("wxyz", reading, keep)
    assert len({row.item for row in desk.log.coming(desk.log.frontier_ms, 12)}) <= 3
    assert desk.categories() == {"news"}
    assert "quay" in desk.planner.inputs("wxyz").sponsors.sponsors


async def test_the_same_sponsors_and_items_are_not_made_anew(desk: Desk) -> None:
    (desk.folder / "sponsors.toml").write_text(SPONSORS)
    await desk.planner.reload()
    before = desk.planner.inputs("wxyz")
    await desk.planner.reload()
    await desk.put(NEWS)
    after = desk.planner.inputs("wxyz")
    assert after.pool is before.pool
    assert after.sponsors is before.sponsors
    (desk.folder / "sponsors.toml").write_text("[[sponsors")
    await desk.planner.reload()
    assert desk.planner.problem("wxyz") is not None
    assert desk.planner.inputs("wxyz").sponsors is before.sponsors
    (desk.folder / "sponsors.toml").write_text(SPONSORS.replace("Quay", "Pier"))
    await desk.planner.reload()
    assert desk.planner.problem("wxyz") is None
    assert desk.planner.inputs("wxyz").sponsors.sponsors["quay"].name == "The Pier"


async def test_a_process_that_dies_between_telling_and_storing_loses_no_row(desk: Desk) -> None:
    stored = list(desk.logs.rows["wxyz"])
    desk.logs.may_write.clear()
    saving = asyncio.create_task(desk.put(NEWS))
    async with asyncio.timeout(5):
        while desk.categories() != {"news"}:  # noqa: ASYNC110 - nobody is told before it is so
            await asyncio.sleep(0.001)
    assert desk.logs.rows["wxyz"] == stored  # told of, and taken by playout, but not stored
    assert desk.logs.told_before[-1] == len(desk.told)
    on_air = desk.log.peek(NOW)
    assert on_air is not None
    saving.cancel()
    await asyncio.gather(saving, return_exceptions=True)
    desk.logs.may_write.set()

    again = desk.made()
    async with AsyncExitStack() as stack:
        await again.begin(stack, {})
        assert again.log("wxyz").peek(NOW) == on_air
        again.log("wxyz").row_at(NOW)
        await again.keep_ahead(stack)
        rows = again.log("wxyz").coming(NOW - 3_600_000, 10_000)
        assert first_fault(rows) is None
        assert on_air in rows
        behind = [row for row in rows if row.starts_at_ms >= on_air.ends_at_ms]
        assert {row.category for row in behind[:5]} == {"news"}
        assert len({row.id for row in rows}) == len(rows)
        assert not again.missed("wxyz")
