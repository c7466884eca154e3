"""True peak by ITU-R BS.1770-4, annex 2: the highest value of the sound at four times its rate. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from radio.audio.pcm import Pcm
from radio.units import CHANNELS

TAPS: Final = 12
"""Samples that one value between samples is made of."""

_ROW: Final = 12
_ROWS: Final = 400
_WIDTH: Final = _ROW + TAPS - 1

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
HIGHEST_GAIN: Final = float(np.abs(_PHASES).sum(axis=0).max())
"""Between samples the sound is at most this many times the highest of them."""


class TruePeak:
    """The running true peak of a stereo sound that is given block by block, as planes of shape ``(2, n)``.

    The table is meant for 48 kHz and serves for 44.1 kHz as well. A tenth of a second is oversampled only where its
    samples are high enough to raise the peak: between samples the filter can give no more than 2.03 times the
    highest of them. That changes no result.
    """

    def __init__(self) -> None:
        self._before = np.zeros((CHANNELS, TAPS - 1), dtype=np.float32)
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
        self._before = sound[:, sound.shape[1] - (TAPS - 1) :]
        for at in range(0, planes.shape[1], _ROWS * _ROW):
            self._look(sound[:, at : at + _ROWS * _ROW + TAPS - 1])

    def finish(self) -> float:
        """Let the filter ring out; gives the peak."""
        self.update(np.zeros((CHANNELS, TAPS - 1), dtype=np.float32))
        return self.peak

    def _look(self, sound: NDArray[np.float32]) -> None:
        highest = _highest(sound)
        self._sample_peak = max(self._sample_peak, highest)
        if highest * HIGHEST_GAIN > self.peak:
            self._peak = max(self._peak, _highest(self._oversampled(sound)))

    def _oversampled(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        # One product of short overlapping rows with a banded matrix is what BLAS is fastest at.
        if sound.shape[1] < _ROWS * _ROW + TAPS - 1:
            sound = np.pad(sound, ((0, 0), (0, _ROWS * _ROW + TAPS - 1 - sound.shape[1])))
        np.copyto(self._rows, sliding_window_view(sound, _WIDTH, axis=1)[:, ::_ROW])
        return np.matmul(self._rows.reshape(-1, _WIDTH), _BAND, out=self._values)


def _band() -> NDArray[np.float32]:
    band = np.zeros((_WIDTH, _ROW, len(_PHASES[0])), dtype=np.float32)
    for at in range(_ROW):
        band[at : at + TAPS, at] = _PHASES
    return band.reshape(len(band), -1)


_BAND: Final = _band()
_BAND_BY_PHASE: Final = np.ascontiguousarray(
    _BAND.reshape(_WIDTH, _ROW, len(_PHASES[0])).transpose(0, 2, 1).reshape(_WIDTH, -1)
)


def _highest(values: NDArray[np.float32]) -> float:
    return float(max(values.max(initial=0.0), -values.min(initial=0.0)))


def sample_true_peaks(sound: Pcm, *, floor: float) -> NDArray[np.float32] | None:
    """For each sample of ``sound`` but the first ``TAPS - 1`` the true peak that ends there, of both channels.

    ``sound`` has the shape ``(TAPS - 1 + n, 2)``, the result ``(n,)``: the highest of the four values that the filter
    gives for that sample and the 11 before it, and of the sample itself. Values that cannot pass ``floor`` are 0, and
    None stands for nothing above it; only where samples are high enough is there anything to compute.
    """
    n = len(sound) - (TAPS - 1)
    highest = np.maximum(np.abs(sound[:, 0]), np.abs(sound[:, 1]))
    rows = _rows_of(np.flatnonzero(highest * np.float32(HIGHEST_GAIN) > floor), n)
    if not len(rows):
        return None
    values = _values_of(sound, rows)
    if max(_highest(values), float(highest.max())) <= floor:
        return None
    by_phase = np.abs(values, out=values).reshape(CHANNELS, len(rows), len(_PHASES[0]), _ROW)
    peaks = np.zeros((-(-n // _ROW), _ROW), dtype=np.float32)
    peaks[rows] = by_phase.max(axis=(0, 2))
    return np.maximum(peaks.reshape(-1)[:n], highest[TAPS - 1 :])


def true_peak_near(sound: Pcm, *, within: float = 0.7) -> float:
    """The true peak of ``sound``, shape ``(n, 2)``, looked for where samples reach ``within`` of the highest.

    For meters: it costs little, and a true peak that stands by itself is told a little low.
    """
    if len(sound) < TAPS:
        return float(np.abs(sound).max(initial=0.0))
    highest = np.maximum(np.abs(sound[:, 0]), np.abs(sound[:, 1]))
    peak = float(highest.max())
    rows = _rows_of(np.flatnonzero(highest >= within * peak), len(sound) - (TAPS - 1))
    return max(peak, _highest(_values_of(sound, rows))) if peak > 0 else 0.0


def _values_of(sound: Pcm, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """What the filter gives in these rows of 12 samples: a line for each channel and row, phase by phase."""
    whole_rows = -(-(len(sound) - (TAPS - 1)) // _ROW)
    planes = np.zeros((CHANNELS, TAPS - 1 + whole_rows * _ROW), dtype=np.float32)
    planes[:, : len(sound)] = sound.T
    windows = sliding_window_view(planes, _WIDTH, axis=1)[:, ::_ROW][:, rows]
    values: NDArray[np.float32] = np.matmul(windows.reshape(-1, _WIDTH), _BAND_BY_PHASE)
    return values


def _rows_of(high: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    # a sample is heard in the value that ends there and in the 11 after it: in one row of 12 or in two
    rows = np.zeros(-(-n // _ROW) + 2, dtype=bool)
    rows[np.maximum(high - (TAPS - 1), 0) // _ROW] = True
    rows[high // _ROW] = True
    return np.flatnonzero(rows[: -(-n // _ROW)])
