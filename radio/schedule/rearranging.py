"""Rows that an operator moves or takes out while the log is on the air (pure).

A row changes places with those between; all of them together last as long as before, so that whatever stands behind
them stays where it is. A hard row is never put off for it, nor a soft one beyond its window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from radio.errors import InvalidRequest, NotFound
from radio.log import Anchor, LogRow, Outcome
from radio.schedule.laying import (
    MOVED_HERE,
    Gone,
    Moved,
    change_of,
    due_ms,
    is_bridge,
    laid,
    on_air_index,
)
from radio.units import DurationMs, UtcMs

REARRANGED_WITHIN_MS: Final = 2 * 3_600_000
"""Rows are moved and taken out as far ahead of the present as this."""

Place = Literal["next", "before", "after"]


def moved_to(
    rows: Sequence[LogRow],
    at_ms: int,
    *,
    row: str,
    to: Place,
    other: str | None = None,
    by: str,
    title: str = "",
) -> Moved:
    """The coming row of that id comes next, or before or after ``other``.

    A hard row may only be made next: it then starts when the row on the air ends. Raises InvalidRequest where a hard
    row would have to move, a soft one would leave its window or a break would be parted; NotFound where there is no
    such row, or nothing on the air.
    """
    index = on_air_index(rows, at_ms)
    source = _coming(rows, index, row, "row")
    chosen = rows[source]
    target = index + 1 if to == "next" else _target(rows, index, other, to)
    _check_chosen(chosen, to)
    _check_parting(rows, target)
    if target in (source, source + 1) and chosen.anchor is not Anchor.HARD:
        return Moved(rows, rows[source].ends_at_ms)
    first, last = min(source, target), max(source, target - 1)
    between = [*rows[first:source], *rows[source + 1 : last + 1]]
    after = between if source < target else []
    neighbour = rows[target - 1] if target - 1 != source else rows[source]
    put = msgspec.structs.replace(
        chosen,
        anchor=Anchor.FLOAT if chosen.anchor is Anchor.HARD else chosen.anchor,
        anchor_window_ms=DurationMs(0) if chosen.anchor is Anchor.HARD else chosen.anchor_window_ms,
        programme=neighbour.programme,
        occurrence=neighbour.occurrence,
        reason=f"{chosen.reason}; {MOVED_HERE}{by}",
    )
    order = [*after, put] if after else [put, *between]
    placed = _in_order(order, rows[first].starts_at_ms, chosen.id)
    return Moved((*rows[:first], *placed, *rows[last + 1 :]), placed[-1].ends_at_ms, vacated=(chosen,))


def removed(rows: Sequence[LogRow], at_ms: int, *, row: str, by: str, title: str = "") -> Moved:
    """The coming row of that id is taken out; what follows comes sooner, up to the next hard row.

    Raises InvalidRequest for the row on the air and for the bed, NotFound where there is no such row.
    """
    index = on_air_index(rows, at_ms)
    source = _coming(rows, index, row, "row")
    gone = rows[source]
    if gone.item is None:
        raise InvalidRequest("The bed cannot be taken out; `resume` ends a hold.", field="row")
    after = laid(rows[source + 1 :], gone.starts_at_ms, title)
    has_next = bool(after) and not is_bridge(after[0])
    settled_ms = after[0].ends_at_ms if has_next else gone.starts_at_ms
    change = change_of((*rows[:source], *after[:has_next]), after[has_next:], settled_ms)
    return change._replace(taken_out=(Gone(gone, Outcome.SKIPPED, f"taken out by {by}"),), vacated=(gone,))


def _coming(rows: Sequence[LogRow], index: int, id_: str, field: str) -> int:
    found = next((at for at, row in enumerate(rows) if row.id == id_), None)
    if found is None:
        hours = REARRANGED_WITHIN_MS // 3_600_000
        raise NotFound(f"No row {id_!r} comes in the next {hours} hours.")
    if found <= index:
        raise InvalidRequest("The row is on the air already.", field=field, allowed="a row that is to come")
    return found


def _target(rows: Sequence[LogRow], index: int, other: str | None, to: Place) -> int:
    """The place that the row takes; where it comes ``after`` the row on the air, it comes next."""
    if other is None:
        raise InvalidRequest(
            "No other row is named.", field="other", allowed="the id of a row that is to come"
        )
    if to == "after" and rows[index].id == other:
        return index + 1
    return _coming(rows, index, other, "other") + (to == "after")


def _check_chosen(row: LogRow, to: Place) -> None:
    if row.item is None:
        raise InvalidRequest("The bed cannot be moved.", field="row")
    if row.break_id is not None:
        raise InvalidRequest("The row belongs to a break, which stays together.", field="row")
    if row.anchor is Anchor.HARD and to != "next":
        raise InvalidRequest("The row starts at a fixed time.", field="to", allowed="next")


def _check_parting(rows: Sequence[LogRow], target: int) -> None:
    around = rows[target - 1 : target + 1]
    if len(around) == 2 and around[0].break_id is not None and around[0].break_id == around[1].break_id:
        raise InvalidRequest("A break stands there, which stays together.", field="other")


def _in_order(order: Sequence[LogRow], at_ms: UtcMs, chosen: str) -> list[LogRow]:
    placed: list[LogRow] = []
    for row in order:
        if row.id != chosen:
            _check_put_off(row, at_ms)
        due = due_ms(row) if row.anchor is Anchor.SOFT else row.due_ms
        ends_at_ms = UtcMs(at_ms + row.duration_ms)
        placed.append(msgspec.structs.replace(row, starts_at_ms=at_ms, ends_at_ms=ends_at_ms, due_ms=due))
        at_ms = ends_at_ms
    return placed


def _check_put_off(row: LogRow, at_ms: int) -> None:
    if row.anchor is Anchor.HARD and at_ms != row.starts_at_ms:
        raise InvalidRequest(f"{row.title or 'A row'} stands between and starts at a fixed time.", field="to")
    off_ms = abs(at_ms - due_ms(row))
    if row.anchor is Anchor.SOFT and off_ms > max(row.anchor_window_ms, abs(row.starts_at_ms - due_ms(row))):
        window_s = row.anchor_window_ms / 1000
        raise InvalidRequest(
            f"{row.title or 'A row'} stands between, would be {off_ms / 1000:.0f} s off its time, and may be "
            f"{window_s:.0f} s.", field="to",
        )  # fmt: skip
