"""What a file itself says and what people corrected: the tables beside the items'.

Functions take a connection within a transaction of the store.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, insert, select

from radio.errors import UnknownItem
from radio.library.corrections import Value
from radio.library.items import Item
from radio.library.sound import Sound
from radio.store import tables
from radio.units import UtcMs

MAX_KEYS: Final = 4_000
"""Keys of a fingerprint that are kept for one item."""

_PART: Final = 500


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """An item as its file gives it: ``item`` before any correction, with its words and its sound.

    ``tags`` is a :class:`radio.library.tags.Tags` as plain data, empty where an earlier release read it.
    """

    item: Item
    sound: Sound
    tags: dict[str, Any] = {}
    keys: tuple[int, ...] = ()

    @classmethod
    def of(cls, item: Item) -> Details:
        """What is known of an item that comes without details."""
        return cls(item=item, sound=Sound.of(item))

    @property
    def comment(self) -> str | None:
        """The comment in the file's tags."""
        comment = self.tags.get("comment")
        return comment if isinstance(comment, str) else None


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """One field that a person set, and when."""

    field: str
    value: Value
    operator: str
    at_ms: UtcMs


# made here and not at their first use, which may be in two threads at once
_SOUND: Final = msgspec.json.Decoder(Sound)
_ITEM: Final = msgspec.json.Decoder(Item)


def put(connection: Connection, found: Sequence[Details]) -> None:
    """Keep these details in place of what is known of their items."""
    drop(connection, [one.item.id for one in found])
    if found:
        connection.execute(insert(tables.item_details), [_row(one) for one in found])
    keys = [
        {"key": key, "item_id": one.item.id} for one in found for key in dict.fromkeys(one.keys[:MAX_KEYS])
    ]
    if keys:
        connection.execute(insert(tables.fingerprint_keys), keys)


def drop(connection: Connection, item_ids: Collection[str]) -> None:
    """Forget the details of items that left; what people corrected is kept, should they come back."""
    ids = list(item_ids)
    for start in range(0, len(ids), _PART):
        some = ids[start : start + _PART]
        for table in (tables.item_details, tables.fingerprint_keys):
            connection.execute(delete(table).where(table.c.item_id.in_(some)))


def get(connection: Connection, item_id: str) -> Details:
    """The details of an item, without its fingerprint's keys. Raises UnknownItem."""
    c = tables.item_details.c
    found = connection.execute(
        select(c.item, c.tags, c.sound, c.peaks, c.fingerprint).where(c.item_id == item_id)
    ).first()
    if found is None:
        raise UnknownItem(f"There is no item {item_id[:80]!r}.")
    sound = _SOUND.decode(found.sound)
    return Details(
        item=_ITEM.decode(found.item),
        tags=msgspec.json.decode(found.tags, type=dict[str, Any]),
        sound=msgspec.structs.replace(sound, peaks=found.peaks or b"", fingerprint=found.fingerprint or b""),
    )


def sound_of(connection: Connection, item_id: str) -> Sound | None:
    """What was measured of an item; None where nothing is kept."""
    try:
        return get(connection, item_id).sound
    except UnknownItem:
        return None


def comment_of(connection: Connection, item_id: str) -> str | None:
    """The comment in an item's tags."""
    c = tables.item_details.c
    tags = connection.execute(select(c.tags).where(c.item_id == item_id)).scalar()
    comment = msgspec.json.decode(tags).get("comment") if tags else None
    return comment if isinstance(comment, str) else None


def corrections(connection: Connection, item_ids: Iterable[str]) -> dict[str, dict[str, Value]]:
    """The corrections of these items, by item and field."""
    c = tables.corrections.c
    ids = list(item_ids)
    found: dict[str, dict[str, Value]] = {}
    for start in range(0, len(ids), _PART):
        query = select(c.item_id, c.field, c.value).where(c.item_id.in_(ids[start : start + _PART]))
        for row in connection.execute(query):
            found.setdefault(row.item_id, {})[row.field] = msgspec.json.decode(row.value)
    return found


def corrections_of(connection: Connection, item_id: str) -> list[Correction]:
    """The corrections of one item with who made them, by field."""
    c = tables.corrections.c
    rows = connection.execute(select(tables.corrections).where(c.item_id == item_id).order_by(c.field))
    return [
        Correction(
            field=row.field, value=msgspec.json.decode(row.value), operator=row.operator, at_ms=row.at_ms
        )
        for row in rows
    ]


def set_corrections(
    connection: Connection, item_id: str, changes: Mapping[str, Value | None], operator: str, at_ms: UtcMs
) -> None:
    """Keep ``changes`` (checked already); None takes a correction back."""
    c = tables.corrections.c
    connection.execute(delete(tables.corrections).where(c.item_id == item_id, c.field.in_(list(changes))))
    rows = [
        {
            "item_id": item_id,
            "field": field,
            "value": msgspec.json.encode(value).decode(),
            "operator": operator,
            "at_ms": at_ms,
        }
        for field, value in changes.items()
        if value is not None
    ]
    if rows:
        connection.execute(insert(tables.corrections), rows)


def _row(one: Details) -> dict[str, Any]:
    bare = msgspec.structs.replace(one.sound, peaks=b"", fingerprint=b"")
    return {
        "item_id": one.item.id,
        "item": msgspec.json.encode(one.item).decode(),
        "tags": msgspec.json.encode(one.tags).decode(),
        "sound": msgspec.json.encode(bare).decode(),
        "pcm_hash": one.sound.pcm_hash or None,
        "peaks": one.sound.peaks or None,
        "fingerprint": one.sound.fingerprint or None,
    }
