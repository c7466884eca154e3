"""The ``[categories.NAME]`` tables of a schedule file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from radio.errors import InvalidRequest
from radio.library import query as q
from radio.schedule.model import Category, default_category
from radio.schedule.shapes import CategoryTable
from radio.sponsors.weektime import MINUTE_MS
from radio.toml_source import TomlDocument
from radio.units import DurationMs

RULE_ALLOWED: Final = 'a search such as "genre:jazz bpm>=100"'


def read_category(document: TomlDocument, name: str, table: CategoryTable) -> Category:
    """The category that a table declares. Raises ScheduleError with the place."""
    if table.where is not None:
        _check_rule(document, name, table.where)
    usual = default_category(
        name, folders=table.folders, items=table.items or (), where=table.where, kind=table.kind
    )
    separation, artists = table.separation_min, table.artist_separation_min
    return msgspec.structs.replace(
        usual,
        separation_ms=usual.separation_ms if separation is None else DurationMs(separation * MINUTE_MS),
        artist_separation_ms=usual.artist_separation_ms
        if artists is None
        else DurationMs(artists * MINUTE_MS),
        weights=table.weights,
    )


def _check_rule(document: TomlDocument, name: str, where: str) -> None:
    key = ("categories", name, "where")
    try:
        query = q.parse(where)
    except InvalidRequest as fault:
        problem = str(fault).removesuffix(f" Allowed: {fault.allowed}.").rstrip(".")
        raise document.fault(key, problem, allowed=fault.allowed) from fault
    if query == q.All(()):
        raise document.fault(key, "says nothing to look for", allowed=RULE_ALLOWED)
    if "comment" in _fields(query):
        allowed = ", ".join(field for field in q.FIELDS if field != "comment")
        raise document.fault(key, "`comment` cannot be asked for in a schedule", allowed=allowed)


def _fields(query: q.Query) -> Iterator[str | None]:
    """The fields in which words are looked for."""
    match query:
        case q.All(parts) | q.Any(parts):
            for part in parts:
                yield from _fields(part)
        case q.Not(part):
            yield from _fields(part)
        case q.Text():
            yield query.field
