"""``[dayparts.NAME]``, ``[[grid]]`` and ``[[item_rules]]`` of a schedule file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from radio.schedule.category_files import Key, check_name, check_search
from radio.schedule.model import WEEK_HOURS, Daypart, ItemRule
from radio.schedule.shapes import DaypartTable, GridTable, ItemRuleTable
from radio.sponsors.weektime import (
    DAYS_ALLOWED,
    HOUR_MS,
    NOMINAL_DAY_MS,
    TIME_ALLOWED,
    WEEKDAYS,
    parse_days,
    parse_wall_time,
)
from radio.toml_source import TomlDocument
from radio.units import DurationMs

HOURS_ALLOWED: Final = 'hours of the day such as "7" or "10-14", 0 to 23'
_HOURS = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")


def read_days(document: TomlDocument, key: Key, text: str) -> tuple[int, ...]:
    """Weekdays. Raises ScheduleError with the place."""
    try:
        return parse_days(text)
    except ValueError as fault:
        raise document.fault((*key, "days"), str(fault), allowed=DAYS_ALLOWED) from fault


def read_times(document: TomlDocument, key: Key, from_: str, to: str) -> tuple[DurationMs, DurationMs]:
    """A start and an end after it, of the next day where it must be. Raises ScheduleError with the place."""
    from_ms = read_time(document, (*key, "from"), from_)
    to_ms = read_time(document, (*key, "to"), to, is_end=True)
    if from_ms == to_ms:
        allowed = 'an end that differs from the start, or from = "00:00" and to = "24:00" for a whole day'
        raise document.fault(key, f"lasts no time ({from_} to {to})", allowed=allowed)
    return DurationMs(from_ms), DurationMs(to_ms if to_ms > from_ms else to_ms + NOMINAL_DAY_MS)


def read_time(document: TomlDocument, key: Key, text: str, *, is_end: bool = False) -> int:
    """A wall time as milliseconds from midnight. Raises ScheduleError with the place."""
    try:
        return parse_wall_time(text, is_end=is_end)
    except ValueError as fault:
        raise document.fault(key, str(fault), allowed=TIME_ALLOWED) from fault


def read_hours(document: TomlDocument, key: Key, text: str) -> range:
    """Hours of the day. Raises ScheduleError with the place."""
    found = _HOURS.fullmatch(text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (24, 24)
    if not first <= last <= 23:
        raise document.fault(key, "names no hours", allowed=HOURS_ALLOWED)
    return range(first, last + 1)


def read_dayparts(document: TomlDocument, tables: Mapping[str, DaypartTable]) -> dict[str, Daypart]:
    """The dayparts by name. Raises ScheduleError with the place."""
    found = {}
    for name, table in tables.items():
        key: Key = ("dayparts", name)
        from_ms, to_ms = read_times(document, key, table.from_, table.to)
        days = read_days(document, key, table.days)
        found[name] = Daypart(name=name, days=days, from_ms=from_ms, to_ms=to_ms)
    return found


def read_grid(
    document: TomlDocument,
    tables: Sequence[GridTable],
    clocks: Collection[str],
    dayparts: Mapping[str, Daypart],
) -> tuple[str | None, ...]:
    """A clock for each hour of the week, or none; empty without a grid. Raises ScheduleError with the place."""
    hours: dict[int, int] = {}
    for index, table in enumerate(tables):
        key: Key = ("grid", index)
        check_name(document, (*key, "clock"), "clock", table.clock, clocks)
        for hour in _hours_of(document, key, table, dayparts):
            if hour in hours:
                when = f"{WEEKDAYS[hour // 24].title()} {hour % 24:02}:00"
                line = document.line(("grid", hours[hour]))
                raise document.fault(
                    key, f"names {when} a second time (line {line})", allowed="each hour once"
                )
            hours[hour] = index
    if not hours:
        return ()
    return tuple(tables[hours[hour]].clock if hour in hours else None for hour in range(WEEK_HOURS))


def _hours_of(
    document: TomlDocument, key: Key, table: GridTable, dayparts: Mapping[str, Daypart]
) -> Iterator[int]:
    if (table.daypart is None) == (table.days is None and table.hours is None):
        raise document.fault(key, "does not say when", allowed="daypart, or days and hours")
    if table.daypart is None:
        hours = read_hours(document, (*key, "hours"), table.hours or "0-23")
        for day in read_days(document, key, table.days or "daily"):
            yield from (day * 24 + hour for hour in hours)
        return
    check_name(document, (*key, "daypart"), "daypart", table.daypart, dayparts)
    daypart = dayparts[table.daypart]
    if daypart.from_ms % HOUR_MS or daypart.to_ms % HOUR_MS:
        raise document.fault((*key, "daypart"), "is not of whole hours", allowed="a daypart of whole hours")
    for day in daypart.days:
        for hour in range(daypart.from_ms // HOUR_MS, daypart.to_ms // HOUR_MS):
            yield (day * 24 + hour) % WEEK_HOURS


def read_item_rules(
    document: TomlDocument, tables: Sequence[ItemRuleTable], dayparts: Collection[str]
) -> tuple[ItemRule, ...]:
    """When single items may air. Raises ScheduleError with the place."""
    return tuple(_item_rule(document, ("item_rules", at), table, dayparts) for at, table in enumerate(tables))


def _item_rule(document: TomlDocument, key: Key, table: ItemRuleTable, dayparts: Collection[str]) -> ItemRule:
    if table.items is None and table.where is None:
        raise document.fault(key, "names no items", allowed="items, where")
    if table.where is not None:
        check_search(document, (*key, "where"), table.where)
    for name in table.dayparts or ():
        check_name(document, (*key, "dayparts"), "daypart", name, dayparts)
    if not (table.first or table.last or table.dayparts or table.do_not_play):
        raise document.fault(key, "rules nothing", allowed="first, last, dayparts, do_not_play")
    if table.first and table.last and table.last < table.first:
        raise document.fault((*key, "last"), f"is before the first day, {table.first}")
    return ItemRule(
        items=table.items or (),
        where=table.where,
        first=table.first,
        last=table.last,
        dayparts=table.dayparts or (),
        do_not_play=table.do_not_play,
    )
