"""A damaged SQLite database is set aside at start; the newest backup or an empty one takes its place."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

import structlog

from radio.clock import Clock
from radio.errors import StoreError
from radio.store import backup
from radio.store.sqlite import DRIVER, create_private

_log = structlog.get_logger(__name__)

CHECK_LIMIT_S: Final = 0.5
"""How long the check may hold up the sound at start; a database too big for that is taken as sound."""


def ensure_sound(
    database: Path, backups: Path, clock: Clock, *, busy_s: float = 5.0
) -> tuple[Path, Path | None] | None:
    """Return when ``database`` can be worked with, so that a station starts whatever the disk did to it.

    Where it was replaced: what :func:`replace` returns.

    A damaged file is moved to ``<name>.corrupt-<UTC>`` with its journal, never deleted; an error is logged.
    Raises StoreError where the file cannot be read at all, for instance because another process has it locked
    for longer than ``busy_s``.
    """
    fault = fault_of(database, clock, busy_s=busy_s)
    if fault is None:
        return None
    aside, restored = replace(database, backups, clock)
    _log.error(
        "database_corrupt",
        path=str(database),
        reason=fault,
        moved_to=str(aside),
        restored_from=None if restored is None else str(restored),
    )
    return aside, restored


def replace(database: Path, backups: Path, clock: Clock) -> tuple[Path, Path | None]:
    """Move the file, if it is there, and its journal aside, and put the newest backup or an empty file in its place.

    Returns where they were moved to and the backup. Raises StoreError where nothing can be written there.
    """
    aside = _set_aside(database, backup.stamp(clock.now_ms()))
    restored = backup.restore_newest(database, backups)
    if restored is None:
        create_private(database)
    return aside, restored


def set_journal_aside(database: Path, clock: Clock) -> None:
    """Move the journal of another file away from ``database``, to which it must not be applied."""
    _set_aside(database, backup.stamp(clock.now_ms()), parts=("-wal", "-shm"))


def fault_of(
    database: Path, clock: Clock, *, limit_s: float = CHECK_LIMIT_S, busy_s: float = 5.0
) -> str | None:
    """What SQLite's quick_check finds wrong in ``database``, in its words; None where nothing in time."""
    until_s = clock.monotonic_s() + limit_s
    try:
        with closing(DRIVER.connect(database, isolation_level=None, timeout=busy_s)) as conn:
            conn.set_progress_handler(lambda: clock.monotonic_s() >= until_s, 10_000)
            verdict = str(conn.execute("PRAGMA quick_check(1)").fetchone()[0])
    except DRIVER.OperationalError as fault:
        if clock.monotonic_s() >= until_s and str(fault) == "interrupted":
            return None
        raise StoreError(f"The database {database} cannot be opened: {fault}") from fault
    except DRIVER.DatabaseError as fault:
        return str(fault)
    return None if verdict == "ok" else verdict


def _set_aside(database: Path, moment: str, parts: tuple[str, ...] = ("-wal", "-shm", "")) -> Path:
    aside = database.with_name(f"{database.name}.corrupt-{moment}")
    for suffix in parts:
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside
