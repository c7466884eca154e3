"""Equal-power fades.

The gain of a fade in is ``sin(x)`` and of a fade out ``cos(x)``, with ``x`` going from 0 to a quarter turn.
As ``sin² + cos² = 1``, two sounds that have nothing in common keep their power while one is faded into the
other; a straight line would lose 3 dB in the middle. Each sample is taken at its centre, so that a fade in
and the fade out of the same length mirror each other exactly.
"""

from __future__ import annotations

from math import pi

import numpy as np
from numpy.typing import NDArray

from radio.audio.pcm import Pcm


def fade_in_gain(first: int, n: int, length: int) -> NDArray[np.float32]:
    """The gain of samples ``first`` up to ``first + n`` of a fade in over ``length`` samples, shape ``(n,
    1)``.

    Zero before the fade and one after it; a fade of length 0 is a step at sample 0.
    """
    return np.sin(_quarter_turn(first, n, length)).astype(np.float32)[:, np.newaxis]


def fade_out_gain(first: int, n: int, length: int) -> NDArray[np.float32]:
    """The mirror of :func:`fade_in_gain`: one before the fade and exactly zero after it."""
    gain = np.cos(_quarter_turn(first, n, length)).astype(np.float32)
    gain[max(0, length - first) :] = 0.0
    return gain[:, np.newaxis]


def faded_in(block: Pcm, first: int, length: int) -> Pcm:
    """``block``, whose first sample is sample ``first`` counted from the start of the fade; a copy if
    changed."""
    return block if first >= length else block * fade_in_gain(first, len(block), length)


def faded_out(block: Pcm, first: int, length: int) -> Pcm:
    """``block`` faded out, where its first sample is sample ``first`` of the fade; a copy if changed."""
    return block if first + len(block) <= 0 else block * fade_out_gain(first, len(block), length)


def raised(block: Pcm, first: int, length: int, from_gain: float) -> Pcm:
    """``block`` held at ``from_gain`` up to sample 0 of the rise and brought to its full level over ``length``
    samples, evenly to the ear (along a half cosine in dB); its first sample is sample ``first`` of the rise.

    A copy if changed.
    """
    if first >= length:
        return block
    index = np.arange(first, first + len(block), dtype=np.float64)
    done = np.clip((index + 0.5) / length, 0.0, 1.0) if length > 0 else (index >= 0).astype(np.float64)
    done[index < 0] = 0.0
    gain = from_gain ** (0.5 + 0.5 * np.cos(done * pi))
    lifted: Pcm = block * gain.astype(np.float32)[:, np.newaxis]
    return lifted


def _quarter_turn(first: int, n: int, length: int) -> NDArray[np.float64]:
    index = np.arange(first, first + n, dtype=np.float64)
    if length <= 0:
        return np.where(index < 0, 0.0, pi / 2)
    done = np.clip((index + 0.5) / length, 0.0, 1.0)
    done[index < 0] = 0.0
    return done * (pi / 2)
