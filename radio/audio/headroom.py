"""How far below -1 dBTP a station's sound must be limited, so that what a listener decodes keeps to it.

An encoder changes the waveform, and with it the peaks between the samples: the lower the bit rate, the more. The
ceilings below are measured (``python -m bench ceiling``): with them, white noise and dense music as loud as the engine
lets an item be, at targets of up to -9 LUFS, decode under -1 dBTP. Two things are beyond a limiter: Opus below
48 kbit/s gives noise peaks of its own, up to -0.2 dBTP; and masters that are clipped flat, far under it at the usual
target of -16 LUFS, decode up to 2 dB above it at -9 LUFS.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from radio.audio.encode import StreamFormat
from radio.units import Decibels

HIGHEST_DBTP: Final = Decibels(-2.0)
"""The ceiling of a station whose mounts all leave the peaks nearly as they are."""

# For each format: from which bit rate on, and the ceiling.
_CEILINGS: Final = MappingProxyType(
    {
        "mp3": ((80, -2.0), (0, -2.6)),
        "aac": ((128, -2.2), (0, -3.2)),
        "opus": ((112, -2.2), (0, -2.6)),
    }
)


def ceiling_dbtp(mounts: Iterable[tuple[StreamFormat, int]]) -> Decibels:
    """The limiter's ceiling for a station with these mounts (format, kbit/s): that of the worst of them."""
    return min((_ceiling_of(*mount) for mount in mounts), default=HIGHEST_DBTP)


def _ceiling_of(stream_format: StreamFormat, bitrate_kbps: int) -> Decibels:
    steps = _CEILINGS[stream_format]
    return Decibels(next(ceiling for from_kbps, ceiling in steps if bitrate_kbps >= from_kbps))
