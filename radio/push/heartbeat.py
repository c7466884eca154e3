"""One timer for any number of connections, and whose turn it is to be asked for a sign of life."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from itertools import count
from math import ceil
from typing import Final, Protocol, Self

import structlog

from radio.clock import Clock

_GOLDEN: Final = 0.618
_AT_ONCE: Final = 100

_journal = structlog.get_logger(__name__)


class Beating(Protocol):
    """What has something to do as time goes by."""

    def tick(self, now_s: float) -> None:
        """Look at the time (monotonic seconds); must not block."""


class Heartbeat:
    """Ticks all its members each ``period_s``; an async context manager that owns the one task."""

    def __init__(self, clock: Clock, *, period_s: float = 1.0) -> None:
        self._clock = clock
        self._period_s = period_s
        self._members: dict[Beating, None] = {}
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._members)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="push-heartbeat")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def add(self, member: Beating) -> None:
        """Tick ``member`` from now on."""
        self._members[member] = None

    def discard(self, member: Beating) -> None:
        """Tick ``member`` no more; nothing where it is unknown."""
        self._members.pop(member, None)

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(self._period_s)
            now_s = self._clock.monotonic_s()
            for member in tuple(self._members):
                try:
                    member.tick(now_s)
                except Exception:
                    self.discard(member)
                    _journal.exception("push.heartbeat_failed")


class Alive(Protocol):
    """A connection that is to say from time to time that it lives, or be asked."""

    def beat(self, now_s: float) -> bool:
        """Do it; False where the connection is over."""


class Rounds:
    """Goes to each of its members once in ``period_s`` seconds, and to no more than a hundred without a break.

    Members that came together in one storm have their turns spread out.
    """

    def __init__(self, clock: Clock, period_s: float) -> None:
        self._clock = clock
        self._period_s = period_s
        self._turns: dict[int, list[Alive]] = {}
        self._due: deque[Alive] = deque()
        self._order = count()

    def add(self, member: Alive) -> None:
        """Go to ``member`` from now on, for the first time in half a period at the earliest, until it is over."""
        share = 1.0 - next(self._order) * _GOLDEN % 1.0 / 2
        self._at(member, self._clock.monotonic_s() + self._period_s * share)

    def clear(self) -> None:
        """Go to nobody: all are over. One that is over is forgotten when its turn comes."""
        self._turns.clear()
        self._due.clear()

    def tick(self, now_s: float) -> None:
        """Go to those whose turn it is."""
        for second in sorted(second for second in self._turns if second <= now_s):
            self._due.extend(self._turns.pop(second))
        self._go_on()

    def _go_on(self) -> None:
        now_s = self._clock.monotonic_s()
        for _ in range(_AT_ONCE):
            if not self._due:
                return
            member = self._due.popleft()
            if member.beat(now_s):
                self._at(member, now_s + self._period_s)
        if self._due:
            asyncio.get_running_loop().call_soon(self._go_on)

    def _at(self, member: Alive, at_s: float) -> None:
        self._turns.setdefault(ceil(at_s), []).append(member)
