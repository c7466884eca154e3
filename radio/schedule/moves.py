"""Changes of the log while it is on the air: what a skip, an item put in, or a hold makes of the rows (pure).

Each function takes contiguous rows, the first of which may be any, and the moment at which playout stands; it
returns contiguous rows again. Rows with a hard anchor stay where they are. What lies between moves as a
whole and keeps its ids; what a hard row leaves no room for is cut or dropped; what is left open before one is
closed by a *bridge*, a row of bed that the planner compiles over as soon as it can.

Longer live programmes and rows that change places belong here as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from radio.errors import InvalidRequest, NotFound
from radio.log import Anchor, ItemKind, LogRow
from radio.units import DurationMs, UtcMs

FADE_MS: Final = 300
"""How long an item that a command ends goes on beneath what follows."""

CUT_FADE_MS: Final = 500
"""The fade of a row that ends before its item does, to meet a hard row."""

LEAST_ROOM_MS: Final = 1_500
"""An item is not begun for less."""

LONGEST_HOLD_MS: Final = 3_600_000

_PUT_IN: Final = "put in by "

When = Literal["now", "next"]


class Moved(NamedTuple):
    """The rows after a change, and the moment up to which they are settled: from it on they may be
    compiled anew."""

    rows: Sequence[LogRow]
    settled_ms: UtcMs


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


def skipped(rows: Sequence[LogRow], at_ms: int, *, by: str, title: str = "", fade_ms: int = FADE_MS) -> Moved:
    """The row on the air ends at ``at_ms`` and goes on beneath the next for ``fade_ms``; the rest moves up.

    A row that would start at that very moment is left out. Raises NotFound where no row holds ``at_ms``.
    """
    index = _index_at(rows, at_ms)
    before = _ended_at(rows, index, at_ms, fade_ms, f"skipped by {by}")
    return _moved(before, _moved_up(rows[index + 1 :], at_ms, title), at_ms)


def inserted(
    rows: Sequence[LogRow],
    at_ms: int,
    *,
    row: LogRow,
    when: When,
    by: str,
    title: str = "",
    fade_ms: int = FADE_MS,
) -> Moved:
    """``row`` comes in at once, or after the row on the air; what follows moves later.

    Of ``row`` the length counts, its times do not; its id must be new. During a hold the bed goes on behind an
    item that came in at once. Raises InvalidRequest where a hard row leaves less than 1.5 s, NotFound where no
    row holds ``at_ms``.
    """
    index = _index_at(rows, at_ms)
    on_air = rows[index]
    starts_at_ms = at_ms if when == "now" else on_air.ends_at_ms
    before: Sequence[LogRow] = rows[: index + 1]
    following = rows[index + 1 :]
    if when == "now":
        before = _ended_at(rows, index, at_ms, fade_ms, f"ended for an item put in by {by}")
        if is_hold(on_air):
            hold = _bed(on_air.station, at_ms, on_air.ends_at_ms, "hold", on_air.title, reason=on_air.reason)
            following = [hold, *following]
        elif on_air.starts_at_ms == at_ms and on_air.anchor is not Anchor.HARD:
            following = rows[index:]
    limit_ms = _hard_ms(following)
    if limit_ms is not None and limit_ms - starts_at_ms < LEAST_ROOM_MS:
        allowed = "now" if when == "next" else "a moment further from it"
        raise InvalidRequest("The next row starts at a fixed time.", field="when", allowed=allowed)
    placed = msgspec.structs.replace(
        _placed(row, starts_at_ms, limit_ms),
        programme=on_air.programme,
        occurrence=on_air.occurrence,
        reason=f"{_PUT_IN}{by}",
    )
    after = _behind(following, placed.ends_at_ms, title)
    return _moved((*before, placed), after, placed.ends_at_ms)


def held(rows: Sequence[LogRow], at_ms: int, *, by: str, title: str = "") -> Moved:
    """After the row on the air the bed sounds, for an hour at most, or up to the next hard row.

    Nothing changes where a hold is on the air or next. Raises InvalidRequest where the next row is a hard one,
    NotFound where no row holds ``at_ms``.
    """
    index = _index_at(rows, at_ms)
    if _hold_index(rows, index) is not None:
        return _moved(rows[: index + 1], rows[index + 1 :], rows[index].ends_at_ms)
    on_air, following = rows[index], rows[index + 1 :]
    limit_ms = _hard_ms(following)
    starts_at_ms = on_air.ends_at_ms
    ends_at_ms = min(starts_at_ms + LONGEST_HOLD_MS, limit_ms if limit_ms is not None else 1 << 62)
    if ends_at_ms - starts_at_ms < LEAST_ROOM_MS:
        raise InvalidRequest("The next row starts at a fixed time and cannot be held.")
    hold = _bed(on_air.station, starts_at_ms, ends_at_ms, "hold", title, f"held by {by}")
    hold = msgspec.structs.replace(hold, programme=on_air.programme, occurrence=on_air.occurrence)
    after = _laid(following, ends_at_ms, title)
    return _moved((*rows[: index + 1], hold), after, hold.ends_at_ms)


def resumed(rows: Sequence[LogRow], at_ms: int, *, by: str, title: str = "") -> Moved:
    """The hold that is on the air ends at ``at_ms``, or the one that would come next does not come.

    Raises InvalidRequest where there is none, NotFound where no row holds ``at_ms``.
    """
    index = _index_at(rows, at_ms)
    if is_hold(rows[index]):
        before = _ended_at(rows, index, at_ms, 0, f"resumed by {by}")
        return _moved(before, _laid(rows[index + 1 :], at_ms, title), at_ms)
    if (coming := _hold_index(rows, index)) is not None:
        ends_at_ms = rows[coming].starts_at_ms
        return _moved(
            rows[: index + 1],
            (*rows[index + 1 : coming], *_laid(rows[coming + 1 :], ends_at_ms, title)),
            rows[index].ends_at_ms,
        )
    raise InvalidRequest("Nothing is held.")


def filled(rows: Sequence[LogRow], at_ms: int, *, more: Sequence[LogRow]) -> Sequence[LogRow]:
    """``more`` in the place of all from ``at_ms`` on, which a bridge holds; what was heard of it stays."""
    index = _index_at(rows, at_ms)
    return (*_ended_at(rows, index, at_ms, 0, ""), *more)


def _moved(before: Sequence[LogRow], after: Sequence[LogRow], settled_ms: int) -> Moved:
    """What operators put in or hold is settled as well, where it comes next."""
    for row in takewhile(_is_an_operators, after):
        settled_ms = row.ends_at_ms
    return Moved((*before, *after), UtcMs(settled_ms))


def _is_an_operators(row: LogRow) -> bool:
    return is_hold(row) or row.reason.startswith(_PUT_IN)


def _hold_index(rows: Sequence[LogRow], index: int) -> int | None:
    """Where a hold is: on the air at ``index``, or next behind what operators put in."""
    if is_hold(rows[index]):
        return index
    coming = takewhile(_is_an_operators, rows[index + 1 :])
    return next((index + 1 + step for step, row in enumerate(coming) if is_hold(row)), None)


def _index_at(rows: Sequence[LogRow], at_ms: int) -> int:
    for index, row in enumerate(rows):
        if row.starts_at_ms <= at_ms < row.ends_at_ms:
            return index
    raise NotFound("Nothing of the log is on the air.")


def _hard_ms(rows: Sequence[LogRow]) -> UtcMs | None:
    return next((row.starts_at_ms for row in rows if row.anchor is Anchor.HARD), None)


def _ended_at(rows: Sequence[LogRow], index: int, at_ms: int, fade_ms: int, note: str) -> tuple[LogRow, ...]:
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


def _moved_up(following: Sequence[LogRow], at_ms: int, title: str) -> Sequence[LogRow]:
    """What follows, from ``at_ms`` on; a hold that comes first begins sooner and ends as it would have."""
    if not following or not is_hold(following[0]):
        return _laid(following, at_ms, title)
    ends_at_ms = min(following[0].ends_at_ms, at_ms + LONGEST_HOLD_MS)
    hold = msgspec.structs.replace(following[0], starts_at_ms=UtcMs(at_ms), ends_at_ms=UtcMs(ends_at_ms))
    return (hold, *_laid(following[1:], ends_at_ms, title))


def _behind(following: Sequence[LogRow], at_ms: int, title: str) -> Sequence[LogRow]:
    """What follows an item that was put in; a hold that was broken by it gets shorter, and is not moved."""
    if not following or not is_hold(following[0]):
        return _laid(following, at_ms, title)
    hold = following[0]
    if hold.ends_at_ms - at_ms < LEAST_ROOM_MS:
        return _laid(following[1:], at_ms, title)
    return (_bed(hold.station, at_ms, hold.ends_at_ms, "hold", hold.title, hold.reason), *following[1:])


def _laid(following: Sequence[LogRow], at_ms: int, title: str) -> Sequence[LogRow]:
    """``following`` from ``at_ms`` on up to the next hard row, which it meets whatever that takes."""
    if not following or following[0].starts_at_ms == at_ms:
        return following
    limit_ms = _hard_ms(following)
    laid: list[LogRow] = []
    for index, row in enumerate(following):
        if row.anchor is Anchor.HARD:
            if at_ms < row.starts_at_ms:
                laid.append(_bed(row.station, at_ms, row.starts_at_ms, "bridge", title))
            return (*laid, *following[index:])
        is_bed = row.item is None and row.kind is ItemKind.FILL and not is_hold(row)
        if limit_ms is not None and (is_bed or limit_ms - at_ms < LEAST_ROOM_MS):
            continue
        laid.append(_placed(row, at_ms, limit_ms))
        at_ms = laid[-1].ends_at_ms
    return laid


def _placed(row: LogRow, at_ms: int, limit_ms: int | None) -> LogRow:
    """``row`` from ``at_ms`` on, cut where it would reach past ``limit_ms``."""
    ends_at_ms = at_ms + row.duration_ms
    moved = msgspec.structs.replace(row, starts_at_ms=UtcMs(at_ms), ends_at_ms=UtcMs(ends_at_ms))
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


def _bed(station: str, starts_at_ms: int, ends_at_ms: int, word: str, title: str, reason: str = "") -> LogRow:
    return LogRow(
        id=f"{station}-{starts_at_ms}-{word}",
        station=station,
        starts_at_ms=UtcMs(starts_at_ms),
        ends_at_ms=UtcMs(ends_at_ms),
        kind=ItemKind.FILL,
        title=title,
        reason=reason or "bed: until the log is compiled anew",
    )
