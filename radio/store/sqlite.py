"""SQLite: which build is used, how connections are set up, and the folder and file that hold the database."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType
from typing import Any, Final

import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from radio.errors import StoreError

_log = structlog.get_logger(__name__)

_PRAGMAS: Final = (
    "busy_timeout = 5000",
    "foreign_keys = ON",
    "synchronous = FULL",
    "temp_store = MEMORY",
    "mmap_size = 0",
    "trusted_schema = OFF",
)
# One connection does all commits and all checkpoints, so a build with the WAL-reset fault finds no race.
_WRITER_PRAGMAS: Final = (
    "journal_mode = WAL",
    *_PRAGMAS,
    "cache_size = -1000",
    "journal_size_limit = 67108864",
)
# what a reader does not find in its own pages lies in the system's, which every process shares
_READER_PRAGMAS: Final = (*_PRAGMAS, "cache_size = -500", "wal_autocheckpoint = 0", "query_only = ON")


def _driver() -> ModuleType:
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return importlib.import_module("sqlite3")


DRIVER: Final = _driver()
"""The DB-API module: pysqlite3, which brings its own SQLite, or else the interpreter's sqlite3."""


def sqlite_url(path: Path) -> str:
    """The URL by which :meth:`radio.store.Store.open` finds the database file at ``path``."""
    return URL.create("sqlite", database=str(path.absolute())).render_as_string()


def has_wal_reset_fault(version: tuple[int, int, int]) -> bool:
    """Whether SQLite ``version`` can damage a database in WAL mode that several connections write.

    Releases 3.7.0 to 3.51.2 can; the repair is in 3.51.3 and was carried back to 3.44.6 and 3.50.7
    (sqlite.org/wal.html, "The WAL-reset bug").
    """
    if not (3, 7, 0) <= version < (3, 51, 3):
        return False
    repaired_from = {(3, 44): 6, (3, 50): 7}.get(version[:2])
    return repaired_from is None or version[2] < repaired_from


def warn_of_fault(driver: Any = DRIVER) -> None:
    """Log a warning when ``driver`` was built with a SQLite that has the WAL-reset fault."""
    if has_wal_reset_fault(driver.sqlite_version_info):
        _log.warning(
            "sqlite_wal_reset_fault",
            sqlite=driver.sqlite_version,
            advice="install the package pysqlite3, or an SQLite of 3.51.3 or later",
        )


def prepare_file(path: Path) -> None:
    """Make the data folder (mode 0700) and an empty database file (mode 0600) where they are missing.

    Raises StoreError, naming the path and what to do, where folder or file cannot be written.
    """
    prepare_folder(path.parent)
    if path.is_dir():
        raise StoreError(f"{path} is a folder, not a database file. Name a file in it as the database.")
    # An existing file is asked about, never opened: closing it would drop the locks that SQLite holds on it
    # for another connection of this process.
    if not path.exists():
        create_private(path, may_exist=True)
    elif not os.access(path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise _unwritable(path, "database file", None)


def prepare_folder(folder: Path) -> None:
    """Make ``folder`` (mode 0700) where it is missing; StoreError where no file can be made in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as fault:
        raise _unwritable(folder, "folder", fault) from fault


def create_private(path: Path, *, may_exist: bool = False) -> None:
    """Make an empty file that only its owner may read and write.

    Raises StoreError where that fails, and where the file is there unless it ``may_exist``.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as fault:
        if not may_exist:
            raise _unwritable(path, "database file", fault) from fault
    except OSError as fault:
        raise _unwritable(path, "database file", fault) from fault


def engines(path: Path, *, readers: int) -> tuple[Engine, Engine]:
    """The engine of the one writing connection and that of ``readers`` connections that cannot write.

    Each transaction of the writer starts with BEGIN IMMEDIATE: it waits for another process's write (5 s at
    most) before it reads, and so never fails half way with SQLITE_BUSY_SNAPSHOT.
    """
    writer = _engine(path, 1, "BEGIN IMMEDIATE", _WRITER_PRAGMAS)
    return writer, _engine(path, readers, "BEGIN", _READER_PRAGMAS)


def _engine(path: Path, connections: int, begin: str, pragmas: tuple[str, ...]) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        module=DRIVER,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # None keeps the driver from opening transactions of its own; the listener below does it.
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _unwritable(path: Path, what: str, fault: OSError | None) -> StoreError:
    cause = f" ({fault.strerror})" if fault is not None and fault.strerror else ""
    return StoreError(
        f"The {what} {path} cannot be written{cause}. Give the user that runs the service the right to write "
        "there, or name another data folder."
    )
