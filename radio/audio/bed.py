"""The built-in bed: quiet, musical, endless; what is heard when there is nothing else to play.

It is made once, with NumPy alone: each chord is a cloud of narrow bands of noise around its partials, laid
out in the spectrum with random phases and turned into sound by one inverse transform. Such a sound loops
without a seam. Four chords melt into each other with equal power over one loop.

Nothing in it is above 2.3 kHz, so the loop is made and held at 6 kHz, and brought to 48 kHz as it is read. At the
full rate it would be 5 MB, and NumPy would keep the plan of the transform, 10 MB more.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from radio.audio.pcm import Pcm
from radio.units import CHANNELS, SAMPLE_RATE_HZ, gain_factor

_LOOP_S: Final = 24
_LOOP_SAMPLES: Final = _LOOP_S * SAMPLE_RATE_HZ
_RATIO: Final = 8
_HELD: Final = _LOOP_SAMPLES // _RATIO
_REACH: Final = 12
"""Samples of the loop on either side that one of the sound is made of."""
_NEAR: Final = np.arange(1 - _REACH, 1 + _REACH)
_KAISER_BETA: Final = 9.0  # 90 dB
_SEED: Final = 1909
_BAND_CENTS: Final = 9.0
_PARTIALS: Final = 5

# Semitones from A3: D with a sixth, G with a seventh, A suspended, B minor with a seventh.
_CHORDS: Final = ((-19, -7, 0, 2, 9), (-14, -7, -3, 2, 10), (-12, -5, 2, 4, 7), (-10, -3, 2, 5, 12))
_A3_HZ: Final = 220.0

# Measured once, by FFmpeg's ebur128 over one loop.
_LOUDNESS_OF_UNIT_RMS: Final = 2.0


class Bed:
    """An endless :class:`radio.audio.pcm.PcmSource`. Its loudness (ITU-R BS.1770) is ``loudness_lufs``.

    A station sets it about 6 LU below its target. Every bed starts at the same sample and sounds the same.
    """

    DEFAULT_LUFS: Final = -24.0

    def __init__(self, loudness_lufs: float = DEFAULT_LUFS) -> None:
        self._gain = np.float32(gain_factor(loudness_lufs - _LOUDNESS_OF_UNIT_RMS))
        self._at = 0

    def read(self, n: int) -> Pcm:
        """The next ``n`` sample frames, always all of them."""
        loop, factor = _loop()
        first, skipped = divmod(self._at, _RATIO)
        steps = np.arange(first, first + -(-(skipped + n) // _RATIO))
        self._at = (self._at + n) % _LOOP_SAMPLES
        near = np.take(loop, (steps[:, None] + _NEAR) % _HELD, axis=1) @ _interpolation()
        sound: Pcm = near.reshape(CHANNELS, -1).T[skipped : skipped + n] * (self._gain * factor)
        return sound

    @staticmethod
    def prepare() -> None:
        """Make the loop that all beds share, which takes some 50 ms; the first bed does it else."""
        _loop()

    def close(self) -> None:
        """Nothing to let go of: all beds share one loop."""


@cache
def _loop() -> tuple[NDArray[np.float32], np.float32]:
    """One loop as planes ``(2, n)`` at the lower rate, and the factor that gives it an RMS of one."""
    random = Random(_SEED)
    loop = np.zeros((CHANNELS, _HELD), dtype=np.float32)
    for number, chord in enumerate(_CHORDS):
        swell = _swell(number)
        for plane in loop:
            plane += _cloud(chord, random) * swell
    return loop, np.float32(1 / np.sqrt(np.mean(loop**2)))


@cache
def _interpolation() -> NDArray[np.float32]:
    """What each of the samples nearby weighs in each of the ``_RATIO`` that follow one: a windowed sinc."""
    distance = np.arange(_RATIO) / _RATIO - _NEAR[:, None]
    window = np.i0(_KAISER_BETA * np.sqrt(np.maximum(0.0, 1 - (distance / _REACH) ** 2)))
    weights = np.sinc(distance) * window
    shares: NDArray[np.float32] = (weights / weights.sum(axis=0)).astype(np.float32)
    return shares


def _swell(number: int) -> NDArray[np.float32]:
    # A chord rises over a quarter of the loop and falls over the next, as the next one rises.
    turns = np.arange(_HELD) / _HELD * len(_CHORDS) - number
    distance = np.abs((turns + len(_CHORDS) / 2) % len(_CHORDS) - len(_CHORDS) / 2)
    return np.cos(np.minimum(distance, 1.0) * (np.pi / 2)).astype(np.float32)


def _cloud(chord: tuple[int, ...], random: Random) -> NDArray[np.float32]:
    spectrum = np.zeros(_HELD // 2 + 1, dtype=np.complex64)
    for semitone in chord:
        fundamental_hz = _A3_HZ * 2.0 ** (semitone / 12)
        for partial in range(1, _PARTIALS + 1):
            _add_band(spectrum, fundamental_hz * partial, partial**-1.7, random)
    sound = np.fft.irfft(spectrum, _HELD).astype(np.float32)
    sound /= np.sqrt(np.mean(sound**2))
    return sound


def _add_band(spectrum: NDArray[np.complex64], centre_hz: float, amplitude: float, random: Random) -> None:
    width = centre_hz * (2.0 ** (_BAND_CENTS / 1200) - 1) * _LOOP_S
    centre = centre_hz * _LOOP_S
    bins = np.arange(int(centre - 4 * width), int(centre + 4 * width) + 1)
    shape = np.exp(-0.5 * ((bins - centre) / width) ** 2)
    turns = np.frombuffer(random.randbytes(2 * len(bins)), dtype="<u2") / 65_536
    spectrum[bins] += amplitude * shape * np.exp(2j * np.pi * turns) / np.sqrt(np.sum(shape**2))
