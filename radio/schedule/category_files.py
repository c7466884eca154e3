"""The ``[categories.NAME]`` tables of a schedule file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from radio.errors import InvalidRequest, did_you_mean
from radio.library import query as q
from radio.schedule.model import Category, default_category
from radio.schedule.shapes import CategoryTable
from radio.sponsors.weektime import MINUTE_MS
from radio.toml_source import TomlDocument
from radio.units import DurationMs

RULE_ALLOWED: Final = 'a search such as "genre:jazz bpm>=100"'

Key = tuple[str | int, ...]


def read_category(document: TomlDocument, name: str, table: CategoryTable) -> Category:
    """The category that a table declares. Raises ScheduleError with the place."""
    if table.where is not None:
        check_search(document, ("categories", name, "where"), table.where)
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
        album_separation_ms=_minutes(table.album_separation_min),
        title_floor_ms=_minutes(table.title_floor_min),
        artist_floor_ms=_minutes(table.artist_floor_min),
        same_hour_days=table.same_hour_days,
        max_per_day=table.max_per_day,
        dayparts=table.dayparts or (),
        hard=table.hard,
        otherwise=table.otherwise,
        weights=table.weights,
    )


def check_ladders(
    document: TomlDocument,
    categories: Mapping[str, Category],
    known: Sequence[str],
    dayparts: Collection[str],
) -> None:
    """Raise ScheduleError where a category names an unknown daypart or stand-in, or a circle of stand-ins."""
    for name, category in categories.items():
        for daypart in category.dayparts:
            check_name(document, ("categories", name, "dayparts"), "daypart", daypart, dayparts)
        if category.otherwise is None:
            continue
        check_name(document, ("categories", name, "else"), "category", category.otherwise, known)
        steps = [name]
        while (one := categories.get(steps[-1])) is not None and one.otherwise is not None:
            steps.append(one.otherwise)
            if steps[-1] in steps[:-1]:
                raise document.fault(
                    ("categories", name, "else"),
                    f"leads in a circle: {', '.join(steps)}",
                    allowed="a chain of categories that ends",
                )


def check_name(document: TomlDocument, key: Key, noun: str, name: str, known: Collection[str]) -> None:
    """Raise ScheduleError where there is no such thing."""
    if name not in known:
        problem = f"there is no {noun} {name!r}.{did_you_mean(name, known)}"
        raise document.fault(key, problem, allowed=", ".join(sorted(known)) or f"none: no {noun} is declared")


def _minutes(length_min: int | None) -> DurationMs:
    return DurationMs((length_min or 0) * MINUTE_MS)


def check_search(document: TomlDocument, key: Key, where: str) -> None:
    """Raise ScheduleError where ``where`` is no search that a schedule may make."""
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
