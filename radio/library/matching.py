"""Whether one item matches a query, without a database (pure); the database's search gives the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import eq, ge, gt, le, lt
from typing import Any, Final

from radio.library import query as q
from radio.library.folding import words_of
from radio.library.items import Item

SECOND_MS: Final = 1000
_COMPARE: Final = {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}


def matches(query: q.Query, item: Item, comment: str | None = None) -> bool:
    """Whether ``item`` is one of those that ``query`` finds; ``comment`` is that of its tags."""
    return _matches(query, item, words_of(item, comment))


def _matches(query: q.Query, item: Item, words: Mapping[str, Sequence[str]]) -> bool:
    match query:
        case q.All(parts):
            return all(_matches(part, item, words) for part in parts)
        case q.Any(parts):
            return any(_matches(part, item, words) for part in parts)
        case q.Not(part):
            return not _matches(part, item, words)
        case q.Text(wanted, field, whole):
            fields = words.values() if field is None else (words[field],)
            return any(_holds(found, wanted, whole) for found in fields)
        case q.Compare(field, operator, value):
            return _compares(item, field, operator, value)
        case q.Same(field, value):
            found = getattr(item, field)
            exact = isinstance(value, bool) or field == "category"
            return bool(found == value if exact else (found or "").lower() == value)
        case q.Has(field):
            return getattr(item, field) not in (None, (), "")
        case q.Problem(word):
            return any(problem.startswith(word) for problem in item.problems)


def _holds(found: Sequence[str], wanted: Sequence[str], whole: bool) -> bool:
    count = len(wanted)
    for start in range(len(found) - count + 1):
        *firsts, last = found[start : start + count]
        if tuple(firsts) == tuple(wanted[:-1]) and (
            last == wanted[-1] if whole else last.startswith(wanted[-1])
        ):
            return True
    return False


def _compares(item: Item, field: str, operator: str, value: Any) -> bool:
    if field == "date":
        return item.date is not None and bool(_COMPARE[operator](item.date[: len(value)], value))
    found = item.air_ms if field == "length" else getattr(item, field)
    if found is None:
        return False
    if field in q.LENGTHS.values() and operator == "=":
        return bool(value <= found < value + SECOND_MS)
    return bool(_COMPARE[operator](found, value))
