"""Where the planner keeps its logs over a restart, and what it remembers of the air."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
import structlog
from sqlalchemy import Connection, select

from radio.log import LogRow
from radio.schedule.remains import Remains
from radio.schedule.rotation import Play
from radio.schedule.station_log import StationLog
from radio.store import Store, as_run, log_rows
from radio.store.tables import log_rows as table
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)

_REMAINS: Final = msgspec.json.Decoder(Remains)


class LogStore(Protocol):
    """What the planner needs of a store."""

    async def load(self, station: str, from_ms: UtcMs, to_ms: UtcMs) -> Sequence[LogRow]:
        """The stored rows that are on the air at any moment of ``[from_ms, to_ms)``, in order."""

    async def revision(self, station: str) -> str | None:
        """The revision that the last stored row was compiled from."""

    async def remains(self, station: str) -> Remains:
        """What was known besides the rows when they were last stored."""

    async def replace_from(
        self, station: str, from_ms: UtcMs, rows: Sequence[LogRow], revision: str, remains: Remains
    ) -> None:
        """Put rows in the place of all that start at or after ``from_ms``, and all that is known besides them."""

    def replace_soon(
        self, station: str, from_ms: UtcMs, rows: Sequence[LogRow], revision: str, remains: Remains
    ) -> None:
        """As ``replace_from``, before all that is written later, without waiting for it."""

    async def plays(self, station: str, since_ms: UtcMs) -> Sequence[Play]:
        """What was heard since then, oldest first."""

    async def prune(self, before_ms: UtcMs) -> None:
        """Forget planned rows that ended by then."""


class StoredLogs:
    """The planner's part of the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self, station: str, from_ms: UtcMs, to_ms: UtcMs) -> Sequence[LogRow]:
        return await self._store.read(log_rows.load, station, from_ms, to_ms)

    async def revision(self, station: str) -> str | None:
        return await self._store.read(_revision, station)

    async def remains(self, station: str) -> Remains:
        return await self._store.read(_remains, station)

    async def replace_from(
        self, station: str, from_ms: UtcMs, rows: Sequence[LogRow], revision: str, remains: Remains
    ) -> None:
        await self._store.write(_replace, station, from_ms, rows, revision, remains)

    def replace_soon(
        self, station: str, from_ms: UtcMs, rows: Sequence[LogRow], revision: str, remains: Remains
    ) -> None:
        self._store.submit(_replace, station, from_ms, rows, revision, remains)

    async def plays(self, station: str, since_ms: UtcMs) -> Sequence[Play]:
        played = await self._store.read(as_run.last_played, station, since_ms)
        return [
            Play(
                item=one.item,
                started_ms=one.started_ms,
                title=one.title,
                artist=one.artist,
                category=one.category,
            )
            for one in played
        ]

    async def prune(self, before_ms: UtcMs) -> None:
        await self._store.write(log_rows.prune, before_ms)


def replace_stored(conn: Connection, log: StationLog, from_ms: UtcMs, revision: str) -> None:
    """Store the log from ``from_ms`` on, and what it knows besides; for a database that lacks it."""
    rows, remains = log.kept_from(from_ms)
    if rows:
        _replace(conn, log.station, rows[0].starts_at_ms, rows, revision, remains)


def _replace(
    conn: Connection,
    station: str,
    from_ms: UtcMs,
    rows: Sequence[LogRow],
    revision: str,
    remains: Remains,
) -> None:
    body = msgspec.json.encode(remains).decode()
    log_rows.replace_from(conn, station, from_ms, rows, revision, body)


def _remains(conn: Connection, station: str) -> Remains:
    body = log_rows.remains(conn, station)
    try:
        return Remains() if body is None else _REMAINS.decode(body)
    except msgspec.DecodeError:
        _journal.exception("log_remains_unreadable", station=station)
        return Remains()


def _revision(conn: Connection, station: str) -> str | None:
    newest = select(table.c.revision).where(table.c.station == station).order_by(table.c.starts_at_ms.desc())
    return conn.execute(newest.limit(1)).scalar()
