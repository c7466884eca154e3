"""Checks of clocks and of the categories that they use, with the arithmetic (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Final, NamedTuple

from radio.library.items import Item
from radio.schedule.findings import Finding, Key, Level
from radio.schedule.model import CLOCK_LENGTH_MS, Category, HourClock, Position, Schedule
from radio.schedule.playbook import artist_keys, title_key
from radio.schedule.pool import Pool
from radio.sponsors.weektime import HOUR_MS, MINUTE_MS, format_length

LEGAL_ID_WITHIN_MS: Final = 5 * MINUTE_MS
"""A legal ID stands as near to the hour as a break in the programme allows (47 CFR 73.1201)."""


class Stock(NamedTuple):
    """What a category has: items, different titles and artists, and how long an item lasts on average."""

    items: int
    titles: int
    artists: int
    mean_ms: int
    shortest_ms: int


class _Stretch(NamedTuple):
    from_ms: int
    to_ms: int
    positions: Sequence[tuple[int, Position]]


def stock_of(schedule: Schedule, pool: Pool, name: str) -> Stock:
    """What the library has for a category."""
    category = schedule.category(name)
    items: Sequence[Item] = pool.of_category(category.folders, category.items, category.where)
    if not items:
        return Stock(0, 0, 0, 0, 0)
    artists = {artist for item in items for artist in artist_keys(item.artist)}
    lengths = [item.air_ms for item in items]
    titles = {title_key(item.title) for item in items}
    return Stock(len(items), len(titles), len(artists), sum(lengths) // len(items), min(lengths))


def clock_findings(schedule: Schedule, pool: Pool, used: frozenset[str]) -> Iterator[Finding]:
    """Findings of all clocks: unreachable ones, and of those in use what does not fit or is missing."""
    stocks: dict[str, Stock] = {}
    has_ids = any(position.legal_id for clock in schedule.clocks.values() for position in clock.positions)
    for name, clock in schedule.clocks.items():
        key: Key = ("clocks", name)
        if name not in used:
            yield _warning("clock-unreachable", f"No programme and no hour uses the clock {name}.", key)
            continue
        for category in _names(clock):
            stocks.setdefault(category, stock_of(schedule, pool, category))
        if has_ids and not _has_legal_id(clock):
            text = f"The clock {name} has no legal ID within {LEGAL_ID_WITHIN_MS // MINUTE_MS} minutes of the hour."
            yield _warning("legal-id-missing", text, key)
        yield from _overfull(clock, stocks, pool)
    yield from _too_small(schedule, stocks, used)


def plays_per_hour(clock: HourClock, stocks: Mapping[str, Stock]) -> dict[str, float]:
    """About how often each category of a clock comes up in an hour."""
    found: defaultdict[str, float] = defaultdict(float)
    rotating: tuple[str, ...] = clock.fill
    for stretch in _stretches(clock):
        left_ms = stretch.to_ms - stretch.from_ms
        for _, position in stretch.positions:
            rotating = position.rotate or rotating
            if position.category is not None:
                found[position.category] += position.count
                left_ms -= position.count * stocks[position.category].mean_ms
            left_ms -= position.length_ms
        stocked = [name for name in rotating if stocks[name].items]
        round_ms = sum(stocks[name].mean_ms for name in stocked)
        if round_ms and left_ms > 0:
            for name in stocked:
                found[name] += left_ms / round_ms
    return dict(found)


def _too_small(schedule: Schedule, stocks: Mapping[str, Stock], used: frozenset[str]) -> Iterator[Finding]:
    most: dict[str, tuple[float, str]] = {}
    for name in sorted(used & schedule.clocks.keys()):
        for category, plays in plays_per_hour(schedule.clocks[name], stocks).items():
            most[category] = max(most.get(category, (0.0, "")), (plays, name))
    for category_name, (plays, clock) in sorted(most.items()):
        rules, stock = schedule.category(category_name), stocks[category_name]
        for what, count, wanted_ms in (
            ("titles", stock.titles, rules.separation_ms),
            ("artists", stock.artists, rules.artist_separation_ms),
        ):
            needed = ceil(plays * wanted_ms / HOUR_MS)
            if count and needed > count:
                key: Key = (
                    ("categories", category_name)
                    if category_name in schedule.categories
                    else ("clocks", clock)
                )
                yield _small(rules, clock, (what, count, needed), plays, wanted_ms, key)


def _small(
    category: Category, clock: str, counted: tuple[str, int, int], plays: float, wanted_ms: int, key: Key
) -> Finding:
    what, count, needed = counted
    possible_min = int(count / plays * 60)
    text = (
        f"The category {category.name} is too small: the clock {clock} plays it about {plays:.1f} times an hour, and "
        f"{wanted_ms // MINUTE_MS} minutes between plays of {what} need {needed} {what}; it has {count}, "
        f"which come round every {possible_min} minutes."
    )
    return _warning("category-too-small", text, key)


def _overfull(clock: HourClock, stocks: Mapping[str, Stock], pool: Pool) -> Iterator[Finding]:
    """Stretches between two times whose positions last longer than there is room, at the least."""
    for stretch in _stretches(clock):
        room_ms, needed_ms = stretch.to_ms - stretch.from_ms, 0
        for index, position in stretch.positions:
            needed_ms += _least_ms(position, stocks, pool)
            if needed_ms > room_ms:
                what = f"break {position.break_name}" if position.break_name else "position"
                code = "break-too-long" if position.break_name else "positions-too-long"
                text = (
                    f"The {what} of the clock {clock.name} ends {format_length(needed_ms - room_ms)} after "
                    f"{format_length(stretch.to_ms)}, where the next time stands: what stands since "
                    f"{format_length(stretch.from_ms)} lasts {format_length(needed_ms)} at the least."
                )
                yield _warning(code, text, ("clocks", clock.name, "positions", index))
                break


def _least_ms(position: Position, stocks: Mapping[str, Stock], pool: Pool) -> int:
    if position.category is not None:
        return position.count * stocks[position.category].shortest_ms
    if position.item is not None:
        item = pool.find(position.item)
        return position.count * item.air_ms if item else 0
    return position.length_ms


def _has_legal_id(clock: HourClock) -> bool:
    """Whether a legal ID stands near an hour; one that floats at the beginning or the end of the clock does."""
    for stretch in _stretches(clock):
        for index, position in stretch.positions:
            if not position.legal_id:
                continue
            at_ms = position.at_ms
            if at_ms is None:
                return index == 0 or stretch.to_ms == CLOCK_LENGTH_MS or not stretch.from_ms
            if at_ms <= LEGAL_ID_WITHIN_MS or at_ms >= CLOCK_LENGTH_MS - LEGAL_ID_WITHIN_MS:
                return True
    return False


def _stretches(clock: HourClock) -> Iterator[_Stretch]:
    """The clock cut at its anchored positions."""
    start_ms = 0
    inside: list[tuple[int, Position]] = []
    for index, position in enumerate(clock.positions):
        if position.at_ms is not None and (inside or position.at_ms):
            yield _Stretch(start_ms, position.at_ms, inside)
            inside = []
        start_ms = position.at_ms if position.at_ms is not None else start_ms
        inside.append((index, position))
    yield _Stretch(start_ms, CLOCK_LENGTH_MS, inside)


def _names(clock: HourClock) -> Iterator[str]:
    for position in clock.positions:
        yield from position.rotate
        if position.category is not None:
            yield position.category
    yield from clock.fill


def _warning(code: str, text: str, key: Key) -> Finding:
    return Finding(level=Level.WARNING, code=code, text=text, key=key)
