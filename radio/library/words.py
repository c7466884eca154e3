"""Text from outside made fit for a screen, a stream's title and a log: pure, bounded, never fails."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

MAX_TEXT: Final = 300
MAX_COMMENT: Final = 2000
MAX_VALUES: Final = 20

_BIDI: Final = frozenset("\u061c\u200e\u200f\ufeff") | {
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_DROPPED: Final = frozenset({"Cc", "Cs", "Co"})
_DATE: Final = re.compile(r"(?<!\d)([12]\d{3})(?:([-/.]?)(0[1-9]|1[0-2])(?:\2(0[1-9]|[12]\d|3[01]))?)?(?!\d)")
_YEAR: Final = re.compile(r"(?<!\d)([12]\d{3})(?!\d)")
_NUMBERED: Final = re.compile(r"(?:\d-)?(?:0\d{1,2}[\s._)–-]+|\d{1,3}(?:\s+[-–]\s+|[.)]\s+|_+-_+))(?=\S)")


def cleaned(text: str, limit: int = MAX_TEXT) -> str:
    """One line of ``text`` in NFC, at most ``limit`` characters: no control, bidirectional or private
    characters and no noncharacters, runs of white space as one space. Lone surrogates are dropped."""
    line = text[: 4 * limit]
    if not line.isascii():
        line = unicodedata.normalize("NFC", line)
    if not line.isprintable():
        line = "".join(map(_kept, line))
    return " ".join(line.split())[:limit].rstrip()


def _kept(char: str) -> str:
    if char.isspace() or char == "\0":
        return " "
    unfit = char in _BIDI or unicodedata.category(char) in _DROPPED or _is_noncharacter(ord(char))
    return "" if unfit else char


def _is_noncharacter(code: int) -> bool:
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def cleaned_all(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts cleaned, in order, without empty ones and repeats; at most 20."""
    kept: dict[str, None] = {}
    for text in texts:
        if line := cleaned(text):
            kept[line] = None
        if len(kept) == MAX_VALUES:
            break
    return tuple(kept)


def one_line(texts: tuple[str, ...]) -> str | None:
    """Cleaned texts in one line with commas; None where there is none."""
    return (texts[0] if len(texts) == 1 else cleaned(", ".join(texts))) if texts else None


def title_from_name(stem: str) -> str:
    """A title from a file's name without its ending: ``03 - Some_title`` gives ``Some title``.

    A leading number is taken for a track's only where a separator or a leading zero says so:
    ``99 Luftballons`` and ``7 rings`` keep theirs.
    """
    bare = _NUMBERED.sub("", stem, count=1) if _NUMBERED.match(stem) else stem
    return cleaned(bare.replace("_", " ")) or cleaned(stem) or "Untitled"


def iso_date(text: str) -> str | None:
    """The date in ISO 8601, as exact as the text surely is: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``."""
    if found := _DATE.search(text):
        return "-".join(part for part in found.group(1, 3, 4) if part)
    found = _YEAR.search(text)
    return found.group() if found else None


def isrc_code(text: str) -> str | None:
    """An International Standard Recording Code (ISO 3901) without hyphens, or None."""
    code = re.sub(r"[\s-]", "", text[:40]).upper().removeprefix("ISRC")
    return code if re.fullmatch(r"[A-Z]{2}[A-Z0-9]{3}\d{7}", code) else None
