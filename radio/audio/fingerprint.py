"""Compares fingerprints of sound: how much of one is in another, and which are worth comparing at all. Pure.

A fingerprint is a row of frames of two bytes, one for each 120 ms; :mod:`radio.audio.fingerprinter` makes it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

DUPLICATE_SIMILARITY: Final = 0.5
"""From here on two sounds count as the same recording, whole or in part."""

MAX_KEYS: Final = 64

CANDIDATE_KEYS: Final = 2
"""Sounds that share so many keys are worth comparing."""

_SEGMENT: Final = 32
_FOUND_BELOW: Final = 0.27
_MAX_COMPARED: Final = 32_000_000
_APART: Final = 6


def similarity(a: bytes, b: bytes) -> float:
    """How much of the shorter sound is also in the longer one: 0 (nothing) to 1 (all of it, unchanged).

    ``a`` and ``b`` are fingerprints. The shorter one is cut into segments of 3.8 s, each is looked for all
    over the longer one, and counts where at most 27 % of its bits differ there, by how few do. So sounds may
    start at different times, and one may lack parts of the other. Of very long sounds evenly spaced segments
    stand for all. Silent frames count for nothing. Takes some milliseconds for two songs, at most a third of a
    second.
    """
    short, long = sorted((_frames(a), _frames(b)), key=len)
    if not len(short) or not short.any():
        return 0.0
    scores = [
        score for segment in _segments(short, len(long)) if (score := _score(segment, long)) is not None
    ]
    return round(float(np.mean(scores)), 3) if scores else 0.0


def keys(fingerprint: bytes) -> frozenset[int]:
    """At most :data:`MAX_KEYS` numbers (0 to 2**31 - 1) by which an index finds candidates.

    The same sound in another format shares ten or more of them, a short ident two or more; of unrelated sounds
    one pair in a hundred shares any. They are the lowest hashes of the pairs of frames 0.72 s apart (a
    bottom-k sketch: A. Broder, "On the resemblance and containment of documents", 1997), so that they stand
    for sounds of like length: a song inside of an hour's programme is not found by them.
    """
    frames = _frames(fingerprint).astype(np.uint32)
    first, second = frames[:-_APART], frames[_APART:]
    pairs = (first << np.uint32(8) | (second >> np.uint32(4) & np.uint32(0xFF)))[(first != 0) & (second != 0)]
    return frozenset(np.unique(_hashed(pairs))[:MAX_KEYS].tolist())


def _frames(fingerprint: bytes) -> NDArray[np.uint16]:
    return np.frombuffer(fingerprint, dtype="<u2", count=len(fingerprint) // 2)


def _segments(short: NDArray[np.uint16], among: int) -> list[NDArray[np.uint16]]:
    whole = max(1, len(short) // _SEGMENT)
    count = max(1, min(whole, _MAX_COMPARED // (_SEGMENT * among)))
    starts = np.linspace(0, max(0, len(short) - _SEGMENT), count).astype(int)
    return [short[start : start + _SEGMENT] for start in starts]


def _score(segment: NDArray[np.uint16], long: NDArray[np.uint16]) -> float | None:
    heard = segment != 0
    bits = 16 * int(np.count_nonzero(heard))
    if bits < 8 * len(segment):
        return None
    different = np.bitwise_count(sliding_window_view(long, len(segment))[:, heard] ^ segment[heard])
    share = int(different.sum(axis=1, dtype=np.uint32).min()) / bits
    return 1.0 - share if share <= _FOUND_BELOW else 0.0


def _hashed(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    # An integer hash of our own: two rounds of multiplying by an odd number and folding the high half down.
    for factor in (0x9E3779B1, 0x85EBCA6B):
        values = values * np.uint32(factor)
        values ^= values >> np.uint32(15)
    return values & np.uint32(0x7FFFFFFF)
