"""The wall-clock week: which slots clash, and which hours nobody has (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from radio.schedule.model import Airs, Layer
from radio.sponsors.weektime import NOMINAL_DAY_MS, WEEKDAYS, format_wall_time

WEEK_MS: Final = 7 * NOMINAL_DAY_MS


class Slot(NamedTuple):
    """One weekly slot of a programme and where it is written."""

    programme: str
    title: str
    layer: Layer
    airs: Airs
    key: tuple[str | int, ...]


class _Stretch(NamedTuple):
    from_ms: int
    to_ms: int
    slot: Slot


def first_clash(slots: Sequence[Slot]) -> tuple[Slot, Slot, str] | None:
    """Two slots of one layer that overlap, and from when to when in words; None where none do."""
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


def open_hours(slots: Sequence[Slot]) -> Iterator[str]:
    """The stretches of the week that no slot covers, in words, at most ten."""
    reached_ms, found = 0, 0
    for stretch in sorted(_stretches(slots), key=lambda one: one[:2]):
        if stretch.from_ms > reached_ms and found < 10:
            found += 1
            yield _words(reached_ms, stretch.from_ms)
        reached_ms = max(reached_ms, stretch.to_ms)
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


def _words(from_ms: int, to_ms: int) -> str:
    start_day, start = divmod(from_ms, NOMINAL_DAY_MS)
    end_day, end = divmod(to_ms, NOMINAL_DAY_MS)
    if end == 0:
        end_day, end = end_day - 1, NOMINAL_DAY_MS
    text = f"{WEEKDAYS[start_day].title()} {format_wall_time(start)} to "
    return text + (f"{WEEKDAYS[end_day].title()} " if end_day != start_day else "") + format_wall_time(end)
