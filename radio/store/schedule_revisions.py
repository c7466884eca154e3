"""The revisions of schedules and the drafts of operators.

The functions run inside :meth:`radio.store.Store.write` or :meth:`~radio.store.Store.read`. Texts are kept as
compressed bytes, which mean nothing here.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, update

from radio.errors import LimitReached
from radio.store.tables import schedule_drafts, schedule_revisions
from radio.units import UtcMs

KEPT_TEXTS: Final = 1_000
KEPT_MS: Final = 2 * 366 * 86_400_000
"""Texts are kept of the newest 1,000 revisions of a station and for two years; the lines stay."""

MAX_LINES: Final = 20_000
"""Lines of a station; what is older is forgotten."""

MAX_DRAFTS: Final = 50
MAX_PAGE: Final = 200


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One text that a schedule had: who made it, when, how (``action``) and why.

    ``parent`` is the revision that it took the place of. ``version`` is the hash of the text. ``has_text`` is false
    where the text is no longer kept.
    """

    number: int
    parent: int | None
    at_ms: UtcMs
    operator: str
    action: str
    why: str
    version: str
    size_bytes: int
    added_lines: int
    removed_lines: int
    has_text: bool = True


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A text that an operator is at work on. ``base`` is the version that it was begun from."""

    operator: str
    at_ms: UtcMs
    base: str
    why: str
    data: bytes


_r = schedule_revisions.c
_d = schedule_drafts.c


def add(conn: Connection, station: str, revision: Revision, data: bytes) -> Revision:
    """Keep a revision with the next number, whatever its own says, and forget the texts that are too old."""
    newest = conn.execute(select(func.max(_r.number)).where(_r.station == station)).scalar()
    numbered = msgspec.structs.replace(revision, number=(newest or 0) + 1, parent=newest)
    values = {name: value for name, value in msgspec.structs.asdict(numbered).items() if name != "has_text"}
    conn.execute(insert(schedule_revisions).values(station=station, data=data, **values))
    _prune(conn, station, numbered)
    return numbered


def _prune(conn: Connection, station: str, newest: Revision) -> None:
    of_station = _r.station == station
    old = (_r.number <= newest.number - KEPT_TEXTS) | (_r.at_ms < newest.at_ms - KEPT_MS)
    conn.execute(
        update(schedule_revisions)
        .where(of_station, _r.data.is_not(None), _r.number < newest.number, old)
        .values(data=None)
    )
    conn.execute(delete(schedule_revisions).where(of_station, _r.number <= newest.number - MAX_LINES))


def latest(conn: Connection, station: str) -> Revision | None:
    """The newest revision of a station, if there is any."""
    return _one(conn, _lines(station).order_by(_r.number.desc()).limit(1))


def get(conn: Connection, station: str, number: int) -> Revision | None:
    """The revision with that number, if there is one."""
    return _one(conn, _lines(station).where(_r.number == number))


def with_version(conn: Connection, station: str, version: str) -> Revision | None:
    """The newest revision with that text, if its text is kept."""
    wanted = _lines(station).where(_r.version == version, _r.data.is_not(None))
    return _one(conn, wanted.order_by(_r.number.desc()).limit(1))


def text_of(conn: Connection, station: str, number: int) -> bytes | None:
    """The compressed text of a revision; None where it is not kept."""
    wanted = select(_r.data).where(_r.station == station, _r.number == number)
    found: bytes | None = conn.execute(wanted).scalar()
    return found


def page(conn: Connection, station: str, *, before: int | None = None, limit: int = 50) -> list[Revision]:
    """Revisions with numbers below ``before``, newest first; at most 200."""
    wanted = _lines(station).order_by(_r.number.desc()).limit(min(limit, MAX_PAGE))
    if before is not None:
        wanted = wanted.where(_r.number < before)
    return [_revision(row) for row in conn.execute(wanted).mappings()]


def draft(conn: Connection, station: str, operator: str) -> Draft | None:
    """An operator's draft, if there is one."""
    columns = [_d[field.name] for field in msgspec.structs.fields(Draft)]
    wanted = select(*columns).where(_d.station == station, _d.operator == operator)
    row = conn.execute(wanted).mappings().first()
    return None if row is None else msgspec.convert(row, Draft)


def put_draft(conn: Connection, station: str, wanted: Draft) -> None:
    """Keep a draft in the place of the operator's last. Raises LimitReached over 50 of a station."""
    drop_draft(conn, station, wanted.operator)
    count = conn.execute(
        select(func.count()).select_from(schedule_drafts).where(_d.station == station)
    ).scalar()
    if (count or 0) >= MAX_DRAFTS:
        raise LimitReached(f"There are {MAX_DRAFTS} drafts of this station already; drop one of them first.")
    conn.execute(insert(schedule_drafts).values(station=station, **msgspec.structs.asdict(wanted)))


def drop_draft(conn: Connection, station: str, operator: str) -> bool:
    """Forget a draft; whether there was one."""
    gone = delete(schedule_drafts).where(_d.station == station, _d.operator == operator)
    return conn.execute(gone).rowcount > 0


def _lines(station: str) -> Select[Any]:
    columns = [_r[field.name] for field in msgspec.structs.fields(Revision) if field.name != "has_text"]
    return select(*columns, _r.data.is_not(None).label("has_text")).where(_r.station == station)


def _one(conn: Connection, wanted: Select[Any]) -> Revision | None:
    row = conn.execute(wanted).mappings().first()
    return None if row is None else _revision(row)


def _revision(row: RowMapping) -> Revision:
    return msgspec.convert(row, Revision)
