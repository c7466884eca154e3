"""Items on the command line: named, and shown as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from radio.cli.context import chosen
from radio.cli.output import clock_time, table
from radio.config import Config
from radio.errors import UnknownItem
from radio.library import catalog
from radio.library.items import Item
from radio.store import Store


def roots_of(settings: Config, station: str | None) -> list[Path]:
    """The folders of one station, or of all. Raises UnknownStation."""
    roots = [root for each in chosen(settings, station) for root in settings.roots_of(each)]
    return list(dict.fromkeys(roots))


async def find(store: Store, roots: Sequence[Path | str], name: str) -> Item:
    """The item with that id or path. Raises UnknownItem."""
    items = await store.read(catalog.load_items, roots)
    found = next((each for each in items if name in (each.id, each.path, str(each.file))), None)
    if found is None:
        raise UnknownItem(f"There is no item {name!r}. `radio library list` shows them.")
    return found


def loudness(item: Item) -> str:
    """An item's loudness in LUFS, or that it was not measured yet; nothing where it has none."""
    if not item.measured:
        return "not measured yet"
    return "" if item.loudness_lufs is None else f"{item.loudness_lufs:.1f}"


def items_table(items: Iterable[Item]) -> None:
    """A line for each item on standard output."""
    table(
        ("id", "category", "length", "LUFS", "title", "artist", "path"),
        [
            (
                item.id,
                item.category,
                clock_time(item.air_ms),
                loudness(item),
                item.title,
                item.artist or "",
                item.path,
            )
            for item in items
        ],
    )
