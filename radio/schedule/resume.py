"""Where a station goes on after its process died: what the log becomes at the moment of the restart (pure).

The log is wall clock. Music, promos, idents and fill are joined where the present is. Speech goes on where it
broke off, and what follows comes later by as much, up to a row that can be cut for it: a fill, or else the last
music or promo before the next fixed row. Where there is none, the log is joined. A sponsor message that was
cut is not played again; one that has not begun is played whole or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from radio.log import Anchor, ItemKind, LogRow
from radio.schedule.moves import CUT_FADE_MS, LEAST_ROOM_MS, skipped
from radio.units import DurationMs, UtcMs

RESUME_WITHIN_MS: Final = 60_000
"""After a longer absence nobody waits for the rest of a sentence: the log is joined."""

CHECKPOINT_MS: Final = 1_000
"""What is known of the place where a crash came is this old at most."""

LEAST_SHIFT_MS: Final = 100

YIELDING: Final = (ItemKind.MUSIC, ItemKind.FILL, ItemKind.PROMO)
"""Kinds that may be cut so that speech can be heard whole."""


class Interrupted(NamedTuple):
    """What was on the air when the process ended: the row, how much was heard of it, and when that was."""

    row_id: str
    played_ms: DurationMs
    ended_at_ms: UtcMs


class Resumed(NamedTuple):
    """The rows to go on with; those from ``changed_ms`` on differ from the stored ones, None where none do.

    ``missed`` are the rows whose time passed while the station was away, some of which may have been heard before, and
    those for which the restart leaves no room.
    """

    rows: Sequence[LogRow]
    changed_ms: UtcMs | None
    missed: Sequence[LogRow] = ()


def resumed(rows: Sequence[LogRow], at_ms: UtcMs, cut: Interrupted | None) -> Resumed:
    """The log of a station that goes on the air again at ``at_ms``; ``rows`` are contiguous.

    The row that is gone on with keeps its id and its cue; it stands as though it had begun later, so that at
    ``at_ms`` it is where it broke off. The row before it is shown as that much longer.
    """
    again = _resumed(rows, at_ms, cut)
    if cut is None:
        return again
    still = {row.id for row in again.rows if row.ends_at_ms > at_ms} | {cut.row_id}
    missed = [row for row in rows if cut.ended_at_ms < row.ends_at_ms and row.id not in still]
    return again._replace(missed=missed)


def _resumed(rows: Sequence[LogRow], at_ms: UtcMs, cut: Interrupted | None) -> Resumed:
    unchanged = Resumed(rows, None)
    here = _index_at(rows, at_ms)
    if cut is None or here is None or not 0 <= at_ms - cut.ended_at_ms <= RESUME_WITHIN_MS:
        return unchanged
    broken = next((index for index, row in enumerate(rows) if row.id == cut.row_id), None)
    if broken is not None and _goes_on(rows, broken, here):
        whole = _later(rows, broken, at_ms, cut.played_ms)
        if whole is not None:
            return whole
    row = rows[here]
    if broken == here:
        return _passed_over(rows, at_ms) if row.kind is ItemKind.SPONSOR else unchanged
    has_not_begun = row.starts_at_ms >= cut.ended_at_ms - CHECKPOINT_MS
    if has_not_begun and row.kind in (ItemKind.SPEECH, ItemKind.SPONSOR) and row.anchor is not Anchor.HARD:
        whole = _later(rows, here, at_ms, DurationMs(0))
        if whole is not None:
            return whole
    return _passed_over(rows, at_ms) if row.kind is ItemKind.SPONSOR else unchanged


def _index_at(rows: Sequence[LogRow], at_ms: int) -> int | None:
    found = (index for index, row in enumerate(rows) if row.starts_at_ms <= at_ms < row.ends_at_ms)
    return next(found, None)


def _goes_on(rows: Sequence[LogRow], broken: int, here: int) -> bool:
    """Whether speech broke off, and nothing that has its own time began meanwhile."""
    return (
        rows[broken].kind is ItemKind.SPEECH
        and broken <= here
        and not any(row.anchor is Anchor.HARD for row in rows[broken + 1 : here + 1])
    )


def _later(rows: Sequence[LogRow], index: int, at_ms: UtcMs, played_ms: DurationMs) -> Resumed | None:
    """``rows[index]`` goes on at ``at_ms`` after ``played_ms`` of it; None where there is no room for that."""
    row = rows[index]
    shift_ms = at_ms - played_ms - row.starts_at_ms
    if shift_ms < LEAST_SHIFT_MS or played_ms >= row.duration_ms - LEAST_SHIFT_MS:
        return None
    fixed = _fixed_from(rows, index + 1, shift_ms)
    giving = _giving(rows, index + 1, fixed, shift_ms)
    if giving is None and fixed < len(rows):
        return None
    end = fixed if giving is None else giving
    moved = [_moved(each, shift_ms) for each in rows[index:end]]
    if giving is not None:
        moved.append(_shorter(rows[giving], shift_ms))
    before = list(rows[:index])
    changed_ms = row.starts_at_ms
    if before:
        changed_ms = before[-1].starts_at_ms
        before[-1] = msgspec.structs.replace(before[-1], ends_at_ms=moved[0].starts_at_ms)
    return Resumed((*before, *moved, *rows[index + len(moved) :]), changed_ms)


def _fixed_from(rows: Sequence[LogRow], index: int, shift_ms: int) -> int:
    """The first row from ``index`` on that cannot come later by ``shift_ms``; past the end where all can."""
    for at in range(index, len(rows)):
        row = rows[at]
        if row.anchor is Anchor.HARD or (row.anchor is Anchor.SOFT and row.anchor_window_ms < shift_ms):
            return at
    return len(rows)


def _moved(row: LogRow, shift_ms: int) -> LogRow:
    return msgspec.structs.replace(
        row, starts_at_ms=UtcMs(row.starts_at_ms + shift_ms), ends_at_ms=UtcMs(row.ends_at_ms + shift_ms)
    )


def _giving(rows: Sequence[LogRow], index: int, fixed: int, shift_ms: int) -> int | None:
    """The row that gets shorter, so that what follows it stays in its place: the first fill that is long enough,
    else, where a fixed row comes, the last other one that may be cut before it."""

    def can_give(at: int) -> bool:
        row = rows[at]
        return row.kind in YIELDING and not row.legal_id and row.duration_ms - shift_ms >= LEAST_ROOM_MS

    span = [at for at in range(index, fixed) if can_give(at)]
    fill = next((at for at in span if rows[at].kind is ItemKind.FILL), None)
    if fill is not None or fixed == len(rows):
        return fill
    return span[-1] if span else None


def _shorter(row: LogRow, shift_ms: int) -> LogRow:
    """``row``, begun later by that much and ended when it would have."""
    starts_at_ms = UtcMs(row.starts_at_ms + shift_ms)
    fade_ms = min(max(row.fade_out_ms, CUT_FADE_MS), (row.ends_at_ms - starts_at_ms) // 2)
    return msgspec.structs.replace(
        row,
        starts_at_ms=starts_at_ms,
        overlap_ms=DurationMs(0),
        fade_out_ms=DurationMs(fade_ms if row.item is not None else 0),
        reason=f"{row.reason}; cut to make up for a restart",
    )


def _passed_over(rows: Sequence[LogRow], at_ms: UtcMs) -> Resumed:
    """What follows the message comes up at once; the message itself is not heard again, nor in part."""
    moved = skipped(rows, at_ms, by="the restart", fade_ms=0)
    row = rows[_index_at(rows, at_ms) or 0]
    return Resumed(moved.rows, row.starts_at_ms)
