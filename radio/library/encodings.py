"""Text that some program wrote in one encoding and labelled as another: pure, bounded, never fails.

A wrong label leaves traces. Bytes of UTF-8 are hardly ever a sensible text in Latin-1, Russian in Windows-1251
makes words of accented letters alone, and typographic quotes of Windows-1252 are control characters in
Latin-1. Where such a trace can mean one thing only the text is mended; where it can mean several it stays, and
the caller is told.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Final, NamedTuple

MAX_LAYERS: Final = 3
"""How many times over a text may have been encoded."""


class Repaired(NamedTuple):
    """A text and whether its encoding is beyond doubt."""

    text: str
    certain: bool


def repaired(text: str) -> Repaired:
    """``text`` as it was meant.

    Characters up to U+00FF are taken for what a reader makes of bytes without a label. Mended are UTF-8 read
    as Latin-1, Windows-1252 or Windows-1251 (also repeatedly), Windows-1251 and Windows-1252 read as Latin-1.
    Idempotent for texts that are certain.
    """
    if text.isascii():
        return Repaired(text, True)
    if (mended := _from_utf8(text)) is not None:
        return mended
    if max(text) > "\xff":
        return Repaired(text, not _DAMAGE.search(text))
    return _from_bytes(text)


_DAMAGE: Final = re.compile(
    "\ufffd|[ÂÃ][\x80-\xbf]|â€|[^\\W\\d_][¿×÷][^\\W\\d_]|(?:[РС][\x80-\xbf\u0402-\u040f\u0452-\u045f]){2}"
)
_SURE_PUNCTUATION: Final = frozenset("‚„…†‡‰‹›‘’“”•–—™€ŠšŽž")
_HIGH_WORD: Final = re.compile("(?<![A-Za-z])[\xc0-\xff¨ª¯²³¸º¿]{4}(?![A-Za-z])")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_EXOTIC: Final = ((0x0180, 0x036F), (0x0500, 0x058F), (0x0700, 0x08FF))
_TYPOGRAPHY: Final = frozenset("€™…–—‘’“”‚„•‹›†‡‰")


def _from_utf8(text: str) -> Repaired | None:
    found, layers = text, 0
    while layers < MAX_LAYERS and (inner := _unwrapped(found)) is not None:
        found, layers = inner, layers + 1
    if not layers:
        return None
    return Repaired(found, True) if _is_likely(found) else Repaired(text, False)


def _unwrapped(text: str) -> str | None:
    if text.isascii():
        return None
    for table in (_CP1252_BYTES, _CP1251_BYTES):
        try:
            return bytes(table[char] for char in text).decode("utf-8")
        except (KeyError, UnicodeDecodeError):
            continue
    return None


def _is_likely(text: str) -> bool:
    beyond = [char for char in text if not char.isascii()]
    if any(_is_exotic(char) for char in beyond):
        return False
    if all("\xa0" <= char <= "\u017f" or char in _TYPOGRAPHY for char in beyond):
        return True
    return sum(2 if char > "\u07ff" else 1 for char in beyond) >= 3


def _is_exotic(char: str) -> bool:
    code = ord(char)
    within = any(low <= code <= high for low, high in _EXOTIC)
    return within or unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs")


def _from_bytes(text: str) -> Repaired:
    raw = text.encode("latin-1")
    if _HIGH_WORD.search(text):
        return _cyrillic(raw) or Repaired(_cp1252(raw) or text, False)
    if not re.search("[\x80-\x9f]", text):
        return Repaired(text, not _DAMAGE.search(text))
    mended = _cp1252(raw)
    if mended is None:
        return Repaired(text, False)
    return Repaired(mended, all(char <= "\xff" or char in _SURE_PUNCTUATION for char in mended))


def _cp1252(raw: bytes) -> str | None:
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return None


def _cyrillic(raw: bytes) -> Repaired | None:
    # Each reading is weighed by the letters of its language.
    weights = {name: _weight(raw, name, letters) for name, letters in _LANGUAGES}
    best = max(weights, key=lambda name: weights[name][0])
    others = max(weight for name, (weight, _) in weights.items() if name != best)
    weight, count = weights[best]
    certain = count >= 5 and weight - others >= _ODDS and weight / count > _PLAIN
    return Repaired(raw.decode("cp1251"), True) if best == "cp1251" and certain else None


def _weight(raw: bytes, encoding: str, letters: Mapping[str, float]) -> tuple[float, int]:
    text = raw.decode(encoding, "replace")
    words = _LETTERS.findall(text)
    weight, count = 0.0, 0
    for word in words:
        if word.isascii():
            continue
        natural = word.islower() or word.isupper() or word.istitle()
        weight += (0.0 if natural else -8.0) + sum(letters.get(char, -9.0) for char in word.lower())
        count += len(word)
    return weight, max(count, 1)


def _shares(order: str, per_mille: tuple[float, ...]) -> dict[str, float]:
    # The rare letters beyond the counted ones share one small part.
    counted = (*per_mille, *(0.5 for _ in order[len(per_mille) :]))
    return {char: math.log(share / sum(counted)) for char, share in zip(order, counted, strict=True)}


def _byte_table(encoding: str) -> dict[str, int]:
    # Bytes that the encoding leaves free keep the control characters that readers make of them.
    table = {chr(code): code for code in range(256)} if encoding == "cp1252" else {}
    for code in range(256):
        char = bytes([code]).decode(encoding, "replace")
        table[chr(code) if char == "\ufffd" else char] = code
    return table


_ODDS: Final = math.log(30)
_PLAIN: Final = -4.2
_RUSSIAN: Final = _shares(
    "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфіїєёъґ",
    (*(110, 85, 80, 74, 67, 63, 55, 47, 45, 44, 35, 32, 30, 28, 26), *(20, 19, 17, 17, 16, 16, 14, 12))
    + (10, 9, 7, 6, 5, 4, 3, 3),
)
_GREEK: Final = _shares(
    "αοιετσνηυρπκμλςωγδίόέάχθφήύώβξζψϊϋ",
    (*(90, 80, 80, 70, 80, 45, 65, 45, 40, 42, 40, 40, 34, 30, 40), *(20, 17, 17, 20, 20, 16, 20))
    + (12, 13, 9, 11, 8, 8, 8, 4, 4, 2),
)
_LANGUAGES: Final = (("cp1251", _RUSSIAN), ("koi8_r", _RUSSIAN), ("iso8859_5", _RUSSIAN), ("cp1253", _GREEK))
_CP1252_BYTES: Final = _byte_table("cp1252")
_CP1251_BYTES: Final = _byte_table("cp1251")
