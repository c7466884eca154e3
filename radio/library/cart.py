"""The cart chunk that broadcast systems put into WAVE files: AES46-2002."""

from __future__ import annotations

import re
import struct
from typing import Final

import msgspec

from radio.library.encodings import repaired
from radio.library.riff import fixed_text
from radio.library.words import MAX_COMMENT, cleaned
from radio.units import DurationMs

FIXED_BYTES: Final = 2048
TITLE_AT: Final = 4
ARTIST_AT: Final = 68
NAME_BYTES: Final = 64

_TIMERS_AT: Final = 684
_TIMERS: Final = 8
_DATE: Final = re.compile(r"(\d{4})[-/](0[1-9]|1[0-2])[-/](0[1-9]|[12]\d|3[01])")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)")
_FIELDS: Final = (
    *(("title", 4, 64), ("artist", 68, 64), ("cut_id", 132, 64), ("client_id", 196, 64)),
    *(("category", 260, 64), ("classification", 324, 64), ("out_cue", 388, 64)),
    *(("producer_app", 488, 64), ("producer_version", 552, 64), ("user_text", 616, 64), ("url", 1024, 1024)),
)


class CartTimer(msgspec.Struct, frozen=True):
    """A mark in the sound. ``kind`` has up to four letters, such as ``SEGs`` (AES46 section 5.4)."""

    kind: str
    at_ms: DurationMs


class Cart(msgspec.Struct, frozen=True, kw_only=True):
    """What a cart chunk says. Texts are cleaned, None where empty.

    Dates are ``YYYY-MM-DD`` and times ``HH:MM:SS``, both local to the station; a date of all nines, which
    means "for ever", and one that is no date are None. ``level_reference`` is the sample value of 0 dB.
    """

    title: str | None = None
    artist: str | None = None
    cut_id: str | None = None
    client_id: str | None = None
    category: str | None = None
    classification: str | None = None
    out_cue: str | None = None
    start_date: str | None = None
    start_time: str | None = None
    end_date: str | None = None
    end_time: str | None = None
    producer_app: str | None = None
    producer_version: str | None = None
    user_text: str | None = None
    level_reference: int = 0
    timers: tuple[CartTimer, ...] = ()
    url: str | None = None
    tag_text: str | None = None

    def at_ms(self, kind: str) -> DurationMs | None:
        """Where the first timer of the kind stands, such as ``AUDs``, ``INTe``, ``SEGs`` or ``EOD``."""
        return next((timer.at_ms for timer in self.timers if timer.kind == kind), None)

    @property
    def segue_ms(self) -> DurationMs | None:
        """Where the next item may start: at the segue, else at the outro."""
        return self._first("SEGs", "SEG", "OUTs", "OUT")

    @property
    def intro_ms(self) -> DurationMs | None:
        """Where the voice begins: up to there one may talk over the sound."""
        return self._first("INTe", "INT")

    def _first(self, *kinds: str) -> DurationMs | None:
        found = (self.at_ms(kind) for kind in kinds)
        return next((at_ms for at_ms in found if at_ms is not None), None)


def read_cart(data: bytes, rate_hz: int) -> tuple[Cart, bool] | None:
    """The cart that a chunk's data holds, and whether every text's encoding is beyond doubt.

    ``rate_hz`` turns the timers' samples into milliseconds; without one (0) there are no timers. None where
    the data is shorter than the fixed part.
    """
    if len(data) < FIXED_BYTES:
        return None
    texts, doubts = _texts(data)
    return Cart(
        **texts,
        start_date=_date(data[452:462]),
        start_time=_time(data[462:470]),
        end_date=_date(data[470:480]),
        end_time=_time(data[480:488]),
        level_reference=struct.unpack_from("<i", data, 680)[0],
        timers=_timers(data, rate_hz),
    ), not doubts


def _texts(data: bytes) -> tuple[dict[str, str | None], bool]:
    texts: dict[str, str | None] = {}
    doubts = False
    for name, at, size in (*_FIELDS, ("tag_text", FIXED_BYTES, 4 * MAX_COMMENT)):
        text, certain = repaired(fixed_text(data[at : at + size]))
        texts[name] = cleaned(text, MAX_COMMENT) or None
        doubts |= not certain
    return texts, doubts


def _timers(data: bytes, rate_hz: int) -> tuple[CartTimer, ...]:
    if rate_hz <= 0:
        return ()
    found = (struct.unpack_from("<4sI", data, _TIMERS_AT + 8 * index) for index in range(_TIMERS))
    named = ((cleaned(fixed_text(kind)), samples) for kind, samples in found)
    return tuple(CartTimer(kind, DurationMs(samples * 1000 // rate_hz)) for kind, samples in named if kind)


def _date(data: bytes) -> str | None:
    found = _DATE.fullmatch(fixed_text(data))
    return "-".join(found.groups()) if found and found[1] != "9999" else None


def _time(data: bytes) -> str | None:
    found = _TIME.fullmatch(fixed_text(data))
    return found.group() if found else None
