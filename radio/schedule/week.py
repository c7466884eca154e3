"""The wall clock: which slots clash, in the week and by date, and which hours nobody has (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from radio.schedule.model import Airs, Layer
from radio.schedule.occurrences import dates_of
from radio.sponsors.weektime import HOUR_MS, NOMINAL_DAY_MS, WEEKDAYS, format_wall_time

WEEK_MS: Final = 7 * NOMINAL_DAY_MS
LOOK_DAYS: Final = 400
"""How far slots by rule and date are compared with each other."""


class Slot(NamedTuple):
    """One weekly slot of a programme and where it is written."""

    programme: str
    title: str
    layer: Layer
    airs: Airs
    key: tuple[str | int, ...]
    changed: frozenset[datetime] = frozenset()


class _Stretch(NamedTuple):
    from_ms: int
    to_ms: int
    slot: Slot


def first_clash(slots: Sequence[Slot]) -> tuple[Slot, Slot, str] | None:
    """Two slots of one layer that overlap each week, and from when to when in words; None where none do."""
    slots = [slot for slot in slots if slot.airs.is_weekly and not slot.changed]
    for layer in sorted({slot.layer for slot in slots}):
        stretches = sorted(
            _stretches([slot for slot in slots if slot.layer is layer]), key=lambda one: one[:2]
        )
        latest: _Stretch | None = None
        for stretch in stretches:
            if latest and stretch.from_ms < latest.to_ms:
                one, other = sorted((latest.slot, stretch.slot), key=lambda slot: slot.key[1:])
                return one, other, _words(stretch.from_ms, min(stretch.to_ms, latest.to_ms))
            latest = stretch
    return None


def first_dated_clash(slots: Sequence[Slot]) -> tuple[Slot, Slot, str] | None:
    """The same of slots that air by rules, on single dates or for a season, against all of their layer.

    Looks at the :data:`LOOK_DAYS` days from the first date that any of them names.
    """
    for layer in sorted({slot.layer for slot in slots if not slot.airs.is_weekly}):
        mine = [slot for slot in slots if slot.layer is layer]
        first = min((day for slot in mine for day in _named(slot.airs)), default=None)
        if first is None:
            continue
        latest: _Stretch | None = None
        for stretch in sorted(_dated(mine, first), key=lambda one: one[:2]):
            if latest and stretch.from_ms < latest.to_ms:
                one, other = sorted((latest.slot, stretch.slot), key=lambda slot: slot.key[1:])
                return one, other, _dated_words(first, stretch.from_ms, min(stretch.to_ms, latest.to_ms))
            latest = stretch
    return None


def open_hours(slots: Sequence[Slot], grid: Sequence[str | None] = ()) -> Iterator[str]:
    """The stretches of the week that neither a slot nor the grid covers, in words, at most ten."""
    reached_ms, found = 0, 0
    covered = [(stretch.from_ms, stretch.to_ms) for stretch in _stretches(slots)]
    covered += [(hour * HOUR_MS, (hour + 1) * HOUR_MS) for hour, clock in enumerate(grid) if clock]
    for from_ms, to_ms in sorted(covered):
        if from_ms > reached_ms and found < 10:
            found += 1
            yield _words(reached_ms, from_ms)
        reached_ms = max(reached_ms, to_ms)
    if reached_ms < WEEK_MS and found < 10:
        yield _words(reached_ms, WEEK_MS)


def _stretches(slots: Sequence[Slot]) -> Iterator[_Stretch]:
    """Slots as stretches of the week, cut where the week starts anew."""
    for slot in slots:
        for day in slot.airs.days:
            from_ms, to_ms = (day * NOMINAL_DAY_MS + at_ms for at_ms in (slot.airs.from_ms, slot.airs.to_ms))
            yield _Stretch(from_ms, min(to_ms, WEEK_MS), slot)
            if to_ms > WEEK_MS:
                yield _Stretch(0, to_ms - WEEK_MS, slot)


def _named(airs: Airs) -> Iterator[date]:
    """The dates from which a slot is looked at."""
    yield from (day for day in (airs.first, airs.last) if day)
    yield from (*airs.also, *airs.without)


def _dated(slots: Sequence[Slot], first: date) -> Iterator[_Stretch]:
    last = first + timedelta(days=LOOK_DAYS)
    for slot in slots:
        for day in dates_of(slot.airs, first, last):
            base_ms = (day - first).days * NOMINAL_DAY_MS
            starts = datetime(day.year, day.month, day.day) + timedelta(  # noqa: DTZ001 - wall time
                milliseconds=slot.airs.from_ms
            )
            if starts not in slot.changed:
                yield _Stretch(base_ms + slot.airs.from_ms, base_ms + slot.airs.to_ms, slot)


def _dated_words(first: date, from_ms: int, to_ms: int) -> str:
    day = first + timedelta(days=from_ms // NOMINAL_DAY_MS)
    start, end = from_ms % NOMINAL_DAY_MS, to_ms - from_ms + from_ms % NOMINAL_DAY_MS
    return f"{day} {format_wall_time(start)} to {format_wall_time(end)}"


def _words(from_ms: int, to_ms: int) -> str:
    start_day, start = divmod(from_ms, NOMINAL_DAY_MS)
    end_day, end = divmod(to_ms, NOMINAL_DAY_MS)
    if end == 0:
        end_day, end = end_day - 1, NOMINAL_DAY_MS
    text = f"{WEEKDAYS[start_day].title()} {format_wall_time(start)} to "
    return text + (f"{WEEKDAYS[end_day].title()} " if end_day != start_day else "") + format_wall_time(end)
