"""Where a schedule and its sponsors use one library item (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from radio.library.items import Item
from radio.library.matching import matcher
from radio.library.query import parse
from radio.schedule.model import Category, HourClock, Schedule
from radio.sponsors.campaigns import Campaign


class Use(msgspec.Struct, frozen=True):
    """One place: a category that holds the item, a clock that plays it or its category, or a campaign.

    ``by`` is how: ``item`` (named itself), ``episode`` (the recording of a day), ``folder``, ``where`` (the category's
    search finds it), or the category's name.
    """

    kind: Literal["category", "clock", "campaign"]
    name: str
    by: str


def uses(item: Item, schedule: Schedule, campaigns: tuple[Campaign, ...] = ()) -> list[Use]:
    """Every place of the schedule and every campaign that can put the item on the air, in that order."""
    names = _names(item)
    categories = {
        name: by
        for name, category in schedule.categories.items()
        if (by := _in_category(item, names, category)) is not None
    }
    if item.category and item.category not in schedule.categories:
        categories[item.category] = "folder"
    found = [Use("category", name, by) for name, by in sorted(categories.items())]
    for name, clock in sorted(schedule.clocks.items()):
        found += [Use("clock", name, by) for by in dict.fromkeys(_in_clock(clock, names, categories))]
    found += [Use("campaign", one.id, "item") for one in campaigns if one.audio.strip("/") in names]
    return found


def _in_category(item: Item, names: set[str], category: Category) -> str | None:
    if names & set(category.items):
        return "item"
    if category.where is None:
        return "folder" if item.category in category.folders else None
    is_there = not category.folders or item.category in category.folders
    return "where" if is_there and matcher(parse(category.where))(item) else None


def _in_clock(clock: HourClock, names: set[str], categories: dict[str, str]) -> Iterator[str]:
    folders = {name.rpartition("/")[0] for name in names if name.rpartition("/")[2][:4].isdigit()}
    for position in clock.positions:
        if position.item is not None and position.item.strip("/") in names:
            yield "item"
        if position.episode is not None and position.episode in folders:
            yield "episode"
        for category in (position.category, *position.rotate):
            if category is not None and category in categories:
                yield category
    yield from (category for category in clock.fill if category in categories)


def _names(item: Item) -> set[str]:
    stem = str(PurePosixPath(item.path).with_suffix(""))
    root = PurePosixPath(item.root).name
    return {item.path, stem, f"{root}/{item.path}", f"{root}/{stem}"}
