"""What a stretch of the log says about its rotation: turnover, separations, repeats and exceptions (pure).

The numbers are those that music directors ask for. Turnover is how long a category takes to air all of its
items once; a separation is measured from start to start, as :mod:`radio.schedule.rotation` keeps it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from radio.log import ItemKind, LogRow
from radio.schedule.rotation import artist_keys
from radio.schedule.wallclock import local_time
from radio.units import DurationMs, UtcMs

MOST_LISTED: Final = 200
"""Repeats and exceptions that are listed; what is more is only counted."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """The nearest that two plays came: from the start of the one to the start of the other."""

    gap_ms: DurationMs
    at_ms: UtcMs
    of: str


class CategoryUse(msgspec.Struct, frozen=True, kw_only=True):
    """How one category was used.

    ``items`` is how many the library has, None where that is not known. ``turnover_ms`` is how long it takes at
    this rate until each has aired once, None where nothing aired. ``short_of_title`` and ``short_of_artist``
    count plays nearer than the category's rule asks for.
    """

    name: str
    items: int | None
    plays: int
    distinct: int
    turnover_ms: DurationMs | None
    nearest_title: Gap | None
    nearest_artist: Gap | None
    title_rule_ms: DurationMs
    artist_rule_ms: DurationMs
    short_of_title: int
    short_of_artist: int


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """An item heard again at the same time of day: within one hour, or in that hour of the day before."""

    title: str
    at_ms: UtcMs
    before_ms: UtcMs
    is_same_day: bool


class Oddity(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is not as the schedule would have it: ``bed``, ``cut`` or ``relaxed``."""

    kind: str
    at_ms: UtcMs
    title: str
    reason: str


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """All numbers of one stretch. ``kinds`` has the air time of each kind of row."""

    from_ms: UtcMs
    to_ms: UtcMs
    rows: int
    kinds: dict[str, DurationMs]
    categories: tuple[CategoryUse, ...]
    same_hour_repeats: int
    repeats: tuple[Repeat, ...]
    exceptions: dict[str, int]
    oddities: tuple[Oddity, ...]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What a category has and asks for, as the statistics need it."""

    items: int | None = None
    title_ms: DurationMs = DurationMs(0)
    artist_ms: DurationMs = DurationMs(0)


def statistics(rows: Sequence[LogRow], zone: ZoneInfo, rules: Mapping[str, Rule] | None = None) -> Statistics:
    """The numbers of ``rows``, which are contiguous and in order; O(n log n). Hours and days are the zone's."""
    rules = rules or {}
    start_ms, end_ms = (rows[0].starts_at_ms, rows[-1].ends_at_ms) if rows else (UtcMs(0), UtcMs(0))
    kinds: Counter[str] = Counter()
    for row in rows:
        kinds[str(row.kind)] += row.duration_ms
    repeats = _repeats(rows, zone)
    oddities = [odd for row in rows if (odd := _oddity(row))]
    return Statistics(
        from_ms=start_ms,
        to_ms=end_ms,
        rows=len(rows),
        kinds={kind: DurationMs(length) for kind, length in sorted(kinds.items())},
        categories=tuple(_categories(rows, rules, end_ms - start_ms)),
        same_hour_repeats=len(repeats),
        repeats=tuple(repeats[:MOST_LISTED]),
        exceptions=dict(sorted(Counter(odd.kind for odd in oddities).items())),
        oddities=tuple(oddities[:MOST_LISTED]),
    )


def _categories(rows: Sequence[LogRow], rules: Mapping[str, Rule], span_ms: int) -> Iterable[CategoryUse]:
    plays: dict[str, list[LogRow]] = defaultdict(list)
    for row in rows:
        if row.item is not None and row.category is not None:
            plays[row.category].append(row)
    for name in sorted(plays):
        yield _use(name, plays[name], rules.get(name, Rule()), span_ms)


def _use(name: str, plays: Sequence[LogRow], rule: Rule, span_ms: int) -> CategoryUse:
    titles = _gaps((row, [" ".join(row.title.casefold().split())], row.title) for row in plays)
    artists = _gaps((row, artist_keys(row.artist), row.artist or "") for row in plays)
    distinct = len({row.item for row in plays})
    items = distinct if rule.items is None else rule.items
    return CategoryUse(
        name=name,
        items=rule.items,
        plays=len(plays),
        distinct=distinct,
        turnover_ms=DurationMs(items * span_ms // len(plays)) if plays else None,
        nearest_title=min(titles, key=_nearest, default=None),
        nearest_artist=min(artists, key=_nearest, default=None),
        title_rule_ms=rule.title_ms,
        artist_rule_ms=rule.artist_ms,
        short_of_title=sum(gap.gap_ms < rule.title_ms for gap in titles),
        short_of_artist=sum(gap.gap_ms < rule.artist_ms for gap in artists),
    )


def _nearest(gap: Gap) -> tuple[int, int]:
    return gap.gap_ms, gap.at_ms


def _gaps(plays: Iterable[tuple[LogRow, Sequence[str], str]]) -> list[Gap]:
    """For each play the way to the last one that shares a key with it, where there is one."""
    last: dict[str, int] = {}
    found = []
    for row, keys, shown in plays:
        before = [last[key] for key in keys if key in last]
        if before:
            gap_ms = DurationMs(row.starts_at_ms - max(before))
            found.append(Gap(gap_ms=gap_ms, at_ms=row.starts_at_ms, of=shown))
        last.update(dict.fromkeys(keys, row.starts_at_ms))
    return found


def _repeats(rows: Sequence[LogRow], zone: ZoneInfo) -> list[Repeat]:
    """Music and speech that comes again in the hour, or in the same hour of the next day."""
    last: dict[tuple[str, int], tuple[date, int]] = {}
    found = []
    for row in rows:
        if row.item is None or row.kind not in (ItemKind.MUSIC, ItemKind.SPEECH):
            continue
        local = local_time(row.starts_at_ms, zone)
        key, day = (row.item, local.hour), local.date()
        before = last.get(key)
        if before is not None and day - before[0] <= timedelta(days=1):
            found.append(
                Repeat(
                    title=row.title,
                    at_ms=row.starts_at_ms,
                    before_ms=UtcMs(before[1]),
                    is_same_day=day == before[0],
                )
            )
        last[key] = day, row.starts_at_ms
    return found


def _oddity(row: LogRow) -> Oddity | None:
    if row.item is None:
        kind = "bed"
    elif row.fade_out_ms:
        kind = "cut"
    elif "relaxed " in row.reason:
        kind = "relaxed"
    else:
        return None
    return Oddity(kind=kind, at_ms=row.starts_at_ms, title=row.title, reason=row.reason)
