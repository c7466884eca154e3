"""What is wrong or doubtful in a schedule that can be read: findings with their lines (pure).

:mod:`radio.schedule.files` refuses what cannot be meant. Here is what can: errors where something planned will not
air as it is written, warnings where it may sound wrong, and notes of what is coming, such as a night on which
the clocks change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from radio.schedule.clock_checks import clock_findings
from radio.schedule.clocks import spans_of
from radio.schedule.findings import Finding, Level
from radio.schedule.model import HourClock, Layer, Programme, Schedule
from radio.schedule.occurrences import Occurrence, Segment, occurrences
from radio.schedule.pool import Pool
from radio.schedule.timetable import timetable
from radio.schedule.wallclock import label, next_change_ms, offset_ms
from radio.sponsors.campaigns import Campaign, SponsorBook
from radio.sponsors.weektime import HOUR_MS, MINUTE_MS, NOMINAL_DAY_MS
from radio.toml_source import TomlDocument
from radio.units import UtcMs

AHEAD_DAYS: Final = 60
AVAIL_DAYS: Final = 28
MOST_OF_A_KIND: Final = 20
"""Findings of one code; more would hide the others."""


def check(
    schedule: Schedule,
    *,
    document: TomlDocument | None = None,
    pool: Pool,
    sponsors: SponsorBook,
    station: str,
    zone: ZoneInfo,
    from_ms: UtcMs,
) -> list[Finding]:
    """All findings for the days from ``from_ms`` on, errors first and then by line; at most 20 of a code.

    Looks 60 days ahead for overlaps, missing programmes and changes of the clocks, and 28 days for avails.
    ``document`` is the file that the schedule was read from, for the lines.
    """
    to_ms = UtcMs(from_ms + AHEAD_DAYS * NOMINAL_DAY_MS)
    swept = timetable(schedule, zone, from_ms, to_ms)
    found = [
        *_clashes(schedule, zone, from_ms, to_ms),
        *_gaps(schedule, swept, zone),
        *_never(schedule, zone, from_ms),
        *clock_findings(schedule, pool, _used(schedule)),
        *_item_rules(schedule, pool),
        *_changes_of_clocks(schedule, zone, from_ms, to_ms),
        *_avails(schedule, sponsors, station, zone, from_ms),
    ]
    return _in_order(found, document)


def clashes(
    schedule: Schedule, *, document: TomlDocument | None = None, zone: ZoneInfo, from_ms: UtcMs
) -> list[Finding]:
    """The part of :func:`check` that finds errors: airings of one layer that meet in the next 60 days. Quick."""
    to_ms = UtcMs(from_ms + AHEAD_DAYS * NOMINAL_DAY_MS)
    return _in_order(_clashes(schedule, zone, from_ms, to_ms), document)


def _in_order(found: Iterable[Finding], document: TomlDocument | None) -> list[Finding]:
    counted: dict[str, int] = {}
    kept = []
    for one in found:
        counted[one.code] = counted.get(one.code, 0) + 1
        if counted[one.code] <= MOST_OF_A_KIND:
            line = document.line(one.key) if document and one.key else None
            kept.append(msgspec.structs.replace(one, line=line))
    rank = list(Level)
    return sorted(kept, key=lambda one: (rank.index(one.level), one.line or 0, one.code, one.text))


def _clashes(schedule: Schedule, zone: ZoneInfo, from_ms: int, to_ms: int) -> Iterator[Finding]:
    """Airings of one layer at one time: the one that starts later goes before the other."""
    index_of = {programme.id: index for index, programme in enumerate(schedule.programmes)}
    programmes = schedule.by_id()
    latest: dict[Layer, Occurrence] = {}
    for one in occurrences(schedule.programmes, zone, from_ms, to_ms):
        before = latest.get(one.layer)
        if before is not None and one.starts_at_ms < before.ends_at_ms:
            first, second = programmes[before.programme].title, programmes[one.programme].title
            text = f'"{second}" overlaps "{first}" from {label(one.starts_at_ms, zone)}: the later start has the air.'
            level = Level.ERROR if one.layer <= Layer.ONE_OFF else Level.WARNING
            key = ("programmes", index_of[one.programme])
            yield Finding(level=level, code="overlap", text=text, key=key)
        if before is None or one.ends_at_ms > before.ends_at_ms:
            latest[one.layer] = one


def _gaps(schedule: Schedule, swept: Sequence[Segment], zone: ZoneInfo) -> Iterator[Finding]:
    """Hours of the first week that nobody has, where programmes cover others; with the clock that takes them."""
    if not schedule.programmes or not swept:
        return
    end_ms = swept[0].starts_at_ms + 7 * NOMINAL_DAY_MS
    for segment in swept:
        if (
            segment.occurrence is None
            and segment.starts_at_ms < end_ms
            and not _has_grid(schedule, segment, zone)
        ):
            length_min = (segment.ends_at_ms - segment.starts_at_ms) // MINUTE_MS
            clock = schedule.default_clock or "the built-in clock"
            text = f"No programme airs for {length_min} minutes from {label(segment.starts_at_ms, zone)}: {clock} does."
            yield Finding(level=Level.WARNING, code="gap", text=text)


def _has_grid(schedule: Schedule, segment: Segment, zone: ZoneInfo) -> bool:
    if not schedule.grid:
        return False
    hours = range(segment.starts_at_ms, segment.ends_at_ms, HOUR_MS)
    local = (datetime.fromtimestamp(at_ms / 1000, zone) for at_ms in hours)
    return all(schedule.grid[at.weekday() * 24 + at.hour] for at in local)


def _never(schedule: Schedule, zone: ZoneInfo, from_ms: int) -> Iterator[Finding]:
    """Programmes that do not air in a year, and changes of airings that are no more."""
    soon = occurrences(schedule.programmes, zone, from_ms, from_ms + AVAIL_DAYS * NOMINAL_DAY_MS)
    year = {one.programme for one in soon}
    rare = [programme for programme in schedule.programmes if programme.id not in year]
    year |= {one.programme for one in occurrences(rare, zone, from_ms, from_ms + 366 * NOMINAL_DAY_MS)}
    today = datetime.fromtimestamp(from_ms / 1000, zone).replace(tzinfo=None)
    for index, programme in enumerate(schedule.programmes):
        key = ("programmes", index)
        if programme.id not in year:
            text = f'"{programme.title}" does not air in the year to come.'
            yield Finding(level=Level.WARNING, code="programme-never-airs", text=text, key=key)
        past = [change for change in programme.changes if change.starts < today - timedelta(days=7)]
        if past:
            text = f'{len(past)} changes of "{programme.title}" are of airings that are over.'
            yield Finding(level=Level.NOTE, code="change-over", text=text, key=(*key, "changes"))


def _used(schedule: Schedule) -> frozenset[str]:
    """The clocks that an hour can come to have. One that only hours outside of a programme's time name is not."""
    used = {name for name in (schedule.default_clock, *schedule.grid) if name}
    for programme in schedule.programmes:
        hours = _hours(programme)
        used.update(name for hour, name in programme.clocks.items() if hour in hours)
        used.update(change.clock for change in programme.changes if change.clock)
        if programme.clock is not None and not hours <= programme.clocks.keys():
            used.add(programme.clock)
    return frozenset(used)


def _hours(programme: Programme) -> set[int]:
    moved = [
        (change.from_ms, change.to_ms or change.from_ms + NOMINAL_DAY_MS)
        for change in programme.changes
        if change.from_ms is not None
    ]
    spans = [(airs.from_ms, airs.to_ms) for airs in programme.airs] + moved
    return {hour % 24 for from_ms, to_ms in spans for hour in range(from_ms // HOUR_MS, -(-to_ms // HOUR_MS))}


def _item_rules(schedule: Schedule, pool: Pool) -> Iterator[Finding]:
    for index, rule in enumerate(schedule.item_rules):
        missing = [path for path in rule.items if pool.find(path) is None]
        if missing and pool.items:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            text = f"The library has no item {missing[0]}{more}."
            yield Finding(level=Level.WARNING, code="item-missing", text=text, key=("item_rules", index))


def _changes_of_clocks(schedule: Schedule, zone: ZoneInfo, from_ms: int, to_ms: int) -> Iterator[Finding]:
    """Each change of the clocks ahead, and what it does to the programmes of that night."""
    at_ms = from_ms
    while at_ms < to_ms:
        end_ms = min(at_ms + NOMINAL_DAY_MS, to_ms)
        changes_ms = next_change_ms(at_ms, end_ms, zone)
        if changes_ms is not None:
            yield _change_of_clocks(schedule, zone, changes_ms)
        at_ms = end_ms


def _change_of_clocks(schedule: Schedule, zone: ZoneInfo, at_ms: UtcMs) -> Finding:
    moved_min = (offset_ms(at_ms, zone) - offset_ms(at_ms - 1, zone)) // MINUTE_MS
    what = f"skip {moved_min} minutes" if moved_min > 0 else f"repeat {-moved_min} minutes"
    near = occurrences(schedule.programmes, zone, at_ms - NOMINAL_DAY_MS, at_ms + NOMINAL_DAY_MS)
    titles = schedule.by_id()
    over = [one for one in near if one.starts_at_ms - 1 <= at_ms < one.ends_at_ms or one.skipped_ms > 0]
    told = [
        f'"{titles[one.programme].title}" lasts {(one.ends_at_ms - one.starts_at_ms) // MINUTE_MS} minutes'
        for one in over
    ]
    gone = _gone(schedule, near, zone, at_ms) if moved_min > 0 else []
    told += [f'"{title}" does not air' for title in gone]
    text = f"The clocks {what} at {label(at_ms, zone)}" + (f": {', '.join(told)}." if told else ".")
    return Finding(level=Level.NOTE, code="clocks-change", text=text)


def _gone(schedule: Schedule, near: Sequence[Occurrence], zone: ZoneInfo, at_ms: int) -> list[str]:
    """Programmes of which that night has one airing less than the nominal one: those that the clocks skip."""
    planned = occurrences(
        schedule.programmes,
        ZoneInfo("UTC"),
        *(at_ms + offset_ms(at_ms - 1, zone) + step for step in (0, HOUR_MS)),
    )
    aired = {one.id for one in near}
    titles = schedule.by_id()
    return [titles[one.programme].title for one in planned if one.id not in aired]


def _avails(
    schedule: Schedule, sponsors: SponsorBook, station: str, zone: ZoneInfo, from_ms: int
) -> Iterator[Finding]:
    """How many positions the breaks of the weeks to come have for each campaign, against what was bought."""
    campaigns = [one for one in sponsors.campaigns if not one.stations or station in one.stations]
    if not campaigns:
        return
    avails = list(_breaks(schedule, zone, from_ms, from_ms + AVAIL_DAYS * NOMINAL_DAY_MS))
    total = sum(units for _, units in avails)
    if not total:
        text = f"No clock in use has a break, and {len(campaigns)} campaigns are booked."
        yield Finding(level=Level.WARNING, code="no-avails", text=text)
        return
    by_day: Counter[datetime] = Counter()
    for local, units in avails:
        by_day[local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)] += units
    first, last = (
        datetime.fromtimestamp(at / 1000, zone).date()
        for at in (from_ms, from_ms + AVAIL_DAYS * NOMINAL_DAY_MS)
    )
    for campaign in campaigns:
        # without dayparts the hour does not matter
        times = avails if campaign.dayparts else by_day.items()
        eligible = sum(units for local, units in times if campaign.is_eligible(station, local))
        is_running = (campaign.flight_from is None or campaign.flight_from <= last) and (
            campaign.flight_to is None or campaign.flight_to >= first
        )
        if not is_running:
            continue
        is_within = campaign.flight_to is not None and campaign.flight_to <= last
        if not eligible:
            text = f"The campaign {campaign.id} has no avail in the next {AVAIL_DAYS} days."
            yield Finding(level=Level.WARNING, code="no-avails", text=text)
        elif campaign.goal is not None and is_within and campaign.goal > eligible:
            text = _short(campaign, eligible)
            yield Finding(level=Level.WARNING, code="avails-short", text=text)
    yield Finding(
        level=Level.NOTE,
        code="avails",
        text=f"The next {AVAIL_DAYS} days have {total:,} avails for {len(campaigns)} campaigns.",
    )


def _short(campaign: Campaign, eligible: int) -> str:
    return (
        f"The campaign {campaign.id} was bought {campaign.goal:,} times; until its flight ends on "
        f"{campaign.flight_to} there are {eligible:,} avails for it, {(campaign.goal or 0) - eligible:,} too few "
        "unless that many aired before."
    )


def _breaks(schedule: Schedule, zone: ZoneInfo, from_ms: int, to_ms: int) -> Iterator[tuple[datetime, int]]:
    """The local time of each break to come, and how many messages it takes."""
    programmes = schedule.by_id()
    empty = HourClock(name="", positions=())

    def clock_of(segment: Segment, local: datetime) -> HourClock:
        programme = programmes.get(segment.occurrence.programme) if segment.occurrence else None
        return schedule.clocks.get(schedule.clock_name(programme, local) or "", empty)

    for segment in timetable(schedule, zone, from_ms, to_ms):
        for span in spans_of(segment, clock_of, zone):
            for position in (span.head, *span.positions):
                if position is not None and position.break_name is not None:
                    local = datetime.fromtimestamp(span.starts_at_ms / 1000, zone)
                    yield local, position.max_units
