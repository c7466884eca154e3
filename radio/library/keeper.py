"""Holds the newest snapshot of the library, and scans when there is reason to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Final

import structlog

from radio.errors import RadioError
from radio.library.library import Library
from radio.library.scan import Progress, Scanner, ScanProgress, ScanReport
from radio.library.watch import Watcher
from radio.store import Store

_journal = structlog.get_logger(__name__)

RESCAN_S: Final = 3_600.0
"""However quiet the folders are, they are looked through this often: not every file system tells of changes."""


class LibraryKeeper:
    """The library of all stations. ``on_change`` is awaited after a scan that changed something."""

    def __init__(
        self, store: Store, roots: Sequence[Path], on_change: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._scanner = Scanner(store, roots)
        self._roots = roots
        self._on_change = on_change
        self._wanted = asyncio.Event()
        self._restless = 0
        self.progress: ScanProgress | None = None
        self.current = Library(())

    async def load(self) -> None:
        """Take what earlier scans found as the present snapshot."""
        self.current = await self._scanner.library()

    async def refresh(self) -> None:
        """Take up what was changed in the store, and tell it on."""
        await self.load()
        if self._on_change is not None:
            await self._on_change()

    async def scan(
        self,
        progress: Progress | None = None,
        *,
        retry_rejected: bool = False,
        again: Collection[str] = (),
    ) -> ScanReport:
        """Look through every folder, and tell what changed; ``progress`` also stands in an attribute meanwhile.

        ``again`` and ``retry_rejected`` as of :meth:`Scanner.scan`. Raises StoreError, LimitReached.
        """

        def tell(step: ScanProgress) -> None:
            self.progress = step
            if progress is not None:
                progress(step)

        try:
            report = await self._scanner.scan(tell, retry_rejected=retry_rejected, again=again)
        finally:
            self.progress = None
        for problem in report.problems:
            _journal.error(
                "library_folder", path=problem.path, problem=problem.problem, advice=problem.advice
            )
        if report.added or report.changed or report.moved or report.removed:
            _journal.info(
                "library_scanned", added=report.added, changed=report.changed, moved=report.moved,
                removed=report.removed, rejected=report.rejected,
            )  # fmt: skip
            await self.refresh()
        return report

    async def keep(self, stop: asyncio.Event) -> None:
        """Scan at once, after every change, and each hour, until ``stop`` is set."""
        watcher = Watcher(
            self._roots,
            self._wanted.set,
            failed=lambda reason: _journal.warning("library_not_watched", reason=reason),
        )
        watching = asyncio.create_task(watcher.run(stop))
        try:
            while not stop.is_set():
                await self._scan_safely()
                await self._wait(stop)
        finally:
            stop.set()
            await watching

    async def _scan_safely(self) -> None:
        self._wanted.clear()
        try:
            report = await self.scan()
        except RadioError as fault:
            _journal.error("library_not_scanned", reason=fault.message)
            return
        self._restless = self._restless + 1 if report.unsettled else 0
        if report.unsettled:
            # a file was being written: look again when it may have come to rest, less often each time
            pause_s = min(300.0, 5.0 * 2 ** min(self._restless - 1, 6))
            asyncio.get_running_loop().call_later(pause_s, self._wanted.set)

    async def _wait(self, stop: asyncio.Event) -> None:
        waits = [asyncio.create_task(event.wait()) for event in (self._wanted, stop)]
        try:
            await asyncio.wait(waits, timeout=RESCAN_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
