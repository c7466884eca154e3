"""Days of the week and wall-clock times as operators write them (pure).

Both campaigns and programmes are told when they may air in these words; a time here has no zone yet.
"""

from __future__ import annotations

import re
from typing import Final

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Monday first, as :meth:`datetime.date.weekday` counts."""

DAYS_ALLOWED: Final = 'days such as "mon-fri", "sat,sun" or "daily"'
TIME_ALLOWED: Final = '"HH:MM" or "HH:MM:SS", 00:00 to 23:59:59, and "24:00" for an end'
LENGTH_ALLOWED: Final = '"M:SS" or "MM:SS", with up to three decimals for parts of a second'

SECOND_MS: Final = 1000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS

NOMINAL_DAY_MS: Final = 24 * HOUR_MS
"""A day on the wall clock; a real day may be an hour shorter or longer."""

_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2}))?")
_LENGTH = re.compile(r"(\d{1,3}):(\d{2})(?:\.(\d{1,3}))?")


def parse_days(text: str) -> tuple[int, ...]:
    """Weekday numbers (Monday is 0) of ``"mon-fri"``, ``"sat,sun"``, ``"fri-mon"`` or ``"daily"``, ascending.

    Raises ValueError with a sentence for the operator.
    """
    if text.strip().lower() == "daily":
        return tuple(range(7))
    found: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = part.strip().partition("-")
        start = _weekday(first)
        length = (_weekday(last) - start) % 7 if dash else 0
        found.update((start + step) % 7 for step in range(length + 1))
    return tuple(sorted(found))


def parse_wall_time(text: str, *, is_end: bool = False) -> int:
    """Nominal milliseconds from midnight of ``"HH:MM[:SS]"``; ``is_end`` also takes ``"24:00"``.

    Raises ValueError with a sentence for the operator.
    """
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a time of day")
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
    at_ms = hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS
    limit_ms = NOMINAL_DAY_MS if is_end else NOMINAL_DAY_MS - 1
    if minutes > 59 or seconds > 59 or at_ms > limit_ms:
        raise ValueError(f"{text!r} is not a time of day")
    return at_ms


def parse_length(text: str) -> int:
    """Milliseconds of ``"M:SS[.mmm]"``. Raises ValueError with a sentence for the operator."""
    found = _LENGTH.fullmatch(text.strip())
    if not found or int(found[2]) > 59:
        raise ValueError(f"{text!r} is not a length of time")
    return int(found[1]) * MINUTE_MS + int(found[2]) * SECOND_MS + int((found[3] or "0").ljust(3, "0"))


def format_length(length_ms: int) -> str:
    """``"M:SS"`` of a length, rounded down to the second."""
    return f"{length_ms // MINUTE_MS}:{length_ms // SECOND_MS % 60:02}"


def format_wall_time(at_ms: int) -> str:
    """``"HH:MM"`` or ``"HH:MM:SS"`` of nominal milliseconds from midnight; above 24 h on the next day."""
    hours, rest = divmod(at_ms, HOUR_MS)
    minutes, seconds = rest // MINUTE_MS, rest // SECOND_MS % 60
    hours = hours if at_ms == NOMINAL_DAY_MS else hours % 24
    return f"{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def _weekday(name: str) -> int:
    short = name.strip()[:3]
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    if short not in WEEKDAYS or not full[WEEKDAYS.index(short)].startswith(name.strip()):
        raise ValueError(f"{name.strip()!r} is not a day of the week")
    return WEEKDAYS.index(short)
