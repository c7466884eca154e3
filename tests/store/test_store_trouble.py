"""What a store does about its file while it is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from radio.clock import ManualClock
from radio.errors import StoreError
from radio.store import Store, sqlite_url
from radio.store.engine import MISSING_FOR_S
from radio.store.sqlite import DRIVER
from radio.store.trouble import Ailment, ailment_of


def note(conn: Connection) -> None:
    conn.execute(text("CREATE TABLE IF NOT EXISTS notes (word TEXT)"))
    conn.execute(text("INSERT INTO notes VALUES ('here')"))


def count(conn: Connection) -> int:
    return int(conn.execute(text("SELECT count(*) FROM notes")).scalar() or 0)


def spoil(path: Path) -> None:
    for part in path.parent.glob(f"{path.name}*"):
        if not part.name.endswith("-shm"):
            part.write_bytes(b"\xa5" * part.stat().st_size)


def in_folder(folder: Path) -> Iterator[str]:
    """The damaged databases that were set aside there."""
    return (str(path) for path in folder.glob("*.corrupt-*") if not path.name.endswith(("-wal", "-shm")))


async def test_a_file_that_is_deleted_is_told_and_made_anew_after_a_while(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "nextup.db"
    restored: list[str] = []
    async with Store.open(sqlite_url(path), clock=clock) as store:
        await store.write(note)
        store.restorers.append(note)
        store.on_restored = lambda: restored.append("once")
        path.unlink()
        for _ in range(2):
            with pytest.raises(StoreError, match="was deleted"):
                await store.write(note)
        assert store.trouble is not None
        assert store.trouble.ailment is Ailment.MISSING
        clock.advance(MISSING_FOR_S)
        await store.write(note)
        assert await store.read(count) == 2
        assert (store.trouble, restored) == (None, ["once"])
        assert store.restored is not None
        assert (store.restored.ailment, store.restored.backup) == (Ailment.MISSING, None)
    with closing(DRIVER.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM notes").fetchone() == (2,)


async def test_a_folder_that_is_gone_is_left_to_people(tmp_path: Path) -> None:
    clock, folder = ManualClock(), tmp_path / "data"
    async with Store.open(sqlite_url(folder / "nextup.db"), clock=clock) as store:
        await store.write(note)
        folder.rename(tmp_path / "away")
        folder.mkdir()
        clock.advance(60)
        for _ in range(2):
            with pytest.raises(StoreError, match="was deleted"):
                await store.write(note)
            clock.advance(60)
        folder.rmdir()
        (tmp_path / "away").rename(folder)
        await store.write(note)
        assert (await store.read(count), store.trouble) == (2, None)


@pytest.mark.parametrize("backed_up", [False, True])
async def test_a_file_that_is_damaged_while_it_is_open_is_replaced(tmp_path: Path, backed_up: bool) -> None:
    path = tmp_path / "nextup.db"
    async with Store.open(sqlite_url(path), clock=ManualClock()) as store:
        await store.write(note)
        if backed_up:
            await store.back_up()
        spoil(path)
        await store.check()
        await store.write(note)
        assert await store.read(count) == (2 if backed_up else 1)
        assert store.restored is not None
        assert (store.restored.ailment, bool(store.restored.backup)) == (Ailment.CORRUPT, backed_up)
        assert list(in_folder(tmp_path)) == [store.restored.set_aside]


async def test_a_file_that_somebody_puts_there_is_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "nextup.db"
    async with Store.open(sqlite_url(path), clock=ManualClock()) as store:
        await store.write(note)
        backup = await store.back_up()
        assert backup is not None
        await store.write(note)
        backup.rename(path)
        await store.write(note)
        assert await store.read(count) == 2


@pytest.mark.parametrize(
    ("harm", "ailment"),
    [
        (lambda db: db.execute("SELECT * FROM nowhere"), None),
        (lambda db: db.execute("BEGIN IMMEDIATE"), Ailment.LOCKED),
    ],
)
def test_the_kind_of_a_fault_is_known(
    tmp_path: Path, harm: Callable[..., object], ailment: Ailment | None
) -> None:
    path = tmp_path / "some.db"
    with closing(DRIVER.connect(path, isolation_level=None)) as one:
        one.execute("BEGIN IMMEDIATE")
        other = DRIVER.connect(path, isolation_level=None, timeout=0)
        with closing(other), pytest.raises(DRIVER.Error) as fault:
            harm(other)
    assert ailment_of(fault.value) is ailment
    assert ailment_of(ValueError()) is None
