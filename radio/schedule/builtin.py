"""What a station plays that has no schedule: the whole library in rotation (pure)."""

from __future__ import annotations

from typing import Final

import msgspec

from radio.log import Anchor
from radio.schedule.model import HourClock, Position, Schedule
from radio.schedule.pool import Pool
from radio.schedule.shelves import EVERYTHING, everything
from radio.sponsors.weektime import MINUTE_MS
from radio.units import DurationMs

BUILT_IN_CLOCK: Final = "built-in"
BREAKS_AT_MIN: Final = (10, 30, 50)
BREAK_MS: Final = MINUTE_MS
WINDOW_MS: Final = 2 * MINUTE_MS


def with_default_clock(schedule: Schedule, pool: Pool, *, has_sponsors: bool) -> Schedule:
    """The schedule with a default clock in any case.

    The built-in clock has a legal ID at the hour if there is a ``legal-id`` folder, a break each 20 minutes
    if there are sponsors, and between them everything in the library, with an ident after every third item.
    """
    if schedule.default_clock is not None:
        return schedule
    clock = _clock(pool, has_sponsors=has_sponsors)
    categories = {EVERYTHING: everything(pool), **schedule.categories}
    return msgspec.structs.replace(
        schedule,
        categories=categories,
        clocks={**schedule.clocks, BUILT_IN_CLOCK: clock},
        default_clock=BUILT_IN_CLOCK,
    )


def _clock(pool: Pool, *, has_sponsors: bool) -> HourClock:
    rest = tuple(
        name for name in ("idents", "promos") if name in pool.folders and name not in everything(pool).folders
    )
    turns = tuple(name for one in rest for name in (EVERYTHING, EVERYTHING, EVERYTHING, one)) or (EVERYTHING,)
    rotate = Position(rotate=turns)
    positions: list[Position] = []
    if "legal-id" in pool.folders:
        positions.append(
            Position(at_ms=DurationMs(0), anchor=Anchor.HARD, category="legal-id", legal_id=True)
        )
    positions.append(rotate)
    for minute in BREAKS_AT_MIN if has_sponsors else ():
        positions.extend((_break(minute), rotate))
    return HourClock(name=BUILT_IN_CLOCK, positions=tuple(positions))


def _break(minute: int) -> Position:
    return Position(
        at_ms=DurationMs(minute * MINUTE_MS),
        anchor=Anchor.SOFT,
        window_ms=DurationMs(WINDOW_MS),
        break_name=f"break-{minute}",
        length_ms=DurationMs(BREAK_MS),
        max_units=2,
    )
