"""What a log is compiled from, put together: the schedule in force and what was heard or stands before it (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from radio.log import Anchor, LogRow
from radio.schedule.builder import Inputs
from radio.schedule.item_rows import play_of
from radio.schedule.model import Schedule
from radio.schedule.pool import Pool
from radio.schedule.rotation import Play
from radio.sponsors.campaigns import SponsorBook
from radio.sponsors.weektime import HOUR_MS
from radio.units import UtcMs

NEAR_MS = 2 * HOUR_MS


def replaced(
    inputs: Inputs,
    *,
    schedule: Schedule | None = None,
    sponsors: SponsorBook | None = None,
    pool: Pool | None = None,
    history: tuple[Play, ...] = (),
    kept: tuple[LogRow, ...] = (),
) -> Inputs:
    """``inputs`` with other parts, and with no history but the one that is given."""
    return Inputs(
        station=inputs.station,
        schedule=schedule if schedule is not None else inputs.schedule,
        pool=pool if pool is not None else inputs.pool,
        sponsors=sponsors if sponsors is not None else inputs.sponsors,
        history=history,
        kept=kept,
        seed=inputs.seed,
    )


def with_past(
    inputs: Inputs,
    from_ms: UtcMs,
    *,
    heard: Iterable[Play],
    planned: Iterable[LogRow],
    near: Iterable[LogRow],
    vacated: Iterable[LogRow],
) -> Inputs:
    """``inputs`` for a log from ``from_ms`` on.

    ``heard`` was on the air, ``planned`` will be before ``from_ms``, ``near`` are the rows of the hours before it. A
    row that was ``vacated`` counts as played in its place: neither its item nor its position comes again at once.
    """
    gone = [row for row in vacated if from_ms - NEAR_MS < row.starts_at_ms <= from_ms]
    plays = [play for play in heard if play.started_ms < from_ms]
    plays += [play_of(row) for row in (*planned, *gone) if row.item]
    return replaced(
        inputs,
        history=tuple(sorted(plays, key=lambda play: play.started_ms)),
        kept=tuple(sorted((*near, *gone), key=lambda row: row.starts_at_ms)),
    )


def unbroken(stored: Iterable[LogRow], now_ms: UtcMs) -> list[LogRow]:
    """The last contiguous stretch of a stored log; empty where it does not reach past now."""
    rows: list[LogRow] = []
    for row in stored:
        if rows and rows[-1].ends_at_ms != row.starts_at_ms:
            rows = []
        rows.append(row)
    return rows if rows and rows[-1].ends_at_ms > now_ms else []


def told_apart(rows: Sequence[LogRow], known: Iterable[LogRow]) -> Sequence[LogRow]:
    """``rows`` with ids that no known row has: one that was moved keeps the id of the moment it was made for."""
    taken = {row.id for row in known}
    return [msgspec.structs.replace(row, id=f"{row.id}-2") if row.id in taken else row for row in rows]


def goes_on_until(rows: Iterable[LogRow], ends_at_ms: UtcMs, most_ms: int) -> UtcMs:
    """How far a programme that ends at ``ends_at_ms`` may go on: so long at most, and up to a fixed time."""
    until_ms = ends_at_ms + most_ms
    fixed = (row.starts_at_ms for row in rows if row.anchor is Anchor.HARD)
    return UtcMs(next((at_ms for at_ms in fixed if ends_at_ms < at_ms < until_ms), until_ms))
