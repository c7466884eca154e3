"""The ``[[programmes]]`` tables of a schedule file: when they air, what is changed, and what they do at the edges."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from radio.schedule.category_files import Key, check_name
from radio.schedule.grid_files import read_days, read_hours, read_time, read_times
from radio.schedule.model import Airs, Change, Layer, Programme
from radio.schedule.occurrences import dates_of
from radio.schedule.recurrence import RULE_ALLOWED, Rule, first_date, parse_rule
from radio.schedule.shapes import AirsTable, ChangeTable, ProgrammeTable
from radio.sponsors.weektime import LENGTH_ALLOWED, NOMINAL_DAY_MS, parse_length
from radio.toml_source import TomlDocument
from radio.units import DurationMs

LAYERS: Final = {
    "programme": Layer.PROGRAMME,
    "special": Layer.SPECIAL,
    "one-off": Layer.ONE_OFF,
    "live": Layer.LIVE,
    "emergency": Layer.EMERGENCY,
}
LONGEST_ASIDE_MS: Final = 4 * 3_600_000


class Known:
    """The names that a programme may use."""

    def __init__(self, clocks: Collection[str], categories: Collection[str]) -> None:
        self.clocks = clocks
        self.categories = categories


def read_programme(document: TomlDocument, key: Key, table: ProgrammeTable, known: Known) -> Programme:
    """The programme that a table declares. Raises ScheduleError with the place."""
    if table.clock is not None:
        check_name(document, (*key, "clock"), "clock", table.clock, known.clocks)
    if table.layer not in LAYERS:
        raise document.fault((*key, "layer"), f"is {table.layer!r}", allowed=", ".join(LAYERS))
    for name in table.early_end or ():
        check_name(document, (*key, "early_end"), "category", name, known.categories)
    airs = tuple(_airs(document, (*key, "airs", at), one) for at, one in enumerate(table.airs))
    changes = _changes(document, key, table, airs, known)
    return Programme(
        id=table.id,
        title=table.title,
        host=table.host,
        description=table.description,
        image=table.image,
        link=table.link,
        supported_by=table.supported_by,
        clock=table.clock,
        clocks=_clocks(document, (*key, "clocks"), table.clocks, known),
        airs=airs,
        changes=changes,
        layer=LAYERS[table.layer],
        on_repeat=table.on_repeat,
        on_gap=table.on_gap,
        on_return=table.on_return,
        slide_max_ms=_length(document, (*key, "slide_max"), table.slide_max, 10 * 60_000),
        min_remainder_ms=_length(document, (*key, "min_remainder"), table.min_remainder, 0),
        on_overrun=table.on_overrun,
        overrun_max_ms=_length(document, (*key, "overrun_max"), table.overrun_max, 5 * 60_000),
        early_end=table.early_end or (),
    )


def _clocks(document: TomlDocument, key: Key, table: Mapping[str, str], known: Known) -> dict[int, str]:
    hours: dict[int, str] = {}
    for text, clock in table.items():
        found = read_hours(document, (*key, text), text)
        check_name(document, (*key, text), "clock", clock, known.clocks)
        for hour in found:
            if hour in hours:
                raise document.fault((*key, text), f"names hour {hour} a second time")
            hours[hour] = clock
    return hours


def _airs(document: TomlDocument, key: Key, table: AirsTable) -> Airs:
    given = [name for name in ("days", "rule", "dates") if getattr(table, name) is not None]
    if len(given) != 1:
        problem = f"has {' and '.join(given)}" if given else "says no days"
        raise document.fault(key, problem, allowed="one of days, rule, dates")
    from_ms, to_ms = read_times(document, key, table.from_, table.to)
    if table.first and table.last and table.last < table.first:
        raise document.fault((*key, "last"), f"is before the first day, {table.first}")
    found = Airs(
        days=read_days(document, key, table.days) if table.days is not None else (),
        from_ms=from_ms,
        to_ms=to_ms,
        rule=_rule(document, key, table) if table.rule is not None else None,
        first=table.first,
        last=table.last,
        without=table.without,
        also=(*(table.dates or ()), *table.also),
    )
    _check_some_date(document, key, found)
    return found


def _rule(document: TomlDocument, key: Key, table: AirsTable) -> Rule:
    if table.first is None:
        raise document.fault(
            (*key, "rule"), "needs a first day, from which it counts", allowed="first = DATE"
        )
    try:
        return parse_rule(table.rule or "", table.first)
    except ValueError as fault:
        raise document.fault((*key, "rule"), str(fault), allowed=RULE_ALLOWED) from fault


def _check_some_date(document: TomlDocument, key: Key, airs: Airs) -> None:
    """Refuse a rule that no date meets; every pattern of the calendar comes back within 28 years."""
    if airs.rule is None or airs.also:
        return
    day = first_date(airs.rule, frozenset(airs.without))
    if day is None or (airs.last is not None and day > airs.last):
        raise document.fault((*key, "rule"), "is met by no date", allowed=RULE_ALLOWED)


def _changes(
    document: TomlDocument, key: Key, table: ProgrammeTable, airs: tuple[Airs, ...], known: Known
) -> tuple[Change, ...]:
    found: dict[datetime, Change] = {}
    for index, one in enumerate(table.changes):
        change = _change(document, (*key, "changes", index), one, airs, known)
        if change.starts in found:
            raise document.fault(
                (*key, "changes", index, "on"), f"{one.on} is changed twice", allowed="each airing once"
            )
        found[change.starts] = change
    return tuple(found.values())


def _change(
    document: TomlDocument, key: Key, table: ChangeTable, airs: tuple[Airs, ...], known: Known
) -> Change:
    starts, slot = _airing(document, key, table, airs)
    if table.cancel and (table.day or table.from_ or table.to):
        raise document.fault((*key, "cancel"), "goes with no new time", allowed="cancel, or day, from and to")
    if table.clock is not None:
        check_name(document, (*key, "clock"), "clock", table.clock, known.clocks)
    from_ms, to_ms = _new_times(document, key, table, slot)
    return Change(
        starts=starts,
        cancelled=table.cancel,
        day=table.day,
        from_ms=from_ms,
        to_ms=to_ms,
        title=table.title,
        host=table.host,
        description=table.description,
        clock=table.clock,
        why=table.why,
    )


def _new_times(
    document: TomlDocument, key: Key, table: ChangeTable, slot: Airs
) -> tuple[DurationMs | None, DurationMs | None]:
    if table.from_ is None and table.to is None:
        return None, None
    from_ms = slot.from_ms if table.from_ is None else read_time(document, (*key, "from"), table.from_)
    if table.to is None:
        return DurationMs(from_ms), None
    to_ms = read_time(document, (*key, "to"), table.to, is_end=True)
    if to_ms == from_ms:
        raise document.fault((*key, "to"), "is the start", allowed="a later end; or cancel = true")
    to_ms = to_ms if to_ms > from_ms else to_ms + NOMINAL_DAY_MS
    return (None if table.from_ is None else DurationMs(from_ms)), DurationMs(to_ms)


def _airing(
    document: TomlDocument, key: Key, table: ChangeTable, airs: tuple[Airs, ...]
) -> tuple[datetime, Airs]:
    """The planned start of the airing that a change names, by its day and, where there are more, its time."""
    day = table.on
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall time
    starts = {
        midnight + timedelta(milliseconds=one.from_ms): one for one in airs if day in dates_of(one, day, day)
    }
    if table.at is not None:
        wanted = midnight + timedelta(milliseconds=read_time(document, (*key, "at"), table.at))
        starts = {start: one for start, one in starts.items() if start == wanted}
    if not starts:
        problem = f"the programme does not air on {day}" + (f" at {table.at}" if table.at else "")
        raise document.fault((*key, "on"), problem, allowed="the day of an airing, as its series says")
    if len(starts) > 1:
        allowed = "at = " + " or ".join(f'"{start:%H:%M:%S}"' for start in sorted(starts))
        raise document.fault((*key, "on"), f"there are {len(starts)} airings on {day}", allowed=allowed)
    return next(iter(starts.items()))


def _length(document: TomlDocument, key: Key, text: str | None, usual_ms: int) -> DurationMs:
    if text is None:
        return DurationMs(usual_ms)
    try:
        length_ms = parse_length(text)
    except ValueError as fault:
        raise document.fault(key, str(fault), allowed=LENGTH_ALLOWED) from fault
    if length_ms > LONGEST_ASIDE_MS:
        raise document.fault(key, f"is {text!r}", allowed="up to 240:00")
    return DurationMs(length_ms)
