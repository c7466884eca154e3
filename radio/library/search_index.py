"""The full-text table of the library, in each database's own form; both get the same folded words.

SQLite: an FTS5 table with a column for each field. PostgreSQL: one ``tsvector``, built here word by word, in
which every word stands twice: bare, and with its field before it (``artist/bach``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, text, update

from radio.library.folding import TEXT_FIELDS, sort_key, words_of
from radio.library.items import Item
from radio.store import tables

_GAP: Final = 8
_PART: Final = 500
_LAST_POSITION: Final = 16_000  # PostgreSQL keeps positions up to 16,383


def number_of(item_id: str) -> int:
    """The number under which an item stands in the full-text table: 63 bits of a hash of its id."""
    return int.from_bytes(blake2b(item_id.encode(), digest_size=8).digest(), "big") >> 1


def keys_of(item: Item) -> dict[str, Any]:
    """The columns of an item's row that no field of it is: its number and what it is sorted by."""
    return {
        "number": number_of(item.id),
        "title_key": sort_key(item.title),
        "artist_key": sort_key(item.artist),
    }


def put(connection: Connection, items: Iterable[Item], comments: Mapping[str, str | None]) -> None:
    """Index these items anew; ``comments`` are by item id."""
    words = {number_of(item.id): words_of(item, comments.get(item.id)) for item in items}
    _delete(connection, sorted(words))
    if not words:
        return
    if connection.dialect.name == "sqlite":
        fields = [field for field in TEXT_FIELDS if any(each[field] for each in words.values())]
        columns = "".join(f", {field}" for field in fields)
        values = "".join(f", :{field}" for field in fields)
        connection.execute(
            text(f"INSERT INTO items_fts (rowid{columns}) VALUES (:number{values})"),
            # FTS5 writes fastest in the order of row numbers
            [
                {"number": number, **{field: " ".join(words[number][field]) for field in fields}}
                for number in sorted(words)
            ],
        )
    else:
        connection.execute(
            text("INSERT INTO items_fts (number, words) VALUES (:number, CAST(:words AS tsvector))"),
            [{"number": number, "words": vector(fields)} for number, fields in words.items()],
        )


def drop(connection: Connection, item_ids: Iterable[str]) -> None:
    """Take items out of the index."""
    _delete(connection, sorted(number_of(item_id) for item_id in item_ids))


def missing(connection: Connection) -> list[str]:
    """The ids of items that an earlier release kept without indexing them."""
    return list(
        connection.execute(select(tables.items.c.id).where(tables.items.c.number.is_(None))).scalars()
    )


def set_keys(connection: Connection, items: Sequence[Item]) -> None:
    """Write the number and the sort keys of items that have none."""
    if items:
        connection.execute(
            update(tables.items).where(tables.items.c.id == bindparam("item_id")),
            [{"item_id": item.id, **keys_of(item)} for item in items],
        )


def vector(fields: Mapping[str, Sequence[str]]) -> str:
    """The words as the text of a ``tsvector`` (PostgreSQL, section 8.11.1); a phrase cannot span two fields."""
    places: dict[str, list[int]] = {}
    at = 1
    for field, words in fields.items():
        for word in words:
            if at > _LAST_POSITION:
                break
            for lexeme in (word, f"{field}/{word}"):
                places.setdefault(lexeme, []).append(at)
            at += 1
        at += _GAP
    return " ".join(f"'{word}':{','.join(map(str, found[:250]))}" for word, found in places.items())


def _delete(connection: Connection, numbers: Sequence[int]) -> None:
    column = "rowid" if connection.dialect.name == "sqlite" else "number"
    gone = text(f"DELETE FROM items_fts WHERE {column} IN :numbers").bindparams(
        bindparam("numbers", expanding=True)
    )
    for start in range(0, len(numbers), _PART):
        connection.execute(gone, {"numbers": list(numbers[start : start + _PART])})
