"""Text as it is searched and sorted: words without case, accents and punctuation (pure).

Both databases get words that are folded here, so that they find the same. Combining marks are dropped after
canonical decomposition (Unicode Standard Annex 15, NFKD); letters that have no decomposition are mapped.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from radio.library.items import Item

TEXT_FIELDS: Final = (
    "title", "artist", "album", "album_artist", "composer", "conductor", "work", "movement", "ensemble",
    "genre", "label", "comment", "path", "date",
)  # fmt: skip
"""What words are searched in; ``comment`` comes from the tags, the others from the item."""

LONGEST_WORD: Final = 100

_LETTERS: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h", "ı": "i", "ŧ": "t"}
    | dict.fromkeys("'’‘ʼ´`", "")
)
_WORD: Final = re.compile(r"[^\W_]+")
# Scripts that are written without spaces: each character is a word of its own.
_UNSPACED: Final = re.compile(r"[\u2e80-\u2fdf\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """``text`` in lower case without accents and apostrophes; other punctuation stays."""
    if text.isascii():
        return text.lower().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in plain if not unicodedata.category(char).startswith("M"))
    return bare.casefold().translate(_LETTERS)


def tokens(text: str) -> tuple[str, ...]:
    """The words of ``text``, folded: ``"Dvořák: Op. 95"`` gives ``("dvorak", "op", "95")``, each cut at 100."""
    words = _WORD.findall(folded(text))
    if not text.isascii():
        spaced = (_UNSPACED.sub(r" \g<0> ", word) for word in words)
        words = [part for word in spaced for part in word.split()]
    return tuple(word[:LONGEST_WORD] for word in words)


def words_of(item: Item, comment: str | None = None) -> dict[str, tuple[str, ...]]:
    """The folded words of each text field of an item."""
    texts = {field: comment if field == "comment" else getattr(item, field) for field in TEXT_FIELDS}
    return {field: tokens(value) if value else () for field, value in texts.items()}


def sort_key(text: str | None) -> str:
    """What texts are sorted by: their words; those without any come last but for their own order."""
    return " ".join(tokens(text or "")) or f"\U0010fffd{(text or '')[:50]}"
