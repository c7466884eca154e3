"""The built-in bed: quiet, musical, endless; what is heard when there is nothing else to play.

It is made once, with NumPy alone: each chord is a cloud of narrow bands of noise around its partials, laid
out in the spectrum with random phases and turned into sound by one inverse transform. Such a sound loops
without a seam. Four chords melt into each other with equal power over one loop.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from radio.audio.pcm import Pcm
from radio.units import CHANNELS, SAMPLE_RATE_HZ, gain_factor

_LOOP_S: Final = 24
_LOOP_SAMPLES: Final = _LOOP_S * SAMPLE_RATE_HZ
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
        index = np.arange(self._at, self._at + n) % _LOOP_SAMPLES
        self._at = (self._at + n) % _LOOP_SAMPLES
        sound: Pcm = loop[index] * (self._gain * factor)
        return sound

    @staticmethod
    def prepare() -> None:
        """Make the loop that all beds share, which takes about half a second; the first bed does it else."""
        _loop()

    def close(self) -> None:
        """Nothing to let go of: all beds share one loop."""


@cache
def _loop() -> tuple[NDArray[np.int16], np.float32]:
    """One loop in 16 bits, which is half the memory, and the factor that gives it an RMS of one."""
    random = np.random.default_rng(_SEED)
    loop = np.zeros((_LOOP_SAMPLES, CHANNELS), dtype=np.float32)
    for number, chord in enumerate(_CHORDS):
        swell = _swell(number)
        for channel in range(CHANNELS):
            loop[:, channel] += _cloud(chord, random) * swell
    flat = loop.reshape(-1)
    rms = np.sqrt(np.dot(flat, flat) / len(flat))
    highest = max(float(loop.max()), -float(loop.min()))
    loop *= 32767 / highest
    return np.rint(loop, out=loop).astype(np.int16), np.float32(highest / 32767 / rms)


def _swell(number: int) -> NDArray[np.float64]:
    # A chord rises over a quarter of the loop and falls over the next, as the next one rises.
    turns = np.arange(_LOOP_SAMPLES) / _LOOP_SAMPLES * len(_CHORDS) - number
    distance = np.abs((turns + len(_CHORDS) / 2) % len(_CHORDS) - len(_CHORDS) / 2)
    return np.cos(np.minimum(distance, 1.0) * (np.pi / 2))


def _cloud(chord: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.zeros(_LOOP_SAMPLES // 2 + 1, dtype=np.complex128)
    for semitone in chord:
        fundamental_hz = _A3_HZ * 2.0 ** (semitone / 12)
        for partial in range(1, _PARTIALS + 1):
            _add_band(spectrum, fundamental_hz * partial, partial**-1.7, random)
    sound: NDArray[np.float64] = np.fft.irfft(spectrum, _LOOP_SAMPLES)
    sound /= np.sqrt(np.mean(sound**2))
    return sound


def _add_band(
    spectrum: NDArray[np.complex128], centre_hz: float, amplitude: float, random: np.random.Generator
) -> None:
    width = centre_hz * (2.0 ** (_BAND_CENTS / 1200) - 1) * _LOOP_S
    centre = centre_hz * _LOOP_S
    bins = np.arange(int(centre - 4 * width), int(centre + 4 * width) + 1)
    shape = np.exp(-0.5 * ((bins - centre) / width) ** 2)
    phases = np.exp(2j * np.pi * random.random(len(bins)))
    spectrum[bins] += amplitude * shape * phases / np.sqrt(np.sum(shape**2))
