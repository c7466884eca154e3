"""Where a sound is silent: at its ends, which gives the cues, and inside. Pure."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from radio.audio.windows import WINDOW_MS, Windows
from radio.units import DurationMs, gain_factor

MAX_LEAD_MS: Final = 5_000
"""At most so much silence is left out at the start of an item."""

MAX_TRAIL_MS: Final = 15_000
"""At most so much silence is left out at the end of an item."""

MIN_SILENCE_MS: Final = 1_000
"""Silence inside of a sound that is shorter is a pause."""

MAX_SILENCES: Final = 100
"""The longest so many are told."""

_LEAD_KEPT_MS: Final = 10
_TRAIL_KEPT_MS: Final = 200
_BELOW_LOUDNESS_DB: Final = 36.0
_SILENCE_DB: Final = (-60.0, -50.0)
_STEPS_PER_DB: Final = 2.0
_FLOOR_DB: Final = -127.0

Span: TypeAlias = tuple[DurationMs, DurationMs]


def silence_db(lufs: float | None) -> float:
    """The level that counts as silence in a sound of that loudness: 36 dB below it, -60 to -50 dBFS.

    What is silence beside a loud piece may be the start of a quiet one.
    """
    lowest, highest = _SILENCE_DB
    return lowest if lufs is None else min(highest, max(lowest, lufs - _BELOW_LOUDNESS_DB))


class Silences:
    """Remembers the highest sample of every 10 ms in steps of half a dB (one byte each: 360 kB an hour), and
    of every 1 ms of the first seconds."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._first: list[NDArray[np.float32]] = []
        self._levels = bytearray()
        self._samples = 0

    def update(self, planes: NDArray[np.float32], windows: Windows) -> None:
        """Take the next block; all but the last must be one second long."""
        if self._samples < MAX_LEAD_MS * self._rate_hz // 1000:
            self._first.append(_peaks_per_ms(planes, self._rate_hz))
        self._levels += _levels(windows.peaks.max(axis=0)).tobytes()
        self._samples += planes.shape[1]

    @property
    def length_ms(self) -> DurationMs:
        """The length of the sound, rounded down."""
        return DurationMs(self._samples * 1000 // self._rate_hz)

    def cues(self, threshold_db: float) -> Span:
        """Where the sound starts, to 1 ms, and where it ends, to 10 ms; all of it where it is silent."""
        length_ms = self.length_ms
        first = np.concatenate(self._first)[: min(MAX_LEAD_MS, length_ms)]
        loud = np.flatnonzero(first > gain_factor(threshold_db))
        lead = int(loud[0]) if len(loud) else len(first)
        trail = min(MAX_TRAIL_MS, length_ms - self._last_sound_ms(threshold_db))
        cue_in_ms = max(0, lead - _LEAD_KEPT_MS)
        cue_out_ms = length_ms - max(0, trail - _TRAIL_KEPT_MS)
        if cue_in_ms >= cue_out_ms or lead >= length_ms:
            return DurationMs(0), length_ms
        return DurationMs(cue_in_ms), DurationMs(cue_out_ms)

    def inside(self, threshold_db: float, cues: Span) -> tuple[Span, ...]:
        """The silences of a second or more between the cues, in order; none in a sound that is all silent."""
        silent = np.frombuffer(self._levels, dtype=np.uint8) <= _level(threshold_db)
        if silent.all():
            return ()
        edges = np.flatnonzero(np.diff(np.pad(silent.view(np.int8), 1))) * WINDOW_MS
        spans = np.clip(edges.reshape(-1, 2), *cues)
        # What is left of the silences at the ends is shorter than a second, if they were cut off.
        long = spans[(spans[:, 1] - spans[:, 0]) >= MIN_SILENCE_MS]
        if len(long) > MAX_SILENCES:
            long = long[np.sort(np.argsort(long[:, 0] - long[:, 1], kind="stable")[:MAX_SILENCES])]
        return tuple((DurationMs(int(start)), DurationMs(int(end))) for start, end in long)

    def _last_sound_ms(self, threshold_db: float) -> int:
        last = np.frombuffer(self._levels, dtype=np.uint8)[-(MAX_TRAIL_MS // WINDOW_MS + 1) :]
        loud = np.flatnonzero(last > _level(threshold_db))
        before = len(self._levels) - len(last)
        return min(self.length_ms, (before + int(loud[-1]) + 1) * WINDOW_MS) if len(loud) else 0


def _peaks_per_ms(planes: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    starts = np.arange(-(-planes.shape[1] * 1000 // rate_hz)) * rate_hz // 1000
    peaks: NDArray[np.float32] = np.maximum.reduceat(
        np.abs(planes).max(axis=0), starts[starts < planes.shape[1]]
    )
    return peaks


def _level(db: float) -> int:
    return int((db - _FLOOR_DB) * _STEPS_PER_DB)


def _levels(peaks: NDArray[np.float32]) -> NDArray[np.uint8]:
    db = 20 * np.log10(np.maximum(peaks, 1e-9))
    return np.clip(np.ceil((db - _FLOOR_DB) * _STEPS_PER_DB), 0, 255).astype(np.uint8)
