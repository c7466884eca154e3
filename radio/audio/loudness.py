"""Loudness by EBU R 128 (ITU-R BS.1770-4, EBU Tech 3341 and 3342), measured by FFmpeg's ``ebur128`` filter."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph
from numpy.typing import NDArray

from radio.units import Lufs

GATE_LUFS: Final = -70.0
"""The absolute gate of BS.1770-4; nothing below it has a loudness."""

_SILENT_LUFS: Final = -120.0


@dataclass(frozen=True, slots=True)
class LoudnessReport:
    """``integrated_lufs``, ``range_lu`` (Tech 3342) and ``max_momentary_lufs`` are None below the gate.

    ``momentary_lufs[k]`` is the loudness of the 400 ms that end at ``100 (k + 1)`` ms; -120 until there are so
    many.
    """

    integrated_lufs: Lufs | None
    range_lu: float | None
    max_momentary_lufs: Lufs | None
    momentary_lufs: NDArray[np.float32]


class Loudness:
    """The loudness of a stereo sound of ``rate_hz`` that is given block by block, as planes ``(2, n)``."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._graph = _graph(rate_hz)
        self._samples = 0
        self._momentary = array("f")
        self._report: dict[str, str] = {}

    def update(self, planes: NDArray[np.float32]) -> None:
        """Take the next block, of any length; its memory must be in one piece."""
        self._graph.push(_frame(planes, self._rate_hz, self._samples))
        self._samples += planes.shape[1]
        self._pull()

    def finish(self) -> LoudnessReport:
        """What was measured; nothing can be given afterwards."""
        self._graph.push(None)
        self._pull()
        integrated = _above_gate(float(self._report.get("lavfi.r128.I", GATE_LUFS)))
        loudness_range = round(float(self._report.get("lavfi.r128.LRA", 0.0)), 2)
        # After a sound the filter's running sum may end a hair below zero, whose logarithm is no number.
        momentary = np.nan_to_num(np.array(self._momentary, dtype=np.float32), nan=_SILENT_LUFS)
        return LoudnessReport(
            integrated_lufs=integrated,
            range_lu=None if integrated is None else loudness_range,
            max_momentary_lufs=_above_gate(float(momentary.max(initial=GATE_LUFS))),
            momentary_lufs=momentary,
        )

    def _pull(self) -> None:
        while True:
            try:
                report = self._graph.pull().metadata
            except (av.BlockingIOError, av.EOFError):
                return
            momentary = report.get("lavfi.r128.M")
            if momentary is not None:
                self._momentary.append(float(momentary))
                self._report = report


def _frame(planes: NDArray[np.float32], rate_hz: int, pts: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, pts, Fraction(1, rate_hz)
    return frame


def _above_gate(lufs: float) -> Lufs | None:
    return Lufs(round(lufs, 2)) if lufs > GATE_LUFS else None


def _graph(rate_hz: int) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add(
        "abuffer",
        sample_rate=str(rate_hz),
        sample_fmt="fltp",
        channel_layout="stereo",
        time_base=f"1/{rate_hz}",
    )
    meter = graph.add("ebur128", "metadata=1:framelog=quiet")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    return graph
