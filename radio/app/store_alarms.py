"""What is wrong with the database and the as-run log, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from radio.alarms import Alarm, Severity
from radio.stations import AsRunRecorder
from radio.store import Store
from radio.store.as_run_files import AsRunFiles
from radio.store.trouble import Ailment, Restored
from radio.units import UtcMs

REPLACED_TOLD_MS: Final = 86_400_000

_SAYS: Final = {
    Ailment.LOCKED: (
        "Another program holds the database locked, so that nothing can be written.",
        "Close the program that works on the database file: a database browser, or a backup that copies it.",
    ),
    Ailment.FULL: (
        "The disk with the database is full.",
        "Make room on that disk; what waits is then written by itself.",
    ),
    Ailment.CORRUPT: (
        "The database file is damaged.",
        "Nothing at once: it is set aside and the newest backup takes its place. Have the disk checked.",
    ),
    Ailment.MISSING: (
        "The database file was deleted or moved away.",
        "Put it back, or wait: after some seconds the newest backup takes its place. If the disk is gone, mount it.",
    ),
    Ailment.READ_ONLY: (
        "The database cannot be written: the file or its disk is read-only.",
        "Give the service's user the right to write there, or mount the disk for writing.",
    ),
    Ailment.INPUT_OUTPUT: (
        "The disk with the database fails, or has no room left.",
        "Make room on that disk and look into the system's log for faults of the disk.",
    ),
    Ailment.UNREACHABLE: (
        "The database server cannot be reached.",
        "See that PostgreSQL runs and that the way to it is open.",
    ),
}

_WHY: Final = {
    Ailment.CORRUPT: "was damaged",
    Ailment.MISSING: "was deleted or replaced",
}


def store_alarms(store: Store, recorder: AsRunRecorder, files: AsRunFiles, now_ms: UtcMs) -> Iterator[Alarm]:
    """What is wrong with what is kept."""
    if (trouble := store.trouble) is not None:
        message, advice = _SAYS[trouble.ailment]
        yield Alarm(
            code=f"database_{trouble.ailment}", severity=Severity.CRITICAL, message=message, advice=advice,
            detail=trouble.reason,
        )  # fmt: skip
    if store.restored is not None and abs(now_ms - store.restored.at_ms) < REPLACED_TOLD_MS:
        yield _replaced(store.restored)
    if recorder.fault:
        yield Alarm(
            code="as_run_waits", severity=Severity.CRITICAL,
            message=f"{recorder.waiting} events of the as-run log wait for the database; the as-run files have them.",
            advice="See the alarm of the database. Nothing is lost as long as the files are written.",
            detail=recorder.fault,
        )  # fmt: skip
    if files.fault:
        yield Alarm(
            code="as_run_files_not_written", severity=Severity.CRITICAL,
            message=f"The as-run files cannot be written: {files.fault}. {files.held} events are held in memory.",
            advice="Make room on the disk of the data folder; do not stop the service before that.",
            detail=str(files.folder),
        )  # fmt: skip
    if files.lost:
        yield Alarm(
            code="as_run_lost", severity=Severity.CRITICAL,
            message=f"{files.lost} events of the as-run log are lost to its files.",
            advice="The reports of this time may lack airings: compare them with the history.",
            detail=str(files.folder),
        )  # fmt: skip


def _replaced(restored: Restored) -> Alarm:
    when = "" if restored.at_start else " while the service ran"
    source = "a backup was restored" if restored.backup else "another one was taken into use"
    lacks = (
        "What was changed after the backup is missing: operators, corrections, campaigns' counts by hand."
        if restored.backup
        else "If it was new, operators must be added again: radio users add"
    )
    return Alarm(
        code="database_replaced", severity=Severity.WARNING,
        message=f"The database file {_WHY[restored.ailment]}{when}; {source}.",
        advice=f"{lacks} The as-run log was taken in from its files.",
        detail=f"set aside: {restored.set_aside or '-'}; restored from: {restored.backup or '-'}",
    )  # fmt: skip
