"""Where the tables of a TOML text begin and end, to the character (pure).

A table's block is its header, all that stands below it as far as its last value, and the headers of the tables
within it. Comments directly above the header belong to it too; those further up, and all blank lines, to nobody.
The text must be valid TOML 1.0.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any, NamedTuple

from radio.toml_lines import KeyPath

_HEADER = re.compile(r"""[ \t]*(\[\[?)((?:[^\]"'\n]|"(?:\\.|[^"\\\n])*"|'[^'\n]*')*)\]""")
_KEY = re.compile(r"""((?:[^="'\n]|"(?:\\.|[^"\\\n])*"|'[^'\n]*')*)=""")
_TOKEN = re.compile(r'''"""|\'\'\'|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[\[\]{}]|\n''')
_LONG_BASIC = re.compile(r'(?:\\.|[^"\\]|"(?!""))*"""(?:""?)?', re.DOTALL)
_LONG_LITERAL = re.compile(r"(?:[^']|'(?!''))*'''(?:''?)?", re.DOTALL)


class Block(NamedTuple):
    """A table's place: ``lead`` is where its comments begin, ``start`` its header, ``end`` is behind its last line."""

    lead: int
    start: int
    end: int


class _Statement(NamedTuple):
    kind: str
    start: int
    end: int
    names: tuple[str, ...] = ()


def block_of(text: str, path: KeyPath) -> Block | None:
    """The block of the table at ``path``, e.g. ``("programmes", 2)`` or ``("clocks", "night")``.

    None where it has no header of its own, or where other tables stand between its parts.
    """
    found: Block | None = None
    is_over = False
    comments_from: int | None = None
    for statement, here in _placed(text):
        if statement.kind in ("[", "[["):
            if here[: len(path)] == path:
                if is_over or (found is None and here != path and not _may_open(here, path)):
                    return None
                lead = statement.start if comments_from is None else comments_from
                found = Block(lead, statement.start, statement.end) if found is None else found
                found = found._replace(end=statement.end)
            else:
                is_over = found is not None
        elif statement.kind == "pair" and found and not is_over:
            found = found._replace(end=statement.end)
        comments_from = _comments_from(comments_from, statement)
    return found


def blocks_of(text: str, name: str) -> list[Block]:
    """The blocks of all ``[[name]]`` tables, in order. Raises LookupError where other tables stand within one."""
    found: list[Block] = []
    current: object = None
    comments_from: int | None = None
    for statement, here in _placed(text):
        if statement.kind in ("[", "[["):
            index = here[1] if here[:1] == (name,) and len(here) > 1 else None
            if index == len(found) and here == (name, index):
                lead = statement.start if comments_from is None else comments_from
                found.append(Block(lead, statement.start, statement.end))
            elif index is not None and index != current:
                raise LookupError(name)
            current = index
        if current is not None and statement.kind in ("[", "[[", "pair"):
            found[-1] = found[-1]._replace(end=statement.end)
        comments_from = _comments_from(comments_from, statement)
    return found


def top_of(text: str) -> int:
    """Where the values of the whole file end: the first header, with the comments directly above it."""
    comments_from: int | None = None
    for statement in _statements(text):
        if statement.kind in ("[", "[["):
            return statement.start if comments_from is None else comments_from
        comments_from = _comments_from(comments_from, statement)
    return len(text)


def last_of(text: str, name: str) -> int | None:
    """Behind the last line of the last table below ``name``; None where there is none with a header."""
    end: int | None = None
    is_inside = False
    for statement, here in _placed(text):
        if statement.kind in ("[", "[["):
            is_inside = here[:1] == (name,)
        if is_inside and statement.kind in ("[", "[[", "pair"):
            end = statement.end
    return end


def _may_open(here: KeyPath, path: KeyPath) -> bool:
    """Whether a table within ``path`` may stand first: only where the outer one needs no header."""
    return isinstance(path[-1], str) and len(here) > len(path)


def _comments_from(before: int | None, statement: _Statement) -> int | None:
    if statement.kind != "comment":
        return None
    return statement.start if before is None else before


def _placed(text: str) -> Iterator[tuple[_Statement, KeyPath]]:
    """Every statement, with the path of the table in which it stands."""
    here: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    for statement in _statements(text):
        if statement.kind in ("[", "[["):
            here = _path(statement.names, statement.kind == "[[", counts)
        yield statement, here


def _path(names: tuple[str, ...], is_array: bool, counts: dict[KeyPath, int]) -> KeyPath:
    path: KeyPath = ()
    for depth, name in enumerate(names):
        path = (*path, name)
        if is_array and depth == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _statements(text: str) -> Iterator[_Statement]:
    at = 0
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        line = text[at:end].strip()
        if not line or line.startswith("#"):
            yield _Statement("comment" if line else "blank", at, end)
        elif line.startswith("[") and (header := _HEADER.match(text, at)):
            yield _Statement(header[1], at, end, _names(header[2]))
        else:
            key = _KEY.match(text, at)
            end = _value_end(text, key.end() if key else at)
            yield _Statement("pair", at, end)
        at = end


def _names(dotted: str) -> tuple[str, ...]:
    value: Any = tomllib.loads(f"{dotted.strip()} = 0")
    names = []
    while isinstance(value, dict):
        (name,) = value
        names.append(name)
        value = value[name]
    return tuple(names)


def _value_end(text: str, at: int) -> int:
    depth = 0
    while token := _TOKEN.search(text, at):
        at = token.end()
        if token[0] in ('"""', "'''"):
            long = (_LONG_BASIC if token[0] == '"""' else _LONG_LITERAL).match(text, at)
            at = long.end() if long else len(text)
        elif token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif token[0] == "\n" and depth <= 0:
            return at
    return len(text)
