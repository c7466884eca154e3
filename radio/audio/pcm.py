"""What sound is between the parts: float32, shape ``(n, 2)``, 48 kHz, full scale at 1.0."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from radio.units import CHANNELS

Pcm: TypeAlias = NDArray[np.float32]
"""Sample frames: shape ``(n, 2)``, left and right, 48,000 in a second; full scale is 1.0."""


class PcmSource(Protocol):
    """Anything that a :class:`radio.audio.mixer.Voice` can play; read by one thread only."""

    def read(self, n: int) -> Pcm:
        """The next ``n`` sample frames. Fewer mean that the source has ended, and it then stays ended."""

    def close(self) -> None:
        """Let go of files and memory; may be called more than once."""


def silence(n: int) -> Pcm:
    """``n`` sample frames of digital silence, writable."""
    return np.zeros((n, CHANNELS), dtype=np.float32)
