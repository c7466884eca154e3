"""Writes the as-run log through the store's one writer, in the order of events, without ever waiting for it."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from radio.errors import RadioError
from radio.events import PlayoutEvent, RowCued, RowEnded, RowStarted
from radio.log import LogRow
from radio.store import Store, as_run
from radio.units import DurationMs, UtcMs

_journal = structlog.get_logger(__name__)


class AsRunRecorder:
    """The recorder of all stations. Where the store cannot take a write, that is logged and the sound goes on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # touched by the writer's thread alone, which also keeps the order
        self._attempts: dict[tuple[str, str], int] = {}

    def record(self, event: PlayoutEvent) -> None:
        """Queue the write of one event."""
        try:
            self._store.submit(self._write, event)
        except RadioError as fault:
            _journal.error("as_run_not_written", row=event.row.id, reason=fault.message)

    def checkpoint(self, row: LogRow, at_ms: UtcMs, played_ms: DurationMs) -> None:
        """Queue the note of how much of ``row`` was heard; a later one makes an earlier one needless."""
        if self._store.backlog < 100:
            try:
                self._store.submit(self._checkpoint, row, at_ms, played_ms)
            except RadioError as fault:
                _journal.error("as_run_not_written", row=row.id, reason=fault.message)

    def _write(self, conn: Connection, event: PlayoutEvent) -> None:
        row = event.row
        key = (row.station, row.id)
        if isinstance(event, RowCued) or (isinstance(event, RowStarted) and key not in self._attempts):
            # a start without its intent: that write failed, and what is heard must be written all the same
            attempt = as_run.next_attempt(conn, row.station, row.id)
            as_run.intent(conn, row, attempt, event.at_ms)
            self._attempts[key] = attempt
        if key not in self._attempts:
            return
        if isinstance(event, RowStarted):
            as_run.start(conn, row.id, self._attempts[key], event.at_ms, station=row.station)
        elif isinstance(event, RowEnded):
            attempt = self._attempts.pop(key)
            as_run.end(
                conn, row.id, attempt, event.at_ms, event.played_ms, event.outcome, event.cause,
                station=row.station,
            )  # fmt: skip

    def _checkpoint(self, conn: Connection, row: LogRow, at_ms: UtcMs, played_ms: DurationMs) -> None:
        attempt = self._attempts.get((row.station, row.id))
        if attempt is not None:
            as_run.checkpoint(conn, row.id, attempt, at_ms, played_ms, station=row.station)
