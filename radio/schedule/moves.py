"""Changes of the log while it is on the air: what a skip, an item put in, or a hold makes of the rows (pure).

Each function takes contiguous rows, the first of which may be any, and the moment at which playout stands; it
returns contiguous rows again. How rows are laid one behind the other is said in :mod:`radio.schedule.laying`. Rows that
change places are in :mod:`radio.schedule.rearranging`, programmes that go on or end in :mod:`radio.schedule.overruns`,
what goes before everything in :mod:`radio.schedule.emergencies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final, Literal

import msgspec

from radio.errors import InvalidRequest
from radio.log import Anchor, LogRow
from radio.schedule.emergencies import over
from radio.schedule.laying import (
    CUT_FADE_MS,
    LEAST_ROOM_MS,
    PUT_IN,
    Gone,
    Move,
    Moved,
    bed,
    change_of,
    ended_at,
    hard_ms,
    index_at,
    is_an_operators,
    is_bridge,
    is_emergency,
    is_hold,
    laid,
    on_air_index,
    placed,
)
from radio.units import UtcMs

__all__ = [
    "CUT_FADE_MS", "FADE_MS", "LEAST_ROOM_MS", "LONGEST_HOLD_MS", "Gone", "Move", "Moved", "When",
    "filled", "held", "inserted", "is_bridge", "is_emergency", "is_hold", "resumed", "skipped",
]  # fmt: skip

FADE_MS: Final = 300
"""How long an item that a command ends goes on beneath what follows."""

LONGEST_HOLD_MS: Final = 3_600_000

When = Literal["now", "next"]


def skipped(rows: Sequence[LogRow], at_ms: int, *, by: str, title: str = "", fade_ms: int = FADE_MS) -> Moved:
    """The row on the air ends at ``at_ms`` and goes on beneath the next for ``fade_ms``; the rest moves up.

    A row that would start at that very moment is left out. Raises NotFound where no row holds ``at_ms``.
    """
    index = on_air_index(rows, at_ms)
    before = ended_at(rows, index, at_ms, fade_ms, f"skipped by {by}")
    return change_of(before, _moved_up(rows[index + 1 :], at_ms, title), at_ms)


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
    index = on_air_index(rows, at_ms)
    on_air = rows[index]
    starts_at_ms = at_ms if when == "now" else on_air.ends_at_ms
    before: Sequence[LogRow] = rows[: index + 1]
    following = rows[index + 1 :]
    if when == "now":
        before = ended_at(rows, index, at_ms, fade_ms, f"ended for an item put in by {by}")
        if is_hold(on_air):
            hold = bed(on_air.station, at_ms, on_air.ends_at_ms, "hold", on_air.title, reason=on_air.reason)
            following = [hold, *following]
        elif on_air.starts_at_ms == at_ms and on_air.anchor is not Anchor.HARD:
            following = rows[index:]
    limit_ms = hard_ms(following)
    if limit_ms is not None and limit_ms - starts_at_ms < LEAST_ROOM_MS:
        allowed = "now" if when == "next" else "a moment further from it"
        raise InvalidRequest("The next row starts at a fixed time.", field="when", allowed=allowed)
    put = msgspec.structs.replace(
        placed(row, starts_at_ms, limit_ms),
        programme=on_air.programme,
        occurrence=on_air.occurrence,
        reason=f"{PUT_IN}{by}",
    )
    after = _behind(following, put.ends_at_ms, title)
    return change_of((*before, put), after, put.ends_at_ms)


def held(rows: Sequence[LogRow], at_ms: int, *, by: str, title: str = "") -> Moved:
    """After the row on the air the bed sounds, for an hour at most, or up to the next hard row.

    Nothing changes where a hold is on the air or next. Raises InvalidRequest where the next row is a hard one,
    NotFound where no row holds ``at_ms``.
    """
    index = on_air_index(rows, at_ms)
    if _hold_index(rows, index) is not None:
        return change_of(rows[: index + 1], rows[index + 1 :], rows[index].ends_at_ms)
    on_air, following = rows[index], rows[index + 1 :]
    limit_ms = hard_ms(following)
    starts_at_ms = on_air.ends_at_ms
    ends_at_ms = min(starts_at_ms + LONGEST_HOLD_MS, limit_ms if limit_ms is not None else 1 << 62)
    if ends_at_ms - starts_at_ms < LEAST_ROOM_MS:
        raise InvalidRequest("The next row starts at a fixed time and cannot be held.")
    hold = bed(on_air.station, starts_at_ms, ends_at_ms, "hold", title, f"held by {by}")
    hold = msgspec.structs.replace(hold, programme=on_air.programme, occurrence=on_air.occurrence)
    after = laid(following, ends_at_ms, title)
    return change_of((*rows[: index + 1], hold), after, hold.ends_at_ms)


def resumed(
    rows: Sequence[LogRow], at_ms: int, *, by: str, title: str = "", beneath: Sequence[LogRow] = ()
) -> Moved:
    """The hold that is on the air ends at ``at_ms``, or the one that would come next does not come.

    An emergency ends as well, and what it lies over, ``beneath``, is joined by the clock. Raises InvalidRequest
    where there is none of these, NotFound where no row holds ``at_ms``.
    """
    index = index_at(rows, at_ms)
    if is_emergency(rows[index]):
        return over(rows, at_ms, by=by, title=title, beneath=beneath, fade_ms=FADE_MS)
    if is_hold(rows[index]):
        before = ended_at(rows, index, at_ms, 0, f"resumed by {by}")
        return change_of(before, laid(rows[index + 1 :], at_ms, title), at_ms)
    if (coming := _hold_index(rows, index)) is not None:
        ends_at_ms = rows[coming].starts_at_ms
        return change_of(
            rows[: index + 1],
            (*rows[index + 1 : coming], *laid(rows[coming + 1 :], ends_at_ms, title)),
            rows[index].ends_at_ms,
        )
    raise InvalidRequest("Nothing is held.")


def filled(rows: Sequence[LogRow], at_ms: int, *, more: Sequence[LogRow]) -> Sequence[LogRow]:
    """``more`` in the place of all from ``at_ms`` on, which a bridge holds; what was heard of it stays."""
    index = index_at(rows, at_ms)
    return (*ended_at(rows, index, at_ms, 0, ""), *more)


def _hold_index(rows: Sequence[LogRow], index: int) -> int | None:
    """Where a hold is: on the air at ``index``, or next behind what operators put in."""
    if is_hold(rows[index]):
        return index
    coming = takewhile(is_an_operators, rows[index + 1 :])
    return next((index + 1 + step for step, row in enumerate(coming) if is_hold(row)), None)


def _moved_up(following: Sequence[LogRow], at_ms: int, title: str) -> Sequence[LogRow]:
    """What follows, from ``at_ms`` on; a hold that comes first begins sooner and ends as it would have."""
    if not following or not is_hold(following[0]):
        return laid(following, at_ms, title)
    ends_at_ms = min(following[0].ends_at_ms, at_ms + LONGEST_HOLD_MS)
    hold = msgspec.structs.replace(following[0], starts_at_ms=UtcMs(at_ms), ends_at_ms=UtcMs(ends_at_ms))
    return (hold, *laid(following[1:], ends_at_ms, title))


def _behind(following: Sequence[LogRow], at_ms: int, title: str) -> Sequence[LogRow]:
    """What follows an item that was put in; a hold that was broken by it gets shorter, and is not moved."""
    if not following or not is_hold(following[0]):
        return laid(following, at_ms, title)
    hold = following[0]
    if hold.ends_at_ms - at_ms < LEAST_ROOM_MS:
        return laid(following[1:], at_ms, title)
    return (bed(hold.station, at_ms, hold.ends_at_ms, "hold", hold.title, hold.reason), *following[1:])
