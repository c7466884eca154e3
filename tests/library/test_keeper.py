from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from library_items import item
from library_sounds import tone

from radio.clock import ManualClock
from radio.library import catalog, editing
from radio.library import keeper as module
from radio.library.catalog import Batch
from radio.library.keeper import LOOK_S, LibraryKeeper
from radio.library.revision import corrections_sign, items_sign
from radio.library.scan import Scanner
from radio.library.tag_writing import write_tags
from radio.store import Store, sqlite_url
from radio.units import UtcMs

NOW = UtcMs(1_800_000_000_000)


@pytest.fixture
async def command(store: Store, tmp_path: Path) -> AsyncIterator[Store]:
    """The same database as another process opens it."""
    async with Store.open(sqlite_url(tmp_path / "data" / "radio.db")) as opened:
        yield opened


class Told:
    """Counts how often the stations were told of a change, and what the library was then."""

    def __init__(self) -> None:
        self.keeper: LibraryKeeper | None = None
        self.titles: list[list[str]] = []
        self._more = asyncio.Event()

    async def __call__(self) -> None:
        assert self.keeper is not None
        self.titles.append([one.title for one in self.keeper.current])
        self._more.set()

    async def until(self, titles: list[list[str]], limit_s: float = 8.0) -> None:
        async with asyncio.timeout(limit_s):
            while self.titles != titles:
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def keeping(
    store: Store, root: Path, look_s: float = 0.05
) -> AsyncIterator[tuple[LibraryKeeper, Told]]:
    told, stop = Told(), asyncio.Event()
    told.keeper = keeper = LibraryKeeper(store, [root], told, look_s=look_s)
    await keeper.load()
    await keeper.scan()
    told.titles.clear()
    task = asyncio.create_task(keeper.keep(stop))
    try:
        yield keeper, told
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


async def test_a_correction_of_another_process_is_in_force_without_a_scan(
    store: Store, command: Store, root: Path
) -> None:
    tone(root / "a.wav")
    async with keeping(store, root) as (keeper, told):
        (known,) = keeper.current
        expected: list[list[str]] = []
        for value, at_ms in (
            ("Mine", NOW),
            ("Ours", NOW - 60_000),
            (None, NOW),
        ):  # one comes from a slow clock
            await command.write(editing.correct, known.id, {"title": value}, "desk", UtcMs(at_ms))
            expected.append([value or "a"])
            await told.until(expected)
        await asyncio.sleep(0.2)
        assert told.titles == expected


async def test_it_is_in_force_within_two_seconds_as_it_is_set(
    store: Store, command: Store, root: Path
) -> None:
    tone(root / "a.wav")
    async with keeping(store, root, look_s=LOOK_S) as (keeper, told):
        (known,) = keeper.current
        await command.write(editing.correct, known.id, {"title": "Mine"}, "desk", NOW)
        await told.until([["Mine"]], limit_s=2.0)


async def test_tags_that_another_process_wrote_and_scanned_are_taken_up(
    store: Store, command: Store, root: Path
) -> None:
    file = tone(root / "a.mp3")
    async with keeping(store, root) as (keeper, told):
        (known,) = keeper.current
        record = write_tags(file, {"title": "Low tide"})
        assert record is not None
        await Scanner(command, [root], workers=1).scan()
        await command.write(editing.keep_undo, known.id, "a.mp3", record.to_bytes(), "desk", NOW)
        await told.until([["Low tide"]])


async def test_a_scan_takes_up_what_another_process_scanned(store: Store, command: Store, root: Path) -> None:
    tone(root / "a.wav")
    told = Told()
    told.keeper = keeper = LibraryKeeper(store, [root], told)
    await keeper.load()
    tone(root / "b.wav", hz=300)
    await Scanner(command, [root], workers=1).scan()
    assert (await keeper.scan()).added == 0
    assert told.titles == [["a", "b"]]
    assert (await keeper.scan()).added == 0
    assert told.titles == [["a", "b"]]


async def test_every_change_of_corrections_moves_their_sign(store: Store) -> None:
    one = item("a")
    await store.write(catalog.apply, Batch(items=[one]))
    seen = [await store.read(corrections_sign)]
    for changes, at_ms in (
        ({"bpm": 90}, NOW),
        ({"bpm": 91}, NOW - 5),
        ({"bpm": None, "title": "A"}, NOW + 1),
    ):
        await store.write(editing.correct, one.id, changes, "desk", UtcMs(at_ms))
        seen.append(await store.read(corrections_sign))
    assert len(set(seen)) == 4
    before = await store.read(items_sign)
    await store.write(catalog.apply, Batch(items=[msgspec.structs.replace(one, mtime_ns=2)]))
    assert await store.read(items_sign) != before


async def test_the_start_sweeps_what_a_killed_writing_left(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = root / ".nextup-x1.tmp"
    left.write_bytes(b"half a song")
    later_ms = left.stat().st_mtime_ns // 1_000_000 + 3_700_000
    monkeypatch.setattr(module, "SystemClock", lambda: ManualClock(later_ms))
    keeper = LibraryKeeper(store, [root])
    stop = asyncio.Event()
    stop.set()
    await asyncio.wait_for(keeper.keep(stop), 10)
    assert not left.exists()
