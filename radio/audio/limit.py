"""A limiter that never lets a sample pass the ceiling, for sums of voices and for live sound.

It has no look-ahead and adds no delay. An envelope jumps to each peak at once and falls back exponentially; a
soft knee turns the envelope into a gain. Because the envelope is never below the sample, the result is never
above the ceiling. Sound below the knee passes bit for bit.
"""

from __future__ import annotations

from math import exp
from typing import Final

import numpy as np
from numpy.typing import NDArray

from radio.audio.pcm import Pcm
from radio.units import SAMPLE_RATE_HZ, gain_factor

_STRIDE: Final = 4800
_DB_PER_NEPER: Final = 8.685889638065037


class Limiter:
    """Holds the peak of a station's sound at ``ceiling_db`` (dBFS). The gain of both channels is the same.

    Levels from ``knee_db`` below the ceiling on are bent: ``knee_db * (1 - exp(-over / knee_db))`` dB above
    the knee for ``over`` dB in, which starts with slope one and approaches the ceiling. The gain recovers
    with a time constant of ``release_ms``. The result does not depend on the sizes of the blocks beyond float
    rounding.
    """

    def __init__(self, *, ceiling_db: float = -1.0, knee_db: float = 1.0, release_ms: float = 100.0) -> None:
        if knee_db <= 0 or release_ms <= 0:
            raise ValueError("knee and release must be greater than zero")
        self._knee_db = knee_db
        self._threshold = gain_factor(ceiling_db - knee_db)
        self._ceiling = np.float32(gain_factor(ceiling_db))
        decay = exp(-1000.0 / (release_ms * SAMPLE_RATE_HZ))
        self._decay = decay ** np.arange(1, _STRIDE + 1, dtype=np.float64)
        self._envelope = 0.0

    def process(self, block: Pcm) -> Pcm:
        """``block`` with no sample above the ceiling; the same object where nothing had to change.

        Values that are no numbers become silence.
        """
        peaks = np.maximum(np.abs(block[:, 0]), np.abs(block[:, 1]))
        if not np.isfinite(peaks).all():
            return self.process(np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0))
        if max(self._envelope, float(peaks.max(initial=0.0))) <= self._threshold:
            self._follow(peaks[-_STRIDE:])
            return block
        strides = [self._follow(peaks[i : i + _STRIDE]) for i in range(0, len(peaks), _STRIDE)]
        gain = self._gain(np.concatenate(strides)).astype(np.float32)
        limited: Pcm = np.clip(block * gain[:, np.newaxis], -self._ceiling, self._ceiling)
        return limited

    def _follow(self, peaks: NDArray[np.float32]) -> NDArray[np.float64]:
        # A decaying maximum is a plain running maximum once the decay is divided out.
        decay = self._decay[: len(peaks)]
        grown = np.maximum.accumulate(np.maximum(peaks / decay, self._envelope))
        envelope: NDArray[np.float64] = grown * decay
        self._envelope = float(envelope[-1]) if len(envelope) else self._envelope
        return envelope

    def _gain(self, envelope: NDArray[np.float64]) -> NDArray[np.float64]:
        over_db = _DB_PER_NEPER * np.log(np.maximum(envelope / self._threshold, 1.0))
        bent_db = self._knee_db * (1.0 - np.exp(-over_db / self._knee_db))
        gain: NDArray[np.float64] = np.exp((bent_db - over_db) / _DB_PER_NEPER)
        return gain
