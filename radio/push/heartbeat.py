"""One timer for any number of connections."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol, Self

import structlog

from radio.clock import Clock

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
