from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog

from radio.clock import ManualClock
from radio.errors import StoreError
from radio.store import Store, operators, recovery, sqlite, sqlite_url
from radio.store.sqlite import DRIVER

NOON = 1_800_000_000_000


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "nextup.db"


@pytest.fixture
def guarded() -> Iterator[Path]:
    """A folder outside of pytest's own, which only its owner may enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def unprivileged() -> Iterator[None]:
    """Within it the process has no more rights than the nobody user, also where root runs the tests."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_folder_and_files_are_private(database_file, clock):
    async with Store.open(sqlite_url(database_file), clock=clock) as store:
        await store.write(operators.add, "engineering", "admin", None, NOON)
        assert mode(database_file.parent) == 0o700
        assert {path.name: mode(path) for path in database_file.parent.iterdir()} == {
            "nextup.db": 0o600,
            "nextup.db-shm": 0o600,
            "nextup.db-wal": 0o600,
        }
    assert [path.name for path in database_file.parent.iterdir()] == ["nextup.db"]


async def test_connections_are_set_up_for_durability(database_file, clock):
    def settings(conn) -> list[object]:
        wanted = (
            "journal_mode",
            "synchronous",
            "busy_timeout",
            "foreign_keys",
            "query_only",
            "trusted_schema",
        )
        return [conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted]

    async with Store.open(sqlite_url(database_file), clock=clock) as store:
        assert await store.write(settings) == ["wal", 2, 5000, 1, 0, 0]
        assert await store.read(settings) == ["wal", 2, 5000, 1, 1, 0]


@pytest.mark.parametrize(
    ("version", "faulty"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 9), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
    ],
)
def test_a_build_with_the_wal_reset_fault_is_known(version, faulty):
    assert sqlite.has_wal_reset_fault(version) is faulty
    with structlog.testing.capture_logs() as logs:
        sqlite.warn_of_fault(SimpleNamespace(sqlite_version_info=version, sqlite_version="x"))
    assert [entry["log_level"] for entry in logs] == (["warning"] if faulty else [])


async def test_an_unwritable_folder_is_refused_with_advice(guarded):
    guarded.chmod(0o555)
    with unprivileged(), pytest.raises(StoreError, match="cannot be written") as caught:
        async with Store.open(sqlite_url(guarded / "data" / "nextup.db")):
            pytest.fail("opened")
    message = str(caught.value)
    assert str(guarded / "data") in message
    assert "Give the user that runs the service the right to write" in message


async def test_an_unwritable_file_is_refused_with_advice(guarded):
    database = guarded / "nextup.db"
    async with Store.open(sqlite_url(database)):
        pass
    database.chmod(0o400)
    guarded.chmod(0o777)
    with unprivileged(), pytest.raises(StoreError, match=f"database file {database} cannot be written"):
        async with Store.open(sqlite_url(database)):
            pytest.fail("opened")


async def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    with pytest.raises(StoreError, match="is a folder, not a database file"):
        async with Store.open(sqlite_url(tmp_path)):
            pytest.fail("opened")


async def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StoreError, match="cannot be written"):
        async with Store.open(sqlite_url(tmp_path / "data" / "nextup.db")):
            pytest.fail("opened")


async def filled(database_file: Path, clock: ManualClock, *, names: list[str], back_up: bool) -> None:
    async with Store.open(sqlite_url(database_file), clock=clock) as store:
        for name in names:
            await store.write(operators.add, name, "viewer", None, NOON)
        if back_up:
            await store.back_up()


def garbage(path: Path) -> None:
    path.write_bytes(b"this was a database once. " * 400)


def torn(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 + 100])


def scribbled(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))


@pytest.mark.parametrize("damage", [garbage, torn, scribbled])
async def test_a_damaged_database_is_set_aside_and_a_fresh_one_made(database_file, clock, damage):
    await filled(database_file, clock, names=["engineering"], back_up=False)
    damage(database_file)
    damaged = database_file.read_bytes()
    with structlog.testing.capture_logs() as logs:
        async with Store.open(sqlite_url(database_file), clock=clock) as store:
            assert await store.read(operators.all) == []
            await store.write(operators.add, "news-desk", "viewer", None, NOON)
    [aside] = database_file.parent.glob("nextup.db.corrupt-*")
    assert aside.name == "nextup.db.corrupt-20270115T080000000Z"
    assert aside.read_bytes() == damaged
    assert mode(database_file) == 0o600
    [error] = [entry for entry in logs if entry["log_level"] == "error"]
    assert (error["event"], error["moved_to"], error["restored_from"]) == (
        "database_corrupt",
        str(aside),
        None,
    )


async def test_the_newest_sound_backup_takes_the_place_of_a_damaged_database(database_file, clock):
    await filled(database_file, clock, names=["first"], back_up=True)
    clock.advance(60)
    await filled(database_file, clock, names=["second"], back_up=True)
    clock.advance(60)
    await filled(database_file, clock, names=["third"], back_up=True)
    oldest, middle, newest = sorted((database_file.parent / "backups").iterdir())
    garbage(newest)
    garbage(database_file)
    with structlog.testing.capture_logs() as logs:
        async with Store.open(sqlite_url(database_file), clock=clock) as store:
            assert [operator.name for operator in await store.read(operators.all)] == ["first", "second"]
    assert mode(database_file) == 0o600
    errors = {entry["event"]: entry for entry in logs if entry["log_level"] == "error"}
    assert errors["backup_unusable"]["path"] == str(newest)
    assert errors["database_corrupt"]["restored_from"] == str(middle)
    assert oldest.exists()


async def test_a_database_that_another_process_holds_is_not_taken_for_damaged(database_file, clock):
    await filled(database_file, clock, names=["first"], back_up=False)
    with closing(DRIVER.connect(database_file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="cannot be opened: database is locked"):
            recovery.ensure_sound(database_file, database_file.parent, clock, busy_s=0.05)
        other.execute("ROLLBACK")
    assert [path.name for path in database_file.parent.iterdir()] == ["nextup.db"]


async def test_a_check_that_takes_too_long_is_given_up_as_sound(database_file):
    class Hurried(ManualClock):
        def monotonic_s(self) -> float:
            self.advance(1)
            return super().monotonic_s()

    sqlite.prepare_file(database_file)
    with closing(DRIVER.connect(database_file)) as conn:
        conn.execute("CREATE TABLE big (a TEXT UNIQUE)")
        rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"
        conn.execute(f"INSERT INTO big {rows} SELECT 'value ' || i FROM n")
        conn.commit()
    clock = Hurried(NOON)
    assert recovery.fault_of(database_file, clock, limit_s=1) is None
    assert clock.monotonic_s() < 10
