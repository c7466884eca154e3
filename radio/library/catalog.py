"""The library's tables: what scans write, what the rest of the service loads.

Functions take a connection within a transaction of the store: ``await store.read(load)``. Nothing here is
particular to one database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, Select, Table, and_, bindparam, delete, insert, select

from radio.library.artwork import Artwork
from radio.library.changes import Known, Place
from radio.library.items import Item, RejectedFile
from radio.library.walk import root_name
from radio.store import tables

_MOST_IN_LIST: Final = 500
_T = TypeVar("_T")
_S = TypeVar("_S", bound=msgspec.Struct)


class Batch(msgspec.Struct, kw_only=True):
    """What one transaction of a scan changes.

    ``items`` replace what is known under their id and what is known at their place; ``rejected`` replace an
    item at their place; ``removed`` are ids; ``forgotten`` are places of rejected files that are gone.
    """

    items: list[Item] = msgspec.field(default_factory=list)
    artwork: list[Artwork] = msgspec.field(default_factory=list)
    rejected: list[RejectedFile] = msgspec.field(default_factory=list)
    removed: list[str] = msgspec.field(default_factory=list)
    forgotten: list[Place] = msgspec.field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.items or self.rejected or self.removed or self.forgotten)


def load_items(connection: Connection, roots: Iterable[str | Path] | None = None) -> list[Item]:
    """The items of the roots, or of all, by root and path."""
    return _in_roots(connection, Item, tables.items, roots)


def load_rejected(connection: Connection, roots: Iterable[str | Path] | None = None) -> list[RejectedFile]:
    """The rejected files of the roots, or of all, by root and path."""
    return _in_roots(connection, RejectedFile, tables.rejected, roots)


def load(connection: Connection) -> Known:
    """Everything that scans compare with."""
    return Known(load_items(connection), load_rejected(connection))


def apply(connection: Connection, batch: Batch) -> None:
    """Write ``batch``; the same batch again changes nothing more."""
    _delete_ids(connection, [*batch.removed, *(item.id for item in batch.items)])
    _delete_places(connection, tables.items, _places([*batch.items, *batch.rejected]))
    _delete_places(connection, tables.rejected, [*batch.forgotten, *_places([*batch.items, *batch.rejected])])
    for art in batch.artwork:
        put_artwork(connection, art)
    _insert(connection, tables.items, batch.items)
    _insert(connection, tables.rejected, batch.rejected)


def get_artwork(connection: Connection, artwork_id: str) -> Artwork | None:
    """The picture with that id, or None."""
    query = _select(Artwork, tables.artwork).where(tables.artwork.c.id == artwork_id)
    return next(iter(_values(connection, Artwork, query)), None)


def put_artwork(connection: Connection, art: Artwork) -> None:
    """Keep a picture; one with the same id is the same picture."""
    known = select(tables.artwork.c.id).where(tables.artwork.c.id == art.id)
    if connection.execute(known).first() is None:
        _insert(connection, tables.artwork, [art])


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
