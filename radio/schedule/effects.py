"""What an edit changes in the days to come: airings that come, go, move or read otherwise, and rows (pure).

Airings are compared as listeners hear them, after layers were swept. Rows are compiled by both schedules from the
first day that can differ, day by day, for as long as there is time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from radio.log import LogRow
from radio.schedule.airings import ProgrammeAiring, airings
from radio.schedule.builder import Inputs, compile_log
from radio.schedule.item_rows import play_of
from radio.schedule.model import Schedule
from radio.schedule.wallclock import local_time, wall_to_ms
from radio.sponsors.campaigns import SponsorBook
from radio.sponsors.weektime import HOUR_MS
from radio.units import UtcMs

DAYS: Final = 7
MOST_TOLD: Final = 500
KEPT_MS: Final = 2 * HOUR_MS
FITTED_MS: Final = 6 * HOUR_MS
"""How far before an airing rows may differ, because they are fitted to end where it starts."""

_WORDS: Final = ("title", "host", "description", "image", "link", "supported_by")


Mark = tuple[int, str | None, str, str, str | None]
Marks = frozenset[Mark]
"""A day's rows, each by its start, item, title, kind and programme."""


class What(StrEnum):
    """What becomes of an airing."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    CHANGED = "changed"


class Aired(msgspec.Struct, frozen=True, kw_only=True):
    """When and as what an airing is heard: instants, local times with their offset, and words."""

    starts_at_ms: UtcMs
    ends_at_ms: UtcMs
    starts: str
    ends: str
    title: str
    host: str | None = None


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One airing that differs. ``differs`` names what of its words does."""

    what: What
    programme: str
    occurrence: str
    was: Aired | None = None
    becomes: Aired | None = None
    differs: tuple[str, ...] = ()


class DayRows(msgspec.Struct, frozen=True, kw_only=True):
    """A local day's rows: how many there were and will be, and how many of these are new."""

    day: str
    rows_before: int
    rows: int
    changed: int


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """All that an edit changes in ``[from_ms, to_ms)``.

    ``airings`` holds the first 500; ``counts`` says how many of each kind there are. ``days`` are the days whose rows
    were compared, up to ``rows_until_ms``: days before them have the same rows. ``first_change_ms`` is the first moment
    known to differ. ``is_complete`` is false where there was no time for all rows; the last begun hour is not compared.
    """

    from_ms: UtcMs
    to_ms: UtcMs
    first_change_ms: UtcMs | None
    counts: dict[str, int]
    airings: tuple[Effect, ...]
    days: tuple[DayRows, ...]
    rows_until_ms: UtcMs
    is_complete: bool


class _Heard(NamedTuple):
    """An occurrence with all stretches of air that it has."""

    airing: ProgrammeAiring
    spans: tuple[tuple[int, int], ...]


def airing_effects(
    before: Schedule,
    after: Schedule,
    sponsors: SponsorBook,
    station: str,
    zone: ZoneInfo,
    from_ms: UtcMs,
    to_ms: UtcMs,
) -> list[Effect]:
    """The airings of ``[from_ms, to_ms)`` that differ, by time. One that gets another identity on its day is moved."""
    old, new = (_heard(airings(each, sponsors, station, zone, from_ms, to_ms)) for each in (before, after))
    gone = [one for id_, one in old.items() if id_ not in new]
    come = [one for id_, one in new.items() if id_ not in old]
    pairs = [(old[id_], new[id_]) for id_ in old if id_ in new] + _same_day(gone, come, zone)
    found = [effect for one, other in pairs if (effect := _effect(one, other, zone))]
    found += [_told(What.REMOVED, one, None, zone) for one in gone]
    found += [_told(What.ADDED, None, one, zone) for one in come]
    return sorted(found, key=lambda one: (_first_ms(one), one.occurrence))


def may_differ_from(
    before: Schedule, after: Schedule, found: Sequence[Effect], zone: ZoneInfo, from_ms: UtcMs
) -> UtcMs | None:
    """The beginning of the first day whose rows can differ; None where none can."""
    apart = ("categories", "clocks", "default_clock", "grid", "dayparts", "item_rules")
    if any(getattr(before, name) != getattr(after, name) for name in apart) or _ruled(before) != _ruled(
        after
    ):
        return from_ms
    if not found:
        return None
    first = local_time(_first_ms(found[0]) - FITTED_MS, zone).replace(tzinfo=None)
    return max(from_ms, wall_to_ms(first.replace(hour=0, minute=0, second=0, microsecond=0), zone))


def day_edges(from_ms: UtcMs, to_ms: UtcMs, zone: ZoneInfo) -> list[UtcMs]:
    """``from_ms``, each local midnight after it, and ``to_ms``."""
    edges = [from_ms]
    day = local_time(from_ms, zone).date()
    while True:
        day += timedelta(days=1)
        midnight = wall_to_ms(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001 - wall time
        if midnight >= to_ms:
            return [*edges, to_ms]
        edges.append(midnight)


def compiled_days(inputs: Inputs, edges: Sequence[UtcMs]) -> Iterator[Marks]:
    """What tells the rows of each day in turn from others; each day is compiled with all before it in its history."""
    start_ms = int(edges[0])
    for _, edge_ms in pairwise(edges):
        rows = compile_log(inputs, start_ms, edge_ms)
        if rows:
            start_ms = rows[-1].ends_at_ms
            plays = tuple(play_of(row) for row in rows if row.item)
            kept = tuple(row for row in rows if row.ends_at_ms > start_ms - KEPT_MS)
            inputs = msgspec.structs.replace(inputs, history=(*inputs.history, *plays), kept=kept)
        yield frozenset(_mark(row) for row in rows)


def row_effects(
    before: Iterable[Marks],
    after: Iterable[Marks],
    edges: Sequence[UtcMs],
    zone: ZoneInfo,
    may_go_on: Callable[[], bool],
) -> tuple[list[DayRows], UtcMs, UtcMs | None]:
    """Each day's rows compared, until when that was done, and the first row that differs.

    Stops before a further day where ``may_go_on`` says so.
    """
    days: list[DayRows] = []
    first_ms: UtcMs | None = None
    until_ms = edges[0]
    for edge_ms, old, new in zip(edges[1:], before, after, strict=False):
        apart = old ^ new
        if apart and first_ms is None:
            first_ms = UtcMs(min(mark[0] for mark in apart))
        day = local_time(until_ms, zone).date().isoformat()
        days.append(DayRows(day=day, rows_before=len(old), rows=len(new), changed=len(new - old)))
        until_ms = edge_ms
        if not may_go_on():
            break
    return days, until_ms, first_ms


def effects(
    found: Sequence[Effect],
    span: tuple[UtcMs, UtcMs],
    rows: tuple[list[DayRows], UtcMs, UtcMs | None],
) -> Effects:
    """Both parts together."""
    days, until_ms, first_row_ms = rows
    moments = [_first_ms(one) for one in found[:1]] + ([first_row_ms] if first_row_ms is not None else [])
    return Effects(
        from_ms=span[0],
        to_ms=span[1],
        first_change_ms=UtcMs(max(span[0], min(moments))) if moments else None,
        counts={str(what): sum(one.what is what for one in found) for what in What},
        airings=tuple(found[:MOST_TOLD]),
        days=tuple(days),
        rows_until_ms=until_ms,
        is_complete=until_ms > span[1] - HOUR_MS,
    )


def _ruled(schedule: Schedule) -> list[object]:
    """What of the programmes changes rows, though no airing differs."""
    return [
        (one.id, one.clock, one.clocks, one.on_return, one.on_overrun, one.on_repeat, one.early_end,
         [(each.starts, each.clock) for each in one.changes if each.clock])
        for one in schedule.programmes
    ]  # fmt: skip


def _heard(told: Iterable[ProgrammeAiring]) -> dict[str, _Heard]:
    found: dict[str, _Heard] = {}
    for one in told:
        before = found.get(one.occurrence, _Heard(one, ()))
        found[one.occurrence] = before._replace(spans=(*before.spans, (one.starts_at_ms, one.ends_at_ms)))
    return found


def _same_day(gone: list[_Heard], come: list[_Heard], zone: ZoneInfo) -> list[tuple[_Heard, _Heard]]:
    """Airings of one programme that went and came on one day, in order; they are taken out of both lists."""
    pairs = []
    for one in list(gone):
        day = local_time(one.airing.starts_at_ms, zone).date()
        for other in come:
            is_of_it = other.airing.id == one.airing.id
            if is_of_it and local_time(other.airing.starts_at_ms, zone).date() == day:
                pairs.append((one, other))
                gone.remove(one)
                come.remove(other)
                break
    return pairs


def _effect(one: _Heard, other: _Heard, zone: ZoneInfo) -> Effect | None:
    differs = tuple(name for name in _WORDS if getattr(one.airing, name) != getattr(other.airing, name))
    if one.spans != other.spans:
        return _told(What.MOVED, one, other, zone, differs)
    return _told(What.CHANGED, one, other, zone, differs) if differs else None


def _told(
    what: What, one: _Heard | None, other: _Heard | None, zone: ZoneInfo, differs: tuple[str, ...] = ()
) -> Effect:
    named = (other or one or _nobody()).airing
    return Effect(
        what=what,
        programme=named.id,
        occurrence=named.occurrence,
        was=_aired(one, zone) if one else None,
        becomes=_aired(other, zone) if other else None,
        differs=differs,
    )


def _nobody() -> _Heard:
    raise ValueError("an effect of no airing")


def _aired(heard: _Heard, zone: ZoneInfo) -> Aired:
    starts_at_ms, ends_at_ms = UtcMs(heard.spans[0][0]), UtcMs(heard.spans[-1][1])
    return Aired(
        starts_at_ms=starts_at_ms,
        ends_at_ms=ends_at_ms,
        starts=local_time(starts_at_ms, zone).isoformat(timespec="seconds"),
        ends=local_time(ends_at_ms, zone).isoformat(timespec="seconds"),
        title=heard.airing.title,
        host=heard.airing.host,
    )


def _first_ms(effect: Effect) -> UtcMs:
    return min(each.starts_at_ms for each in (effect.was, effect.becomes) if each)


def _mark(row: LogRow) -> Mark:
    return row.starts_at_ms, row.item, row.title, str(row.kind), row.programme
