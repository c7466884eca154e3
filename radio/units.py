"""Units as types: a number that travels between modules says what it measures."""

from __future__ import annotations

from typing import Final, NewType

UtcMs = NewType("UtcMs", int)
"""A moment: integer milliseconds since the Unix epoch."""

DurationMs = NewType("DurationMs", int)
"""A length of time in integer milliseconds."""

Samples = NewType("Samples", int)
"""A count of stereo sample frames at :data:`SAMPLE_RATE_HZ`."""

Lufs = NewType("Lufs", float)
"""Loudness by ITU-R BS.1770-4, relative to full scale."""

Decibels = NewType("Decibels", float)
"""A level or a gain in dB; levels are relative to full scale."""

SAMPLE_RATE_HZ: Final = 48_000
"""The one rate at which everything is mixed: an MP3 frame of 128 kbit/s is then 384 bytes and 24 ms."""

SAMPLES_PER_MS: Final = SAMPLE_RATE_HZ // 1000

CHANNELS: Final = 2


def samples_of(duration_ms: int) -> Samples:
    """The number of sample frames in ``duration_ms`` milliseconds; exact, because the rate is 48 per ms."""
    return Samples(duration_ms * SAMPLES_PER_MS)


def gain_factor(gain_db: float) -> float:
    """The linear factor of a gain in dB."""
    return float(10.0 ** (gain_db / 20.0))
