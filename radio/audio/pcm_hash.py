"""The hash of decoded sound, equal for files that hold the same sound in different wrappings. Pure."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from radio.units import CHANNELS

HASH_DIGITS: Final = 40

_FULL_SCALE: Final = np.float32(32768.0)


class PcmHash:
    """SHA-256 of the sound's rate and of its samples, rounded to 16 bits, one channel after the other.

    Lossless files of the same 16-bit sound have the same hash, whatever their format; so have lossy files with
    the same packets, whatever their tags. The sound is taken at the rate of its file, or at 48 kHz where that
    is neither 44.1 nor 48 kHz: resampling would make the hash depend on FFmpeg's version. A mono file has the
    hash of a stereo file with twice the same channel.
    """

    def __init__(self, rate_hz: int) -> None:
        self._channels = [sha256() for _ in range(CHANNELS)]
        self._rate_hz = rate_hz

    def update(self, planes: NDArray[np.float32]) -> None:
        """Take the next block of shape ``(2, n)``, of any length."""
        scaled = planes * _FULL_SCALE
        np.rint(scaled, out=scaled)
        np.clip(scaled, -32768.0, 32767.0, out=scaled)
        for digest, channel in zip(self._channels, scaled.astype("<i2"), strict=True):
            digest.update(channel)

    def hexdigest(self) -> str:
        """The hash as :data:`HASH_DIGITS` hexadecimal digits."""
        whole = sha256(str(self._rate_hz).encode())
        for digest in self._channels:
            whole.update(digest.digest())
        return whole.hexdigest()[:HASH_DIGITS]
