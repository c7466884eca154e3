"""Blocks of sound, and what several measurements need of each: sums and peaks of its windows of 10 ms. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from radio.units import CHANNELS

WINDOW_MS: Final = 10

_WINDOWS_PER_S: Final = 1000 // WINDOW_MS


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of one block: for each channel the sum of squares and the highest magnitude, both of shape
    ``(2, k)``, and the sum of products of both channels, shape ``(k,)``.

    The last window of a sound may be short.
    """

    squares: NDArray[np.float32]
    peaks: NDArray[np.float32]
    products: NDArray[np.float32]


def windows_of(planes: NDArray[np.float32], rate_hz: int) -> Windows:
    """The windows of a block of shape ``(2, n)``, from its first sample on."""
    size = rate_hz // _WINDOWS_PER_S
    rest = -planes.shape[1] % size
    if rest:
        planes = np.pad(planes, ((0, 0), (0, rest)))
    cut = planes.reshape(CHANNELS, -1, size)
    squares = np.einsum("cij,cij->ci", cut, cut)
    products = np.einsum("ij,ij->i", cut[0], cut[1])
    return Windows(squares, np.maximum(cut.max(axis=2), -cut.min(axis=2)), products)


def blocks(pieces: Iterable[NDArray[np.float32]], size: int) -> Iterator[NDArray[np.float32]]:
    """The pieces of shape ``(2, n)`` as blocks of ``(2, size)``, the last one shorter; each in one piece of
    memory that nobody else has."""
    held: list[NDArray[np.float32]] = []
    count = 0
    for piece in pieces:
        held.append(piece)
        count += piece.shape[1]
        while count >= size:
            joined = np.concatenate(held, axis=1)
            yield np.ascontiguousarray(joined[:, :size])
            held, count = [joined[:, size:]], count - size
    if count:
        yield np.concatenate(held, axis=1)
