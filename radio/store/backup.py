"""Backups of an SQLite database, taken while it is in use."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import structlog

from radio.errors import StoreError
from radio.store.sqlite import DRIVER, create_private, prepare_folder
from radio.units import UtcMs

_log = structlog.get_logger(__name__)


def make(database: Path, folder: Path, *, now_ms: UtcMs, keep: int) -> Path:
    """Write a checked copy of ``database`` into ``folder`` and keep the newest ``keep`` (1 or more) there.

    Blocks for as long as the copy takes; readers and the writer go on meanwhile. The copy has mode 0600 and
    bears its final name only once it is whole, sound and on the disk. Raises StoreError.
    """
    if keep < 1:
        raise StoreError(f"{keep} backups cannot be kept. Allowed: 1 or more.")
    prepare_folder(folder)
    _sweep(database, folder)
    target = folder / f"{database.stem}-{stamp(now_ms)}.db"
    partial = target.with_name(f".{target.name}.partial")
    try:
        _copy(database, partial)
        _sync(partial)
        partial.replace(target)
        _sync(folder)
    except (OSError, DRIVER.Error) as fault:
        raise StoreError(f"The backup {target} could not be written: {fault}") from fault
    finally:
        partial.unlink(missing_ok=True)
    for old in newest_first(database, folder)[keep:]:
        old.unlink(missing_ok=True)
    _log.info("backup_made", path=str(target), size_bytes=target.stat().st_size)
    return target


def newest_first(database: Path, folder: Path) -> list[Path]:
    """The backups of ``database`` in ``folder``, the latest first; none where the folder is missing."""
    shape = f"{database.stem}-" + "[0-9]" * 8 + "T" + "[0-9]" * 9 + "Z.db"
    return sorted((path for path in folder.glob(shape) if path.is_file()), reverse=True)


def restore_newest(database: Path, folder: Path) -> Path | None:
    """Put the newest sound backup where ``database`` was, which must be gone; None where there is none."""
    for backup in newest_first(database, folder):
        partial = database.with_name(f".{database.name}.restored")
        partial.unlink(missing_ok=True)
        try:
            _copy(backup, partial)
            _sync(partial)
        except (OSError, StoreError, DRIVER.Error) as fault:
            _log.error("backup_unusable", path=str(backup), reason=str(fault))
            partial.unlink(missing_ok=True)
            continue
        partial.replace(database)
        _sync(database.parent)
        return backup
    return None


def stamp(at_ms: UtcMs) -> str:
    """``at_ms`` in a file's name: UTC, ISO 8601 basic form with milliseconds; sorts by time."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y%m%dT%H%M%S}{at_ms % 1000:03d}Z"


def _copy(source: Path, target: Path) -> None:
    # VACUUM INTO reads one snapshot; SQLite's online backup would start over with every foreign commit.
    create_private(target)
    with closing(
        DRIVER.connect(f"{source.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=5)
    ) as conn:
        conn.execute("VACUUM INTO ?", (str(target),))
    with closing(DRIVER.connect(target)) as conn:
        verdict = conn.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreError(f"The copy of {source} is damaged: {verdict}")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(database: Path, folder: Path) -> None:
    for leftover in folder.glob(f".{database.stem}-*.partial"):
        leftover.unlink(missing_ok=True)
