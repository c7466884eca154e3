"""Numbers, gains and codes as tags spell them; each reader gives None for what makes no sense."""

from __future__ import annotations

import re
from typing import Final

from radio.units import DurationMs

MAX_NUMBER: Final = 9999
MAX_GAIN_DB: Final = 64.0
MAX_BPM: Final = 999.0
MAX_INTRO_MS: Final = 600_000

_PAIR: Final = re.compile(r"\s*(\d{1,5})?\s*(?:/\s*(\d{1,5})\s*)?")
_GAIN: Final = re.compile(r"\s*([-+]?\d{1,3}(?:[.,]\d{1,10})?)\s*(?:db)?\s*", re.IGNORECASE)
_BPM: Final = re.compile(r"\s*(\d{1,3}(?:[.,]\d{1,6})?)\s*(?:bpm)?\s*", re.IGNORECASE)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ADVICE: Final = dict.fromkeys(("1", "4", "explicit", "true", "yes"), True) | dict.fromkeys(
    ("2", "clean", "false", "no"), False
)


def number_pair(text: str) -> tuple[int | None, int | None]:
    """``3``, ``3/12`` or ``/12`` as a number and a total, each 1 to 9999 or None."""
    found = _PAIR.fullmatch(text[:20])
    return (_counted(found[1]), _counted(found[2])) if found else (None, None)


def _counted(digits: str | None) -> int | None:
    number = int(digits) if digits else 0
    return number if 0 < number <= MAX_NUMBER else None


def pair_text(number: int | None, total: int | None) -> str | None:
    """The text of a number and a total, None where both are None."""
    if total is None:
        return None if number is None else str(number)
    return f"{number or 0}/{total}"


def gain_db(text: str) -> float | None:
    """``-6.50 dB`` as -6.5 (ReplayGain 2.0 section "Metadata format"); at most 64 dB either way."""
    found = _GAIN.fullmatch(text[:30])
    gain = float(found[1].replace(",", ".")) if found else None
    return gain if gain is not None and abs(gain) <= MAX_GAIN_DB else None


def r128_gain_db(text: str) -> float | None:
    """``-1664`` as -6.5: 256ths of a decibel in 16 bits, against -23 LUFS (RFC 7845 section 5.2.1)."""
    found = re.fullmatch(r"\s*([-+]?\d{1,5})\s*", text[:20])
    gain = int(found[1]) if found else None
    return gain / 256 if gain is not None and -32768 <= gain <= 32767 else None


def beats_per_minute(text: str) -> float | None:
    """``128`` or ``127.95``; more than 0, less than 1000."""
    found = _BPM.fullmatch(text[:20])
    bpm = float(found[1].replace(",", ".")) if found else 0.0
    return bpm if 0 < bpm <= MAX_BPM else None


def intro_length_ms(text: str) -> DurationMs | None:
    """``9600``: whole milliseconds, more than 0 and at most ten minutes."""
    found = re.fullmatch(r"\s*(\d{1,6})\s*", text[:20])
    length_ms = DurationMs(int(found[1])) if found else DurationMs(0)
    return length_ms if 0 < length_ms <= MAX_INTRO_MS else None


def explicit_advice(text: str) -> bool | None:
    """True for explicit words, False for a version that is cleaned of them, None for no advice."""
    return _ADVICE.get(text[:20].strip().lower())


def music_id(text: str) -> str | None:
    """A MusicBrainz identifier (a UUID in small letters), also from its address."""
    found = _UUID.search(text[:120].lower())
    return found.group() if found else None
