"""A day of Rivendell's as a schedule file says it: a clock for each hour, and one programme on that date (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final

import tomlkit
from tomlkit.items import AoT

from radio.errors import ScheduleError
from radio.interchange.icalendar_read import Refusal
from radio.interchange.rivendell import Carts, ImportLine, LineKind
from radio.interchange.toml_programmes import Plan, Step
from radio.schedule.model import MAX_POSITIONS
from radio.sponsors.weektime import HOUR_MS, MINUTE_MS, SECOND_MS, format_length

LONGEST_BREAK_MS: Final = 15 * MINUTE_MS
_IMPORTED = re.compile(r"log-(2\d{7})(?:-\d{2})?")
_DATE = re.compile(r"(?<!\d)(2\d{3})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")


def date_in_name(name: str) -> date | None:
    """The day in the name of an import file, such as ``MU20261123.tfc``; None where it has none."""
    found = _DATE.search(name)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def plan_day(text: str, lines: Sequence[ImportLine], carts: Carts, day: date, today: date, file: str) -> Plan:
    """The schedule file ``text`` with the lines as a log of ``day``, which goes before the usual programmes.

    Each hour becomes a clock; its first line and its breaks keep their minute, the others follow each other. What the
    library does not have, and slots for voice tracks, are refused. A day that was imported before is replaced, and
    imported days that ended before ``today`` are taken out: they would fill the file.
    """
    document = tomlkit.parse(text)
    refused: list[Refusal] = []
    hours: dict[int, list[dict[str, Any]]] = {}
    for hour, of_hour in groupby(
        sorted(lines, key=lambda line: line.at_ms), key=lambda line: line.at_ms // HOUR_MS
    ):
        if positions := _positions(list(of_hour), carts, refused):
            hours[hour] = positions[:MAX_POSITIONS]
    if not hours:
        return Plan(text, (), tuple(refused))
    name = f"log-{day:%Y%m%d}"
    _drop_past(document, min(day, today - timedelta(days=1)))
    _put_clocks(document, name, hours)
    airs = {
        "dates": [day],
        "from": f"{min(hours):02}:00",
        "to": "24:00" if max(hours) == 23 else f"{max(hours) + 1:02}:00",
    }
    step = _put_programme(document, name, day, airs, hours, file)
    return Plan(tomlkit.dumps(document), (step,), tuple(refused))


def _positions(lines: Sequence[ImportLine], carts: Carts, refused: list[Refusal]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for line in lines:
        at = _minute(line.at_ms)
        if line.kind is LineKind.VOICETRACK:
            refused.append(Refusal(line=line.line, text="a voice track has no slot in a clock"))
        elif line.kind is LineKind.BREAK:
            length_ms = min(line.length_ms or MINUTE_MS, LONGEST_BREAK_MS)
            name = f"import-{at.replace(':', '')}"
            if not any(position.get("at") == at for position in found):
                found.append({"at": at, "break": name, "length": format_length(length_ms)})
        else:
            item = carts.find(line)
            if item is None or "/" not in item.path:
                cart = f"cart {line.cart:06}" if line.cart is not None else "no cart"
                refused.append(
                    Refusal(line=line.line, text=f"the library has no item for {cart}, {line.title!r}")
                )
                continue
            found.append({"item": item.path} if found else {"at": at, "item": item.path})
    return found


def _drop_past(document: tomlkit.TOMLDocument, before: date) -> None:
    """Take out what was imported for days before that one."""
    clocks, programmes = document.get("clocks"), document.get("programmes")
    if isinstance(programmes, AoT):
        for index in reversed(range(len(programmes))):
            if _is_past(str(programmes[index].get("id", "")), before):
                del programmes[index]
    if clocks is not None:
        for name in [name for name in clocks if _is_past(name, before)]:
            clocks.remove(name)


def _is_past(name: str, before: date) -> bool:
    found = _IMPORTED.fullmatch(name)
    return found is not None and found[1] < f"{before:%Y%m%d}"


def _put_clocks(document: tomlkit.TOMLDocument, name: str, hours: dict[int, list[dict[str, Any]]]) -> None:
    clocks = document.get("clocks")
    if clocks is None:
        clocks = tomlkit.table(is_super_table=True)
        document.append("clocks", clocks)
    for old in [key for key in clocks if key.startswith(f"{name}-")]:
        clocks.remove(old)
    for hour, positions in hours.items():
        array = tomlkit.array()
        for position in positions:
            inline = tomlkit.inline_table()
            inline.update(position)
            array.append(inline)
        table = tomlkit.table()
        table.add("positions", array.multiline(True))
        clocks[f"{name}-{hour:02}"] = table


def _put_programme(
    document: tomlkit.TOMLDocument,
    name: str,
    day: date,
    airs: dict[str, Any],
    hours: dict[int, list[dict[str, Any]]],
    file: str,
) -> Step:
    tables = document.get("programmes")
    if tables is not None and not isinstance(tables, AoT):
        allowed = "[[programmes]] tables"
        raise ScheduleError("is written as one list", file=file, key="programmes", allowed=allowed)
    old = next((index for index, one in enumerate(tables or ()) if one.get("id") == name), None)
    table = tomlkit.table()
    table.add("id", name)
    table.add("title", f"Log of {day:%Y-%m-%d}")
    table.add("layer", "one-off")
    clocks = tomlkit.inline_table()
    clocks.update({str(hour): f"{name}-{hour:02}" for hour in hours})
    table.add("clocks", clocks)
    slot = tomlkit.inline_table()
    slot.update(airs)
    table.add("airs", tomlkit.array())
    table["airs"].append(slot)
    if tables is None:
        tables = tomlkit.aot()
        tables.append(table)
        document.append("programmes", tables)
    elif old is not None:
        tables[old] = table
    else:
        tables.append(table)
    return Step(
        programme=name,
        title=f"Log of {day:%Y-%m-%d}",
        action="added" if old is None else "changed",
        airs=(f"{day:%Y-%m-%d} {airs['from']} to {airs['to']}: {sum(map(len, hours.values()))} positions",),
    )


def _minute(at_ms: int) -> str:
    rest = at_ms % HOUR_MS
    return f"{rest // MINUTE_MS:02}:{rest // SECOND_MS % 60:02}"
