"""Content lines of iCalendar: RFC 5545 section 3.1, written and read (pure).

Written here and not by a library, because a line that is refused must be told with its number, and because the
bounds must hold while the text is read and not after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from radio.errors import ScheduleError

MAX_BYTES: Final = 4_000_000
MAX_LINES: Final = 200_000
MAX_LINE_CHARS: Final = 20_000
FOLD_OCTETS: Final = 75

_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
_PARAM = re.compile(r';([A-Za-z0-9-]{1,60})=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)')
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]+")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NEWLINE = re.compile(r"\r\n|\r|\n")


class ContentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One unfolded line: its name in capitals, its parameters (names in capitals), its value as written, and the
    number of the physical line at which it begins (1-based)."""

    name: str
    value: str
    params: Mapping[str, str] = {}
    line: int = 0

    @property
    def text(self) -> str:
        """The value as TEXT, its escapes undone (section 3.3.11)."""
        return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)


def escaped(text: str) -> str:
    """``text`` as a TEXT value; control characters are left out."""
    plain = _UNSAFE.sub("", _NEWLINE.sub("\n", text))
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def written(lines: Iterable[tuple[str, str]]) -> str:
    """Lines as ``(NAME;PARAM=x, value)`` in text with CRLF, folded at 75 octets without cutting a character."""
    return "".join(f"{_folded(f'{name}:{value}')}\r\n" for name, value in lines)


def read_lines(data: bytes, file: str) -> Iterator[ContentLine]:
    """The unfolded lines of ``data``. Raises ScheduleError with ``file`` and line for what is no iCalendar.

    Bounds: 4 MB, 200,000 lines, 20,000 characters a line.
    """
    if len(data) > MAX_BYTES:
        allowed = f"at most {MAX_BYTES // 1_000_000} MB"
        raise ScheduleError(f"has {len(data):,} bytes", file=file, allowed=allowed)
    for number, text in _unfolded(_decoded(data, file), file):
        yield _parsed(number, text, file)


def _decoded(data: bytes, file: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data[: fault.start].count(b"\n") + 1
        raise ScheduleError("is not UTF-8 text", file=file, line=line) from fault
    return text


def _unfolded(text: str, file: str) -> Iterator[tuple[int, str]]:
    first, parts, length = 0, [""], 0
    lines = _NEWLINE.split(text)
    if len(lines) > MAX_LINES:
        raise ScheduleError(f"has {len(lines):,} lines", file=file, allowed=f"at most {MAX_LINES:,}")
    for number, line in enumerate(lines, 1):
        is_more = line[:1] in (" ", "\t") and first
        if not is_more:
            if parts[0].strip():
                yield first, "".join(parts)
            first, parts, length = number, [], 0
        parts.append(line[1:] if is_more else line)
        length += len(line)
        if length > MAX_LINE_CHARS:
            allowed = f"at most {MAX_LINE_CHARS:,} characters"
            raise ScheduleError("is too long", file=file, line=first, allowed=allowed)
    if "".join(parts).strip():
        yield first, "".join(parts)


def _parsed(number: int, text: str, file: str) -> ContentLine:
    name = _NAME.match(text)
    at = name.end() if name else 0
    params: dict[str, str] = {}
    while name and (param := _PARAM.match(text, at)):
        params[param[1].upper()] = param[2].strip('"')
        at = param.end()
    if name is None or text[at : at + 1] != ":":
        allowed = "NAME:value, as in RFC 5545"
        raise ScheduleError("is no line of iCalendar", file=file, line=number, allowed=allowed)
    return ContentLine(name=name[0].upper(), value=text[at + 1 :], params=params, line=number)


def _folded(text: str) -> str:
    if len(text.encode()) <= FOLD_OCTETS:
        return text
    parts: list[str] = []
    part, room = "", FOLD_OCTETS
    for char in text:
        octets = len(char.encode())
        if octets > room:
            parts.append(part)
            part, room = "", FOLD_OCTETS - 1
        part += char
        room -= octets
    return "\r\n ".join([*parts, part])
