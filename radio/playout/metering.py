"""What a station's output measures: level, silence, loudness and true peak, once for each chunk."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from radio.audio.meter import FLOOR_DB, Level, Meter
from radio.audio.pcm import Pcm
from radio.audio.running_loudness import RunningLoudness
from radio.audio.true_peak import true_peak_near
from radio.units import Decibels, Lufs, Samples, samples_of

MOST_HELD: Final = samples_of(2_000)


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """Loudness by ITU-R BS.1770 over the last 400 ms and 3 s; None below the gate. The true peak since the last."""

    momentary_lufs: Lufs | None
    short_term_lufs: Lufs | None
    true_peak_db: Decibels


class OutputMeter:
    """Measures the sound that is encoded, as it is encoded. About 4 s of a core for an hour of sound."""

    def __init__(self) -> None:
        self._meter = Meter()
        self._loudness = RunningLoudness()
        self._held: list[Pcm] = []
        self._samples = Samples(0)
        self._peak = 0.0

    def update(self, block: Pcm) -> Level:
        """Take the next block: its level, and how long it has been silent."""
        self._held.append(block)
        self._samples = Samples(self._samples + len(block))
        if self._samples >= MOST_HELD:
            self._measure()
        return self._meter.update(block)

    def readings(self) -> Readings:
        """What the meters show now; the true peak starts anew."""
        self._measure()
        peak, self._peak = self._peak, 0.0
        return Readings(
            momentary_lufs=self._loudness.momentary_lufs,
            short_term_lufs=self._loudness.short_term_lufs,
            true_peak_db=Decibels(max(FLOOR_DB, float(20 * np.log10(max(peak, 1e-9))))),
        )

    def _measure(self) -> None:
        if not self._held:
            return
        sound = np.concatenate(self._held)
        self._held, self._samples = [], Samples(0)
        self._loudness.update(np.ascontiguousarray(sound.T))
        self._peak = max(self._peak, true_peak_near(sound))
