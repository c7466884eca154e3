"""What an item's sound is like, in one pass: length, loudness, true peak, and where it is heard.

Measured is the sound as it goes on the air: what :class:`radio.audio.decode.Deck` gives, 48 kHz and two
channels. Loudness is the integrated loudness of EBU R 128 (ITU-R BS.1770-4), by FFmpeg's ``ebur128`` filter.
A mono file sounds on both channels and measures 3 LU more than its one channel alone would.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import msgspec
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph
from numpy.typing import NDArray

from radio.audio.decode import Deck
from radio.audio.guard import check_file
from radio.audio.pcm import Pcm
from radio.audio.true_peak import TruePeak
from radio.errors import AudioError
from radio.units import SAMPLE_RATE_HZ, SAMPLES_PER_MS, Decibels, DurationMs, Lufs, Samples, gain_factor

MAX_LENGTH_S: Final = 12 * 3600
"""Longer files are refused."""

MAX_LEAD_MS: Final = 5_000
"""At most so much silence is left out at the start of an item."""

MAX_TRAIL_MS: Final = 15_000
"""At most so much silence is left out at the end of an item."""

_LEAD_KEPT_MS: Final = 10
_TRAIL_KEPT_MS: Final = 200
_BLOCK: Final = SAMPLE_RATE_HZ
_GATE_LUFS: Final = -70.0
_SILENCE_BELOW_LOUDNESS_DB: Final = 36.0
_SILENCE_DB: Final = (-60.0, -50.0)


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """The sound of one file.

    ``samples`` counts what was decoded, at 48 kHz; ``duration_ms`` is the same rounded down.
    ``loudness_lufs`` is None for sound below the absolute gate of -70 LUFS or shorter than 400 ms,
    ``true_peak_db`` (dBTP) for digital silence. ``cue_in_ms`` and ``cue_out_ms`` leave out leading and
    trailing silence.
    """

    duration_ms: DurationMs
    samples: Samples
    source_rate_hz: int
    source_channels: int
    loudness_lufs: Lufs | None
    true_peak_db: Decibels | None
    cue_in_ms: DurationMs
    cue_out_ms: DurationMs


def measure(path: Path) -> Measurement:
    """Decode the whole of ``path`` and measure it. Blocks for about a second per five minutes of sound.

    :raises AudioError: the file cannot be played to its end, or is shorter than 1 ms or longer than 12 hours.
    """
    deck = Deck(check_file(path.absolute()))
    try:
        return _measured(path, deck)
    finally:
        deck.close()


def _measured(path: Path, deck: Deck) -> Measurement:
    loudness, true_peak, edges, samples = _Loudness(), TruePeak(), _Edges(), 0
    while len(block := deck.read(_BLOCK)):
        samples += len(block)
        if samples > MAX_LENGTH_S * SAMPLE_RATE_HZ:
            raise AudioError(path, f"longer than {MAX_LENGTH_S // 3600} hours")
        loudness.update(block)
        true_peak.update(block)
        edges.update(block)
    if deck.failed is not None:
        raise AudioError(path, deck.failed)
    if samples < SAMPLES_PER_MS:
        raise AudioError(path, f"only {samples} samples of sound")
    lufs, peak = loudness.integrated(), true_peak.finish()
    cue_in_ms, cue_out_ms = edges.cues(_silence_db(lufs))
    return Measurement(
        duration_ms=DurationMs(samples // SAMPLES_PER_MS),
        samples=Samples(samples),
        source_rate_hz=deck.source_rate_hz,
        source_channels=deck.source_channels,
        loudness_lufs=lufs,
        true_peak_db=Decibels(round(float(20 * np.log10(peak)), 2)) if peak > 0 else None,
        cue_in_ms=cue_in_ms,
        cue_out_ms=cue_out_ms,
    )


def _silence_db(lufs: Lufs | None) -> float:
    # What is silence beside a loud piece may be the start of a quiet one.
    lowest, highest = _SILENCE_DB
    return lowest if lufs is None else min(highest, max(lowest, lufs - _SILENCE_BELOW_LOUDNESS_DB))


class _Loudness:
    """FFmpeg's ebur128, fed with blocks; its latest report hangs on the frames that come out."""

    def __init__(self) -> None:
        self._graph = Graph()
        source = self._graph.add(
            "abuffer",
            sample_rate=str(SAMPLE_RATE_HZ),
            sample_fmt="flt",
            channel_layout="stereo",
            time_base=f"1/{SAMPLE_RATE_HZ}",
        )
        meter = self._graph.add("ebur128", "metadata=1:framelog=quiet")
        sink = self._graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        self._graph.configure()
        self._samples = 0
        self._integrated = _GATE_LUFS

    def update(self, block: Pcm) -> None:
        frame = AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, self._samples
        frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
        self._samples += len(block)
        self._graph.push(frame)
        self._pull()

    def integrated(self) -> Lufs | None:
        self._graph.push(None)
        self._pull()
        return Lufs(round(self._integrated, 2)) if self._integrated > _GATE_LUFS else None

    def _pull(self) -> None:
        while True:
            try:
                metered = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            self._integrated = float(metered.metadata.get("lavfi.r128.I", self._integrated))


class _Edges:
    """The highest sample of each millisecond, for the first and the last seconds."""

    def __init__(self) -> None:
        self._first: list[NDArray[np.float32]] = []
        self._last: deque[NDArray[np.float32]] = deque(maxlen=MAX_TRAIL_MS * SAMPLES_PER_MS // _BLOCK + 1)
        self._length_ms = 0

    def update(self, block: Pcm) -> None:
        whole = len(block) - len(block) % SAMPLES_PER_MS
        peaks = np.abs(block[:whole]).reshape(-1, SAMPLES_PER_MS * block.shape[1]).max(axis=1)
        if self._length_ms < MAX_LEAD_MS:
            self._first.append(peaks)
        self._last.append(peaks)
        self._length_ms += len(peaks)

    def cues(self, silence_db: float) -> tuple[DurationMs, DurationMs]:
        threshold = gain_factor(silence_db)
        lead = _silent_run(np.concatenate(self._first), threshold, MAX_LEAD_MS)
        trail = _silent_run(np.concatenate(self._last)[::-1], threshold, MAX_TRAIL_MS)
        cue_in_ms = max(0, lead - _LEAD_KEPT_MS)
        cue_out_ms = self._length_ms - max(0, trail - _TRAIL_KEPT_MS)
        if cue_in_ms >= cue_out_ms or lead >= self._length_ms:
            return DurationMs(0), DurationMs(self._length_ms)
        return DurationMs(cue_in_ms), DurationMs(cue_out_ms)


def _silent_run(peaks: NDArray[np.float32], threshold: float, limit: int) -> int:
    loud = np.flatnonzero(peaks[:limit] > threshold)
    return int(loud[0]) if len(loud) else min(len(peaks), limit)
