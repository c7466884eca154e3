"""What listeners heard, one row for each connection that has ended.

The functions run inside :meth:`radio.store.Store.write` or :meth:`~radio.store.Store.read`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, insert, select, update

from radio.store.tables import listener_sessions
from radio.units import UtcMs


class ListenerSession(msgspec.Struct, frozen=True, kw_only=True):
    """One connection to a stream: when it was sent sound, how many bytes the system took, and by which family of
    players (:mod:`radio.streaming.agents`). ``address`` is None unless the operator keeps addresses."""

    station: str
    mount: str
    started_at_ms: UtcMs
    ended_at_ms: UtcMs
    bytes_sent: int
    agent: str
    address: str | None = None


def record(conn: Connection, sessions: Sequence[ListenerSession]) -> None:
    """Add ``sessions``, in one statement."""
    if sessions:
        conn.execute(insert(listener_sessions), [msgspec.structs.asdict(session) for session in sessions])


def between(conn: Connection, station: str, from_ms: UtcMs, to_ms: UtcMs) -> list[ListenerSession]:
    """The station's sessions that began from ``from_ms`` on and before ``to_ms``, by their start."""
    c = listener_sessions.c
    columns = [c[field.name] for field in msgspec.structs.fields(ListenerSession)]
    wanted = (
        select(*columns)
        .where(c.station == station, c.started_at_ms >= from_ms, c.started_at_ms < to_ms)
        .order_by(c.started_at_ms, c.id)
    )
    return [msgspec.convert(row, ListenerSession) for row in conn.execute(wanted).mappings().all()]


def blank_addresses(conn: Connection, before_ms: UtcMs) -> int:
    """Forget the addresses of the sessions that ended before ``before_ms``; how many they were."""
    c = listener_sessions.c
    old = update(listener_sessions).where(c.address.is_not(None), c.ended_at_ms < before_ms)
    return conn.execute(old.values(address=None)).rowcount
