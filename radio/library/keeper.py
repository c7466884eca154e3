"""Holds the newest snapshot of the library, and scans when there is reason to."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from radio.clock import SystemClock
from radio.errors import RadioError
from radio.library import catalog, quarantine, revision
from radio.library.file_replacing import sweep_leftovers
from radio.library.items import Item, RejectedFile
from radio.library.library import Library
from radio.library.scan import Progress, Scanner, ScanProgress, ScanReport
from radio.library.walk import Problem
from radio.library.watch import Watcher
from radio.store import Store

_journal = structlog.get_logger(__name__)

RESCAN_S: Final = 3_600.0
"""However quiet the folders are, they are looked through this often: not every file system tells of changes."""

SET_ASIDE_S: Final = 0.5
"""Items that fail together are set aside together."""

STALLS: Final = 3
"""So often an item may be read too late before it is set aside although it can be read."""

READ_S: Final = 5.0
"""A file that cannot be looked at for so long cannot be read."""

UNREADABLE_S: Final = 60.0
"""When a file could not be read, the folders are looked through this much later."""

LOOK_S: Final = 1.0
"""How often the store is asked whether another process, such as a command, changed something."""

_SIGNS: Final = (revision.corrections_sign, revision.writes_sign, revision.items_sign)


class LibraryKeeper:
    """The library of all stations. ``on_change`` is awaited after a scan that changed something, and after
    another process did; that is looked for every ``look_s``.

    ``refused`` are the files that cannot be played, ``problems`` the folders that the last scan could not read.
    """

    def __init__(
        self,
        store: Store,
        roots: Sequence[Path],
        on_change: Callable[[], Awaitable[None]] | None = None,
        *,
        look_s: float = LOOK_S,
    ) -> None:
        self._store = store
        self._look_s = look_s
        self._loading = asyncio.Lock()
        self._seen: dict[revision.Signer, revision.Sign] = {}
        self._scanner = Scanner(store, roots)
        self._roots = roots
        self._on_change = on_change
        self._wanted = asyncio.Event()
        self._failing: dict[str, str] = {}
        self._stalls: Counter[str] = Counter()
        self._setting_aside: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._is_untold = False
        self._restless = 0
        self.progress: ScanProgress | None = None
        self.current = Library(())
        self.refused: Sequence[RejectedFile] = ()
        self.problems: Sequence[Problem] = ()

    async def load(self) -> None:
        """Take what earlier scans found as the present snapshot."""
        async with self._loading:
            # the signs come first: what changes while the items are read is then seen as a change
            seen: dict[revision.Signer, revision.Sign] = {}
            for signer in _SIGNS:
                seen[signer] = await self._store.read(signer)
            self.current = await self._scanner.library()
            self.refused = await self._store.read(catalog.load_rejected, self._scanner.roots)
            self._seen = seen

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
        self.problems = report.problems
        if report.rejected:
            self.refused = await self._store.read(catalog.load_rejected, self._scanner.roots)
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
        elif await self._moved(revision.items_sign):  # another process was faster with these files
            await self.refresh()
        return report

    def set_aside(self, item_id: str, fault: str) -> None:
        """Take an item out of use that failed on the air; returns at once. ``fault`` is what playout says of it."""
        if item_id not in self.current.by_id:
            return
        self._failing[item_id] = fault
        if self._setting_aside is None or self._setting_aside.done():
            self._setting_aside = asyncio.create_task(self._set_aside())

    async def settled(self) -> None:
        """Wait until every item that failed is set aside, and that was told on."""
        while tasks := {task for task in (self._setting_aside, self._telling) if task and not task.done()}:
            await asyncio.wait(tasks)

    async def _set_aside(self) -> None:
        while self._failing:
            await asyncio.sleep(SET_ASIDE_S)
            failing, self._failing = self._failing, {}
            items = {id_: item for id_ in failing if (item := self.current.by_id.get(id_)) is not None}
            reasons = {
                id_: reason
                for id_, item in items.items()
                if (reason := await self._reason(item, failing[id_])) is not None
            }
            if not reasons:
                continue
            for id_, reason in reasons.items():
                _journal.error("item_set_aside", item=id_, path=items[id_].path, reason=reason)
            try:
                await self._store.write(quarantine.set_aside, reasons, self._scanner.roots)
                await self.load()
                self._tell_soon()
            except RadioError as fault:
                _journal.error("item_not_set_aside", reason=fault.message)
            if any(reason.startswith(quarantine.UNREADABLE) for reason in reasons.values()):
                asyncio.get_running_loop().call_later(UNREADABLE_S, self._wanted.set)

    def _tell_soon(self) -> None:
        """Tell of the change beside: compiling takes its time, and the next item that fails must not wait for it."""
        self._is_untold = True
        if self._on_change is not None and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell(self._on_change))

    async def _tell(self, on_change: Callable[[], Awaitable[None]]) -> None:
        while self._is_untold:
            self._is_untold = False
            try:
                await on_change()
            except RadioError as fault:
                _journal.error("library_change_not_told", reason=fault.message)

    async def _reason(self, item: Item, fault: str) -> str | None:
        """Why to set an item aside; None where it was but read too late, and can be read now."""
        try:
            readable = await asyncio.wait_for(_beside(partial(quarantine.can_be_read, item.file)), READ_S)
        except TimeoutError:
            readable = False
        if readable and quarantine.is_stall(fault):
            self._stalls[item.id] += 1
            if self._stalls[item.id] < STALLS:
                return None
        self._stalls.pop(item.id, None)
        return quarantine.reason_for(fault, readable=readable)

    async def keep(self, stop: asyncio.Event) -> None:
        """Scan at once, after every change, and each hour, until ``stop`` is set."""
        watcher = Watcher(
            self._roots,
            self._wanted.set,
            failed=lambda reason: _journal.warning("library_not_watched", reason=reason),
        )
        watching = asyncio.create_task(watcher.run(stop))
        looking = asyncio.create_task(self._look(stop))
        try:
            await self._sweep()
            while not stop.is_set():
                await self._scan_safely()
                await self._wait(stop)
        finally:
            stop.set()
            await asyncio.gather(watching, looking)

    async def _sweep(self) -> None:
        for path in await asyncio.to_thread(sweep_leftovers, self._roots, SystemClock().now_ms()):
            _journal.info("unfinished_copy_removed", path=str(path))

    async def _look(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._look_s)
                return
            with suppress(RadioError):  # a store that is busy or gone is asked again
                await self._take_up()

    async def _take_up(self) -> None:
        writes = await self._store.read(revision.writes_sign)
        if writes != self._seen.get(revision.writes_sign):
            self._seen[revision.writes_sign] = writes
            self._wanted.set()
        if await self._moved(revision.corrections_sign):
            await self.refresh()

    async def _moved(self, signer: revision.Signer) -> bool:
        return await self._store.read(signer) != self._seen.get(signer)

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


async def _beside(look: Callable[[], bool]) -> bool:
    """What ``look`` says, in a thread that nobody waits for: a disk that hangs must not keep the service."""
    loop = asyncio.get_running_loop()
    said: asyncio.Future[bool] = loop.create_future()

    def tell(answer: bool) -> None:
        if not said.done():
            said.set_result(answer)

    def work() -> None:
        answer = look()
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, answer)

    threading.Thread(target=work, name="library look", daemon=True).start()
    return await said
