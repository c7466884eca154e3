"""Edits of airings as calendars offer them, on the table of a programme as its file has it (pure).

"This" adds an entry to ``changes``; "this and future" ends the slot and adds another; "all" changes the slot itself.
Which airings there are is asked of the programme that the table means, so that both always agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec

from radio.errors import InvalidRequest, ScheduleError
from radio.schedule.edits import this_and_future
from radio.schedule.files import schedule_of
from radio.schedule.model import Airs, Programme
from radio.schedule.occurrences import dates_of
from radio.schedule.recurrence import dates, format_rule
from radio.schedule.shapes import LongText, Text
from radio.sponsors.weektime import NOMINAL_DAY_MS, TIME_ALLOWED, format_wall_time, parse_wall_time
from radio.toml_source import TomlDocument

Table = dict[str, Any]

FAR: Final = timedelta(days=28 * 366)
_ABOUT_TIME: Final = ("id", "title", "airs", "changes", "on_gap", "on_repeat", "layer")
_WORDS: Final = ("title", "host", "description", "clock")


class Scope(StrEnum):
    """How far an edit of an airing reaches."""

    THIS = "this"
    THIS_AND_FUTURE = "this_and_future"
    ALL = "all"


class AiringChange(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """What is to be different. ``day`` moves one airing to another date; ``days`` and ``rule`` are a series' own."""

    day: date | None = None
    from_: str | None = None
    to: str | None = None
    days: str | None = None
    rule: str | None = None
    title: Text | None = None
    host: Text | None = None
    description: LongText | None = None
    clock: Text | None = None
    why: Text | None = None


class AiringEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An edit of the airing that was planned to start at the local time ``starts``: changed, or ``"cancel"``."""

    scope: Scope
    starts: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$")]
    change: AiringChange | Literal["cancel"]
    why: Text | None = None


class _Airing(NamedTuple):
    """An airing: its planned start, the index of its slot, and the slot."""

    starts: datetime
    slot: int
    airs: Airs


def edited(table: Mapping[str, Any], edit: AiringEdit) -> Table:
    """The programme's table with one airing, it and all that follow, or the whole series changed.

    Changes of single airings that no longer exist are left out. Raises InvalidRequest where there is no such airing,
    or where the change means nothing in its scope.
    """
    programme = _programme(table)
    airing = _airing(programme, edit.starts)
    if edit.scope is Scope.THIS:
        return _this(table, programme, airing, edit)
    changed = _slot_change(edit)
    if edit.scope is Scope.ALL:
        return _all(table, programme, airing, edit, changed)
    return _from_here(table, programme, airing, changed)


def _programme(table: Mapping[str, Any]) -> Programme:
    known = {key: table[key] for key in _ABOUT_TIME if key in table}
    if "changes" in known:
        known["changes"] = [{k: v for k, v in one.items() if k != "clock"} for one in known["changes"]]
    document = TomlDocument(Path("programme"), "", {"programmes": [known]}, ScheduleError)
    return schedule_of(document).schedule.programmes[0]


def _airing(programme: Programme, starts: str) -> _Airing:
    try:
        at = datetime.fromisoformat(starts)
    except ValueError as fault:
        raise InvalidRequest(f"{starts!r} is no time.", field="starts", allowed="YYYY-MM-DDTHH:MM") from fault
    day = at.date()
    for index, airs in enumerate(programme.airs):
        if _midnight(day) + timedelta(milliseconds=airs.from_ms) == at and day in dates_of(airs, day, day):
            return _Airing(at, index, airs)
    allowed = "the local start of an airing as its series plans it, YYYY-MM-DDTHH:MM"
    raise InvalidRequest(f"No airing is planned for {starts}.", field="starts", allowed=allowed)


def _this(table: Mapping[str, Any], programme: Programme, airing: _Airing, edit: AiringEdit) -> Table:
    entry: Table = {"on": airing.starts.date()}
    if len([one for one in programme.airs if airing.starts.date() in _on(one, airing.starts.date())]) > 1:
        entry["at"] = format_wall_time(airing.airs.from_ms)
    if edit.change == "cancel":
        entry |= {"cancel": True} | ({"why": edit.why} if edit.why else {})
    else:
        _refuse(edit.change, ("days", "rule"), "a series, not one airing")
        new = _given(edit.change)
        if not new:
            raise InvalidRequest("Nothing is changed.", field="change", allowed="day, from, to, title, …")
        entry |= new | ({"why": edit.why} if edit.why and "why" not in new else {})
    kept = [
        (change.starts, one)
        for change, one in zip(programme.changes, table.get("changes", ()), strict=True)
        if change.starts != airing.starts
    ]
    changes = [one for _, one in sorted([*kept, (airing.starts, entry)], key=lambda each: each[0])]
    return {**table, "changes": changes}


def _all(
    table: Mapping[str, Any], programme: Programme, airing: _Airing, edit: AiringEdit, changed: Table
) -> Table:
    words: Table = {key: changed.pop(key) for key in _WORDS if key in changed}
    airs = [dict(one) for one in table["airs"]]
    if edit.change == "cancel":
        del airs[airing.slot]
        return _with_slots(dict(table), programme, airs, {})
    airs[airing.slot] = _slot(airs[airing.slot], changed)
    return _with_slots({**table, **words}, programme, airs, {airing.slot: airing.slot})


def _from_here(table: Mapping[str, Any], programme: Programme, airing: _Airing, changed: Table) -> Table:
    day = airing.starts.date()
    this_and_future(programme, airing.slot, day, None)  # whether there is anything from that day on
    old = dict(table["airs"][airing.slot])
    slots = [
        *_until(old, airing.airs, day),
        *([] if changed.get("cancel") else [_since(old, airing.airs, day, changed)]),
    ]
    airs = [dict(one) for one in table["airs"]]
    airs[airing.slot : airing.slot + 1] = slots
    follows = {airing.slot: airing.slot + len(slots) - 1}
    return _with_slots(dict(table), programme, airs, {} if changed.get("cancel") else follows)


def _until(old: Table, airs: Airs, day: date) -> list[Table]:
    """The slot up to the day before, or nothing where it had no airing by then."""
    ended = _trimmed(old, lambda one: one < day)
    if "dates" not in old:
        ended["last"] = min(day - timedelta(days=1), airs.last or date.max)
    is_open = airs.rule is None and airs.first is None and bool(airs.days)
    earliest = min([day, *airs.also, *(one for one in (airs.first, airs.rule and airs.rule.start) if one)])
    has_aired = is_open or next(dates_of(airs, earliest, day - timedelta(days=1)), None) is not None
    return [ended] if has_aired else []


def _since(old: Table, airs: Airs, day: date, changed: Table) -> Table:
    new = _trimmed(old, lambda one: one >= day)
    if "dates" in old or "rule" in changed or "days" in changed:
        return _slot(
            new | ({} if "dates" in old and not changed.keys() & {"rule", "days"} else {"first": day}),
            changed,
        )
    if airs.rule is None:
        return _slot(new | {"first": max(day, airs.first or day)}, changed)
    regular = list(dates(airs.rule, day, day + FAR)) if airs.rule.count else []
    first = next(iter(regular), None) or next(dates(airs.rule, day, day + FAR), None)
    if first is None:
        del new["rule"]
        new["dates"] = new.pop("also", [day])
        new.pop("first", None)
        return _slot(new, changed)
    if airs.rule.count:
        new["rule"] = format_rule(msgspec.structs.replace(airs.rule, count=len(regular)))
    return _slot(new | {"first": first}, changed)


def _trimmed(slot: Table, keep: Any) -> Table:
    """A slot with only some of the days that it names one by one."""
    found = dict(slot)
    for key in ("dates", "also", "except"):
        if key in found:
            found[key] = [one for one in found[key] if keep(one)]
            if not found[key]:
                del found[key]
    return found


def _slot(slot: Table, changed: Table) -> Table:
    """A slot with new times and days; one kind of days takes the place of another."""
    new = {**slot, **changed}
    if "days" in changed or "rule" in changed:
        for other in {"days", "rule", "dates"} - changed.keys():
            new.pop(other, None)
    if "to" not in changed and "from" in changed:
        new["to"] = _same_length(slot, changed["from"])
    return new


def _same_length(slot: Table, start: str) -> str:
    """The end of a slot that is moved and keeps its length."""
    from_ms, to_ms, start_ms = (
        parse_wall_time(each, is_end=True) for each in (slot["from"], slot["to"], start)
    )
    end_ms = start_ms + ((to_ms - from_ms) % NOMINAL_DAY_MS or NOMINAL_DAY_MS)
    return format_wall_time(end_ms if end_ms == NOMINAL_DAY_MS else end_ms % NOMINAL_DAY_MS)


def _with_slots(table: Table, programme: Programme, airs: list[Table], follows: Mapping[int, int]) -> Table:
    """The table with new slots, and of its changes those whose airing is still there: a changed airing of a slot in
    ``follows`` goes with it to the slot that took its place."""
    if not airs:
        allowed = "an airing left; take out the whole programme with DELETE"
        raise InvalidRequest("The programme would have no airing.", field="change", allowed=allowed)
    bare = {key: value for key, value in table.items() if key != "changes"} | {"airs": airs}
    slots = _programme(bare).airs
    kept: list[Table] = []
    for change, one in zip(programme.changes, table.get("changes", ()), strict=True):
        entry = _still(change.starts, dict(one), programme, slots, follows)
        if entry is not None:
            kept.append(entry)
    return bare | ({"changes": kept} if kept else {})


def _still(
    starts: datetime, entry: Table, programme: Programme, slots: Sequence[Airs], follows: Mapping[int, int]
) -> Table | None:
    day = starts.date()
    at = _airing(programme, starts.isoformat())
    now = slots[follows[at.slot]] if at.slot in follows else None
    if now is None or day not in _on(now, day):
        now = next((one for one in slots if one.from_ms == at.airs.from_ms and day in _on(one, day)), None)
    if now is None:
        return None
    if sum(day in _on(one, day) for one in slots) > 1 or "at" in entry:
        entry = {"on": day, "at": format_wall_time(now.from_ms)} | {
            key: value for key, value in entry.items() if key not in ("on", "at")
        }
    return entry


def _on(airs: Airs, day: date) -> list[date]:
    return list(dates_of(airs, day, day))


def _slot_change(edit: AiringEdit) -> Table:
    """What the edit says of a slot, with ``cancel`` where it is to go."""
    if edit.change == "cancel":
        return {"cancel": True}
    _refuse(edit.change, ("day", "why"), "one airing, not a series")
    if edit.scope is Scope.THIS_AND_FUTURE:
        _refuse(edit.change, _WORDS, 'one airing, or the whole programme with "all"')
    new = _given(edit.change)
    if not new:
        raise InvalidRequest("Nothing is changed.", field="change", allowed="from, to, days, rule, …")
    if "days" in new and "rule" in new:
        raise InvalidRequest("Both days and a rule are given.", field="change", allowed="one of days, rule")
    return new


def _given(change: AiringChange) -> Table:
    found: Table = msgspec.to_builtins(change, builtin_types=(date,))
    for key in ("from", "to"):
        try:
            parse_wall_time(found[key] or "00:00", is_end=key == "to")
        except ValueError as fault:
            raise InvalidRequest(f"{fault}.", field=f"change.{key}", allowed=TIME_ALLOWED) from fault
    return {key: value for key, value in found.items() if value is not None}


def _refuse(change: AiringChange, names: Sequence[str], allowed: str) -> None:
    for name in names:
        if getattr(change, name) is not None:
            raise InvalidRequest(f"`{name}` cannot be changed so.", field=f"change.{name}", allowed=allowed)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall time
