"""The small language in which items are searched (pure).

::

    bach "brandenburg concerto"     words, each the beginning of a word in any field; a phrase word for word
    artist:bach title:"air on"      the same in one field
    length>=3:30 date<1990 bpm:120  lengths, dates and numbers, with : = < <= > >=
    -live (jazz OR blues)           without; one or the other
    missing:artist has:artwork problem:clipping explicit:no measured:no

Words that stand beside each other must all be found. Case and accents do not count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NoReturn, TypeAlias

import msgspec

from radio.errors import InvalidRequest, did_you_mean
from radio.library.folding import tokens
from radio.library.words import isrc_code

MAX_LENGTH: Final = 500
MAX_TERMS: Final = 40
MAX_DEPTH: Final = 8


class Text(msgspec.Struct, frozen=True):
    """These folded words, one after the other, in ``field`` (None: in any one).

    The last is the beginning of a word unless the phrase is ``whole``.
    """

    words: tuple[str, ...]
    field: str | None = None
    whole: bool = False


class Compare(msgspec.Struct, frozen=True):
    """A number (``bpm``, ``loudness``), a length in ms (``length``) or the start of an ISO date (``date``)."""

    field: str
    operator: str
    value: float | str


class Same(msgspec.Struct, frozen=True):
    """``field`` is this text (case does not count), or this truth."""

    field: str
    value: str | bool


class Has(msgspec.Struct, frozen=True):
    """``field`` has a value; for ``problems``: at least one."""

    field: str


class Problem(msgspec.Struct, frozen=True):
    """One of the item's problems starts with these letters."""

    word: str


class Not(msgspec.Struct, frozen=True):
    """What ``part`` does not match."""

    part: Query


class All(msgspec.Struct, frozen=True):
    """Every part matches; no part matches everything."""

    parts: tuple[Query, ...]


class Any(msgspec.Struct, frozen=True):
    """One part or more matches."""

    parts: tuple[Query, ...]


Query: TypeAlias = Text | Compare | Same | Has | Problem | Not | All | Any

TEXTS: Final[Mapping[str, str]] = {
    name: name
    for name in (
        "title", "artist", "album", "composer", "conductor", "work", "movement", "ensemble", "genre", "label",
        "comment", "path",
    )
} | {"albumartist": "album_artist"}  # fmt: skip
EXACT: Final = {
    "id": "id",
    "category": "category",
    "isrc": "isrc",
    "language": "language",
    "key": "musical_key",
}
NUMBERS: Final = {
    "bpm": "bpm", "loudness": "loudness_lufs", "range": "loudness_range_lu", "peak": "true_peak_db"
}  # fmt: skip
LENGTHS: Final = {"length": "length", "intro": "intro_ms", "outro": "outro_ms"}
POSSIBLE: Final = {
    **{name: field for name, field in TEXTS.items() if name not in ("title", "comment", "path")},
    "isrc": "isrc", "language": "language", "key": "musical_key", "bpm": "bpm", "date": "date",
    "loudness": "loudness_lufs", "intro": "intro_ms", "outro": "outro_ms", "artwork": "artwork",
    "explicit": "explicit", "problems": "problems", "category": "category",
}  # fmt: skip
"""What ``has:`` and ``missing:`` may name."""

TRUTHS: Final = ("explicit", "measured")
FIELDS: Final = (*TEXTS, *EXACT, *NUMBERS, *LENGTHS, "date", "year", *TRUTHS, "problem", "has", "missing")

_OPERATORS: Final = (":", "=", "<", "<=", ">", ">=")
_TERM: Final = re.compile(r"([A-Za-z_]+)(>=|<=|[:=<>])")
_SPACE: Final = re.compile(r"\s*")
_WORD: Final = re.compile(r'[^\s()"]+')
_QUOTED: Final = re.compile(r'"([^"]*)"')
_LENGTH: Final = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):([0-5]\d)|(\d{1,6}(?:\.\d{1,3})?)(s|m|min)?")
_DATE: Final = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


def parse(text: str) -> Query:
    """The meaning of ``text``; an empty text matches everything.

    Raises InvalidRequest (field ``q``) that names the character at fault and what is allowed. Limits: 500
    characters, 40 terms, parentheses 8 deep.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidRequest(
            f"The search has {len(text)} characters.", field="q", allowed=f"at most {MAX_LENGTH}"
        )
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._terms = 0

    def parse(self) -> Query:
        found = self._either(0)
        if self._at < len(self._text):
            self._fault(self._at, "`)` closes nothing", "a `(` before it, or none")
        return found

    def _either(self, depth: int) -> Query:
        sides = [self._together(depth)]
        while self._take_or():
            sides.append(self._together(depth, needed=True))
        return sides[0] if len(sides) == 1 else Any(tuple(sides))

    def _together(self, depth: int, *, needed: bool = False) -> Query:
        parts: list[Query] = []
        start = self._at
        while self._skip_space() and self._text[self._at] != ")" and not self._is_or():
            parts.append(self._one(depth))
        if not parts and (needed or self._is_or()):
            self._fault(start, "`OR` stands alone", "something to search for on both sides of OR")
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, depth: int) -> Query:
        if self._text[self._at] == "-" and self._at + 1 < len(self._text):
            at, self._at = self._at, self._at + 1
            if self._text[self._at] in " -)":
                self._fault(at, "`-` stands alone", "a word, a phrase or a field right after it")
            return Not(self._one(depth))
        if self._text[self._at] == "(":
            return self._group(depth)
        self._terms += 1
        if self._terms > MAX_TERMS:
            self._fault(self._at, "there are too many terms", f"at most {MAX_TERMS}")
        if found := _TERM.match(self._text, self._at):
            return self._field(found)
        return self._words(None)

    def _group(self, depth: int) -> Query:
        at, self._at = self._at, self._at + 1
        if depth >= MAX_DEPTH:
            self._fault(at, "the parentheses are too deep", f"{MAX_DEPTH} at most")
        found = self._either(depth + 1)
        if self._at >= len(self._text):
            self._fault(at, "`(` is not closed", "`)` after what belongs together")
        self._at += 1
        if found == All(()):
            self._fault(at, "there is nothing in the parentheses", "something to search for")
        return found

    def _words(self, field: str | None) -> Text:
        at = self._at
        text, whole = self._value()
        words = tokens(text.rstrip("*"))
        if not words:
            self._fault(at, f"`{text[:40]}` has no letter and no digit", "a word")
        return Text(words, field, whole)

    def _value(self) -> tuple[str, bool]:
        if found := _QUOTED.match(self._text, self._at):
            self._at = found.end()
            return found.group(1), True
        if self._text[self._at : self._at + 1] == '"':
            self._fault(self._at, "the quotation mark is not closed", 'words between two "')
        found = _WORD.match(self._text, self._at)
        if found is None:
            self._fault(self._at, "a value is missing", "a word, a number or a phrase in quotation marks")
        self._at = found.end()
        return found.group(), False

    def _field(self, found: re.Match[str]) -> Query:
        at, name, operator = self._at, found.group(1).lower(), found.group(2)
        if name not in FIELDS:
            problem = f"there is no field `{name[:40]}`.{did_you_mean(name, FIELDS)}"
            self._fault(at, problem, f"{', '.join(FIELDS)}; or the words in quotation marks")
        self._at = found.end()
        if name in NUMBERS or name in LENGTHS or name in ("date", "year"):
            return self._comparison(name, operator)
        if operator not in (":", "="):
            self._fault(at, f"`{name}` cannot be compared with `{operator}`", f"{name}:VALUE")
        return self._words(TEXTS[name]) if name in TEXTS else self._exact(name)

    def _comparison(self, name: str, operator: str) -> Compare | Text:
        at = self._at
        text, _ = self._value()
        operator = "=" if operator == ":" else operator
        if name in ("date", "year"):
            if not _DATE.fullmatch(text):
                self._fault(at, f"`{text[:40]}` is no date", "YYYY, YYYY-MM or YYYY-MM-DD")
            # the beginning of a date is a phrase, and the index knows phrases
            same = Text(tokens(text), "date", whole=True)
            return same if operator == "=" else Compare("date", operator, text)
        if name in LENGTHS:
            return Compare(LENGTHS[name], operator, float(self._length_ms(at, text)))
        try:
            return Compare(NUMBERS[name], operator, _number(text))
        except ValueError:
            self._fault(at, f"`{text[:40]}` is no number", "a number such as 120 or -18.5")

    def _length_ms(self, at: int, text: str) -> int:
        found = _LENGTH.fullmatch(text)
        if found is None:
            self._fault(
                at, f"`{text[:40]}` is no length", "M:SS, H:MM:SS, seconds such as 90s, minutes such as 5m"
            )
        hours, minutes, seconds, number, unit = found.groups()
        if number is not None:
            return round(float(number) * (60_000 if unit in ("m", "min") else 1000))
        return (int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)) * 1000

    def _exact(self, name: str) -> Query:
        at = self._at
        text, _ = self._value()
        if name in EXACT:
            value = (isrc_code(text) or text) if name == "isrc" else text
            return Same(EXACT[name], value.lower() if name != "category" else value)
        if name == "problem":
            return Problem(text.lower())
        if name in TRUTHS:
            if text.lower() not in ("yes", "no"):
                self._fault(at, f"`{text[:40]}` is neither", "yes, no")
            return Same(name, text.lower() == "yes")
        if text not in POSSIBLE:
            self._fault(at, f"`{text[:40]}` is not a field that can be missing", ", ".join(POSSIBLE))
        has = Has(POSSIBLE[text])
        return has if name == "has" else Not(has)

    def _skip_space(self) -> bool:
        """Whether anything follows."""
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at < len(self._text)

    def _is_or(self) -> bool:
        found = _WORD.match(self._text, self._at)
        return found is not None and found.group() == "OR"

    def _take_or(self) -> bool:
        self._skip_space()
        if self._is_or():
            self._at += 2
            return True
        return False

    def _fault(self, at: int, problem: str, allowed: str) -> NoReturn:
        raise InvalidRequest(f"At character {at + 1}: {problem}.", field="q", allowed=allowed)


def _number(text: str) -> float:
    if not re.fullmatch(r"[+-]?\d{1,9}(\.\d{1,9})?", text):
        raise ValueError
    return float(text)
