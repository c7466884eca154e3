"""Whether stream time still is wall time: the sound is paced by a clock that never jumps, the wall may (pure)."""

from __future__ import annotations

from typing import Final

from radio.units import DurationMs, UtcMs

APART_MS: Final = 500
"""Less than this is let go: it is what a busy machine and a slewed clock make of a moment."""

PERSISTS_S: Final = 10.0
"""How long the two must have been apart before stream time follows the wall."""


class Wall:
    """Watches the wall clock against stream time, which was anchored to it at ``epoch_ms`` and ``monotonic_s``."""

    def __init__(self, epoch_ms: UtcMs, monotonic_s: float) -> None:
        self._epoch_ms = epoch_ms
        self._anchor_s = monotonic_s
        self._apart_since_s: float | None = None

    def shift_ms(self, now_ms: UtcMs, monotonic_s: float) -> DurationMs:
        """By how much stream time must move to be wall time again; 0 where they agree, or not for long yet."""
        apart_ms = round(now_ms - self._epoch_ms - (monotonic_s - self._anchor_s) * 1000)
        if abs(apart_ms) <= APART_MS:
            self._apart_since_s = None
            return DurationMs(0)
        if self._apart_since_s is None:
            self._apart_since_s = monotonic_s
        return DurationMs(apart_ms if monotonic_s - self._apart_since_s >= PERSISTS_S else 0)

    def moved(self, shift_ms: int) -> None:
        """Stream time was moved by ``shift_ms``."""
        self._epoch_ms = UtcMs(self._epoch_ms + shift_ms)
        self._apart_since_s = None
