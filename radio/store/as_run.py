"""The as-run log: what went on the air, written before, while and after it does.

Each attempt to play a row goes through :func:`intent` (committed before its first sample), :func:`start`,
:func:`checkpoint` about once a second and :func:`end`. A row counts as aired at most once, whatever crashes
or however many processes play it: the partial unique index ``uq_as_run_counted`` sees to that.

The functions run inside :meth:`radio.store.Store.write`, :meth:`~radio.store.Store.submit` or
:meth:`~radio.store.Store.read`. ``station`` is needed only where rows of two stations may bear the same id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from radio.errors import InvalidRequest, StoreError
from radio.log import LogRow, Outcome
from radio.store.tables import as_run
from radio.units import DurationMs, UtcMs

HISTORY_LIMIT: Final = 500
"""The most attempts that :func:`history` returns at once."""

LAST_PLAYED_LIMIT: Final = 50_000
"""The most airings that :func:`last_played` returns: the latest of them, several weeks of a busy station."""

CRASHED: Final = "crash"
STOPPED: Final = "the station stopped"
INTERRUPTIONS: Final = (CRASHED, STOPPED)
"""The causes with which an attempt ends when the process does."""

_DECODER: Final = msgspec.json.Decoder(LogRow)


class Aired(msgspec.Struct, frozen=True):
    """One attempt to play a row, as far as it has come.

    ``started_at_ms`` is None until the first sample, ``ended_at_ms`` until the end. ``played_ms`` is the last
    known length of the row's own sound that was heard. ``outcome`` is None until the end, and after it where
    another attempt counts as the row's airing; ``cause`` then says so.
    """

    row: LogRow
    attempt: int
    cued_at_ms: UtcMs
    started_at_ms: UtcMs | None
    ended_at_ms: UtcMs | None
    played_ms: DurationMs
    outcome: Outcome | None
    cause: str

    @property
    def at_ms(self) -> UtcMs:
        """The moment by which history is sorted: the start, or the cueing where there was none."""
        return self.cued_at_ms if self.started_at_ms is None else self.started_at_ms


class Played(NamedTuple):
    """An item that was heard, for rules about how soon it, its artist or its title may come again."""

    item: str
    category: str | None
    started_ms: UtcMs
    artist: str | None
    title: str


def intent(conn: Connection, row: LogRow, attempt: int, at_ms: UtcMs) -> None:
    """Write down that ``row`` is about to be played; ``attempt`` counts from 1 (see :func:`next_attempt`).

    May be repeated until the attempt starts. Raises StoreError where it has started or ended.
    """
    key = _key(row.id, attempt, row.station)
    found = conn.execute(select(as_run.c.started_at_ms, as_run.c.ended_at_ms).where(key)).first()
    if found is None:
        conn.execute(insert(as_run).values(row_id=row.id, attempt=attempt, **_planned(row, at_ms)))
    elif found == (None, None):
        conn.execute(update(as_run).where(key).values(**_planned(row, at_ms)))
    else:
        raise StoreError(f"Attempt {attempt} at row {row.id} was on the air already; take the next number.")


def next_attempt(conn: Connection, station: str, row_id: str) -> int:
    """The number for the next attempt at a row: 1 for one that was never started."""
    used = select(func.max(as_run.c.attempt)).where(
        as_run.c.station == station,
        as_run.c.row_id == row_id,
        (as_run.c.started_at_ms.is_not(None)) | (as_run.c.ended_at_ms.is_not(None)),
    )
    return (conn.execute(used).scalar() or 0) + 1


def start(conn: Connection, row_id: str, attempt: int, at_ms: UtcMs, *, station: str | None = None) -> bool:
    """Write down that the row's first sample is heard at ``at_ms``; False where the attempt has ended.

    Raises StoreError where there is no intent.
    """
    moments = {"at_ms": at_ms, "started_at_ms": at_ms, "checkpoint_at_ms": at_ms}
    return _change(conn, row_id, attempt, station, moments)


def checkpoint(
    conn: Connection,
    row_id: str,
    attempt: int,
    at_ms: UtcMs,
    played_ms: DurationMs,
    *,
    station: str | None = None,
) -> bool:
    """Write down how much was heard by ``at_ms``, in case the process dies. Answers as start does."""
    return _change(conn, row_id, attempt, station, {"checkpoint_at_ms": at_ms, "played_ms": played_ms})


def end(
    conn: Connection,
    row_id: str,
    attempt: int,
    at_ms: UtcMs,
    played_ms: DurationMs,
    outcome: Outcome,
    cause: str,
    *,
    station: str | None = None,
) -> bool:
    """Write down how the attempt ended; it ends once: a second call changes nothing and returns False.

    Where another attempt at the row counts as its airing already, this one ends without an outcome, its cause
    says so, and False is returned. Raises StoreError where there is no intent.
    """
    ended = {"ended_at_ms": at_ms, "played_ms": played_ms}
    try:
        with conn.begin_nested():
            return _change(
                conn, row_id, attempt, station, {**ended, "outcome": outcome.value, "cause": cause}
            )
    except IntegrityError:
        cause = f"{cause}; {outcome.value}, but another attempt counts"
        _change(conn, row_id, attempt, station, {**ended, "cause": cause})
        return False


def withdraw(conn: Connection, row_id: str, attempt: int, *, station: str) -> bool:
    """Take an intent back whose row was never started: it is no attempt. False where there is none."""
    never_heard = as_run.c.started_at_ms.is_(None) & as_run.c.ended_at_ms.is_(None)
    key = and_(_key(row_id, attempt, station), never_heard)
    return conn.execute(delete(as_run).where(key)).rowcount == 1


def interrupted(conn: Connection, station: str, since_ms: UtcMs) -> Aired | None:
    """The attempt that was on the air when ``station`` last stopped or crashed, if it ended since then.

    Call it after :func:`close_unfinished`. None where the newest attempt ended in another way.
    """
    c = as_run.c
    newest = (
        select(as_run)
        .where(c.station == station, c.started_at_ms.is_not(None))
        .order_by(c.at_ms.desc(), c.starts_at_ms.desc(), c.attempt.desc())
        .limit(1)
    )
    found = conn.execute(newest).first()
    if found is None or (found.ended_at_ms or 0) < since_ms:
        return None
    is_cut = any(found.cause == cause or found.cause.startswith(f"{cause};") for cause in INTERRUPTIONS)
    return _aired(found) if is_cut else None


def close_unfinished(conn: Connection, station: str, at_ms: UtcMs) -> list[Aired]:
    """End what a crash left open at ``station`` and return these attempts; call it before playing.

    A started attempt ends as truncated at its last checkpoint (what was heard after it, a second at most, is
    not claimed). One that was cued and whose row is over by ``at_ms`` ends as missed; one whose row is still
    to come stays open, since it may be played yet. The cause is "crash".
    """
    unfinished = conn.execute(
        select(as_run).where(as_run.c.station == station, as_run.c.ended_at_ms.is_(None))
    )
    closed = []
    for found in unfinished.all():
        if found.started_at_ms is not None:
            _crashed(conn, found, found.checkpoint_at_ms, Outcome.TRUNCATED)
        elif found.ends_at_ms <= at_ms:
            _crashed(conn, found, at_ms, Outcome.MISSED)
        else:
            continue
        key = _key(found.row_id, found.attempt, station)
        closed.append(_aired(conn.execute(select(as_run).where(key)).one()))
    return closed


def history(
    conn: Connection,
    station: str,
    *,
    limit: int = 100,
    before_ms: UtcMs | None = None,
    started_only: bool = False,
) -> list[Aired]:
    """The latest attempts at ``station``, newest first by :attr:`Aired.at_ms`.

    Attempts that were cued and never heard are included, unless ``started_only``.
    ``limit`` is 1 to HISTORY_LIMIT; ``before_ms`` (exclusive) pages on from the last one's ``at_ms``.
    Raises InvalidRequest.
    """
    if not 1 <= limit <= HISTORY_LIMIT:
        raise InvalidRequest(
            f"{limit} entries cannot be had.", field="limit", allowed=f"1 to {HISTORY_LIMIT}"
        )
    wanted = select(as_run).where(as_run.c.station == station)
    if before_ms is not None:
        wanted = wanted.where(as_run.c.at_ms < before_ms)
    if started_only:
        wanted = wanted.where(as_run.c.started_at_ms.is_not(None))
    newest = wanted.order_by(as_run.c.at_ms.desc(), as_run.c.starts_at_ms.desc(), as_run.c.attempt.desc())
    return [_aired(found) for found in conn.execute(newest.limit(limit))]


def last_played(conn: Connection, station: str, since_ms: UtcMs) -> list[Played]:
    """Every library item that started at ``station`` at or after ``since_ms``, oldest first."""
    c = as_run.c
    heard = (
        select(c.item, c.category, c.started_at_ms, c.artist, c.title)
        .where(c.station == station, c.at_ms >= since_ms, c.started_at_ms.is_not(None), c.item.is_not(None))
        .order_by(c.at_ms.desc(), c.row_id.desc(), c.attempt.desc())
        .limit(LAST_PLAYED_LIMIT)
    )
    return [Played(*found) for found in reversed(conn.execute(heard).all())]


def _key(row_id: str, attempt: int, station: str | None) -> ColumnElement[bool]:
    key = and_(as_run.c.row_id == row_id, as_run.c.attempt == attempt)
    return key if station is None else and_(key, as_run.c.station == station)


def _planned(row: LogRow, at_ms: UtcMs) -> dict[str, Any]:
    return {
        "station": row.station,
        "starts_at_ms": row.starts_at_ms,
        "ends_at_ms": row.ends_at_ms,
        "kind": row.kind.value,
        "item": row.item,
        "category": row.category,
        "artist": row.artist,
        "title": row.title,
        "campaign": None if row.sponsor is None else row.sponsor.campaign,
        "body": msgspec.json.encode(row).decode(),
        "at_ms": at_ms,
        "cued_at_ms": at_ms,
        "played_ms": 0,
        "cause": "",
    }


def _change(
    conn: Connection, row_id: str, attempt: int, station: str | None, values: Mapping[str, object]
) -> bool:
    key = _key(row_id, attempt, station)
    changed = conn.execute(
        update(as_run).where(key, as_run.c.ended_at_ms.is_(None)).values(dict(values))
    ).rowcount
    if changed > 1:
        raise StoreError(f"Several stations have a row {row_id}: the station must be named.")
    if not changed and conn.execute(select(as_run.c.attempt).where(key)).first() is None:
        raise StoreError(f"Attempt {attempt} at row {row_id} was never written down as cued.")
    return changed == 1


def _crashed(conn: Connection, found: Row[Any], at_ms: UtcMs, outcome: Outcome) -> None:
    end(conn, found.row_id, found.attempt, at_ms, found.played_ms, outcome, CRASHED, station=found.station)


def _aired(found: Row[Any]) -> Aired:
    return Aired(
        row=_DECODER.decode(found.body),
        attempt=found.attempt,
        cued_at_ms=found.cued_at_ms,
        started_at_ms=found.started_at_ms,
        ended_at_ms=found.ended_at_ms,
        played_ms=found.played_ms,
        outcome=None if found.outcome is None else Outcome(found.outcome),
        cause=found.cause,
    )
