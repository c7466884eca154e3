"""What an operator may change of a file's tags, checked and brought to texts: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from radio.errors import InvalidRequest, did_you_mean
from radio.library.encodings import repaired
from radio.library.tag_values import (
    MAX_GAIN_DB,
    MAX_NUMBER,
    beats_per_minute,
    gain_db,
    music_id,
    pair_text,
    r128_gain_db,
)
from radio.library.tags import MUSICBRAINZ, Tags
from radio.library.words import MAX_COMMENT, MAX_TEXT, MAX_VALUES, cleaned, cleaned_all, iso_date, isrc_code

LISTS: Final = ("artists", "album_artists", "composers", "conductors", "ensembles", "genres")
LINES: Final = (
    *("title", "album", "work", "movement", "label", "catalog_number"),
    *("language", "comment", "initial_key"),
)
DATES: Final = ("date", "original_date")
NUMBERS: Final = ("movement_number", "track_number", "track_total", "disc_number", "disc_total")
GAINS: Final = ("replaygain_track_db", "replaygain_album_db", "r128_track_db")
WRITABLE: Final = (*LISTS, *LINES, *DATES, *NUMBERS, *GAINS, "isrc", "explicit", "bpm", "musicbrainz")
"""The fields of :class:`Tags` that can be written."""


class Wanted(msgspec.Struct, frozen=True):
    """``texts`` are what the tags shall say by field of :mod:`radio.library.tag_names`, ``values`` the same
    as fields of :class:`Tags`."""

    texts: dict[str, tuple[str, ...]]
    values: dict[str, Any]


def wanted(changes: Mapping[str, object], before: Tags) -> Wanted:
    """What ``changes`` (fields of Tags; None or an empty value removes one) ask of a file that says
    ``before``.

    A text is cleaned as it is when it is read. Of ``musicbrainz`` the keys that are given change.
    :raises InvalidRequest: a field or a value that cannot be; ``field`` names it.
    """
    found = Wanted({}, {})
    for field, value in changes.items():
        if field not in WRITABLE:
            raise InvalidRequest(
                f"There is no tag `{field}` to write.{did_you_mean(field, WRITABLE)}",
                field=field,
                allowed=", ".join(WRITABLE),
            )
        _add(found, field, value, before)
    for name in ("track", "disc"):
        _add_pair(found, name, before)
    return found


def _add(found: Wanted, field: str, value: Any, before: Tags) -> None:
    if field in LISTS:
        found.texts[field] = found.values[field] = _list(field, value)
    elif field in LINES:
        _line(found, field, value)
    elif field in NUMBERS:
        found.values[field] = _number(field, value)
        if field == "movement_number":
            found.texts[field] = _texts(found.values[field])
    elif field in GAINS:
        _gain(found, field, value)
    elif field == "musicbrainz":
        _musicbrainz(found, value, before)
    else:
        _coded(found, field, value)


def _texts(value: object) -> tuple[str, ...]:
    return () if value is None else (str(value),)


def _list(field: str, value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value or ()
    if not isinstance(texts, Iterable) or isinstance(texts, bytes | Mapping):
        raise _wrong(field, "a list of texts")
    texts = list(texts)
    if len(texts) > MAX_VALUES or not all(isinstance(text, str) for text in texts):
        raise _wrong(field, f"at most {MAX_VALUES} texts")
    return tuple(_sound(field, text) for text in cleaned_all(texts))


def _line(found: Wanted, field: str, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise _wrong(field, "a text")
    limit = MAX_COMMENT if field == "comment" else MAX_TEXT
    text = _sound(field, cleaned(value, limit)) if value else ""
    found.texts[field] = (text,) if text else ()
    found.values[field] = text or None


def _sound(field: str, text: str) -> str:
    if repaired(text).text != text:
        raise _wrong(field, f"text as it is meant, here perhaps {repaired(text).text!r}")
    return text


def _number(field: str, value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_NUMBER:
        raise _wrong(field, f"1 to {MAX_NUMBER}")
    return value


def _gain(found: Wanted, field: str, value: Any) -> None:
    raw = field.removesuffix("_db")
    if value is None:
        found.texts[raw], found.values[field] = (), None
        return
    limit = MAX_GAIN_DB
    if not isinstance(value, int | float) or isinstance(value, bool) or not -limit <= value <= limit:
        raise _wrong(field, f"{-limit} to {limit} dB")
    if field == "r128_track_db":
        text = str(round(value * 256))
        found.values[field] = r128_gain_db(text)
    else:
        text = f"{value:.2f} dB"
        found.values[field] = gain_db(text)
    found.texts[raw] = (text,)


def _musicbrainz(found: Wanted, value: Any, before: Tags) -> None:
    asked = dict.fromkeys(MUSICBRAINZ) if value is None else value
    if not isinstance(asked, Mapping) or not set(asked) <= set(MUSICBRAINZ):
        raise _wrong("musicbrainz", f"a table of {', '.join(MUSICBRAINZ)}")
    after = dict(before.musicbrainz)
    for key, ids in asked.items():
        names = _list("musicbrainz", ids)
        if any(music_id(name) != name for name in names) or (key == "recording" and len(names) > 1):
            raise _wrong("musicbrainz", "UUIDs in small letters, of a recording one")
        found.texts[f"musicbrainz_{key}"] = after[key] = names
    found.values["musicbrainz"] = {key: ids for key, ids in after.items() if ids}


def _coded(found: Wanted, field: str, value: Any) -> None:
    if value is None or value == "":
        found.texts[field], found.values[field] = (), None
        return
    text: str | None = None
    if field == "explicit" and isinstance(value, bool):
        text = "1" if value else "2"
    elif field == "bpm" and isinstance(value, int | float) and not isinstance(value, bool):
        text = f"{value:.2f}".rstrip("0").rstrip(".")
        value = beats_per_minute(text)
    elif field == "isrc" and isinstance(value, str):
        value = text = isrc_code(value)
    elif field in DATES and isinstance(value, str):
        text = value if iso_date(value) == value else None
    if text is None or value is None:
        raise _wrong(field, _ALLOWED[field])
    found.texts[field], found.values[field] = (text,), value


_ALLOWED: Final = {
    "explicit": "true or false",
    "bpm": "more than 0 and less than 1000",
    "isrc": "twelve characters as in GBABC1900012",
    **dict.fromkeys(DATES, "YYYY, YYYY-MM or YYYY-MM-DD"),
}


def _add_pair(found: Wanted, name: str, before: Tags) -> None:
    fields = f"{name}_number", f"{name}_total"
    if not any(field in found.values for field in fields):
        return
    number, total = (found.values.get(field, getattr(before, field)) for field in fields)
    found.texts[name] = _texts(pair_text(number, total))
    found.texts[f"{name}_total"] = _texts(total)


def _wrong(field: str, allowed: str) -> InvalidRequest:
    return InvalidRequest(f"`{field}` cannot be written so.", field=field, allowed=allowed)
