"""A schedule's programmes as series, and which of their airings the rule alone would tell wrongly (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from radio.interchange.icalendar_write import Exact
from radio.interchange.series import Moved, Series
from radio.interchange.timezones import changes
from radio.schedule.model import Airs, Change, Programme, Schedule
from radio.schedule.occurrences import occurrences
from radio.schedule.recurrence import Freq, Rule, dates, last_date
from radio.schedule.wallclock import local_time, wall_to_ms
from radio.sponsors.weektime import format_wall_time
from radio.units import DurationMs, UtcMs

_YEARS: Final = timedelta(days=5 * 366)
_AROUND_MS: Final = 36 * 3_600_000
_DAY: Final = timedelta(days=1)
_EVERY_DAY: Final = tuple(range(7))


def series_of(schedule: Schedule, since: date) -> list[Series]:
    """One series for each slot of each programme. A slot without a first date begins at its first one from ``since``
    on, so a feed keeps its bytes for as long as ``since`` is the same."""
    return [
        one
        for programme in schedule.programmes
        for number, airs in enumerate(programme.airs)
        if (one := _series(programme, airs, number, since)) is not None
    ]


def exceptions_of(
    schedule: Schedule, series: Iterable[Series], zone: ZoneInfo, from_ms: UtcMs, to_ms: UtcMs
) -> dict[tuple[str, datetime], Exact]:
    """The airings near the zone's changes in ``[from_ms, to_ms)`` that do not start at their wall time or do not
    last their nominal length, by their series' uid and planned start."""
    known = list(series)
    found: dict[tuple[str, datetime], Exact] = {}
    for change_ms in changes(zone, local_time(from_ms, zone), local_time(to_ms, zone)):
        low_ms, high_ms = change_ms - _AROUND_MS, change_ms + _AROUND_MS
        spans: dict[tuple[str, datetime], tuple[UtcMs, UtcMs]] = {}
        for occurrence in occurrences(schedule.programmes, zone, low_ms, high_ms):
            start = datetime.fromisoformat(occurrence.id.rpartition("@")[2])
            spans[occurrence.programme, start] = (occurrence.starts_at_ms, occurrence.ends_at_ms)
        for one in known:
            for start in _starts(one, local_time(low_ms, zone).date(), local_time(high_ms, zone).date()):
                if not low_ms < wall_to_ms(start, zone) < high_ms - _AROUND_MS // 2:
                    continue
                # the ids of occurrences are told to the minute
                span = spans.get((one.programme, start.replace(second=0, microsecond=0)))
                if span is None or not _is_nominal(one, start, span, zone):
                    found[one.uid, start] = Exact(span=span)
    return found


def _series(programme: Programme, airs: Airs, number: int, since: date) -> Series | None:
    rule = _rule_of(airs, since)
    planned = _first_dates(rule, airs)
    if not planned:
        return None
    first, *more = planned
    length_ms = DurationMs(airs.to_ms - airs.from_ms)

    def at(day: date) -> datetime:
        return datetime.combine(day, datetime.min.time()) + timedelta(milliseconds=airs.from_ms)

    one = Series(
        uid=f"{programme.id}-{number + 1}-{format_wall_time(airs.from_ms).replace(':', '')}",
        programme=programme.id,
        title=programme.title,
        starts=at(first),
        length_ms=length_ms,
        rule=msgspec.structs.replace(rule, start=first) if rule else None,
        added=tuple(at(day) for day in more),
        cancelled=tuple(at(day) for day in airs.without if rule or day in planned),
        host=programme.host,
        description=programme.description,
        link=programme.link,
        layer=programme.layer.name.lower().replace("_", "-"),
    )
    return _changed(one, programme.changes)


def _rule_of(airs: Airs, since: date) -> Rule | None:
    """The slot's rule; its days of the week are one, from the slot's first date or from ``since`` on."""
    if airs.rule is not None:
        if airs.last is None:
            return airs.rule
        until = min(airs.last, last_date(airs.rule) or airs.last)
        return msgspec.structs.replace(airs.rule, until=until, count=None)
    if not airs.days:
        return None
    days = () if airs.days == _EVERY_DAY else tuple((day, 0) for day in airs.days)
    freq = Freq.WEEKLY if days else Freq.DAILY
    return Rule(freq=freq, start=airs.first or since, by_day=days, until=airs.last)


def _first_dates(rule: Rule | None, airs: Airs) -> list[date]:
    """The first date of the rule and every one that is named beside it, ascending after it."""
    if rule is None:
        return sorted(airs.also)
    first = next(dates(rule, max(rule.start, airs.first or rule.start), rule.start + _YEARS), None)
    if first is None:
        return sorted(airs.also)
    return [first, *sorted(airs.also)]


def _changed(one: Series, made: Iterable[Change]) -> Series:
    cancelled, moved = list(one.cancelled), list(one.moved)
    for change in made:
        if not _has(one, change.starts):
            continue
        if change.cancelled:
            cancelled.append(change.starts)
        elif change.day is not None or change.from_ms is not None or change.to_ms is not None or change.title:
            moved.append(_moved(one, change))
    return msgspec.structs.replace(one, cancelled=tuple(sorted({*cancelled})), moved=tuple(moved))


def _has(one: Series, start: datetime) -> bool:
    return start in set(_starts(one, start.date(), start.date()))


def _moved(one: Series, change: Change) -> Moved:
    midnight = datetime.combine(change.day or change.starts.date(), datetime.min.time())
    own_ms = (change.starts - datetime.combine(change.starts.date(), datetime.min.time())) // timedelta(
        milliseconds=1
    )
    from_ms = own_ms if change.from_ms is None else change.from_ms
    to_ms = from_ms + one.length_ms if change.to_ms is None else change.to_ms
    return Moved(
        original=change.starts,
        starts=midnight + timedelta(milliseconds=from_ms),
        length_ms=DurationMs(to_ms - from_ms),
        title=change.title,
    )


def _starts(one: Series, first: date, last: date) -> Iterator[datetime]:
    """The planned starts of a series on these dates, without those that are cancelled or moved."""
    gone = {*one.cancelled, *(moved.original for moved in one.moved)}
    days = set(dates(one.rule, first, last)) if one.rule else {one.starts.date()}
    planned = {datetime.combine(day, one.starts.time()) for day in days} | set(one.added)
    yield from sorted(start for start in planned - gone if first <= start.date() <= last)


def _is_nominal(one: Series, start: datetime, span: tuple[UtcMs, UtcMs], zone: ZoneInfo) -> bool:
    """Whether readers who count the length and those who take the end from the wall clock both have it right."""
    is_there = local_time(span[0], zone).replace(tzinfo=None) == start
    ends_at_ms = wall_to_ms(start + timedelta(milliseconds=one.length_ms), zone)
    return is_there and span[1] - span[0] == one.length_ms and span[1] == ends_at_ms
