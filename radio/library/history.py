"""Where one item stands in the past and in the plan. Functions take a connection of the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from radio.store.tables import as_run, log_rows
from radio.units import DurationMs, UtcMs

MAX_ROWS: Final = 500


class Airing(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to play an item. ``outcome`` is None while it plays; ``cause`` says why it ended so."""

    station: str
    row: str
    at_ms: UtcMs
    ends_at_ms: UtcMs | None
    played_ms: DurationMs
    outcome: str | None
    cause: str
    campaign: str | None


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a compiled log that will play an item."""

    station: str
    row: str
    starts_at_ms: UtcMs
    kind: str
    campaign: str | None


def airings(
    connection: Connection,
    item_id: str,
    *,
    stations: Sequence[str] | None = None,
    before_ms: int | None = None,
    limit: int = 50,
) -> list[Airing]:
    """What became of the item on these stations (None: all), newest first; at most 500 airings."""
    c = as_run.c
    query = select(as_run).where(c.item == item_id).order_by(c.at_ms.desc(), c.station, c.row_id)
    if stations is not None:
        query = query.where(c.station.in_(list(stations)))
    if before_ms is not None:
        query = query.where(c.at_ms < before_ms)
    return [_airing(row) for row in connection.execute(query.limit(min(limit, MAX_ROWS)))]


def planned(
    connection: Connection, item_id: str, *, stations: Sequence[str] | None = None, from_ms: int
) -> list[Planned]:
    """The rows from a moment on that will play the item, in order; at most 500."""
    c = log_rows.c
    query = select(log_rows).where(c.item == item_id, c.starts_at_ms >= from_ms)
    if stations is not None:
        query = query.where(c.station.in_(list(stations)))
    rows = connection.execute(query.order_by(c.starts_at_ms, c.station).limit(MAX_ROWS))
    return [
        Planned(
            station=row.station,
            row=row.id,
            starts_at_ms=row.starts_at_ms,
            kind=row.kind,
            campaign=row.campaign,
        )
        for row in rows
    ]


def _airing(row: Any) -> Airing:
    return Airing(
        station=row.station,
        row=row.row_id,
        at_ms=row.at_ms,
        ends_at_ms=row.ended_at_ms,
        played_ms=row.played_ms,
        outcome=row.outcome,
        cause=row.cause,
        campaign=row.campaign,
    )
