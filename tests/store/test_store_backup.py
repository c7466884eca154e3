from __future__ import annotations

import asyncio
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, text

from radio.errors import StoreError
from radio.store import Store, backup, migrate, sqlite_url
from radio.store.sqlite import DRIVER
from radio.store.tables import artwork

NOON = 1_800_000_000_000


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "nextup.db"


def put(conn: Connection, number: int) -> None:
    data = number.to_bytes(4, "big") * 2000
    conn.execute(insert(artwork).values(id=f"{number:06}", mime="image/png", width=1, height=1, data=data))


def content(path: Path) -> tuple[str, int]:
    with closing(DRIVER.connect(path)) as conn:
        verdict = conn.execute("PRAGMA integrity_check").fetchone()[0]
        return verdict, conn.execute("SELECT count(*) FROM artwork").fetchone()[0]


async def test_a_backup_is_whole_private_and_named_by_time(database_file, clock):
    async with Store.open(sqlite_url(database_file), clock=clock) as store:
        await store.write(put, 1)
        path = await store.back_up()
    assert path == database_file.parent / "backups" / "nextup-20270115T080000000Z.db"
    assert content(path) == ("ok", 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_backup_is_sound_and_holds_no_half_write_while_the_writer_goes_on(database_file, clock):
    def pair(conn: Connection, number: int) -> None:
        put(conn, 2 * number)
        put(conn, 2 * number + 1)

    async with Store.open(sqlite_url(database_file), clock=clock) as store:
        for number in range(300):
            store.submit(pair, number)
        await store.write(pair, 300)
        making = asyncio.ensure_future(store.back_up())
        after = 301
        while not making.done():
            await store.write(pair, after)
            after += 1
        path = await making
        total = await store.read(
            lambda conn: conn.execute(select(func.count()).select_from(artwork)).scalar()
        )
    verdict, rows = content(path)
    assert (verdict, rows % 2) == ("ok", 0)
    assert 602 <= rows <= total == 2 * after
    assert after > 301


async def test_only_the_newest_are_kept(database_file, clock):
    folder = database_file.parent / "backups"
    folder.mkdir()
    (folder / "nextup-notes.db").write_text("somebody's own file")
    (folder / ".nextup-20270101T000000000Z.db.partial").write_text("left by a crash")
    async with Store.open(sqlite_url(database_file), clock=clock) as store:
        made = []
        for _ in range(5):
            clock.advance(3600)
            made.append(await store.back_up(keep=3))
    assert backup.newest_first(database_file, folder) == made[:1:-1]
    assert {path.name for path in folder.iterdir()} == {"nextup-notes.db", *(path.name for path in made[2:])}


async def test_a_backup_that_fails_leaves_no_file(database_file, clock):
    database_file.write_bytes(b"no database " * 1000)
    with pytest.raises(StoreError, match="could not be written: file is not a database"):
        backup.make(database_file, database_file.parent / "backups", now_ms=NOON, keep=1)
    assert list((database_file.parent / "backups").iterdir()) == []
    with pytest.raises(StoreError, match="Allowed: 1 or more"):
        backup.make(database_file, database_file.parent / "backups", now_ms=NOON, keep=0)


async def test_backups_may_go_to_another_folder(database_file, clock, tmp_path):
    async with Store.open(sqlite_url(database_file), clock=clock, backups=tmp_path / "safe") as store:
        path = await store.back_up()
    assert path.parent == tmp_path / "safe"


async def test_an_older_schema_is_backed_up_before_it_is_changed(database_file, clock):
    async with Store.open(sqlite_url(database_file), clock=clock) as store:
        await store.write(put, 1)
    assert not (database_file.parent / "backups").exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "head", lambda: "a later one")
        patch.setattr(migrate, "upgrade", lambda conn: conn.execute(text("DELETE FROM artwork")))
        async with Store.open(sqlite_url(database_file), clock=clock):
            pass
    [made] = (database_file.parent / "backups").iterdir()
    assert content(made) == ("ok", 1)


async def test_postgres_is_backed_up_by_its_own_tools(postgres_database, open_store):
    async with open_store(postgres_database) as store:
        assert await store.back_up() is None
