"""A station's own sound for when an item cannot be played: a file that is held in memory and loops without a seam."""

from __future__ import annotations

from math import pi
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from radio.audio.decode import Deck
from radio.audio.measure import measure
from radio.audio.pcm import Pcm
from radio.errors import AudioError
from radio.units import SAMPLE_RATE_HZ, samples_of

MAX_S: Final = 120
MIN_S: Final = 5
_SEAM: Final = samples_of(250)
_FULL: Final = 32_767.0


class StandbySound:
    """The decoded file, made once and shared; 192 kB a second. Calling it gives a source that starts at its start.

    ``target_lufs`` is how loud it will be. Blocks. Raises AudioError where the file cannot be played, or lasts less
    than 5 seconds or more than 120.
    """

    def __init__(self, path: Path, *, target_lufs: float) -> None:
        found = measure(path)
        gain_db = 0.0 if found.loudness_lufs is None else target_lufs - found.loudness_lufs
        deck = Deck.open(path, cue_in_ms=found.cue_in_ms, gain_db=gain_db)
        try:
            sound = deck.read((MAX_S + 1) * SAMPLE_RATE_HZ)
        finally:
            deck.close()
        if not MIN_S * SAMPLE_RATE_HZ <= len(sound) <= MAX_S * SAMPLE_RATE_HZ:
            raise AudioError(path, f"a standby sound lasts {MIN_S} to {MAX_S} s")
        self._loop = _looped(sound)

    def __call__(self) -> StandbyLoop:
        return StandbyLoop(self._loop)


class StandbyLoop:
    """An endless :class:`radio.audio.pcm.PcmSource` over a shared loop of 16 bits."""

    def __init__(self, loop: NDArray[np.int16]) -> None:
        self._loop = loop
        self._at = 0

    def read(self, n: int) -> Pcm:
        """The next ``n`` sample frames, always all of them."""
        index = np.arange(self._at, self._at + n) % len(self._loop)
        self._at = (self._at + n) % len(self._loop)
        sound: Pcm = self._loop[index].astype(np.float32) / np.float32(_FULL)
        return sound

    def close(self) -> None:
        """Nothing to let go of: the loop is shared."""


def _looped(sound: Pcm) -> NDArray[np.int16]:
    """The sound with its last quarter of a second melted into its first, so that the end leads to the start."""
    x = (np.arange(_SEAM) + 0.5) / _SEAM * (pi / 2)
    body = sound[: len(sound) - _SEAM].copy()
    body[:_SEAM] = body[:_SEAM] * np.sin(x)[:, None] + sound[-_SEAM:] * np.cos(x)[:, None]
    loop: NDArray[np.int16] = np.rint(np.clip(body, -1.0, 1.0) * _FULL).astype(np.int16)
    return loop
