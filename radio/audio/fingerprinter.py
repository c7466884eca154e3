"""Makes fingerprints of sound; :mod:`radio.audio.fingerprint` compares them. Pure.

The kind is that of Haitsma and Kalker ("A Highly Robust Audio Fingerprinting System", ISMIR 2002): the signs
of differences of energy between neighbouring bands and between moments. Bands, times and sizes are our own:

* the mix of both channels, low-passed and brought to 6 kHz (6.3 kHz from 44.1 kHz);
* spectra of 360 ms (Hann) every 120 ms; energies of 17 bands from 200 to 2600 Hz, equal in ratio, smoothed over
  five frames;
* bit ``b`` of a frame: whether the step from band ``b`` to ``b + 1`` is greater 360 ms later than it was
  360 ms before. A silent frame has no bits.

So a frame has 16 bits, and four minutes have under 4 kB. Gain does not change them, encoding at 64 kbit/s and
more changes 2 to 7 % of them, a shift against the grid of frames (a lead-in) up to 11 %; of unrelated sounds
half are equal.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FRAME_MS: Final = 120
"""The distance of a fingerprint's frames; each is two bytes, low byte first."""

MIN_FINGERPRINT_MS: Final = 1_560
"""Of a shorter sound there is no fingerprint."""

_LOW_RATES: Final = {48_000: 8, 44_100: 7}
_CUTOFF_HZ: Final = 3_000.0
_TAPS_PER_STEP: Final = 12
_ROW: Final = 50
_SPECTRUM_FRAMES: Final = 3
_BANDS: Final = np.geomspace(200.0, 2600.0, 18)
_SMOOTHING: Final = (np.hanning(7)[1:-1] / np.hanning(7).sum()).astype(np.float32)
_REACH: Final = 3
_SILENT_POWER: Final = 1e-9
_BATCH: Final = 64
_WEIGHTS: Final = (1 << np.arange(16)).astype(np.uint16)


class Fingerprinter:
    """Makes the fingerprint of a sound of 44.1 or 48 kHz that is given block by block, as its mono mix."""

    def __init__(self, rate_hz: int) -> None:
        self._step = _LOW_RATES[rate_hz]
        self._hop = rate_hz // self._step * FRAME_MS // 1000
        self._filter = _low_pass(rate_hz, self._step)
        self._high = np.zeros(self._step * _TAPS_PER_STEP // 2, dtype=np.float32)
        self._low = np.zeros(0, dtype=np.float32)
        self._window = np.hanning(_SPECTRUM_FRAMES * self._hop).astype(np.float32)
        self._bands = _band_weights(rate_hz // self._step, len(self._window))
        self._energies = np.zeros((0, len(_BANDS) - 1), dtype=np.float32)
        self._frames = bytearray()

    def update(self, mix: NDArray[np.float32]) -> None:
        """Take the next block of shape ``(n,)``, of any length."""
        self._lower(np.concatenate((self._high, mix)))
        if len(self._low) >= _BATCH * self._hop:
            self._take_frames()

    def finish(self) -> bytes:
        """The fingerprint: one frame for each 120 ms but the last 1.44 s; empty for what is too short."""
        self._lower(np.concatenate((self._high, np.zeros(len(self._filter), dtype=np.float32))))
        self._take_frames()
        return bytes(self._frames)

    def _lower(self, sound: NDArray[np.float32]) -> None:
        width, row = len(self._filter), _ROW * self._step
        rows = (len(sound) - width) // row + 1 if len(sound) >= width else 0
        if rows:
            cut = np.ascontiguousarray(sliding_window_view(sound, width)[::row][:rows])
            self._low = np.concatenate((self._low, (cut @ self._filter).reshape(-1)))
        self._high = sound[rows * row :]

    def _take_frames(self) -> None:
        width = len(self._window)
        count = (len(self._low) - width) // self._hop + 1
        if count <= 0:
            return
        cut = sliding_window_view(self._low, width)[:: self._hop][:count]
        spectra = np.fft.rfft(cut * self._window, axis=1)
        powers = (spectra.real**2 + spectra.imag**2).astype(np.float32) @ self._bands
        self._low = self._low[count * self._hop :]
        self._frames += self._bits(np.concatenate((self._energies, powers))).astype("<u2").tobytes()

    def _bits(self, energies: NDArray[np.float32]) -> NDArray[np.uint16]:
        span = len(_SMOOTHING) + 2 * _REACH
        self._energies = energies[max(0, len(energies) - span + 1) :]
        if len(energies) < span:
            return np.zeros(0, dtype=np.uint16)
        smooth = np.einsum("nbk,k->nb", sliding_window_view(energies, len(_SMOOTHING), axis=0), _SMOOTHING)
        steps = smooth[:, 1:] - smooth[:, :-1]
        bits = steps[2 * _REACH :] > steps[: -2 * _REACH]
        loud = smooth[_REACH:-_REACH].sum(axis=1) > _SILENT_POWER
        frames: NDArray[np.uint16] = (bits & loud[:, np.newaxis]) @ _WEIGHTS
        return frames


def _low_pass(rate_hz: int, step: int) -> NDArray[np.float32]:
    # A windowed sinc, once for each of the samples that one product of a row gives.
    taps = step * _TAPS_PER_STEP
    at = np.arange(taps) - (taps - 1) / 2
    response = np.sinc(2 * _CUTOFF_HZ / rate_hz * at) * np.hanning(taps + 2)[1:-1]
    filters = np.zeros((taps + (_ROW - 1) * step, _ROW), dtype=np.float32)
    for index in range(_ROW):
        filters[index * step : index * step + taps, index] = response / response.sum()
    return filters


def _band_weights(rate_hz: int, width: int) -> NDArray[np.float32]:
    # The share of each bin in each band; scaled so that a sine of full scale gives its band about 0.5.
    bins = np.arange(width // 2 + 1)[:, np.newaxis]
    edges = _BANDS * width / rate_hz
    shares = np.minimum(bins + 0.5, edges[1:]) - np.maximum(bins - 0.5, edges[:-1])
    weights: NDArray[np.float32] = (np.clip(shares, 0, 1) * (16 / 3) / width**2).astype(np.float32)
    return weights
