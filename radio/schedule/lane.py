"""A lane for what computes long in Python, in threads: one job at a time, and none begins while an urgent one is done.

Threads of Python code take turns at the interpreter, and the event loop waits for its turn among them: the more compute
at one moment, the later is each, and the loop. What waits for a disk needs no lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """Used in one event loop. Jobs of a kind are done in the order in which they came."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()
        self._one_urgent = asyncio.Lock()
        self._urgent = 0
        self._is_free = asyncio.Event()
        self._is_free.set()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``work`` in a thread, when its turn comes and nothing urgent is done. Raises what it raises."""
        async with self._one:
            await self._is_free.wait()
            return await asyncio.to_thread(work, *args, **kwargs)

    async def run_first(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``work`` in a thread at once, beside what has begun; of several that are urgent one at a time."""
        self._urgent += 1
        self._is_free.clear()
        try:
            async with self._one_urgent:
                return await asyncio.to_thread(work, *args, **kwargs)
        finally:
            self._urgent -= 1
            if not self._urgent:
                self._is_free.set()
