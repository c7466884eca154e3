"""The compiled log as it is stored: what is planned, replaced from a moment on when the plan changes.

The functions run inside :meth:`radio.store.Store.write` or :meth:`~radio.store.Store.read`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from radio.errors import StoreError
from radio.log import LogRow, first_fault
from radio.store.tables import log_remains, log_rows
from radio.units import UtcMs

_DECODER: Final = msgspec.json.Decoder(LogRow)
_TEXTS: Final = (
    "station", "title", "reason", "item", "artist", "album", "artwork", "category", "programme", "occurrence", "clock",
)  # fmt: skip


def replace_from(
    conn: Connection,
    station: str,
    from_ms: UtcMs,
    rows: Sequence[LogRow],
    revision: str,
    remains: str | None = None,
) -> None:
    """Put ``rows`` in the place of every row of ``station`` that starts at or after ``from_ms``.

    ``rows`` are contiguous and none starts before ``from_ms``. A stored row that began earlier stays; where
    it reaches past the first new row it is shortened to end there. ``revision`` names the schedule they come
    of. ``remains`` is what is known besides them, as JSON; None leaves it as it is stored.
    Raises StoreError where ``rows`` are no log of that station; the stored log is then as it was.
    """
    fault = _fault(station, from_ms, rows)
    if fault is not None:
        raise StoreError(f"The log of station {station} was not stored: {fault}.")
    c = log_rows.c
    conn.execute(delete(log_rows).where(c.station == station, c.starts_at_ms >= from_ms))
    if rows:
        _shorten(conn, station, rows[0].starts_at_ms)
        conn.execute(insert(log_rows), [_columns(row) | {"revision": revision} for row in rows])
    if remains is not None:
        conn.execute(delete(log_remains).where(log_remains.c.station == station))
        conn.execute(insert(log_remains).values(station=station, body=remains))


def load(conn: Connection, station: str, from_ms: UtcMs, to_ms: UtcMs) -> list[LogRow]:
    """The rows of ``station`` on the air at some moment from ``from_ms`` up to ``to_ms``, in order."""
    c = log_rows.c
    wanted = (
        select(c.body)
        .where(c.station == station, c.ends_at_ms > from_ms, c.starts_at_ms < to_ms)
        .order_by(c.starts_at_ms)
    )
    return _sharing(_DECODER.decode(body) for body in conn.execute(wanted).scalars())


def remains(conn: Connection, station: str) -> str | None:
    """What was known besides the rows of ``station`` when they were last stored, as JSON; None where nothing was."""
    return conn.execute(select(log_remains.c.body).where(log_remains.c.station == station)).scalar()


def _sharing(rows: Iterable[LogRow]) -> list[LogRow]:
    """The rows with each text kept once: a day has the same few hundred over and over, which would be 3 MB."""
    texts: dict[str, str] = {}
    return [
        msgspec.structs.replace(
            row,
            **{
                name: texts.setdefault(text, text)
                for name in _TEXTS
                if isinstance(text := getattr(row, name), str)
            },
        )
        for row in rows
    ]


def prune(conn: Connection, before_ms: UtcMs) -> int:
    """Delete the rows of all stations that ended by ``before_ms``, and return how many they were."""
    return conn.execute(delete(log_rows).where(log_rows.c.ends_at_ms <= before_ms)).rowcount


def _fault(station: str, from_ms: UtcMs, rows: Sequence[LogRow]) -> str | None:
    for row in rows:
        if row.station != station:
            return f"row {row.id} belongs to station {row.station}"
    if rows and rows[0].starts_at_ms < from_ms:
        return (
            f"row {rows[0].id} starts {from_ms - rows[0].starts_at_ms} ms before the moment to replace from"
        )
    return first_fault(rows)


def _shorten(conn: Connection, station: str, ends_at_ms: UtcMs) -> None:
    c = log_rows.c
    reaching = conn.execute(
        select(c.body).where(c.station == station, c.ends_at_ms > ends_at_ms, c.starts_at_ms < ends_at_ms)
    )
    for body in reaching.scalars().all():
        row = msgspec.structs.replace(_DECODER.decode(body), ends_at_ms=ends_at_ms)
        conn.execute(update(log_rows).where(c.station == station, c.id == row.id).values(_columns(row)))


def _columns(row: LogRow) -> dict[str, object]:
    return {
        "station": row.station,
        "id": row.id,
        "starts_at_ms": row.starts_at_ms,
        "ends_at_ms": row.ends_at_ms,
        "kind": row.kind.value,
        "item": row.item,
        "campaign": None if row.sponsor is None else row.sponsor.campaign,
        "body": msgspec.json.encode(row).decode(),
    }
