"""Edits of a programme's series as calendars offer them: this airing, or this and all that follow (pure)."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from radio.errors import InvalidRequest
from radio.schedule.model import Airs, Change, Programme
from radio.schedule.occurrences import dates_of


def only_this(programme: Programme, change: Change) -> Programme:
    """The programme with one airing changed; an earlier change of it is replaced, and the series stays."""
    kept = tuple(one for one in programme.changes if one.starts != change.starts)
    changes = sorted((*kept, change), key=lambda one: one.starts)
    return msgspec.structs.replace(programme, changes=tuple(changes))


def this_and_future(programme: Programme, slot: int, day: date, airs: Airs | None) -> Programme:
    """The programme whose slot ends before ``day`` and goes on from there as ``airs`` says; not at all with None.

    The series is split: what has aired keeps its identity and its rule. Changes of airings that are no more are left
    out. Raises InvalidRequest where the slot has no airing on or after ``day``.
    """
    old = programme.airs[slot]
    horizon = day + timedelta(days=28 * 366)
    if next(dates_of(old, day, horizon), None) is None:
        raise InvalidRequest(
            f"The slot has no airing from {day} on.", field="day", allowed="a day of the series"
        )
    ended = msgspec.structs.replace(
        old,
        last=day - timedelta(days=1),
        also=tuple(one for one in old.also if one < day),
        without=tuple(one for one in old.without if one < day),
    )
    new = () if airs is None else (msgspec.structs.replace(airs, first=max(day, airs.first or day)),)
    slots = (*programme.airs[:slot], ended, *new, *programme.airs[slot + 1 :])
    changes = tuple(one for one in programme.changes if _has(slots, one))
    return msgspec.structs.replace(programme, airs=slots, changes=changes)


def _has(slots: tuple[Airs, ...], change: Change) -> bool:
    """Whether any slot still plans the airing that a change names."""
    day = change.starts.date()
    since = change.starts.hour * 3_600_000 + change.starts.minute * 60_000 + change.starts.second * 1_000
    return any(one.from_ms == since and day in dates_of(one, day, day) for one in slots)
