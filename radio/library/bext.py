"""The broadcast extension chunk of WAVE files: EBU Tech 3285, versions 0 to 2."""

from __future__ import annotations

import re
import struct
from typing import Any, Final

import msgspec

from radio.library.encodings import repaired
from radio.library.riff import fixed_text
from radio.library.words import MAX_COMMENT, cleaned, iso_date

FIXED_BYTES: Final = 602
_UNSET: Final = 0x7FFF
_LOUDNESS: Final = (
    "loudness_lufs",
    "loudness_range_lu",
    "max_true_peak_db",
    "max_momentary_lufs",
    "max_short_term_lufs",
)


class Bext(msgspec.Struct, frozen=True, kw_only=True):
    """What a bext chunk says. Texts are cleaned, None where empty.

    ``time_reference`` counts samples since midnight; ``umid`` is hexadecimal (SMPTE 330M). The loudness values
    are those that the file claims (version 2, EBU R 128), each None where it is not set.
    """

    description: str | None = None
    originator: str | None = None
    originator_reference: str | None = None
    origination_date: str | None = None
    origination_time: str | None = None
    time_reference: int = 0
    version: int = 0
    umid: str | None = None
    loudness_lufs: float | None = None
    loudness_range_lu: float | None = None
    max_true_peak_db: float | None = None
    max_momentary_lufs: float | None = None
    max_short_term_lufs: float | None = None
    coding_history: str | None = None


def read_bext(data: bytes) -> tuple[Bext, bool] | None:
    """The extension that a chunk's data holds, and whether every text's encoding is beyond doubt; None where
    the data is shorter than the fixed part."""
    if len(data) < FIXED_BYTES:
        return None
    time_low, time_high, version = struct.unpack_from("<IIH", data, 338)
    places = {"description": (0, 256), "originator": (256, 32), "originator_reference": (288, 32)}
    texts = {name: repaired(fixed_text(data[at : at + size])) for name, (at, size) in places.items()}
    texts["coding_history"] = repaired(fixed_text(data[FIXED_BYTES:]))
    lines: dict[str, Any] = {name: cleaned(said.text, MAX_COMMENT) or None for name, said in texts.items()}
    loudness: dict[str, Any] = _loudness(data[412:422]) if version >= 2 else {}
    return Bext(
        **lines,
        origination_date=iso_date(fixed_text(data[320:330])),
        origination_time=_time(fixed_text(data[330:338])),
        time_reference=time_high << 32 | time_low,
        version=version,
        umid=_umid(data[348:412]) if version >= 1 else None,
        **loudness,
    ), all(said.certain for said in texts.values())


def _loudness(data: bytes) -> dict[str, float | None]:
    values = struct.unpack("<5h", data)
    return {
        name: None if value == _UNSET else value / 100 for name, value in zip(_LOUDNESS, values, strict=True)
    }


def _umid(data: bytes) -> str | None:
    return data.hex() if any(data) else None


def _time(text: str) -> str | None:
    found = re.fullmatch(r"(\d\d)[-:_. ](\d\d)[-:_. ](\d\d)", text)
    return ":".join(found.groups()) if found else None
