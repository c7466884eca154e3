"""What an engineer watches of a stream: level, loudness and peaks, as they are now and since the start."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from radio.audio.meter import Meter
from radio.audio.pcm import Pcm
from radio.audio.running_loudness import RunningLoudness
from radio.audio.true_peak import TruePeak
from radio.units import DurationMs

_FLOOR_DB: Final = -120.0


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The levels of the newest block and of all of them; loudness by EBU R 128, in LUFS, None below its gate.

    ``momentary_lufs`` is that of the last 400 ms, ``short_term_lufs`` of the last 3 s, ``integrated_lufs`` of all.
    """

    rms_db: float
    peak_db: float
    silent_ms: DurationMs
    momentary_lufs: float | None
    short_term_lufs: float | None
    integrated_lufs: float | None
    true_peak_db: float
    highest_true_peak_db: float


class LiveMeter:
    """Reads a 48 kHz stereo sound, block by block."""

    def __init__(self) -> None:
        self._meter = Meter()
        self._loudness = RunningLoudness()
        self._whole = TruePeak()
        self._highest = 0.0

    def update(self, block: Pcm) -> Reading:
        """Take the next block, of any length, and read the meters."""
        planes = np.ascontiguousarray(block.T)
        level = self._meter.update(block)
        newest = TruePeak()
        newest.update(planes)
        self._whole.update(planes)
        self._loudness.update(planes)
        # the ringing out of a block that ends high is in its own peak alone
        peak = newest.finish()
        self._highest = max(self._highest, self._whole.peak, peak)
        return Reading(
            rms_db=level.rms_db,
            peak_db=level.peak_db,
            silent_ms=level.silence_ms,
            momentary_lufs=self._loudness.momentary_lufs,
            short_term_lufs=self._loudness.short_term_lufs,
            integrated_lufs=self._loudness.integrated_lufs,
            true_peak_db=_db(peak),
            highest_true_peak_db=_db(self._highest),
        )


def _db(peak: float) -> float:
    return float(20 * np.log10(peak)) if peak > 0 else _FLOOR_DB
