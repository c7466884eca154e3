"""Fit to time: which items together last as long as there is to fill (pure).

Cost-ordered bitset subset sum. Exact subset sum is pseudo-polynomial by dynamic programming (Bellman 1957);
a Python integer holds the whole table of reachable sums as bits, so one item is one shift and one OR. Items
are taken up by ascending cost until the target can be reached, which keeps the dearest item used as cheap as
it can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

TICK_MS: Final = 10
MAX_CANDIDATES: Final = 400
MAX_TARGET_MS: Final = 3 * 3_600_000


def fit(lengths_ms: Sequence[int], target_ms: int, *, under_ms: int, over_ms: int) -> list[int] | None:
    """Indices of lengths that sum up to ``[target_ms - under_ms, target_ms + over_ms]``; None if none.

    ``lengths_ms`` stand by ascending cost; the first 400 are looked at. Targets of up to three hours. Sums
    are formed in ticks of 10 ms and then checked exactly; among the sums reached, the nearest is taken.
    """
    if not 0 < target_ms <= MAX_TARGET_MS:
        return None
    low = max(1, -(-(target_ms - under_ms) // TICK_MS))
    high = (target_ms + over_ms) // TICK_MS
    if high < low:
        return None
    ticks = [_ticks(length) for length in lengths_ms[:MAX_CANDIDATES]]
    if sum(ticks) < low or min(ticks, default=high + 1) > high:
        return None
    reach, window = _reach(ticks, low, high)
    for total in _nearest(window, low, target_ms // TICK_MS):
        chosen = _backtrack(reach, ticks, total)
        if -under_ms <= sum(lengths_ms[index] for index in chosen) - target_ms <= over_ms:
            return chosen
    return None


def _ticks(length_ms: int) -> int:
    return max(1, round(length_ms / TICK_MS))


def _reach(ticks: Sequence[int], low: int, high: int) -> tuple[list[int], int]:
    mask = (1 << (high + 1)) - 1
    reach, sums = [1], 1
    for length in ticks:
        sums = (sums | sums << length) & mask
        reach.append(sums)
        if sums >> low:
            break
    return reach, sums >> low


def _nearest(window: int, low: int, target: int) -> list[int]:
    found = [low + bit for bit in range(window.bit_length()) if window >> bit & 1]
    return sorted(found, key=lambda total: (abs(total - target), total))[:8]


def _backtrack(reach: Sequence[int], ticks: Sequence[int], total: int) -> list[int]:
    chosen = []
    for index in range(len(reach) - 1, 0, -1):
        if not reach[index - 1] >> total & 1:
            chosen.append(index - 1)
            total -= ticks[index - 1]
    return chosen[::-1]
