"""An emergency: an item that goes before everything, hard times too, until it is resumed (pure).

The log goes on beneath it by the clock. What would have been heard meanwhile ends as skipped when its time is over;
when the emergency ends, what is on by the clock is joined where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from radio.log import Anchor, ItemKind, LogRow, Outcome
from radio.schedule.laying import (
    EMERGENCY,
    JOINED_HERE,
    LEAST_ROOM_MS,
    Moved,
    bed,
    ended_at,
    index_at,
    is_emergency,
    placed,
)
from radio.units import DurationMs, UtcMs

LONGEST_EMERGENCY_MS: Final = 6 * 3_600_000
"""After so long the log goes on by itself."""

MOST_REPEATS: Final = 1_000
"""So often an item is repeated; then the bed sounds."""

JOINED: Final = (ItemKind.MUSIC, ItemKind.SPEECH, ItemKind.LIVE, ItemKind.FILL)
"""Kinds of which a part is worth hearing."""


def emergency(
    rows: Sequence[LogRow],
    at_ms: int,
    *,
    row: LogRow,
    by: str,
    repeat: bool = True,
    title: str = "",
    fade_ms: int = 300,
    beneath: Sequence[LogRow] = (),
) -> Moved:
    """``row`` at once, repeated or followed by the bed, for six hours or until resumed.

    ``rows`` should reach as far as that; ``beneath`` is what an emergency that is on the air already lies over. Of
    ``row`` the length counts, its times do not; its id must be new. Raises NotFound where no row holds ``at_ms``.
    """
    index = index_at(rows, at_ms)
    was = rows[index]
    until_ms = at_ms + LONGEST_EMERGENCY_MS
    before = ended_at(rows, index, at_ms, fade_ms, f"ended for an {EMERGENCY}{by}")
    covered = [each for each in beneath if each.ends_at_ms > at_ms]
    if not is_emergency(was):
        covered = _rest_of(was, at_ms)
    covered += [each for each in rows[index + 1 :] if each.starts_at_ms < until_ms and not is_emergency(each)]
    behind = [each for each in rows[index + 1 :] if each.ends_at_ms > until_ms and not is_emergency(each)]
    put = (*_repeated(row, at_ms, until_ms, repeat, by, title),)
    return Moved(
        (*before, *put, *joined(behind, until_ms, title)),
        UtcMs(until_ms),
        why=(Outcome.SKIPPED, f"{EMERGENCY}{by}"),
        beneath=covered,
    )


def over(
    rows: Sequence[LogRow],
    at_ms: int,
    *,
    by: str,
    title: str,
    beneath: Sequence[LogRow],
    fade_ms: int,
) -> Moved:
    """The emergency that is on the air ends at ``at_ms``; ``beneath`` is joined where it stands."""
    index = index_at(rows, at_ms)
    before = ended_at(rows, index, at_ms, fade_ms, f"resumed by {by}")
    covered = [each for each in beneath if each.ends_at_ms > at_ms]
    behind = [each for each in rows[index + 1 :] if not is_emergency(each)]
    known = {each.id for each in covered}
    ends_at_ms = covered[-1].ends_at_ms if covered else at_ms
    tail = [each for each in behind if each.starts_at_ms >= ends_at_ms and each.id not in known]
    return Moved((*before, *joined([*covered, *tail], at_ms, title)), UtcMs(at_ms))


def joined(rows: Sequence[LogRow], at_ms: int, title: str) -> list[LogRow]:
    """``rows`` from ``at_ms`` on, by the clock: the one that is on is heard from where it stands, if it is worth it."""
    found: list[LogRow] = []
    for row in rows:
        if row.ends_at_ms <= at_ms:
            continue
        if row.starts_at_ms < at_ms:
            if not _is_worth_joining(row, at_ms):
                continue
            row = _from(row, at_ms)
        elif row.starts_at_ms > at_ms:
            found.append(bed(row.station, at_ms, row.starts_at_ms, "bridge", title))
        found.append(row)
        at_ms = row.ends_at_ms
    return found


def _is_worth_joining(row: LogRow, at_ms: int) -> bool:
    return row.kind in JOINED and row.ends_at_ms - at_ms >= LEAST_ROOM_MS


def _from(row: LogRow, at_ms: int) -> LogRow:
    """``row`` from ``at_ms`` on: its item sounds from as far in as it would have been."""
    is_anchored = row.anchor is not Anchor.FLOAT
    return msgspec.structs.replace(
        row,
        starts_at_ms=UtcMs(at_ms),
        cue_in_ms=DurationMs(row.cue_in_ms + at_ms - row.starts_at_ms if row.item else 0),
        fade_out_ms=DurationMs(min(row.fade_out_ms, row.ends_at_ms - at_ms)),
        overlap_ms=DurationMs(min(row.overlap_ms, row.ends_at_ms - at_ms)),
        due_ms=row.due_ms or row.starts_at_ms if is_anchored else row.due_ms,
        reason=f"{row.reason}{JOINED_HERE}",
    )


def _rest_of(row: LogRow, at_ms: int) -> list[LogRow]:
    """What is left of the row that the emergency ends, as a row of its own: the first part has its end already."""
    if not _is_worth_joining(row, at_ms):
        return []
    return [msgspec.structs.replace(_from(row, at_ms), id=f"{row.id}-rest-{at_ms}")]


def _repeated(row: LogRow, at_ms: int, until_ms: int, repeat: bool, by: str, title: str) -> list[LogRow]:
    rows: list[LogRow] = []
    reason = f"{EMERGENCY}{by}"
    while at_ms < until_ms and len(rows) < (MOST_REPEATS if repeat else 1):
        id_ = f"{row.id}-{len(rows) + 1}" if rows else row.id
        one = placed(msgspec.structs.replace(row, id=id_, reason=reason), at_ms, until_ms)
        rows.append(msgspec.structs.replace(one, reason=reason))
        at_ms = one.ends_at_ms
    if at_ms < until_ms:
        rows.append(bed(row.station, at_ms, until_ms, "emergency", title, reason))
    return rows
