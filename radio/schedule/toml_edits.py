"""One table of a schedule file put in, changed or taken out, and every other line left as it is (pure).

The table's own lines are changed with tomlkit, so that comments and order stay within it as well. Whatever is done,
the new text is read again and must say exactly what was meant, or nothing is changed.

tomlkit takes 4 MB: import this module where an edit is made, in its thread, and not before.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from radio.errors import ScheduleError
from radio.schedule.toml_blocks import Block, block_of, blocks_of, last_of, top_of
from radio.schedule.toml_tables import LISTED, NAMED, Table, table_of
from radio.schedule.toml_values import brought_to, written_key, written_pair
from radio.toml_lines import KeyPath


def with_table(text: str, kind: str, id_: str, table: Table | None, file: str) -> str:
    """The text with one table as given, taken out with None, added where there is none with that id.

    ``kind`` is ``programmes``, ``categories``, ``clocks`` or ``dayparts``; the text must be valid TOML. Raises
    ScheduleError where the table is written in a form that cannot be changed by itself.
    """
    data = tomllib.loads(text)
    path = _path(data, kind, id_)
    expected = _expected(data, kind, id_, table)
    if table is None:
        ways: list[Callable[[], str]] = [
            lambda: _without(text, _found(text, path)),
            lambda: _document(text, expected),
        ]
    elif path[-1] is None or table_of(data, kind, id_) is None:
        ways = [lambda: _added(text, kind, _block(kind, id_, table)), lambda: _document(text, expected)]
    else:
        ways = [
            lambda: _changed(text, path, table),
            lambda: _rewritten(text, path, _block(kind, id_, table)),
            lambda: _document(text, expected),
        ]
    return _first_right(ways, text, expected, kind, file)


def with_list(text: str, kind: str, tables: Sequence[Table], file: str) -> str:
    """The text with all ``[[grid]]`` (or ``[[item_rules]]``) tables as given; those that stay keep their lines.

    Raises ScheduleError as :func:`with_table` does.
    """
    data = tomllib.loads(text)
    expected = {key: value for key, value in data.items() if key != kind} | (
        {kind: list(tables)} if tables else {}
    )
    if data.get(kind, []) == list(tables):
        return text
    ways = [lambda: _relisted(text, kind, data.get(kind, []), tables), lambda: _document(text, expected)]
    return _first_right(ways, text, expected, kind, file)


def with_value(text: str, key: str, value: str | None, file: str) -> str:
    """The text with one value of the whole file, such as ``default_clock``, as given; taken out with None.

    Raises ScheduleError as :func:`with_table` does.
    """
    data = tomllib.loads(text)
    if data.get(key) == value:
        return text
    expected = {name: each for name, each in data.items() if name != key}
    if value is not None:
        expected[key] = value
    ways = [lambda: _topped(text, key, value), lambda: _document(text, expected)]
    return _first_right(ways, text, expected, key, file)


def _first_right(
    ways: Sequence[Callable[[], str]], text: str, expected: Mapping[str, Any], kind: str, file: str
) -> str:
    for way in ways:
        try:
            found = _with_newlines_of(text, way())
            if tomllib.loads(found) == expected:
                return found
        except (TOMLKitError, tomllib.TOMLDecodeError, LookupError, TypeError, ValueError):
            continue
    has_header = kind in (*NAMED, *LISTED, "programmes")
    such = (
        f"tables with headers of their own, such as {_header(kind, 'name').strip()}; or "
        if has_header
        else ""
    )
    raise ScheduleError(
        "is written in a form that cannot be changed in part",
        file=file,
        key=kind,
        allowed=f"{such}the whole text",
    )


def _path(data: Mapping[str, Any], kind: str, id_: str) -> tuple[Any, ...]:
    if kind in NAMED:
        return kind, id_
    return kind, next((at for at, one in enumerate(data.get(kind, ())) if one.get("id") == id_), None)


def _expected(data: Mapping[str, Any], kind: str, id_: str, table: Table | None) -> Table:
    expected = deepcopy(dict(data))
    if kind in NAMED:
        tables = expected.setdefault(kind, {})
        tables.pop(id_, None) if table is None else tables.update({id_: table})
    else:
        listed = expected.setdefault(kind, [])
        at = next((index for index, one in enumerate(listed) if one.get("id") == id_), len(listed))
        listed[at : at + 1] = [] if table is None else [table]
    if not expected[kind]:
        del expected[kind]
    return expected


def _found(text: str, path: KeyPath) -> Block:
    block = block_of(text, path)
    if block is None:
        raise LookupError(path)
    return block


def _changed(text: str, path: KeyPath, table: Table) -> str:
    block = _found(text, path)
    own = text[block.start : block.end]
    document = tomlkit.parse(own)
    outer: Any = document[str(path[0])]
    brought_to(outer[0] if isinstance(path[1], int) else outer[path[1]], table)
    new = _restored(own, tomlkit.dumps(document))
    if own.endswith("\n") and not new.endswith("\n"):
        new += "\n"
    return text[: block.start] + new + text[block.end :]


def _restored(old: str, new: str) -> str:
    """The lines of ``new`` that tomlkit changed by reading and writing alone, as they were in ``old``."""
    before = old.splitlines(keepends=True)
    after = tomlkit.dumps(tomlkit.parse(old)).splitlines(keepends=True)
    if before == after or len(before) != len(after):
        return new
    were = dict(zip(after, before, strict=True))
    return "".join(were.get(line, line) for line in new.splitlines(keepends=True))


def _rewritten(text: str, path: KeyPath, new: str) -> str:
    block = _found(text, path)
    return text[: block.start] + new + text[block.end :]


def _without(text: str, block: Block) -> str:
    before, after = text[: block.lead], text[block.end :]
    if not before or before.endswith(("\n\n", "\n\r\n")):
        after = re.sub(r"\A[ \t]*\r?\n", "", after)
    if not after.strip():
        before = before.rstrip() + "\n" if before.strip() else before
    return before + after


def _added(text: str, kind: str, block: str) -> str:
    end = last_of(text, kind)
    at = len(text) if end is None else end
    before = text[:at]
    if before and not before.endswith("\n"):
        before += "\n"
    gap = "\n" if before.strip() and not before.endswith("\n\n") else ""
    return before + gap + block + text[at:]


def _relisted(text: str, kind: str, old: Sequence[Table], wanted: Sequence[Table]) -> str:
    blocks = blocks_of(text, kind)
    if len(blocks) != len(old):
        raise LookupError(kind)
    kept = [text[block.lead : block.end] for block in blocks]
    unused = list(range(len(old)))
    parts = []
    for table in wanted:
        at = next((at for at in unused if old[at] == table), None)
        if at is not None:
            unused.remove(at)
        part = _block(kind, "", table) if at is None else kept[at]
        parts.append(part if part.endswith("\n") else part + "\n")
    if not blocks:
        return _added(text, kind, "\n".join(parts))
    first, *others = blocks
    for block in reversed(others):
        text = _without(text, block)
    if not parts:
        return _without(text, first)
    return text[: first.lead] + "\n".join(parts) + text[first.end :]


def _topped(text: str, key: str, value: str | None) -> str:
    at = top_of(text)
    own, below = text[:at], text[at:]
    values = tomllib.loads(own)
    if value is not None and key not in values:
        return _on_top(own, written_pair(key, value), "\n" if below else "") + below
    document = tomlkit.parse(own)
    kept = {name: each for name, each in values.items() if name != key}
    brought_to(document, kept if value is None else {**kept, key: value})
    return _restored(own, tomlkit.dumps(document)) + below


def _on_top(own: str, line: str, gap: str) -> str:
    """A line more behind the last that is not blank, or before everything; a gap behind it if there is none."""
    lines = own.splitlines(keepends=True)
    at = next((at for at in reversed(range(len(lines))) if lines[at].strip()), -1) + 1
    before, after = "".join(lines[:at]), "".join(lines[at:]) or gap
    return before + ("\n" if before and not before.endswith("\n") else "") + line + after


def _document(text: str, expected: Mapping[str, Any]) -> str:
    """The same through the whole document, for tables that have no header of their own."""
    document = tomlkit.parse(text)
    brought_to(document, expected)
    return _restored(text, tomlkit.dumps(document))


def _block(kind: str, id_: str, table: Table) -> str:
    return _header(kind, id_) + "".join(written_pair(key, value) for key, value in table.items())


def _header(kind: str, id_: str) -> str:
    return f"[{kind}.{written_key(id_)}]\n" if kind in NAMED else f"[[{kind}]]\n"


def _with_newlines_of(old: str, new: str) -> str:
    if "\r\n" not in old:
        return new
    return re.sub(r"(?<!\r)\n", "\r\n", new)
