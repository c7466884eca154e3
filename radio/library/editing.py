"""What operators change of items: corrections, and the record of tags written to files.

Functions take a connection within a transaction of the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, insert, select

from radio.errors import ChangedMeanwhile
from radio.library import catalog, details
from radio.library.corrections import check_cues, checked, corrected
from radio.library.items import Item
from radio.store import tables
from radio.units import UtcMs

MAX_UNDO: Final = 20
"""Tag writes of one item that can be taken back; older ones are forgotten."""


class Undoable(msgspec.Struct, frozen=True, kw_only=True):
    """A write of tags that can be taken back; ``data`` is what :mod:`radio.library.tag_writing` needs for it."""

    id: int
    item_id: str
    at_ms: UtcMs
    operator: str
    path: str
    data: bytes


def version_of(item: Item) -> str:
    """A short hash of an item as it is now; equal for equal items (an ETag without its quotes)."""
    return blake2b(msgspec.json.encode(item), digest_size=12).hexdigest()


def check_version(item: Item, version: str | None) -> None:
    """Raise ChangedMeanwhile (field ``If-Match``) where the item is no longer the one that was read."""
    if version is not None and version not in ("*", version_of(item)):
        raise ChangedMeanwhile(
            "The item was changed meanwhile.", field="If-Match", allowed="the item's present ETag"
        )


def correct(
    connection: Connection,
    item_id: str,
    changes: Mapping[str, Any],
    operator: str,
    at_ms: UtcMs,
    *,
    version: str | None = None,
) -> Item:
    """Set fields of an item and return it as it is now; None takes a correction back.

    ``version`` is that of the item as the operator saw it. Raises UnknownItem, InvalidRequest (which names
    the field and what is allowed; nothing is changed then).
    """
    before = catalog.load_item(connection, item_id)
    check_version(before, version)
    values = {field: None if value is None else checked(field, value) for field, value in changes.items()}
    details.set_corrections(connection, item_id, values, operator, at_ms)
    return _refreshed(connection, item_id, strict=bool({"cue_in_ms", "cue_out_ms"} & values.keys()))


def _refreshed(connection: Connection, item_id: str, *, strict: bool) -> Item:
    measured = details.get(connection, item_id).item
    wanted = details.corrections(connection, [item_id]).get(item_id, {})
    if strict:
        cues = {name: wanted[name] for name in ("cue_in_ms", "cue_out_ms") if name in wanted}
        check_cues(msgspec.structs.replace(measured, **cues))
    item = corrected(measured, wanted)
    catalog.replace_item(connection, item)
    return item


def keep_undo(
    connection: Connection, item_id: str, path: str, data: bytes, operator: str, at_ms: UtcMs
) -> None:
    """Remember how a write of tags to the item's file is taken back; the last 20 of each item are kept."""
    connection.execute(
        insert(tables.tag_undo).values(item_id=item_id, at_ms=at_ms, operator=operator, path=path, data=data)
    )
    c = tables.tag_undo.c
    kept = select(c.id).where(c.item_id == item_id).order_by(c.id.desc()).limit(MAX_UNDO)
    newest = connection.execute(kept).scalars().all()
    connection.execute(delete(tables.tag_undo).where(c.item_id == item_id, c.id < newest[-1]))


def last_undo(connection: Connection, item_id: str) -> Undoable | None:
    """The last write of tags that was not taken back yet."""
    c = tables.tag_undo.c
    row = connection.execute(
        select(tables.tag_undo).where(c.item_id == item_id).order_by(c.id.desc()).limit(1)
    ).first()
    return Undoable(**row._mapping) if row else None


def drop_undo(connection: Connection, undo_id: int) -> None:
    """The write was taken back."""
    connection.execute(delete(tables.tag_undo).where(tables.tag_undo.c.id == undo_id))
