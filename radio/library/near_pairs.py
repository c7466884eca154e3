"""Which fingerprints are worth comparing: those that share keys (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nlargest
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from radio.audio.fingerprint import CANDIDATE_KEYS

COMMON: Final = 50
"""A key that more sounds share than this, and than one in a hundred of them, tells nothing: silence and test
tones have such keys."""

LEAST_SHARE: Final = 1 / 16
"""Of the keys of the shorter list, so many must be shared. The same sound in another format shares a seventh
or more."""


SHORT: Final = 16
"""Of sounds with fewer keys, which last four seconds or less, one shared key is enough to compare them."""


class Pair(msgspec.Struct, frozen=True, order=True):
    """Two sounds by number, ``one`` below ``other``, and the share of keys that they have in common."""

    share: float
    one: int
    other: int


def near_pairs(keys: NDArray[np.int64], owners: NDArray[np.int64], limit: int) -> list[Pair]:
    """The ``limit`` pairs of sounds that share most of their keys, most alike first.

    ``keys`` and ``owners`` of one length say which sound (0, 1, ...) has which key. Work and memory grow with
    the number of keys and not with its square: 5,000 sounds take half a second, 50,000 seven.
    """
    return nlargest(limit, _pairs(keys, owners)) if len(keys) else []


def _pairs(keys: NDArray[np.int64], owners: NDArray[np.int64]) -> Iterator[Pair]:
    sizes = np.bincount(owners)
    _, groups, counts = np.unique(keys, return_inverse=True, return_counts=True)
    kept = (counts > 1) & (counts <= max(COMMON, len(sizes) // 100))
    told = kept[groups]
    groups, owners = groups[told], owners[told]
    holders = owners[np.argsort(groups, kind="stable")]
    ends = np.cumsum(np.where(kept, counts, 0))
    starts = ends - counts
    by_owner = groups[np.argsort(owners, kind="stable")]
    at = np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=len(sizes)))))
    for one in range(len(sizes)):
        mine = by_owner[at[one] : at[one + 1]]
        if len(mine):
            met = np.concatenate([holders[starts[group] : ends[group]] for group in mine])
            yield from _of_one(one, met[met > one], sizes)


def _of_one(one: int, met: NDArray[np.int64], sizes: NDArray[np.int64]) -> Iterator[Pair]:
    others, shared = np.unique(met, return_counts=True)
    fewer = np.minimum(sizes[one], sizes[others])
    shares = shared / fewer
    near = (shared >= np.where(fewer < SHORT, 1, CANDIDATE_KEYS)) & (shares >= LEAST_SHARE)
    for other, share in zip(others[near].tolist(), shares[near].tolist(), strict=True):
        yield Pair(share, one, other)
