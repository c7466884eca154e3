"""Items that fail on the air: out of use at once, back when there is reason to, and still the same items."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from library_sounds import tone

from radio.library import catalog, details, editing
from radio.library.advice import advice_for
from radio.library.items import Item
from radio.library.keeper import STALLS, LibraryKeeper
from radio.library.quarantine import FAILED, UNREADABLE, can_be_read, reason_for
from radio.store import Store


class House:
    """A library of three files, kept."""

    def __init__(self, store: Store, root: Path) -> None:
        self.store = store
        self.root = root
        self.changes = 0
        self.keeper = LibraryKeeper(store, [root], self._changed)

    async def _changed(self) -> None:
        self.changes += 1

    def item(self, name: str) -> Item | None:
        return self.keeper.current.find([self.root], f"music/{name}")

    async def fail(self, name: str, fault: str) -> Item:
        item = self.item(name)
        assert item is not None
        self.keeper.set_aside(item.id, fault)
        await self.keeper.settled()
        return item

    async def rejected(self) -> dict[str, str]:
        files = await self.store.read(catalog.load_rejected)
        return {Path(file.path).stem: file.reason for file in files}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    root = tmp_path / "root"
    for number, name in enumerate(("one", "two", "three")):
        tone(root / f"music/{name}.flac", seconds=1.5 + number)
    async with Store.open(f"sqlite:///{tmp_path}/library.db") as store:
        house = House(store, root)
        await house.keeper.scan()
        house.changes = 0
        yield house


async def test_an_item_that_failed_is_planned_no_more_and_is_listed_with_what_to_do(house: House) -> None:
    item = await house.fail("two", "its sound ended 3.2 s early")
    assert house.item("two") is None
    assert len(house.keeper.current) == 2
    assert house.changes == 1
    assert await house.rejected() == {"two": f"{FAILED}: its sound ended 3.2 s early."}
    assert "--rejected" in advice_for(f"{FAILED}: x")
    known = await house.store.read(catalog.load_item, item.id)
    assert not known.measured


async def test_it_stays_out_until_it_is_asked_for_and_comes_back_with_its_corrections(house: House) -> None:
    first = house.item("two")
    assert first is not None
    await house.store.write(editing.correct, first.id, {"title": "A Better Name"}, "desk", 1)
    await house.keeper.refresh()
    item = await house.fail("two", "its sound has been silent for 10 s")
    await house.keeper.scan()
    assert house.item("two") is None
    assert list(await house.rejected()) == ["two"]
    await house.keeper.scan(retry_rejected=True)
    back = house.item("two")
    assert back is not None
    assert (back.id, back.title, back.air_ms) == (item.id, "A Better Name", item.air_ms)
    assert await house.rejected() == {}
    assert len(await house.store.read(details.corrections_of, item.id)) == 1


async def test_a_changed_file_comes_back_by_itself(house: House) -> None:
    item = await house.fail("two", "more than 50 damaged packets")
    tone(house.root / "music/two.flac", seconds=4.0)
    await house.keeper.scan()
    back = house.item("two")
    assert back is not None
    assert (back.id, back.duration_ms) == (item.id, 4_000)
    assert await house.rejected() == {}


async def test_a_file_whose_disk_was_away_comes_back_with_the_disk(house: House) -> None:
    away = house.root.with_name("away")
    house.root.rename(away)
    item = await house.fail("two", "cannot be read: No such file or directory")
    assert (await house.rejected())["two"].startswith(UNREADABLE)
    await house.keeper.scan()
    assert house.item("two") is None
    away.rename(house.root)
    await house.keeper.scan()
    back = house.item("two")
    assert back is not None
    assert back.id == item.id
    assert await house.rejected() == {}


async def test_a_file_that_lied_about_its_length_is_measured_anew(house: House) -> None:
    item = await house.fail("three", "its sound ended 1.0 s early")
    whole = item.file.read_bytes()
    stat = item.file.stat()
    item.file.write_bytes(b"\0" * len(whole))
    os.utime(item.file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    await house.keeper.scan(retry_rejected=True)
    assert house.item("three") is None
    reasons = await house.rejected()
    assert list(reasons) == ["three"]
    assert FAILED not in reasons["three"]


async def test_many_that_fail_at_once_are_one_change_and_unknown_ones_none(house: House) -> None:
    for name in ("one", "two"):
        item = house.item(name)
        assert item is not None
        house.keeper.set_aside(item.id, "its sound ended 1.0 s early")
        house.keeper.set_aside(item.id, "its sound ended 1.0 s early")
    house.keeper.set_aside("nobody", "fails")
    await house.keeper.settled()
    assert house.changes == 1
    assert len(house.keeper.current) == 1
    assert all(reason.startswith(FAILED) for reason in (await house.rejected()).values())
    await asyncio.sleep(0)


async def test_a_busy_machine_is_no_reason_to_set_a_good_file_aside(house: House) -> None:
    for _ in range(STALLS - 1):
        await house.fail("two", "its file could not be read in time")
        assert len(house.keeper.current) == 3
        assert await house.rejected() == {}
    await house.fail("two", "its file was not open after 0.8 s")
    assert house.item("two") is None
    assert (await house.rejected())["two"].startswith(UNREADABLE)


async def test_a_file_that_cannot_be_looked_at_is_set_aside_at_once(house: House) -> None:
    item = house.item("two")
    assert item is not None
    item.file.unlink()
    await house.fail("two", "its file could not be read in time")
    assert house.item("two") is None


def test_reasons_say_whether_the_file_or_its_disk_is_to_blame(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"sound")
    assert can_be_read(file)
    assert not can_be_read(tmp_path / "gone")
    assert reason_for("more than 50 damaged packets", readable=True).startswith(FAILED)
    assert reason_for("its file could not be read in time", readable=True).startswith(UNREADABLE)
    assert reason_for("cannot be read", readable=False).startswith(UNREADABLE)
