"""True peak by ITU-R BS.1770-4, annex 2: the highest value of the sound at four times its rate. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from radio.audio.pcm import Pcm, silence

_TAPS: Final = 12
_SEGMENT: Final = 480

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
    """The running true peak of a sound that is given block by block.

    Only segments are oversampled whose samples are high enough to raise the peak: between samples the filter
    can give no more than 2.03 times the highest of them. That changes no result.
    """

    def __init__(self) -> None:
        self._before = silence(_TAPS - 1)
        self._peak = 0.0

    @property
    def peak(self) -> float:
        """The true peak so far, linear; never less than the highest sample."""
        return self._peak

    def update(self, block: Pcm) -> None:
        """Take the next block, of any length."""
        sound = np.concatenate((self._before, block))
        self._before = sound[len(sound) - (_TAPS - 1) :]
        self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        for channel in sound.T:
            self._oversample(np.ascontiguousarray(channel))

    def finish(self) -> float:
        """Let the filter ring out; gives the peak."""
        self.update(silence(_TAPS - 1))
        return self._peak

    def _oversample(self, channel: NDArray[np.float32]) -> None:
        outputs = len(channel) - (_TAPS - 1)
        padded = np.pad(channel, (0, -outputs % _SEGMENT))
        segments = sliding_window_view(padded, _SEGMENT + _TAPS - 1)[::_SEGMENT]
        highest = np.abs(segments).max(axis=1)
        order = np.argsort(highest)[::-1]
        for some in np.array_split(order, max(1, len(order) // 10)):
            some = some[highest[some] * _HIGHEST_GAIN > self._peak]
            if not len(some):
                return
            windows = sliding_window_view(segments[some], _TAPS, axis=1)
            self._peak = max(self._peak, float(np.abs(windows @ _PHASES).max()))
