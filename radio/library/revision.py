"""Short signs of the library's state, by which one process sees what another one changed in the store.

Functions take a connection of the store and only read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Connection, case, func, select

from radio.store import tables

Sign: TypeAlias = tuple[int, ...]
"""Equal signs: nothing changed."""

Signer: TypeAlias = Callable[[Connection], Sign]

_PRIME: Final = 1_000_000_007


def corrections_sign(connection: Connection) -> Sign:
    """Moves with every correction that is set, set anew or taken back; a millisecond for 10,000 of them.

    The moments are added up and not only the newest looked at, so that a clock that was set back hides none.
    """
    c = tables.corrections.c
    return _numbers(connection, func.count(c.item_id), func.sum(c.at_ms))


def writes_sign(connection: Connection) -> Sign:
    """Moves when tags were written into a file, or such a writing was taken back."""
    c = tables.tag_undo.c
    return _numbers(connection, func.count(c.id), func.max(c.id))


def items_sign(connection: Connection) -> Sign:
    """Moves when items come or go, are measured or set aside, or their files or cues change; one pass over all."""
    c = tables.items.c
    sums = (c.mtime_ns % _PRIME, c.size_bytes, c.cue_in_ms, c.cue_out_ms)
    measured = func.count(case((c.measured.is_(True), 1)))
    return _numbers(connection, func.count(c.id), measured, *map(func.sum, sums))


def _numbers(connection: Connection, *columns: ColumnElement[Any]) -> Sign:
    row = connection.execute(select(*columns)).one()
    return tuple(int(number or 0) for number in row)
