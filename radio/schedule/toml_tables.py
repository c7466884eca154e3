"""The tables of a schedule file, found by their names (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Table = dict[str, Any]

NAMED: Final = ("categories", "clocks", "dayparts")
LISTED: Final = ("grid", "item_rules")


def table_of(data: Mapping[str, Any], kind: str, id_: str) -> Table | None:
    """The table of a programme by its id, or of a category, clock or daypart by its name."""
    if kind in NAMED:
        found: Table | None = data.get(kind, {}).get(id_)
        return found
    return next((one for one in data.get(kind, ()) if one.get("id") == id_), None)
