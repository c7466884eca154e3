"""When single items may air at all: dates, dayparts and what is never played (pure). Never relaxed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from radio.library.items import Item
from radio.schedule.model import Daypart, ItemRule, Schedule
from radio.schedule.pool import Pool
from radio.schedule.wallclock import local_time, wall_to_ms


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One item's limits as instants; ``dayparts`` are alternatives, and none means always."""

    from_ms: int | None = None
    to_ms: int | None = None
    dayparts: tuple[Daypart, ...] = ()
    do_not_play: bool = False

    def why_not(self, at_ms: int, zone: ZoneInfo) -> str | None:
        """Why the item may not air at a moment, in a word; None where it may."""
        if self.do_not_play:
            return "do not play"
        if (self.from_ms is not None and at_ms < self.from_ms) or (
            self.to_ms is not None and at_ms >= self.to_ms
        ):
            return "dates"
        if self.dayparts:
            local = local_time(at_ms, zone)
            if not any(daypart.holds(local) for daypart in self.dayparts):
                return "daypart"
        return None


class Limits:
    """The limits of all items that have some. Immutable; for one library and one schedule."""

    def __init__(self, schedule: Schedule, pool: Pool, zone: ZoneInfo) -> None:
        self._zone = zone
        self._of: dict[str, list[Limit]] = {}
        for rule in schedule.item_rules:
            limit = _limit(rule, schedule.dayparts, zone)
            for item in _items(rule, pool):
                self._of.setdefault(item.id, []).append(limit)

    def __bool__(self) -> bool:
        return bool(self._of)

    def why_not(self, item: str, at_ms: int) -> str | None:
        """Why an item may not air at a moment, in a word; None where it may."""
        for limit in self._of.get(item, ()):
            if reason := limit.why_not(at_ms, self._zone):
                return reason
        return None

    def is_barred(self, item: str) -> bool:
        """Whether the item is never played."""
        return any(limit.do_not_play for limit in self._of.get(item, ()))


def _items(rule: ItemRule, pool: Pool) -> Iterable[Item]:
    return pool.of_category((), rule.items, rule.where)


def _limit(rule: ItemRule, dayparts: Mapping[str, Daypart], zone: ZoneInfo) -> Limit:
    after = rule.last + timedelta(days=1) if rule.last else None
    return Limit(
        from_ms=_midnight_ms(rule.first, zone),
        to_ms=_midnight_ms(after, zone),
        dayparts=tuple(dayparts[name] for name in rule.dayparts),
        do_not_play=rule.do_not_play,
    )


def _midnight_ms(day: date | None, zone: ZoneInfo) -> int | None:
    if day is None:
        return None
    return wall_to_ms(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001 - wall time
