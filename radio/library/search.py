"""Finds items in the database: a query, filters, an order and a page.

SQLite answers words from its FTS5 table, PostgreSQL from a GIN index; :mod:`radio.library.search_index` gives
both the same words, so that both find the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    cast,
    column,
    func,
    literal_column,
    not_,
    or_,
    select,
    table,
    true,
    type_coerce,
)

from radio.errors import InvalidRequest
from radio.library import catalog
from radio.library import query as q
from radio.library.items import Item
from radio.library.matching import SECOND_MS
from radio.store import tables

MAX_PAGE: Final = 200
MAX_OFFSET: Final = 1_000_000
COUNTED: Final = 5_000
"""Totals are exact up to here; beyond, a total says "more than"."""

MANY: Final = 10_000
"""Up to so many items that have the words are looked up one by one; more are met sooner on a walk through all."""

MOST: Final = 10_000
"""Ids that :func:`ids_of` returns."""

c = tables.items.c
_WORDS: Final = table("items_fts", column("rowid"), column("number"), column("words"))
AIR_MS: Final[ColumnElement[Any]] = c.cue_out_ms - c.cue_in_ms

ORDERS: Final[dict[str, ColumnElement[Any]]] = {
    "title": c.title_key, "artist": c.artist_key, "album": c.album, "category": c.category, "date": c.date,
    "genre": c.genre, "path": c.path, "length": AIR_MS, "bpm": c.bpm, "loudness": c.loudness_lufs,
    "changed": c.mtime_ns,
}  # fmt: skip
"""What a page can be sorted by; a leading ``-`` turns the order round. Items without a value come last."""

_WALKED: Final = ("title", "artist")


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for. Filters that are None take everything; ``problems`` are words as in an item."""

    query: q.Query = q.All(())
    roots: Sequence[str] | None = None
    root: str | None = None
    categories: Sequence[str] | None = None
    problems: Sequence[str] = ()
    sort: str = "title"
    offset: int = 0
    limit: int = 50


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A part of what was found. ``total`` counts all of it, up to 5,000 where ``is_exact`` is false."""

    items: tuple[Item, ...]
    total: int
    is_exact: bool


def search(connection: Connection, wanted: Search) -> Page:
    """The page of items that ``wanted`` describes. Raises InvalidRequest naming the field at fault."""
    _check(wanted)
    found = _all_of_few(connection, wanted)
    if found is None:
        ids = list(connection.execute(_page(connection, wanted)).scalars())
    else:
        ids = found[wanted.offset : wanted.offset + wanted.limit]
    items = tuple(catalog.load_some(connection, ids))
    return Page(items=items, total=COUNTED if found is None else len(found), is_exact=found is not None)


def ids_of(connection: Connection, wanted: Search) -> list[str]:
    """The ids of all that is found, in order, at most MOST: for playlists and measuring again."""
    _check(wanted)
    everything = msgspec.structs.replace(wanted, offset=0, limit=MOST)
    return list(connection.execute(_page(connection, everything)).scalars())


def _all_of_few(connection: Connection, wanted: Search) -> list[str] | None:
    """All ids in order; None where they are more than COUNTED."""
    words, is_narrowed = _words_of(wanted)
    walks = False
    if connection.dialect.name == "sqlite":
        # its planner cannot know how many the words leave, so it is told which index not to use
        if not is_narrowed and _passes(connection, words, wanted.roots, COUNTED):
            return None
        walks = not words or (is_narrowed and _passes(connection, words, wanted.roots, MANY))
    return _sorted(connection, wanted, walks=walks)


def _sorted(connection: Connection, wanted: Search, *, walks: bool) -> list[str] | None:
    key = ORDERS[wanted.sort.removeprefix("-")]
    condition = _condition(connection, wanted, walks=walks)
    rows = connection.execute(select(key, c.id).where(condition).limit(COUNTED + 1)).all()
    if len(rows) > COUNTED:
        return None
    turned = wanted.sort.startswith("-")
    known = sorted((row for row in rows if row[0] is not None), key=tuple, reverse=turned)
    without = sorted((row for row in rows if row[0] is None), key=lambda row: row[1], reverse=turned)
    return [row[1] for row in (*known, *without)]


def _words_of(wanted: Search) -> tuple[list[q.Text], bool]:
    """The words that every find has, and whether anything but words and roots narrows the search."""
    parts = wanted.query.parts if isinstance(wanted.query, q.All) else (wanted.query,)
    words = [part for part in parts if isinstance(part, q.Text)]
    filters = wanted.root is not None or wanted.categories is not None or bool(wanted.problems)
    return words, filters or len(words) < len(parts)


def _passes(connection: Connection, words: Sequence[q.Text], roots: Sequence[str] | None, bound: int) -> bool:
    """Whether more than ``bound`` items of the roots have the words (SQLite); much sooner known than fetched."""
    some = select(c.number).select_from(tables.items)
    if words:
        some = select(c.number).select_from(_WORDS.join(tables.items, c.number == _WORDS.c.rowid))
        some = some.where(_match(words))
    if roots is not None:
        some = some.where(c.root.concat("").in_(list(roots)))
    counted = select(func.count()).select_from(some.limit(bound + 1).subquery())
    return connection.execute(counted).scalar_one() > bound


def _check(wanted: Search) -> None:
    if wanted.sort.removeprefix("-") not in ORDERS:
        raise InvalidRequest(
            f"Items cannot be sorted by {wanted.sort[:40]!r}.",
            field="sort",
            allowed=f"{', '.join(ORDERS)}, with - before for the other way round",
        )
    if not 1 <= wanted.limit <= MAX_PAGE:
        raise InvalidRequest(f"The page has {wanted.limit} items.", field="limit", allowed=f"1 to {MAX_PAGE}")
    if not 0 <= wanted.offset <= MAX_OFFSET:
        raise InvalidRequest("The page lies too far on.", field="offset", allowed=f"0 to {MAX_OFFSET}")


def _page(connection: Connection, wanted: Search) -> Select[Any]:
    is_sqlite = connection.dialect.name == "sqlite"
    name, turned = wanted.sort.removeprefix("-"), wanted.sort.startswith("-")
    key, last = ORDERS[name], c.id if is_sqlite else c.id.collate("C")
    if not is_sqlite and isinstance(key.type, Text) and name not in _WALKED:
        key = key.collate("C")
    order = key.desc() if turned else key.asc()
    ordered = (order if name in _WALKED else order.nulls_last(), last.desc() if turned else last.asc())
    condition = _condition(connection, wanted, walks=is_sqlite)
    return select(c.id).where(condition).order_by(*ordered).offset(wanted.offset).limit(wanted.limit)


def _condition(connection: Connection, wanted: Search, *, walks: bool = False) -> ColumnElement[bool]:
    is_sqlite = connection.dialect.name == "sqlite"
    compiler = _Compiler(is_sqlite, walks)
    parts = [compiler.condition(wanted.query)]
    # a root holds most of the items: its index would be the slowest way in
    root = c.root.concat("") if is_sqlite else c.root
    if wanted.roots is not None:
        parts.append(root.in_(list(wanted.roots)))
    if wanted.root is not None:
        parts.append(root == wanted.root)
    if wanted.categories is not None:
        parts.append(c.category.in_(list(wanted.categories)))
    parts += [compiler.condition(q.Problem(word)) for word in wanted.problems]
    return and_(true(), *parts)


class _Compiler:
    """Turns a query into a condition on the table ``items``; none of them is ever unknown (NULL)."""

    def __init__(self, is_sqlite: bool, walks: bool) -> None:
        self._is_sqlite = is_sqlite
        self._number = c.number + 0 if walks else c.number

    def condition(self, query: q.Query) -> ColumnElement[bool]:
        match query:
            case q.All(parts):
                return self._all(parts)
            case q.Any(parts):
                return or_(*(self.condition(part) for part in parts))
            case q.Not(part):
                return not_(self.condition(part))
            case q.Text():
                return self._words([query])
            case q.Compare(field, operator, value):
                return self._compare(field, operator, value)
            case q.Same(field, value):
                return _known(c[field], _same(field, value))
            case q.Has(field):
                return _has(field)
            case q.Problem(word):
                return _known(c.problems, _problems().contains('"' + word, autoescape=True))

    def _all(self, parts: Sequence[q.Query]) -> ColumnElement[bool]:
        words = [part for part in parts if isinstance(part, q.Text)]
        others = [self.condition(part) for part in parts if not isinstance(part, q.Text)]
        return and_(true(), *([self._words(words)] if words else ()), *others)

    def _words(self, wanted: Sequence[q.Text]) -> ColumnElement[bool]:
        return self._number.in_(_matching(wanted, is_sqlite=self._is_sqlite))

    def _compare(self, field: str, operator: str, value: Any) -> ColumnElement[bool]:
        found = AIR_MS if field == "length" else c[field]
        if field == "date":
            found = func.substr(c.date, 1, len(value))
            found = found if self._is_sqlite else found.collate("C")
        if field in q.LENGTHS.values() and operator == "=":
            return _known(found, and_(found >= value, found < value + SECOND_MS))
        return _known(found, found.op(operator, is_comparison=True)(value))


def _matching(wanted: Sequence[q.Text], *, is_sqlite: bool) -> Select[Any]:
    """The numbers of the items that have all these words."""
    if is_sqlite:
        return select(_WORDS.c.rowid).where(_match(wanted))
    from sqlalchemy.dialects.postgresql import TSQUERY  # 2 MB, which a service with SQLite does without

    matched = " & ".join(f"({_tsquery(one)})" for one in wanted)
    return select(_WORDS.c.number).where(_WORDS.c.words.op("@@")(cast(matched, TSQUERY)))


def _match(wanted: Sequence[q.Text]) -> ColumnElement[Any]:
    return literal_column("items_fts").op("MATCH")(" AND ".join(_fts5(one) for one in wanted))


def _known(found: ColumnElement[Any], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(found.is_not(None), condition)


def _same(field: str, value: str | bool) -> ColumnElement[bool]:
    if field == "measured" and value:
        # nearly all are, so that an index on it would be the slowest way in
        return c.measured.is_not(False)
    if isinstance(value, bool):
        return c[field].is_(value)
    return c[field] == value if field == "category" else func.lower(c[field]) == value


def _has(field: str) -> ColumnElement[bool]:
    if field == "problems":
        return _known(c.problems, _problems().not_in(("", "[]")))
    if isinstance(c[field].type, Text):
        return _known(c[field], c[field] != "")
    return c[field].is_not(None)


def _problems() -> ColumnElement[str]:
    return type_coerce(c.problems, Text)


def _fts5(wanted: q.Text) -> str:
    # the words are letters and digits only, so nothing in them can mean anything to FTS5
    phrase = f'"{" ".join(wanted.words)}"' + ("" if wanted.whole else "*")
    return phrase if wanted.field is None else f"{wanted.field} : {phrase}"


def _tsquery(wanted: q.Text) -> str:
    prefix = "" if wanted.field is None else f"{wanted.field}/"
    words = [f"'{prefix}{word}'" for word in wanted.words]
    return " <-> ".join(words) + ("" if wanted.whole else ":*")
