"""The library's tables: what scans write, what the rest of the service loads.

Functions take a connection within a transaction of the store: ``await store.read(load)``. Nothing here is
particular to one database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import starmap
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, Select, Table, and_, bindparam, delete, insert, select

from radio.errors import UnknownItem
from radio.library import details, search_index
from radio.library.artwork import Artwork
from radio.library.changes import Known, KnownItem, Place
from radio.library.corrections import corrected
from radio.library.details import Details
from radio.library.items import Item, RejectedFile
from radio.library.walk import root_name
from radio.store import tables

_MOST_IN_LIST: Final = 500
_T = TypeVar("_T")
_S = TypeVar("_S", bound=msgspec.Struct)


class Batch(msgspec.Struct, kw_only=True):
    """What one transaction of a scan changes.

    ``items`` replace what is known under their id and what is known at their place; ``details`` are theirs,
    and an item without them is taken as it stands. ``rejected`` replace an item at their place; ``removed``
    are ids; ``forgotten`` are places of rejected files that are gone.
    """

    items: list[Item] = msgspec.field(default_factory=list)
    details: dict[str, Details] = msgspec.field(default_factory=dict)
    artwork: list[Artwork] = msgspec.field(default_factory=list)
    rejected: list[RejectedFile] = msgspec.field(default_factory=list)
    removed: list[str] = msgspec.field(default_factory=list)
    forgotten: list[Place] = msgspec.field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.items or self.rejected or self.removed or self.forgotten)


def load_items(connection: Connection, roots: Iterable[str | Path] | None = None) -> list[Item]:
    """The items of the roots, or of all, by root and path."""
    return _in_roots(connection, Item, tables.items, roots)


def load_item(connection: Connection, item_id: str, roots: Iterable[str | Path] | None = None) -> Item:
    """The item with that id. Raises UnknownItem where there is none in the roots."""
    query = _select(Item, tables.items).where(tables.items.c.id == item_id)
    found = next(iter(_values(connection, Item, query)), None)
    if found is None or (roots is not None and found.root not in {root_name(root) for root in roots}):
        raise UnknownItem(f"There is no item {item_id[:80]!r}.")
    return found


def load_some(connection: Connection, item_ids: Sequence[str]) -> list[Item]:
    """The items with these ids, in their order; those that are gone are left out."""
    found: dict[str, Item] = {}
    for some in _in_parts(item_ids):
        query = _select(Item, tables.items).where(tables.items.c.id.in_(some))
        found.update((item.id, item) for item in _values(connection, Item, query))
    return [found[item_id] for item_id in item_ids if item_id in found]


def load_rejected(connection: Connection, roots: Iterable[str | Path] | None = None) -> list[RejectedFile]:
    """The rejected files of the roots, or of all, by root and path."""
    return _in_roots(connection, RejectedFile, tables.rejected, roots)


def load(connection: Connection) -> Known:
    """Everything that scans compare with."""
    c = tables.items.c
    query = select(c.id, c.root, c.path, c.size_bytes, c.mtime_ns, c.content_hash, c.inode)
    return Known(list(starmap(KnownItem, connection.execute(query))), load_rejected(connection))


def apply(connection: Connection, batch: Batch) -> None:
    """Write ``batch``; the same batch again changes nothing more. What people corrected stays corrected."""
    taken = _places([*batch.items, *batch.rejected])
    gone = {*batch.removed, *_ids_at(connection, taken)} - {item.id for item in batch.items}
    _delete_ids(connection, [*gone, *(item.id for item in batch.items)])
    details.drop(connection, gone)
    search_index.drop(connection, gone)
    _delete_places(connection, tables.rejected, [*batch.forgotten, *taken])
    for art in batch.artwork:
        put_artwork(connection, art)
    _put_items(connection, batch)
    _insert(connection, tables.rejected, batch.rejected)


def index_missing(connection: Connection) -> int:
    """Make items that an earlier release kept fit to be searched and corrected; returns how many there were."""
    found = load_some(connection, search_index.missing(connection))
    details.put(connection, [Details.of(item) for item in found])
    search_index.put(connection, found, {})
    search_index.set_keys(connection, found)
    return len(found)


def replace_item(connection: Connection, item: Item) -> None:
    """Put ``item``, as it shall be seen, in the place of the item with its id; its details stay."""
    comment = details.comment_of(connection, item.id)
    _delete_ids(connection, [item.id])
    connection.execute(insert(tables.items), [_columns(item)])
    search_index.put(connection, [item], {item.id: comment})


def get_artwork(connection: Connection, artwork_id: str) -> Artwork | None:
    """The picture with that id, or None."""
    query = _select(Artwork, tables.artwork).where(tables.artwork.c.id == artwork_id)
    return next(iter(_values(connection, Artwork, query)), None)


def put_artwork(connection: Connection, art: Artwork) -> None:
    """Keep a picture; one with the same id is the same picture."""
    known = select(tables.artwork.c.id).where(tables.artwork.c.id == art.id)
    if connection.execute(known).first() is None:
        _insert(connection, tables.artwork, [art])


def _put_items(connection: Connection, batch: Batch) -> None:
    if not batch.items:
        return
    known = [batch.details.get(item.id) or Details.of(item) for item in batch.items]
    details.put(connection, known)
    set_by_people = details.corrections(connection, [item.id for item in batch.items])
    shown = [corrected(item, set_by_people.get(item.id, {})) for item in batch.items]
    connection.execute(insert(tables.items), [_columns(item) for item in shown])
    search_index.put(connection, shown, {one.item.id: one.comment for one in known})


def _columns(item: Item) -> dict[str, Any]:
    return msgspec.structs.asdict(item) | search_index.keys_of(item)


def _in_roots(
    connection: Connection, type_: type[_S], table: Table, roots: Iterable[str | Path] | None
) -> list[_S]:
    query = _select(type_, table).order_by(table.c.root, table.c.path)
    if roots is not None:
        query = query.where(table.c.root.in_([root_name(root) for root in roots]))
    return _values(connection, type_, query)


def _select(type_: type[msgspec.Struct], table: Table) -> Select[Any]:
    return select(*(table.c[name] for name in type_.__struct_fields__))


def _values(connection: Connection, type_: type[_S], query: Select[Any]) -> list[_S]:
    names = type_.__struct_fields__
    return [type_(**dict(zip(names, row, strict=True))) for row in connection.execute(query)]


def _insert(connection: Connection, table: Table, values: Sequence[msgspec.Struct]) -> None:
    if values:
        connection.execute(insert(table), [msgspec.structs.asdict(value) for value in values])


def _places(values: Iterable[Item | RejectedFile]) -> list[Place]:
    return [(value.root, value.path) for value in values]


def _ids_at(connection: Connection, places: Iterable[Place]) -> list[str]:
    c = tables.items.c
    at = select(c.id).where(c.root == bindparam("at_root"), c.path == bindparam("at_path"))
    found = (connection.execute(at, {"at_root": root, "at_path": path}).scalar() for root, path in places)
    return [item_id for item_id in found if item_id is not None]


def _delete_ids(connection: Connection, ids: Collection[str]) -> None:
    for some in _in_parts(list(ids)):
        connection.execute(delete(tables.items).where(tables.items.c.id.in_(some)))


def _delete_places(connection: Connection, table: Table, places: Sequence[Place]) -> None:
    if places:
        at = and_(table.c.root == bindparam("at_root"), table.c.path == bindparam("at_path"))
        connection.execute(
            delete(table).where(at), [{"at_root": root, "at_path": path} for root, path in places]
        )


def _in_parts(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (values[start : start + _MOST_IN_LIST] for start in range(0, len(values), _MOST_IN_LIST))
