"""Where a key stands in the text of a TOML file (pure)."""

from __future__ import annotations

import re
from functools import lru_cache

KeyPath = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_NAME = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_INLINE_KEY = re.compile(r"""[{,]\s*([A-Za-z0-9_-]+)\s*=""")
_STRINGS = re.compile(r'"""|\'\'\'|"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*|[\[\]{}]')


def line_of(text: str, key: KeyPath) -> int | None:
    """The 1-based line at which ``key`` is written, else that of what is around it; None where neither is.

    Integers in ``key`` index arrays, written as ``[[tables]]`` or as a list of inline tables one to a line.
    """
    places = _places(text)
    for length in range(len(key), 0, -1):
        if (line := places.get(key[:length])) is not None:
            return line
    return None


@lru_cache(maxsize=8)  # who asks for one line of a text asks for many
def _places(text: str) -> dict[KeyPath, int]:
    places: dict[KeyPath, int] = {}
    tables: dict[KeyPath, int] = {}
    scanner = _ValueScanner(places)
    here: KeyPath = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if scanner.open:
            scanner.feed(line, number)
        elif (header := _HEADER.match(line)) and "=" not in header[2].split("#")[0]:
            here = _table(_names(header[2]), header[1] == "[[", tables)
            places.setdefault(here, number)
            if header[1] == "[[":
                places.setdefault(here[:-1], number)
        elif assignment := _ASSIGNMENT.match(line):
            key = (*here, *_names(assignment[1]))
            places.setdefault(key, number)
            scanner.start(key, line[assignment.end() :], number)
    return places


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(name.strip("\"'") for name in _NAME.findall(dotted))


def _table(names: tuple[str, ...], is_array: bool, tables: dict[KeyPath, int]) -> KeyPath:
    key: KeyPath = ()
    for depth, name in enumerate(names):
        key = (*key, name)
        if is_array and depth == len(names) - 1:
            tables[key] = tables.get(key, -1) + 1
        if key in tables:
            key = (*key, tables[key])
    return key


class _ValueScanner:
    """Follows a value over its lines: multi-line strings, lists, and the inline tables in a list."""

    def __init__(self, places: dict[KeyPath, int]) -> None:
        self._places = places
        self._key: KeyPath = ()
        self._brackets: list[str] = []
        self._quote = ""
        self._index = -1

    @property
    def open(self) -> bool:
        return bool(self._brackets or self._quote)

    def start(self, key: KeyPath, rest: str, number: int) -> None:
        self._key, self._brackets, self._quote, self._index = key, [], "", -1
        self.feed(rest, number)

    def feed(self, line: str, number: int) -> None:
        position = 0
        while position < len(line):
            if self._quote:
                end = line.find(self._quote, position)
                if end < 0:
                    return
                position, self._quote = end + 3, ""
                continue
            found = _STRINGS.search(line, position)
            if not found or found[0].startswith("#"):
                return
            self._token(found[0], line, found.start(), number)
            position = found.end()

    def _token(self, token: str, line: str, start: int, number: int) -> None:
        if token in ('"""', "'''"):
            self._quote = token
        elif token in "[{":
            self._brackets.append(token)
            if token == "{":
                self._inline_table(line[start:], number)
        elif token in "]}" and self._brackets:
            self._brackets.pop()

    def _inline_table(self, rest: str, number: int) -> None:
        if self._brackets == ["[", "{"]:
            self._index += 1
            self._places.setdefault((*self._key, self._index), number)
        for name in _INLINE_KEY.findall(rest.split("}")[0] + "}"):
            owner = (*self._key, self._index) if self._brackets[0] == "[" else self._key
            self._places.setdefault((*owner, name), number)
