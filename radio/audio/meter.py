"""Levels of blocks of sound, and how long a station has been silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from radio.audio.pcm import Pcm
from radio.units import SAMPLES_PER_MS, Decibels, DurationMs, samples_of

FLOOR_DB: Final = Decibels(-120.0)
"""The level of digital silence; no level is told below it."""

_WINDOW: Final = samples_of(10)


@dataclass(frozen=True, slots=True)
class Level:
    """One block: its RMS and sample peak in dBFS, and the length of the silence that is running at its
    end."""

    rms_db: Decibels
    peak_db: Decibels
    silence_ms: DurationMs


class Meter:
    """Watches one station's sound. Silence is sound whose RMS stays at or below ``silence_db`` (dBFS).

    Silence is judged in windows of 10 ms, so that it is counted to about that precision in blocks of any
    size.
    """

    def __init__(self, *, silence_db: float = -50.0) -> None:
        self._silent_power = 10.0 ** (silence_db / 10.0)
        self._silent_samples = 0

    @property
    def silence_ms(self) -> DurationMs:
        """How long it has been silent now; 0 while there is sound."""
        return DurationMs(self._silent_samples // SAMPLES_PER_MS)

    def update(self, block: Pcm) -> Level:
        """Measure the next block and carry the running silence on."""
        if self._ends_loud(block):
            self._silent_samples = 0
        else:
            self._count_silence(block)
        return Level(self.rms_db(block), self.peak_db(block), self.silence_ms)

    def _ends_loud(self, block: Pcm) -> bool:
        # most blocks do, and then there is nothing to look for
        last = block[-((len(block) - 1) % _WINDOW + 1) :].reshape(-1) if len(block) else block.reshape(-1)
        return len(last) > 0 and float(np.dot(last, last)) > self._silent_power * len(last)

    def _count_silence(self, block: Pcm) -> None:
        powers = _window_powers(block)
        loud = np.flatnonzero(powers > self._silent_power)
        if len(loud):
            self._silent_samples = max(0, len(block) - (int(loud[-1]) + 1) * _WINDOW)
        else:
            self._silent_samples += len(block)

    @staticmethod
    def rms_db(block: Pcm) -> Decibels:
        """The RMS level over both channels in dBFS: a sine of full scale reads -3.01. Empty reads the
        floor."""
        if not block.size:
            return FLOOR_DB
        flat = block.reshape(-1)
        return _decibels(float(np.dot(flat, flat)) / block.size)

    @staticmethod
    def peak_db(block: Pcm) -> Decibels:
        """The highest sample of either channel in dBFS."""
        return _decibels(max(float(block.max(initial=0.0)), -float(block.min(initial=0.0))) ** 2)


def _window_powers(block: Pcm) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    frame_powers = np.einsum("ij,ij->i", block, block) / block.shape[1]
    starts = np.arange(0, len(block), _WINDOW)
    if not len(starts):
        return np.zeros(0, dtype=np.float32)
    sums = np.add.reduceat(frame_powers, starts)
    return np.asarray(sums / np.diff(np.append(starts, len(block))), dtype=np.float32)


def _decibels(power: float) -> Decibels:
    if power <= 10.0 ** (FLOOR_DB / 10.0):
        return FLOOR_DB
    return Decibels(float(10.0 * np.log10(power)))
