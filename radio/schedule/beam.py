"""Ordered hours: one item for each position in turn, which together last as long as there is to fill (pure).

Beam search (Lowerre 1976) over positions. A state is how far it has come and what it cost; states that cannot
reach the target with what the rest of the positions can last are dropped, of those within a second of each other the
cheapest is kept, and of all the cheapest :data:`BEAM`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

BEAM: Final = 200
MAX_CHOICES: Final = 40
BUCKET_MS: Final = 1_000


class Candidate(NamedTuple):
    """An item for a position: how long it lasts, what choosing it costs, and what must not come twice."""

    length_ms: int
    cost: float
    keys: frozenset[str]


class _State(NamedTuple):
    elapsed_ms: int
    cost: float
    chosen: tuple[int, ...]
    keys: frozenset[str]


def ordered_fit(
    positions: Sequence[Sequence[Candidate]], target_ms: int, *, under_ms: int, over_ms: int
) -> list[int] | None:
    """For each position the index of its candidate, so that they sum up to ``target_ms``; None where none do.

    The sum lies in ``[target_ms - under_ms, target_ms + over_ms]``; among those found the cheapest is taken, then
    the nearest. The first 40 candidates of a position are looked at, and no key comes twice.
    """
    choices = [position[:MAX_CHOICES] for position in positions]
    if not choices or not all(choices):
        return None
    low_ms, high_ms = target_ms - under_ms, target_ms + over_ms
    least, most = _suffixes(choices, min), _suffixes(choices, max)
    if least[0] > high_ms or most[0] < low_ms:
        return None
    beam = [_State(0, 0.0, (), frozenset())]
    for index, position in enumerate(choices):
        beam = _step(beam, position, low_ms - most[index + 1], high_ms - least[index + 1])
    best = min(
        beam, key=lambda state: (state.cost, abs(state.elapsed_ms - target_ms), state.chosen), default=None
    )
    return list(best.chosen) if best else None


def _step(beam: Sequence[_State], position: Sequence[Candidate], low_ms: int, high_ms: int) -> list[_State]:
    nearest: dict[int, _State] = {}
    for state in beam:
        for index, candidate in enumerate(position):
            elapsed_ms = state.elapsed_ms + candidate.length_ms
            if not low_ms <= elapsed_ms <= high_ms or not state.keys.isdisjoint(candidate.keys):
                continue
            cost = state.cost + candidate.cost
            known = nearest.get(elapsed_ms // BUCKET_MS)
            if known is None or cost < known.cost:
                nearest[elapsed_ms // BUCKET_MS] = _State(
                    elapsed_ms, cost, (*state.chosen, index), state.keys | candidate.keys
                )
    return sorted(nearest.values(), key=lambda state: (state.cost, state.elapsed_ms))[:BEAM]


def _suffixes(choices: Sequence[Sequence[Candidate]], pick: Callable[[Iterable[int]], int]) -> list[int]:
    """What the positions from each on last at least, or at most; 0 behind the last."""
    ends = [pick(candidate.length_ms for candidate in position) for position in choices]
    return list(accumulate(reversed(ends), initial=0))[::-1]
