"""What is written of the as-run log, as values: one event each, the same for the database and for the files.

The files beside the store (:mod:`radio.store.as_run_files`) hold what the database may have lost;
:func:`take_in` brings it back, however often it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DataError, IntegrityError

from radio.errors import StoreError
from radio.log import LogRow, Outcome
from radio.store import as_run
from radio.store.tables import as_run as table
from radio.units import DurationMs, UtcMs

Step = Literal["intent", "start", "end", "withdrawn"]

ORDER: Final = {"intent": 0, "start": 1, "end": 2, "withdrawn": 2}

Attempts = Mapping[tuple[str, str], int]
"""The highest attempt that was started or ended, by station and row."""


class AsRunEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of an attempt to play a row, at ``at_ms``.

    ``row`` comes with the intent, whether or not the row is known already; ``played_ms``, ``outcome`` and
    ``cause`` come with the end. ``withdrawn`` takes an intent back that was never started.
    """

    event: Step
    station: str
    row_id: str
    attempt: int
    at_ms: UtcMs
    row: LogRow | None = None
    played_ms: DurationMs = DurationMs(0)
    outcome: Outcome | None = None
    cause: str = ""


class Refused(StoreError):
    """An event that no repetition could write: it contradicts what is written already."""


def write(conn: Connection, event: AsRunEvent) -> None:
    """Write one event. Raises Refused where it fits nothing that is there; database errors pass through."""
    try:
        with conn.begin_nested():
            _write(conn, event)
    except (StoreError, IntegrityError, DataError) as fault:
        raise Refused(f"{event.event} of row {event.row_id}: {fault}") from fault


def take_in(conn: Connection, station: str, events: Iterable[AsRunEvent]) -> int:
    """Write those of ``events`` that the database lacks, and return how many; twice is the same as once.

    What the database knows of an attempt is never changed by it, only gone on with.
    """
    wanted = [event for event in events if event.station == station]
    if not wanted:
        return 0
    known = _known(conn, station, min(event.at_ms for event in wanted))
    withdrawn = _withdrawn(wanted)
    taken = 0
    for index, event in enumerate(wanted):
        key = (event.row_id, event.attempt)
        if index in withdrawn or not _is_needed(event, known.get(key, -1)):
            continue
        try:
            write(conn, event)
        except Refused:
            continue
        taken += 1
        if event.event == "withdrawn":
            del known[key]
        else:
            known[key] = ORDER[event.event]
    return taken


def _is_needed(event: AsRunEvent, known: int) -> bool:
    return known == 0 if event.event == "withdrawn" else known < ORDER[event.event]


def _withdrawn(events: list[AsRunEvent]) -> set[int]:
    """Where the intents stand that were taken back."""
    intents: dict[tuple[str, int], int] = {}
    found: set[int] = set()
    for index, event in enumerate(events):
        key = (event.row_id, event.attempt)
        if event.event == "intent":
            intents[key] = index
        elif event.event == "withdrawn" and key in intents:
            found.add(intents.pop(key))
    return found


def attempts_since(conn: Connection, station: str, since_ms: UtcMs) -> dict[tuple[str, str], int]:
    """The highest attempt started or ended of each row that was on the air since then."""
    c = table.c
    used = (
        select(c.row_id, func.max(c.attempt))
        .where(c.station == station, c.at_ms >= since_ms)
        .where(c.started_at_ms.is_not(None) | c.ended_at_ms.is_not(None))
        .group_by(c.row_id)
    )
    return {(station, row_id): attempt for row_id, attempt in conn.execute(used)}


def _write(conn: Connection, event: AsRunEvent) -> None:
    key = (event.row_id, event.attempt)
    match event.event:
        case "intent":
            if event.row is None:
                raise StoreError("an intent names its row")
            as_run.intent(conn, event.row, event.attempt, event.at_ms)
        case "start":
            as_run.start(conn, *key, event.at_ms, station=event.station)
        case "withdrawn":
            as_run.withdraw(conn, *key, station=event.station)
        case "end" if event.outcome is not None:
            as_run.end(
                conn, *key, event.at_ms, event.played_ms, event.outcome, event.cause, station=event.station
            )
        case _:
            raise StoreError("an end has an outcome")


def _known(conn: Connection, station: str, since_ms: UtcMs) -> dict[tuple[str, int], int]:
    """How far each attempt is written: intent, start, end. An attempt is sorted by its start, which may be
    later than its intent: that makes more rows known than are needed, never fewer."""
    c = table.c
    found = conn.execute(
        select(c.row_id, c.attempt, c.started_at_ms, c.ended_at_ms).where(
            c.station == station, c.at_ms >= since_ms
        )
    )
    return {
        (row_id, attempt): 2 if ended is not None else 1 if started is not None else 0
        for row_id, attempt, started, ended in found
    }
