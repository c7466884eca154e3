"""What an import would change in a schedule file, as its new text: comments and order stay (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import tomlkit
from tomlkit.items import AoT, Table

from radio.errors import ScheduleError
from radio.interchange.icalendar_read import Refusal
from radio.interchange.series import Moved, Series
from radio.library.folding import tokens
from radio.schedule.model import Schedule
from radio.schedule.recurrence import Freq, Rule, format_rule
from radio.sponsors.weektime import NOMINAL_DAY_MS, WEEKDAYS, format_wall_time

MAX_AIRS: Final = 100
LAYERS: Final = ("special", "one-off", "live", "emergency")
"""Layers that are written down; the usual one is not."""

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_MILLISECOND: Final = timedelta(milliseconds=1)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one programme: ``added``, ``changed`` or ``same``, and its new ``airs`` and ``changes``."""

    programme: str
    title: str
    action: str
    airs: tuple[str, ...]
    changes: tuple[str, ...] = ()


class Plan(NamedTuple):
    """The file as it would be, the steps to it, and what cannot be said in it."""

    text: str
    steps: tuple[Step, ...]
    refused: tuple[Refusal, ...]


class _Airing(NamedTuple):
    """What one series says in a schedule file."""

    airs: list[dict[str, Any]]
    changes: list[dict[str, Any]]


def plan_import(text: str, schedule: Schedule, series: Iterable[Series], today: date, file: str) -> Plan:
    """Programmes with these series, laid over the schedule file ``text``, whose ``schedule`` is given.

    A programme that is there already keeps all but its ``airs`` and ``changes``; those not named stay as they are.
    Exceptions before ``today`` are left out. Raises ScheduleError where the file cannot be added to.
    """
    document = tomlkit.parse(text)
    tables = _tables(document, file)
    refused: list[Refusal] = []
    steps = []
    for id_, group in _by_programme(series, schedule).items():
        said = _Airing([], [])
        for one in group:
            fault = _unsayable(one) or (f"has over {MAX_AIRS} slots" if len(said.airs) >= MAX_AIRS else None)
            if fault:
                refused.append(Refusal(line=one.line or 0, text=f"{one.title!r} {fault}"))
                continue
            airing = _said(one, today)
            said.airs.extend(airing.airs)
            said.changes.extend(airing.changes)
        if said.airs:
            steps.append(_apply(tables, id_, group[0], said))
    if steps and "programmes" not in document:
        document.append("programmes", tables)
    return Plan(tomlkit.dumps(document), tuple(steps), tuple(refused))


def _tables(document: tomlkit.TOMLDocument, file: str) -> AoT:
    found = document.get("programmes")
    if found is None:
        return tomlkit.aot()
    if not isinstance(found, AoT):
        raise ScheduleError(
            "is written as one list, to which nothing can be added",
            file=file,
            key="programmes",
            allowed="[[programmes]] tables",
        )
    return found


def _by_programme(series: Iterable[Series], schedule: Schedule) -> dict[str, list[Series]]:
    """The series by the ids of their programmes: as they say themselves, else by title, else new ones."""
    ids = {programme.id for programme in schedule.programmes}
    titles = {tokens(programme.title): programme.id for programme in schedule.programmes}
    groups: dict[str, list[Series]] = {}
    for one in series:
        id_ = one.programme if _ID.fullmatch(one.programme) else titles.get(tokens(one.title))
        if id_ is None:
            id_ = _new_id(one.title, ids)
            ids.add(id_)
            titles[tokens(one.title)] = id_
        groups.setdefault(id_, []).append(one)
    return groups


def _new_id(title: str, taken: set[str]) -> str:
    stem = "-".join(word for word in tokens(title) if word.isascii())[:56].strip("-") or "programme"
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def _unsayable(one: Series) -> str | None:
    from_ms = _since_midnight(one.starts)
    if one.length_ms == NOMINAL_DAY_MS and from_ms:
        return "lasts a whole day from another time than midnight"
    if one.starts.microsecond:
        return "starts within a second"
    return None


def _said(one: Series, today: date) -> _Airing:
    airs: list[dict[str, Any]] = []
    clock = one.starts.time()
    also = sorted({at.date() for at in one.added if at.time() == clock and at.date() >= today})
    others = [at for at in one.added if at.time() != clock and at.date() >= today]
    without = sorted({at.date() for at in one.cancelled if at.time() == clock and at.date() >= today})
    times = _times(one.starts, one.length_ms)
    if one.rule is None:
        dates = sorted({one.starts.date(), *also} - set(without))
        airs += [{"dates": dates, **times}] if dates else []
    else:
        slot: dict[str, Any] = {**_days(one.rule, one.starts.date(), today), **times}
        airs.append(slot | ({"except": without} if without else {}) | ({"also": also} if also else {}))
    airs += [{"dates": [at.date()], **_times(at, one.length_ms)} for at in others]
    moved = [_change(each) for each in one.moved if each.original.date() >= today and one.rule]
    return _Airing(airs, moved)


def _days(rule: Rule, start: date, today: date) -> dict[str, Any]:
    """``days`` where the rule means whole weeks, else the rule itself."""
    is_plain = (
        rule.interval == 1
        and rule.count is None
        and not (rule.by_month or rule.by_month_day or rule.by_set_pos or any(nth for _, nth in rule.by_day))
    )
    if not is_plain or rule.freq not in (Freq.DAILY, Freq.WEEKLY):
        return {"rule": format_rule(rule), "first": start}
    named = tuple(sorted(day for day, _ in rule.by_day))
    days = named or (tuple(range(7)) if rule.freq is Freq.DAILY else (start.weekday(),))
    first = {"first": start} if start > today else {}
    return {"days": day_words(days), **first, **({"last": rule.until} if rule.until else {})}


def day_words(days: Sequence[int]) -> str:
    """Weekdays (Monday is 0) as a schedule file names them: ``mon-fri``, ``sat,sun``, ``daily``."""
    if len(days) == 7:
        return "daily"
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{WEEKDAYS[days[0]]}-{WEEKDAYS[days[-1]]}"
    return ",".join(WEEKDAYS[day] for day in days)


def _change(moved: Moved) -> dict[str, Any]:
    told: dict[str, Any] = {"on": moved.original.date(), "at": _clock(_since_midnight(moved.original))}
    if moved.starts.date() != moved.original.date():
        told["day"] = moved.starts.date()
    told |= _times(moved.starts, moved.length_ms)
    return told | ({"title": moved.title} if moved.title else {})


def _times(starts: datetime, length_ms: int) -> dict[str, str]:
    from_ms = _since_midnight(starts)
    to_ms = from_ms + length_ms
    return {
        "from": _clock(from_ms),
        "to": _clock(to_ms if to_ms == NOMINAL_DAY_MS else to_ms % NOMINAL_DAY_MS),
    }


def _since_midnight(at: datetime) -> int:
    return (at - datetime.combine(at.date(), datetime.min.time())) // _MILLISECOND


def _clock(at_ms: int) -> str:
    return format_wall_time(at_ms)


def _apply(tables: AoT, id_: str, one: Series, said: _Airing) -> Step:
    table = next((each for each in tables if each.get("id") == id_), None)
    action = "changed"
    if table is None:
        table, action = _new_table(id_, one), "added"
        tables.append(table)
    elif table.get("airs") == said.airs and list(table.get("changes", [])) == said.changes:
        action = "same"
    if action != "same":
        table["airs"] = _array(said.airs)
        table.pop("changes", None)
        if said.changes:
            table["changes"] = _array(said.changes)
    return Step(
        programme=id_,
        title=one.title,
        action=action,
        airs=tuple(_words(said.airs)),
        changes=tuple(_words(said.changes)),
    )


def _new_table(id_: str, one: Series) -> Table:
    table = tomlkit.table()
    table.add("id", id_)
    table.add("title", one.title)
    for name in ("host", "description", "link"):
        if text := getattr(one, name):
            table.add(name, text)
    if one.layer in LAYERS:
        table.add("layer", one.layer)
    return table


def _array(values: Iterable[dict[str, Any]]) -> tomlkit.items.Array:
    array = tomlkit.array()
    for value in values:
        inline = tomlkit.inline_table()
        inline.update(value)
        array.append(inline)
    return array.multiline(True)


def _words(values: Iterable[dict[str, Any]]) -> Iterator[str]:
    for value in values:
        inline = tomlkit.inline_table()
        inline.update(value)
        yield inline.as_string()
