"""The loudness of a sound that never ends (ITU-R BS.1770-4), for meters that show it as it sounds.

FFmpeg's ``ebur128`` holds three seconds of filtered sound for each channel, over 3 MB a meter, and is made to measure
whole files (:mod:`radio.audio.loudness`). Here FFmpeg filters and what is kept are powers of 100 ms.
"""

from __future__ import annotations

from collections import deque
from math import log10
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph
from numpy.typing import NDArray

from radio.audio.loudness import GATE_LUFS
from radio.units import SAMPLE_RATE_HZ, Lufs

_STEP: Final = SAMPLE_RATE_HZ // 10
_MOMENTARY: Final = 4
_SHORT_TERM: Final = 30
_RELATIVE_GATE_LU: Final = -10.0

# BS.1770-4, tables 1 and 2: the shelf and the high-pass of the K-weighting at 48 kHz
_K_WEIGHTING: Final = (
    "b0=1.53512485958697:b1=-2.69169618940638:b2=1.19839281085285:a0=1:a1=-1.69065929318241:a2=0.73248077421585",
    "b0=1:b1=-2:b2=1:a0=1:a1=-1.99004745483398:a2=0.99007225036621",
)
_OFFSET_LU: Final = -0.691

_BINS_PER_LU: Final = 100
_BINS: Final = 100 * _BINS_PER_LU
_BIN_POWERS: Final[NDArray[np.float64]] = 10 ** (
    (np.arange(_BINS) / _BINS_PER_LU + GATE_LUFS - _OFFSET_LU) / 10
)


class RunningLoudness:
    """The loudness of a stereo sound of 48 kHz, given block by block.

    ``momentary_lufs`` is that of the last 400 ms, ``short_term_lufs`` of the last 3 s, both as of the last full
    100 ms; None below the gate of -70 LUFS.
    """

    def __init__(self) -> None:
        self._graph = _graph()
        self._samples = 0
        self._rest = np.zeros((2, 0), dtype=np.float32)
        self._powers: deque[float] = deque(maxlen=_SHORT_TERM)
        self._counts = np.zeros(_BINS, dtype=np.uint32)
        self.momentary_lufs: Lufs | None = None
        self.short_term_lufs: Lufs | None = None

    @property
    def integrated_lufs(self) -> Lufs | None:
        """The loudness of all so far, with the absolute and the relative gate, to 0.01 LU; None below the gate."""
        overall = self._mean_from(0)
        if overall is None:
            return None
        gate_lufs = _lufs_of(overall) + _RELATIVE_GATE_LU
        return _shown(self._mean_from(max(0, _bin_of(gate_lufs))))

    def update(self, planes: NDArray[np.float32]) -> None:
        """Take the next block, of any length, as planes ``(2, n)`` whose memory is in one piece."""
        if not planes.shape[1]:
            return
        frame = AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, self._samples
        self._samples += planes.shape[1]
        self._graph.push(frame)
        weighted = np.concatenate((self._rest, *self._pulled()), axis=1)
        whole = weighted.shape[1] // _STEP * _STEP
        self._rest = weighted[:, whole:].copy()
        steps = weighted[:, :whole].reshape(2, -1, _STEP)
        for power in np.einsum("cks,cks->k", steps, steps) / _STEP:
            self._add(float(power))

    def _pulled(self) -> list[NDArray[Any]]:
        pulled: list[NDArray[Any]] = []
        while True:
            try:
                pulled.append(self._graph.pull().to_ndarray())
            except (av.BlockingIOError, av.EOFError):
                return pulled

    def _add(self, power: float) -> None:
        powers = self._powers
        powers.append(power)
        last = [powers[-back] for back in range(1, min(_MOMENTARY, len(powers)) + 1)]
        momentary = sum(last) / _MOMENTARY
        self.momentary_lufs = _shown(momentary)
        self.short_term_lufs = _shown(sum(powers) / _SHORT_TERM)
        if len(last) == _MOMENTARY and (at := _bin_of(_lufs_of(momentary))) >= 0:
            self._counts[min(at, _BINS - 1)] += 1

    def _mean_from(self, first: int) -> float | None:
        counts = self._counts[first:]
        total = int(counts.sum())
        return float(counts @ _BIN_POWERS[first:]) / total if total else None


def _bin_of(lufs: float) -> int:
    return round((lufs - GATE_LUFS) * _BINS_PER_LU)


def _lufs_of(power: float) -> float:
    return _OFFSET_LU + 10 * log10(max(power, 1e-20))


def _shown(power: float | None) -> Lufs | None:
    lufs = GATE_LUFS if power is None else _lufs_of(power)
    return Lufs(round(lufs, 2)) if lufs > GATE_LUFS else None


def _graph() -> Graph:
    graph = Graph()
    graph.threads = 1
    chain = [
        graph.add(
            "abuffer",
            sample_rate=str(SAMPLE_RATE_HZ),
            sample_fmt="fltp",
            channel_layout="stereo",
            time_base=f"1/{SAMPLE_RATE_HZ}",
        ),
        *(graph.add("biquad", coefficients) for coefficients in _K_WEIGHTING),
        graph.add("abuffersink"),
    ]
    graph.link_nodes(*chain).configure()
    return graph
