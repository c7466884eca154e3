"""What runs beside the sound: scans, changed files, gauges, memory given back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

import structlog

from radio.allocator import give_back
from radio.app.parts import Parts
from radio.schedule.watch import watch_files

_journal = structlog.get_logger(__name__)

METRICS_EVERY_S: Final = 1.0
FIRST_TIDY_S: Final = 20.0
TIDY_EVERY_S: Final = 1_800.0


class Housekeeping:
    """Background work until the stack is closed; each piece then has five seconds to end, or none."""

    def __init__(self, parts: Parts, stack: AsyncExitStack) -> None:
        self._parts = parts
        self._stack = stack
        self._stop = asyncio.Event()

    def begin(self) -> None:
        """Start all of it."""
        parts = self._parts
        files = [parts.config.schedule_of(station) for station in parts.config.stations]
        files.append(parts.config.path(parts.config.sponsors))
        self.background(parts.library.keep(self._stop))
        self.background(watch_files(files, parts.editor.files_changed, self._stop))
        self.background(parts.editor.begin(), cut=True)
        self._stack.push_async_callback(parts.editor.stop)
        self.background(self._measure(), cut=True)
        self.background(self._tidy(), cut=True)
        self._stack.callback(self._stop.set)

    def background(self, work: Coroutine[Any, Any, None], *, cut: bool = False) -> None:
        """Run ``work`` beside the sound; with ``cut`` it is ended at once at the stop."""
        task = asyncio.create_task(work)
        task.add_done_callback(_tell_of_failure)

        async def end() -> None:
            self._stop.set()
            with suppress(Exception, asyncio.CancelledError):
                await asyncio.wait_for(task, 0.0 if cut else 5.0)

        self._stack.push_async_callback(end)

    async def _tidy(self) -> None:
        """Give back the memory that the start needed, and that scans and compilations did."""
        wait_s = FIRST_TIDY_S
        while not self._stop.is_set():
            await self._parts.clock.sleep(wait_s)
            await asyncio.to_thread(give_back)
            wait_s = TIDY_EVERY_S

    async def _measure(self) -> None:
        """Keep the gauges true, and see how late the event loop runs."""
        clock, metrics = self._parts.clock, self._parts.metrics
        while not self._stop.is_set():
            due_s = clock.monotonic_s() + METRICS_EVERY_S
            await clock.sleep(METRICS_EVERY_S)
            metrics.loop_late_ms.observe(max(0.0, (clock.monotonic_s() - due_s) * 1000))
            self._read_gauges()

    def _read_gauges(self) -> None:
        parts, metrics = self._parts, self._parts.metrics
        metrics.subscribers.labels("nextup").set(parts.hub.counts().subscribers)
        metrics.library_items.set(len(parts.library.current))
        metrics.as_run_waiting.set(parts.recorder.waiting)
        metrics.as_run_held.set(parts.as_run_files.held)
        metrics.as_run_lost.labels("database").set(parts.recorder.lost)
        metrics.as_run_lost.labels("file").set(parts.as_run_files.lost)
        for mount in parts.mounts:
            metrics.listeners.labels(mount.station, mount.name).set(mount.listeners)
            metrics.listeners_dropped.labels(mount.station, mount.name).set(mount.dropped)
        now_ms = parts.clock.now_ms()
        for station in parts.station_ids:
            ends_at_ms = parts.planner.log(station).ends_at_ms or now_ms
            metrics.log_ahead_s.labels(station).set((ends_at_ms - now_ms) / 1000)


def _tell_of_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        _journal.error("background_work_failed", reason=str(fault), exc_info=fault)
