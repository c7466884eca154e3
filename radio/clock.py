"""Time as a value that is handed in: the only module that reads the system's clocks."""

from __future__ import annotations

import asyncio
import threading
import time
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from radio.units import UtcMs


class Clock(Protocol):
    """What a part of the service may know of time.

    ``now_ms`` is wall-clock time and can jump; ``monotonic_s`` never does and paces the sound.
    """

    def now_ms(self) -> UtcMs:
        """The present moment in milliseconds since the Unix epoch."""

    def monotonic_s(self) -> float:
        """Seconds on a clock that only goes forward; its zero means nothing."""

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` of monotonic time; at once where it is zero or less."""

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Block the calling thread for ``seconds``, or less when ``stop`` is set; True where it is set."""


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> UtcMs:
        return UtcMs(time.time_ns() // 1_000_000)

    def monotonic_s(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        return stop.wait(max(0.0, seconds))


class ManualClock:
    """A clock that stands still until :meth:`advance` moves it; safe to use from several threads.

    Wall time and monotonic time move together; :meth:`step_wall` moves the wall alone, as an operator or
    NTP does.
    """

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self._now_ms = float(now_ms)
        self._monotonic_s = 0.0
        self._moved = threading.Condition()
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def now_ms(self) -> UtcMs:
        return UtcMs(round(self._now_ms))

    def monotonic_s(self) -> float:
        return self._monotonic_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        with self._moved:
            heappush(self._sleepers, (self._monotonic_s + seconds, next(self._order), loop, woken))
        await woken

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        with self._moved:
            until = self._monotonic_s + seconds
            while self._monotonic_s < until and not stop.is_set():
                self._moved.wait(0.05)
        return stop.is_set()

    def advance(self, seconds: float) -> None:
        """Move both clocks forward and wake whoever waited for no longer than that."""
        with self._moved:
            self._monotonic_s += seconds
            self._now_ms += seconds * 1000
            due = []
            while self._sleepers and self._sleepers[0][0] <= self._monotonic_s + 1e-9:
                due.append(heappop(self._sleepers))
            self._moved.notify_all()
        for _, _, loop, woken in due:
            loop.call_soon_threadsafe(_wake, woken)

    def step_wall(self, seconds: float) -> None:
        """Move the wall clock alone, forward or back."""
        self._now_ms += seconds * 1000


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
