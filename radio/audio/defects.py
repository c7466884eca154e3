"""What may be wrong with a sound: clipping, an offset, channels that are equal or cancel. Pure.

The sound is given block by block, as planes of shape ``(2, n)``.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from radio.audio.windows import WINDOW_MS, Windows
from radio.units import CHANNELS

CLIPPED_RUN: Final = 3
"""So many samples in a row at full scale are clipped; fewer may be a peak."""

FULL_SCALE: Final = np.float32(32767 / 32768)
"""The highest positive value of 16 bits; whatever is not below it counts as full scale."""

WORST_OF_MS: Final = 3_000
"""The length over which the worst correlation is looked for."""

_TENTH: Final = 100 // WINDOW_MS
_TENTHS: Final = WORST_OF_MS // 100
_AUDIBLE_POWER: Final = 1e-6
_MONO_SIDE: Final = 1e-5


class Clipping:
    """Counts runs of :data:`CLIPPED_RUN` or more samples of one channel at full scale and of one sign."""

    def __init__(self) -> None:
        self.runs = 0
        self.samples = 0
        self._open: dict[int, tuple[int, int]] = {}

    def update(self, planes: NDArray[np.float32], highest: float) -> None:
        """Take the next block; ``highest`` is its highest magnitude. One plane of a mono sound is enough."""
        if highest < FULL_SCALE:
            self.finish()
            return
        for channel, samples in enumerate(planes):
            self._count(
                channel, (samples >= FULL_SCALE).view(np.int8) - (samples <= -FULL_SCALE).view(np.int8)
            )

    def finish(self) -> None:
        """Count the runs that reach the end of what was given."""
        for sign, length in self._open.values():
            self._add(np.array([sign]), np.array([length]))
        self._open.clear()

    def _count(self, channel: int, signs: NDArray[np.int8]) -> None:
        starts = np.concatenate(([0], np.flatnonzero(np.diff(signs)) + 1))
        lengths = np.diff(np.append(starts, len(signs)))
        values = signs[starts]
        sign, length = self._open.pop(channel, (0, 0))
        if length and sign == values[0]:
            lengths[0] += length
        elif length:
            self._add(np.array([sign]), np.array([length]))
        self._open[channel] = int(values[-1]), int(lengths[-1])
        self._add(values[:-1], lengths[:-1])

    def _add(self, signs: NDArray[np.int8], lengths: NDArray[np.int64]) -> None:
        clipped = lengths[(signs != 0) & (lengths >= CLIPPED_RUN)]
        self.runs += len(clipped)
        self.samples += int(clipped.sum())


class Channels:
    """How the two channels go together, and their mean.

    The correlation is the sum of products over the root of the product of both energies: 1 for equal
    channels, 0 for unrelated ones or where one is silent, -1 where a mono receiver hears nothing.
    """

    def __init__(self, rate_hz: int) -> None:
        self._least = _AUDIBLE_POWER * WORST_OF_MS * rate_hz / 1000
        self._sums = np.zeros(3)
        self._worst: float | None = None
        self._before = np.zeros((3, 0))
        self._offset = np.zeros(CHANNELS)
        self._samples = 0

    def update(self, planes: NDArray[np.float32], windows: Windows) -> None:
        """Take the next block; three seconds below -60 dBFS do not count for the worst correlation."""
        self._offset += planes.sum(axis=1)
        self._samples += planes.shape[1]
        series = np.vstack((windows.squares, windows.products)).astype(np.float64)
        self._sums += series.sum(axis=1)
        tenths = np.add.reduceat(series, np.arange(0, series.shape[1], _TENTH), axis=1)
        self._look_for_worst(tenths)

    def _look_for_worst(self, tenths: NDArray[np.float64]) -> None:
        series = np.concatenate((self._before, tenths), axis=1)
        self._before = series[:, max(0, series.shape[1] - _TENTHS + 1) :]
        if series.shape[1] < _TENTHS:
            return
        ends = np.cumsum(np.pad(series, ((0, 0), (1, 0))), axis=1)
        left, right, products = ends[:, _TENTHS:] - ends[:, :-_TENTHS]
        loud = (left + right) / 2 > self._least
        if loud.any():
            worst = float(_correlations(left[loud], right[loud], products[loud]).min())
            self._worst = worst if self._worst is None else min(self._worst, worst)

    @property
    def correlation(self) -> float | None:
        """Over the whole sound; None for digital silence."""
        if not self._sums[:CHANNELS].any():
            return None
        return round(float(_correlations(*self._sums[:, np.newaxis])[0]), 3)

    @property
    def worst_correlation(self) -> float | None:
        """The lowest of any three seconds; over the whole of a shorter sound."""
        return self.correlation if self._worst is None else round(self._worst, 3)

    @property
    def is_mono(self) -> bool:
        """Whether the difference of the channels is 50 dB or more below their sum of energies."""
        left, right, product = self._sums
        return bool(left + right - 2 * product <= _MONO_SIDE * (left + right))

    @property
    def dc_offset(self) -> float:
        """The mean of the channel that is farther off zero."""
        means = self._offset / max(1, self._samples)
        return round(float(means[np.argmax(np.abs(means))]), 5)


def _correlations(
    left: NDArray[np.float64], right: NDArray[np.float64], products: NDArray[np.float64]
) -> NDArray[np.float64]:
    energy = np.sqrt(np.maximum(left * right, 0.0))
    found: NDArray[np.float64] = np.clip(products / np.where(energy > 0, energy, np.inf), -1.0, 1.0)
    return found
