"""The limiter at the end of a station's sound: a true-peak limiter that looks ahead.

The peaks that count are those between the samples (ITU-R BS.1770-4, annex 2), which a listener's converter makes.
How far each is over the ceiling is held, released in a straight line (in dB) and smoothed by two running means,
so that the gain reaches a peak in full before the peak comes, without a step. For that the sound is delayed by
:data:`DELAY`. Sound that needs no limiting passes bit for bit.

Lengths, for a peak found at sample ``m``, which may stand anywhere in the samples ``m - 11 .. m`` (the filter has 12
taps): with two means of ``S`` samples and a delay of ``D``, every gain that meets it has seen it when ``D >= 2 S + 9``
and each value is held for ``D + 1`` samples.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from radio.audio.pcm import Pcm, silence
from radio.audio.true_peak import HIGHEST_GAIN, TAPS, sample_true_peaks
from radio.units import Decibels, Samples, gain_factor

DELAY: Final = Samples(144)
"""Every sample comes out this much later than it goes in: 3 ms."""

_MEAN: Final = (DELAY - 9) // 2
_HOLD: Final = DELAY + 1
_SEEN: Final = _HOLD - 1 + 2 * (_MEAN - 1)
_DB_PER_NEPER: Final = 8.685889638065037
_MARGIN_DB: Final = 0.05  # for the little that a moving gain adds between samples
_LOUDEST: Final = 1e4


class Limiter:
    """Holds the true peak of a station's sound at ``ceiling_db`` (dBTP). The gain of both channels is the same.

    The gain recovers by ``release_db_per_s``. The result does not depend on the sizes of the blocks beyond float
    rounding. :raises ValueError: a release that is not greater than zero.
    """

    delay: Final = DELAY

    def __init__(self, *, ceiling_db: float = -2.0, release_db_per_s: float = 30.0) -> None:
        if release_db_per_s <= 0:
            raise ValueError("the release must be greater than zero")
        self._ceiling = gain_factor(ceiling_db - _MARGIN_DB)
        self._release_db = release_db_per_s / 48_000
        self._delayed = silence(max(DELAY, TAPS - 1))
        self._over_db = np.zeros(_SEEN)
        self._is_limiting = False

    @property
    def reduction_db(self) -> Decibels:
        """By how much the sound is turned down at present."""
        return Decibels(float(self._over_db[-1]))

    def process(self, block: Pcm) -> Pcm:
        """As many samples as ``block`` has, :data:`DELAY` late, with no true peak above the ceiling.

        Values that are no numbers become silence.
        """
        if not len(block):
            return block
        highest = max(float(block.max()), -float(block.min()))
        if not highest <= _LOUDEST:  # also where it is no number
            block = np.clip(np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0), -_LOUDEST, _LOUDEST)
        sound = np.concatenate((self._delayed, block))
        self._delayed = sound[len(block) :]
        delayed = sound[len(self._delayed) - DELAY :][: len(block)]
        peaks = None
        if not highest * HIGHEST_GAIN <= self._ceiling:
            heard = sound[len(self._delayed) - (TAPS - 1) :]
            peaks = sample_true_peaks(heard, floor=self._ceiling)
        if peaks is None and not self._is_limiting:
            return delayed
        return self._limited(delayed, peaks)

    def _limited(self, delayed: Pcm, peaks: NDArray[np.float32] | None) -> Pcm:
        over_db = np.concatenate((self._over_db, self._released(peaks, len(delayed))))
        self._over_db = over_db[len(over_db) - _SEEN :]
        self._is_limiting = bool(self._over_db.any())
        smooth_db = _mean(_mean(_held(over_db, _HOLD), _MEAN), _MEAN)
        limited: Pcm = delayed * np.exp(smooth_db / -_DB_PER_NEPER).astype(np.float32)[:, np.newaxis]
        return limited

    def _released(self, peaks: NDArray[np.float32] | None, n: int) -> NDArray[np.float64]:
        # A maximum that falls in a straight line is a plain running maximum once the line is added.
        line = np.arange(1, n + 1) * self._release_db
        over_db = np.zeros(n)
        if peaks is not None:
            np.log(np.maximum(peaks / self._ceiling, 1.0), out=over_db)
            over_db *= _DB_PER_NEPER
        grown = np.maximum.accumulate(over_db + line)
        released: NDArray[np.float64] = np.maximum(np.maximum(grown, self._over_db[-1]) - line, 0.0)
        # what is left of rounding must not keep the limiter at work for ever
        released[released < 1e-9] = 0.0
        return released


def _held(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """The greatest of each ``n`` neighbours, by doubling; ``n - 1`` values fewer."""
    width = 1
    while width * 2 <= n:
        values = np.maximum(values[width:], values[:-width])
        width *= 2
    rest = n - width
    return np.maximum(values[rest:], values[: len(values) - rest]) if rest else values


def _mean(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """The mean of each ``n`` neighbours; ``n - 1`` values fewer."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    means: NDArray[np.float64] = np.maximum(sums[n:] - sums[:-n], 0.0) / n
    return means
