"""What a person may set in place of what a file says or what was measured (pure).

A correction is kept when the file is scanned again, and it wins. An empty text means "none"; taking a
correction back brings the file's own value again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from radio.errors import InvalidRequest, did_you_mean
from radio.library.items import Item
from radio.library.words import cleaned, iso_date, isrc_code

MAX_MS: Final = 12 * 3_600_000

Value = str | int | float | bool
Check = Callable[[str, Any], Value]


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 300:
        raise _wrong(field, value, "text of at most 300 characters; empty for none")
    return cleaned(value)


def _title(field: str, value: Any) -> str:
    if text := _text(field, value):
        return text
    raise _wrong(field, value, "text of 1 to 300 characters")


def _category(field: str, value: Any) -> str:
    text = _text(field, value)
    if len(text) <= 100 and "/" not in text:
        return text
    raise _wrong(field, value, "a category's name without `/`, at most 100 characters")


def _date(field: str, value: Any) -> str:
    if value == "" or (isinstance(value, str) and iso_date(value) == value):
        return str(value)
    raise _wrong(field, value, "YYYY, YYYY-MM or YYYY-MM-DD; empty for none")


def _isrc(field: str, value: Any) -> str:
    if value == "":
        return ""
    if isinstance(value, str) and (code := isrc_code(value)):
        return code
    raise _wrong(field, value, "an ISRC such as GBABC1900012; empty for none")


def _yes_no(field: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _wrong(field, value, "true or false")


def _ms(field: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_MS:
        return value
    raise _wrong(field, value, f"whole milliseconds from 0 to {MAX_MS}")


def _number(lowest: float, highest: float) -> Check:
    def check(field: str, value: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and math.isfinite(value) and lowest <= value <= highest:
            return float(value)
        raise _wrong(field, value, f"a number from {lowest:g} to {highest:g}")

    return check


_WORDS: Final = (
    "artist", "album", "album_artist", "genre", "composer", "conductor", "label", "language", "musical_key",
    "work", "movement", "ensemble",
)  # fmt: skip

FIELDS: Final[Mapping[str, Check]] = {
    "title": _title,
    "category": _category,
    **dict.fromkeys(_WORDS, _text),
    "date": _date,
    "isrc": _isrc,
    "explicit": _yes_no,
    "bpm": _number(1, 999),
    "cue_in_ms": _ms,
    "cue_out_ms": _ms,
    "intro_ms": _ms,
    "outro_ms": _ms,
    "loudness_lufs": _number(-70, 5),
    "true_peak_db": _number(-90, 20),
}
"""The fields of an item that can be corrected."""


def checked(field: str, value: Any) -> Value:
    """``value`` as it is kept. Raises InvalidRequest that names the field and what is allowed."""
    if field not in FIELDS:
        problem = f"There is no field {field[:40]!r} to correct.{did_you_mean(field, FIELDS)}"
        raise InvalidRequest(problem, field=field, allowed=", ".join(FIELDS))
    return FIELDS[field](field, value)


def corrected(item: Item, corrections: Mapping[str, Value]) -> Item:
    """The item with the corrections in place.

    Cues that no longer fit the file, because it was replaced by a shorter one, are left as measured.
    """
    known = {field: value for field, value in corrections.items() if field in FIELDS}
    if not known:
        return item
    values: dict[str, Any] = {field: None if value == "" else value for field, value in known.items()}
    if values.get("category", "") is None:
        values["category"] = ""
    changed = msgspec.structs.replace(item, **values)
    if 0 <= changed.cue_in_ms < changed.cue_out_ms <= item.duration_ms:
        return changed
    return msgspec.structs.replace(changed, cue_in_ms=item.cue_in_ms, cue_out_ms=item.cue_out_ms)


def check_cues(item: Item) -> None:
    """Raise InvalidRequest where the item's cues do not lie in its file, in order."""
    if not 0 <= item.cue_in_ms < item.cue_out_ms <= item.duration_ms:
        raise InvalidRequest(
            f"The item would sound from {item.cue_in_ms} to {item.cue_out_ms} ms.",
            field="cue_out_ms",
            allowed=f"cue_in_ms before cue_out_ms, which is at most {item.duration_ms}",
        )


def _wrong(field: str, value: Any, allowed: str) -> InvalidRequest:
    return InvalidRequest(f"`{field}` is {str(value)[:60]!r}.", field=field, allowed=allowed)
