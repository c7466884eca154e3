"""Rows laid one behind the other after a change of the log: what comes sooner or later, and what has no room (pure).

Rows with a hard anchor stay where they are. A soft row waits while it is pushed, and goes first once its time is past;
it never comes sooner than its window allows. What a hard row leaves no room for is cut or dropped: a sponsor's message
is heard whole or not at all. What is left open is closed by a *bridge*, a row of bed that the planner compiles over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from radio.errors import InvalidRequest, NotFound
from radio.log import Anchor, ItemKind, LogRow, Outcome
from radio.units import DurationMs, UtcMs

CUT_FADE_MS: Final = 500
"""The fade of a row that ends before its item does, to meet a hard row."""

LEAST_ROOM_MS: Final = 1_500
"""An item is not begun for less."""

OVER_INTRO_MS: Final = 300
"""A longer overlap of an ident is speech over an intro, and no joint."""

PUT_IN: Final = "put in by "
MOVED_HERE: Final = "moved by "
EMERGENCY: Final = "emergency by "
JOINED_HERE: Final = "; joined by the clock"

NO_ROOM: Final = (Outcome.MISSED, "a change on the air left no room for it")


class Gone(NamedTuple):
    """A row that will not be heard, as what it ends, and why."""

    row: LogRow
    outcome: Outcome
    cause: str


class Moved(NamedTuple):
    """The rows after a change, and the moment up to which they are settled: from it on they may be
    compiled anew.

    ``taken_out`` are rows that end with the change itself. Whatever else is no longer among the rows ends as ``why``
    says when its time is over, if nothing is compiled for it before. ``vacated`` are rows as they stood where they
    stand no more, so that nothing is compiled into their place. ``beneath`` is what an emergency lies over. ``airing``
    is an occurrence with the end that it has now.
    """

    rows: Sequence[LogRow]
    settled_ms: UtcMs
    taken_out: Sequence[Gone] = ()
    why: tuple[Outcome, str] = NO_ROOM
    vacated: Sequence[LogRow] = ()
    beneath: Sequence[LogRow] = ()
    airing: tuple[str, UtcMs] | None = None


class Move(Protocol):
    """A change of contiguous rows at a moment. ``title`` is shown while the bed sounds."""

    def __call__(self, rows: Sequence[LogRow], at_ms: int, *, title: str) -> Moved:
        """Raises InvalidRequest where the rows leave no room, NotFound where none holds ``at_ms``."""


def is_bridge(row: LogRow) -> bool:
    """Whether the row only stands in until the planner has compiled what follows a change."""
    return row.item is None and row.id.endswith("-bridge")


def is_hold(row: LogRow) -> bool:
    """Whether the row is the bed of a hold."""
    return row.item is None and row.id.endswith("-hold")


def is_emergency(row: LogRow) -> bool:
    """Whether the row is part of an emergency, which lies over the log until it is resumed."""
    return row.reason.startswith(EMERGENCY)


def is_joined(row: LogRow) -> bool:
    """Whether the row begins in the middle of its item."""
    return JOINED_HERE in row.reason


def is_over_intro(row: LogRow) -> bool:
    """Whether the row is an ident whose last words are heard over the music behind it."""
    return row.kind is ItemKind.IDENT and row.overlap_ms > OVER_INTRO_MS


def index_at(rows: Sequence[LogRow], at_ms: int) -> int:
    """Where the row is that holds ``at_ms``. Raises NotFound."""
    for index, row in enumerate(rows):
        if row.starts_at_ms <= at_ms < row.ends_at_ms:
            return index
    raise NotFound("Nothing of the log is on the air.")


def on_air_index(rows: Sequence[LogRow], at_ms: int) -> int:
    """As :func:`index_at`, for changes that an emergency leaves no place for. Raises InvalidRequest as well."""
    index = index_at(rows, at_ms)
    if is_emergency(rows[index]):
        raise InvalidRequest("An emergency is on the air; `resume` ends it.")
    return index


def hard_ms(rows: Sequence[LogRow]) -> UtcMs | None:
    """When the first row with a hard anchor starts; None where there is none."""
    return next((row.starts_at_ms for row in rows if row.anchor is Anchor.HARD), None)


def due_ms(row: LogRow) -> UtcMs:
    """When an anchored row was planned to start."""
    return row.starts_at_ms if row.due_ms is None else row.due_ms


def ended_at(rows: Sequence[LogRow], index: int, at_ms: int, fade_ms: int, note: str) -> tuple[LogRow, ...]:
    """The rows up to ``index``, the last of which ends at ``at_ms``; without it where it would be empty."""
    row = rows[index]
    if row.starts_at_ms == at_ms:
        return tuple(rows[:index])
    ended = msgspec.structs.replace(
        row,
        ends_at_ms=UtcMs(at_ms),
        overlap_ms=DurationMs(fade_ms if row.item is not None else 0),
        fade_out_ms=DurationMs(0),
        reason="; ".join(part for part in (row.reason, note) if part),
    )
    return (*rows[:index], ended)


def laid(following: Sequence[LogRow], at_ms: int, title: str) -> Sequence[LogRow]:
    """``following`` from ``at_ms`` on up to the next hard row, which it meets whatever that takes."""
    if not following or following[0].starts_at_ms == at_ms:
        return following
    fixed = next((n for n, row in enumerate(following) if row.anchor is Anchor.HARD), len(following))
    limit_ms = following[fixed].starts_at_ms if fixed < len(following) else None
    rows: list[LogRow] = []
    for row in _overdue_first(following[:fixed], at_ms):
        if row.anchor is Anchor.SOFT and at_ms < due_ms(row) - row.anchor_window_ms:
            rows.append(bed(row.station, at_ms, due_ms(row), "bridge", title))
            at_ms = due_ms(row)
        if not _has_room(row, at_ms, limit_ms):
            continue
        rows.append(placed(row, at_ms, limit_ms))
        at_ms = rows[-1].ends_at_ms
    if limit_ms is not None and at_ms < limit_ms:
        rows.append(bed(following[fixed].station, at_ms, limit_ms, "bridge", title))
    return (*rows, *following[fixed:])


def placed(row: LogRow, at_ms: int, limit_ms: int | None) -> LogRow:
    """``row`` from ``at_ms`` on, cut where it would reach past ``limit_ms``."""
    is_put_off = row.anchor is Anchor.SOFT and row.due_ms is None and row.starts_at_ms != at_ms
    ends_at_ms = at_ms + row.duration_ms
    moved = msgspec.structs.replace(
        row,
        starts_at_ms=UtcMs(at_ms),
        ends_at_ms=UtcMs(ends_at_ms),
        due_ms=row.starts_at_ms if is_put_off else row.due_ms,
    )
    if limit_ms is None or ends_at_ms <= limit_ms:
        return moved
    fade_ms = min(max(row.fade_out_ms, CUT_FADE_MS), (limit_ms - at_ms) // 2) if row.item is not None else 0
    return msgspec.structs.replace(
        moved,
        ends_at_ms=UtcMs(limit_ms),
        overlap_ms=DurationMs(0),
        fade_out_ms=DurationMs(fade_ms),
        reason=f"{row.reason}; cut to meet the next fixed time",
    )


def bed(station: str, starts_at_ms: int, ends_at_ms: int, word: str, title: str, reason: str = "") -> LogRow:
    """A row of bed; ``word`` says what for."""
    return LogRow(
        id=f"{station}-{starts_at_ms}-{word}",
        station=station,
        starts_at_ms=UtcMs(starts_at_ms),
        ends_at_ms=UtcMs(ends_at_ms),
        kind=ItemKind.FILL,
        title=title,
        reason=reason or "bed: until the log is compiled anew",
    )


def change_of(before: Sequence[LogRow], after: Sequence[LogRow], settled_ms: int) -> Moved:
    """What operators put in or hold is settled as well, where it comes next, and so is what is overdue."""
    for row in _settled(after):
        settled_ms = row.ends_at_ms
    return Moved((*before, *after), UtcMs(settled_ms))


def spoken_out(moved: Moved, at_ms: int, title: str) -> Moved:
    """``moved``, in which an ident that was to end over music is heard out where something else has come behind it.

    What follows comes later by as much; where a hard row leaves no room, the ident stays as it is.
    """
    rows, settled_ms, index = tuple(moved.rows), moved.settled_ms, 0
    while index < len(rows) - 1:
        later = _heard_out(rows, index, title) if rows[index].ends_at_ms > at_ms else None
        if later is not None:
            settled_ms = _end_in(later, rows, settled_ms)
            rows = later
        index += 1
    return moved._replace(rows=rows, settled_ms=settled_ms)


def _heard_out(rows: tuple[LogRow, ...], index: int, title: str) -> tuple[LogRow, ...] | None:
    row, following = rows[index], rows[index + 1]
    if not is_over_intro(row) or following.kind is ItemKind.MUSIC or following.anchor is Anchor.HARD:
        return None
    ends_at_ms = UtcMs(row.ends_at_ms + row.overlap_ms)
    whole = msgspec.structs.replace(row, ends_at_ms=ends_at_ms, overlap_ms=DurationMs(0))
    if is_bridge(following):
        if following.ends_at_ms <= ends_at_ms:
            return None
        shorter = msgspec.structs.replace(following, starts_at_ms=ends_at_ms)
        return (*rows[:index], whole, shorter, *rows[index + 2 :])
    limit_ms = hard_ms(rows[index + 1 :])
    if limit_ms is not None and limit_ms < ends_at_ms:
        return None
    return (*rows[:index], whole, *laid(rows[index + 1 :], ends_at_ms, title))


def _end_in(rows: Sequence[LogRow], before: Sequence[LogRow], ends_at_ms: UtcMs) -> UtcMs:
    """Where the row ends now that ended at ``ends_at_ms``."""
    id_ = next((row.id for row in before if row.ends_at_ms == ends_at_ms), None)
    return next((row.ends_at_ms for row in rows if row.id == id_), ends_at_ms)


def is_an_operators(row: LogRow) -> bool:
    """Whether an operator has put the row there."""
    return is_hold(row) or row.reason.startswith((PUT_IN, EMERGENCY)) or f"; {MOVED_HERE}" in row.reason


def _settled(after: Sequence[LogRow]) -> Iterator[LogRow]:
    overdue: str | None = None
    for row in after:
        is_late = row.anchor is Anchor.SOFT and row.due_ms is not None and row.due_ms < row.starts_at_ms
        if not (is_an_operators(row) or is_late or (overdue and row.break_id == overdue)):
            return
        overdue = row.break_id if is_late else overdue
        yield row


def _has_room(row: LogRow, at_ms: int, limit_ms: int | None) -> bool:
    if is_bridge(row):
        return False
    if limit_ms is None:
        return True
    is_bed = row.item is None and row.kind is ItemKind.FILL and not is_hold(row)
    whole_ms = row.duration_ms if row.kind is ItemKind.SPONSOR else LEAST_ROOM_MS
    return not is_bed and limit_ms - at_ms >= whole_ms and limit_ms - at_ms >= LEAST_ROOM_MS


def _overdue_first(rows: Sequence[LogRow], at_ms: int) -> list[LogRow]:
    """Soft rows whose time is past, each with the rest of its break, before what floats.

    What floats before one and belongs to another programme than it is left out: its programme is over.
    """
    overdue, floating = list[LogRow](), list[LogRow]()
    break_id: str | None = None
    for row in rows:
        if row.anchor is Anchor.SOFT and due_ms(row) <= at_ms:
            floating = [other for other in floating if other.occurrence == row.occurrence]
            break_id = row.break_id
            overdue.append(row)
        elif break_id is not None and row.break_id == break_id:
            overdue.append(row)
        else:
            break_id = None
            floating.append(row)
    return [*overdue, *floating]
