"""True peak by ITU-R BS.1770-4, annex 2: the highest value of the sound at four times its rate. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from radio.units import CHANNELS

_TAPS: Final = 12
_ROW: Final = 12
_ROWS: Final = 400
_WIDTH: Final = _ROW + _TAPS - 1

# The table of annex 2; the last two phases mirror the first two.
_PHASE_0: Final = (
    0.001708984375, 0.010986328125, -0.0196533203125, 0.033203125, -0.0594482421875, 0.1373291015625,
    0.97216796875, -0.102294921875, 0.047607421875, -0.026611328125, 0.014892578125, -0.00830078125,
)  # fmt: skip
_PHASE_1: Final = (
    -0.0291748046875, 0.029296875, -0.0517578125, 0.089111328125, -0.16650390625, 0.465087890625,
    0.77978515625, -0.2003173828125, 0.1015625, -0.0582275390625, 0.0330810546875, -0.0189208984375,
)  # fmt: skip
_PHASES: Final = np.array([_PHASE_0, _PHASE_1, _PHASE_1[::-1], _PHASE_0[::-1]], dtype=np.float32).T
_HIGHEST_GAIN: Final = float(np.abs(_PHASES).sum(axis=0).max())


class TruePeak:
    """The running true peak of a stereo sound that is given block by block, as planes of shape ``(2, n)``.

    The table is meant for 48 kHz and serves for 44.1 kHz as well. A tenth of a second is oversampled only where its
    samples are high enough to raise the peak: between samples the filter can give no more than 2.03 times the
    highest of them. That changes no result.
    """

    def __init__(self) -> None:
        self._before = np.zeros((CHANNELS, _TAPS - 1), dtype=np.float32)
        self._rows = np.zeros((CHANNELS, _ROWS, _WIDTH), dtype=np.float32)
        self._values = np.zeros((CHANNELS * _ROWS, _BAND.shape[1]), dtype=np.float32)
        self._sample_peak = 0.0
        self._peak = 0.0

    @property
    def sample_peak(self) -> float:
        """The highest sample so far, linear."""
        return self._sample_peak

    @property
    def peak(self) -> float:
        """The true peak so far, linear; never less than the highest sample."""
        return max(self._peak, self._sample_peak)

    def update(self, planes: NDArray[np.float32]) -> None:
        """Take the next block, of any length."""
        sound = np.concatenate((self._before, planes), axis=1)
        self._before = sound[:, sound.shape[1] - (_TAPS - 1) :]
        for at in range(0, planes.shape[1], _ROWS * _ROW):
            self._look(sound[:, at : at + _ROWS * _ROW + _TAPS - 1])

    def finish(self) -> float:
        """Let the filter ring out; gives the peak."""
        self.update(np.zeros((CHANNELS, _TAPS - 1), dtype=np.float32))
        return self.peak

    def _look(self, sound: NDArray[np.float32]) -> None:
        highest = _highest(sound)
        self._sample_peak = max(self._sample_peak, highest)
        if highest * _HIGHEST_GAIN > self.peak:
            self._peak = max(self._peak, _highest(self._oversampled(sound)))

    def _oversampled(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        # One product of short overlapping rows with a banded matrix is what BLAS is fastest at.
        if sound.shape[1] < _ROWS * _ROW + _TAPS - 1:
            sound = np.pad(sound, ((0, 0), (0, _ROWS * _ROW + _TAPS - 1 - sound.shape[1])))
        np.copyto(self._rows, sliding_window_view(sound, _WIDTH, axis=1)[:, ::_ROW])
        return np.matmul(self._rows.reshape(-1, _WIDTH), _BAND, out=self._values)


def _band() -> NDArray[np.float32]:
    band = np.zeros((_WIDTH, _ROW, len(_PHASES[0])), dtype=np.float32)
    for at in range(_ROW):
        band[at : at + _TAPS, at] = _PHASES
    return band.reshape(len(band), -1)


_BAND: Final = _band()


def _highest(values: NDArray[np.float32]) -> float:
    return float(max(values.max(initial=0.0), -values.min(initial=0.0)))
