"""The library's tables: what scans write, what the rest of the service loads.

Functions take a connection within a transaction of the store: ``await store.read(load)``. Nothing here is
particular to one database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import starmap
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, insert, select

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
    are ids; ``forgotten`` are places of rejected files that are gone. ``pictures`` are marks by root and folder,
    None to forget one.
    """

    items: list[Item] = msgspec.field(default_factory=list)
    details: dict[str, Details] = msgspec.field(default_factory=dict)
    artwork: list[Artwork] = msgspec.field(default_factory=list)
    rejected: list[RejectedFile] = msgspec.field(default_factory=list)
    removed: list[str] = msgspec.field(default_factory=list)
    forgotten: list[Place] = msgspec.field(default_factory=list)
    pictures: dict[Place, str | None] = msgspec.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.items or self.rejected or self.removed or self.forgotten or self.pictures)


def load_items(
    connection: Connection, roots: Iterable[str | Path] | None = None, *, measured_only: bool = False
) -> list[Item]:
    """The items of the roots, or of all, by root and path; those that can be aired where only they are asked."""
    query = _in_roots(Item, tables.items, roots)
    if measured_only:
        query = query.where(tables.items.c.measured.is_(True))
    return _values(connection, Item, query)


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
    return _values(connection, RejectedFile, _in_roots(RejectedFile, tables.rejected, roots))


def load(connection: Connection) -> Known:
    """Everything that scans compare with."""
    c = tables.items.c
    query = select(c.id, c.root, c.path, c.size_bytes, c.mtime_ns, c.content_hash, c.inode, c.measured)
    marks = connection.execute(select(tables.folder_pictures))
    return Known(
        items=list(starmap(KnownItem, connection.execute(query))),
        rejected=load_rejected(connection),
        pictures={(row.root, row.folder): row.mark for row in marks},
    )


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
    _put_marks(connection, batch.pictures)


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


def prune_artwork(connection: Connection) -> int:
    """Forget the pictures that no item has; returns how many there were."""
    used = select(tables.items.c.artwork).where(tables.items.c.artwork.is_not(None))
    unused = select(tables.artwork.c.id).where(tables.artwork.c.id.not_in(used))
    ids = list(connection.execute(unused).scalars())
    for some in _in_parts(ids):
        connection.execute(delete(tables.artwork).where(tables.artwork.c.id.in_(some)))
    return len(ids)


def _put_marks(connection: Connection, marks: Mapping[Place, str | None]) -> None:
    c = tables.folder_pictures.c
    for root, folder in marks:
        connection.execute(delete(tables.folder_pictures).where(c.root == root, c.folder == folder))
    rows = [
        {"root": root, "folder": folder, "mark": mark}
        for (root, folder), mark in marks.items()
        if mark is not None
    ]
    if rows:
        connection.execute(insert(tables.folder_pictures), rows)


def _put_items(connection: Connection, batch: Batch) -> None:
    if not batch.items:
        return
    known = [batch.details.get(item.id) or Details.of(item) for item in batch.items]
    details.put(connection, known)
    set_by_people = details.corrections(connection, [item.id for item in batch.items])
    shown = [corrected(item, set_by_people.get(item.id, {})) for item in batch.items]
    connection.execute(insert(tables.items), _without_empty([_columns(item) for item in shown]))
    search_index.put(connection, shown, {one.item.id: one.comment for one in known})


def _without_empty(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # columns without any value take as much time to write as others
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    return [{name: row[name] for name in names} for row in rows]


def _columns(item: Item) -> dict[str, Any]:
    return msgspec.structs.asdict(item) | search_index.keys_of(item)


def _in_roots(type_: type[msgspec.Struct], table: Table, roots: Iterable[str | Path] | None) -> Select[Any]:
    query = _select(type_, table).order_by(table.c.root, table.c.path)
    if roots is not None:
        query = query.where(table.c.root.in_([root_name(root) for root in roots]))
    return query


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
    found: list[str] = []
    for at in _at(tables.items, places):
        found += connection.execute(select(tables.items.c.id).where(at)).scalars()
    return found


def _at(table: Table, places: Iterable[Place]) -> Iterator[ColumnElement[bool]]:
    """Conditions that together mean these places."""
    by_root = defaultdict[str, list[str]](list)
    for root, path in places:
        by_root[root].append(path)
    for root, paths in by_root.items():
        for some in _in_parts(paths):
            yield and_(table.c.root == root, table.c.path.in_(some))


def _delete_ids(connection: Connection, ids: Collection[str]) -> None:
    for some in _in_parts(list(ids)):
        connection.execute(delete(tables.items).where(tables.items.c.id.in_(some)))


def _delete_places(connection: Connection, table: Table, places: Sequence[Place]) -> None:
    for at in _at(table, places):
        connection.execute(delete(table).where(at))


def _in_parts(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (values[start : start + _MOST_IN_LIST] for start in range(0, len(values), _MOST_IN_LIST))
