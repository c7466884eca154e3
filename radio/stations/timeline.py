"""Runs actions when the wall clock reaches the moment at which they are heard."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

import structlog

from radio.clock import Clock
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)

STEP_S = 120.0
"""So much beyond its lead, an action is taken to be due by a clock that has been set since."""

LONGEST_SLEEP_S = 1.0
"""The wall clock may jump while we sleep; no action is late by more than this because of it."""


class Timeline:
    """Actions in the order of their moments, run in the event loop; those of one moment in the order given.

    The sound is paced by the monotonic clock. An action is therefore due when the wall clock reaches its
    moment or when the time is over that lay between, whichever is first: a wall clock that is set back holds
    nothing up.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = count()
        self._due: list[tuple[float, int, UtcMs, Callable[[], None]]] = []
        self._changed = asyncio.Event()

    def at(self, at_ms: UtcMs, action: Callable[[], None], *, lead_s: float = math.inf) -> None:
        """Run ``action`` at ``at_ms``, or as soon as may be where that is past.

        ``lead_s`` is how far ahead it can be at most: a moment that is much further off was told before the wall clock
        was set back, and is due after ``lead_s``.
        """
        ahead_s = (at_ms - self._clock.now_ms()) / 1000
        due_s = self._clock.monotonic_s() + (lead_s if ahead_s > lead_s + STEP_S else ahead_s)
        heappush(self._due, (due_s, next(self._order), at_ms, action))
        self._changed.set()

    async def run(self) -> None:
        """Run actions as they fall due, until cancelled. An action that raises is logged and passed over."""
        while True:
            self._changed.clear()
            self._run_due()
            await self._pause()

    def _run_due(self) -> None:
        while self._due and self._wait_s() <= 0:
            *_, action = heappop(self._due)
            try:
                action()
            except Exception:
                _journal.exception("action_failed")

    def _wait_s(self) -> float:
        due_s, _, at_ms, _ = self._due[0]
        return min(due_s - self._clock.monotonic_s(), (at_ms - self._clock.now_ms()) / 1000)

    async def _pause(self) -> None:
        wait_s = LONGEST_SLEEP_S
        if self._due:
            wait_s = min(wait_s, max(0.0, self._wait_s()))
        sleep = asyncio.ensure_future(self._clock.sleep(wait_s))
        change = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({sleep, change}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            change.cancel()
