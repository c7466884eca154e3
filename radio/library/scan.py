"""Brings the store into line with the folders: incremental, resumable, and never in the way of the sound."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from radio.errors import AudioError
from radio.library import catalog, cataloguing, details, quarantine
from radio.library.catalog import Batch
from radio.library.changes import (
    AnyItem,
    Changes,
    Identity,
    Known,
    Place,
    candidates,
    compare,
    fresh_id,
    identify,
    settled,
)
from radio.library.details import Details
from radio.library.hashing import hashed
from radio.library.items import Item, RejectedFile
from radio.library.library import Library
from radio.library.prober import COMMAND, CannotStart, Prober, WorkerDied
from radio.library.scan_report import MEASURING, READING, Phase, Progress, ScanProgress, ScanReport
from radio.library.sound import Sound
from radio.library.walk import Found, Problem, Stopped, WalkLimits, root_name, walk
from radio.library.worker_messages import WORDS, Job, Reply
from radio.store import Store

__all__ = ["Progress", "ScanProgress", "ScanReport", "Scanner", "time_limit_s"]

MAX_WORKERS: Final = 2
BATCH_FILES: Final = 16
BATCH_BYTES: Final = 8_000_000
BATCH_S: Final = 1.0
ATTEMPTS: Final = 2


def time_limit_s(size_bytes: int) -> float:
    """The seconds that probing a file of that size may take: 30, and 8 per megabyte, up to half an hour.

    Decoding and measuring Opus at 32 kbit/s costs about 2.5 s of a core for each megabyte.
    """
    return min(1800.0, 30.0 + 8.0 * size_bytes / 1_000_000)


class Scanner:
    """Scans ``roots`` into ``store``. One scan runs at a time; a second call waits for the first.

    ``workers`` processes measure files; new ones are read by two before, where ``workers`` is not given.
    ``command`` starts one; ``limit_s`` gives the time for a file of a
    number of bytes.
    """

    def __init__(
        self,
        store: Store,
        roots: Sequence[str | Path],
        *,
        workers: int | None = None,
        limits: WalkLimits | None = None,
        command: Sequence[str] = COMMAND,
        limit_s: Callable[[int], float] = time_limit_s,
    ) -> None:
        self.store = store
        self.roots = tuple(dict.fromkeys(root_name(root) for root in roots))
        self.workers = workers or max(1, min(MAX_WORKERS, (os.cpu_count() or 2) - 1))
        self.readers = workers or MAX_WORKERS
        self.limits = limits or WalkLimits()
        self.command = command
        self.limit_s = limit_s
        self._one_at_a_time = asyncio.Lock()

    async def scan(
        self,
        progress: Progress | None = None,
        *,
        retry_rejected: bool = False,
        again: Collection[str] = (),
    ) -> ScanReport:
        """Scan all roots and write what changed, in batches, so that a scan that is cut short resumes.

        A file that is known with the same size and time of change costs one stat; ``retry_rejected`` probes
        rejected files again, and items whose id is in ``again`` are read and measured anew although their files
        did not change. Where many files are new, they are first catalogued by their tags, so that a search finds
        them while they wait to be measured; a scan that is cut short between is resumed by the next. Items of a
        root that cannot be read are kept and the root is among the report's problems. When cancelled, the worker
        processes end first. Raises StoreError, LimitReached.
        """
        async with self._one_at_a_time:
            return await _Scan(self, progress or _quiet).run(retry_rejected, frozenset(again))

    async def library(self) -> Library:
        """The snapshot of what the store knows of the roots now."""
        return Library.from_items(await self.store.read(catalog.load_items, self.roots, measured_only=True))


def _quiet(_: ScanProgress) -> None:
    pass


class _Scan:
    def __init__(self, scanner: Scanner, progress: Progress) -> None:
        self._scanner = scanner
        self._progress = progress
        self._stop = threading.Event()
        self._identities: dict[Found, Identity] = {}
        self._wanted: list[Found] = []
        self._new: list[Found] = []
        self._taken: set[str] = set()
        self._kept: set[str] = set()
        self._refused: set[Place] = set()
        self._unread: set[Place] = set()
        self._repeated: frozenset[Found] = frozenset()
        self._wrote = False
        self._batch = Batch()
        self._batch_bytes = 0
        self._flushed_s = 0.0
        self._count = dict.fromkeys(("added", "changed", "moved", "unchanged", "rejected", "unsettled"), 0)
        self._problems: list[Problem] = []
        self._done = 0
        self._total = 0
        self._again: frozenset[str] = frozenset()
        self._anew: frozenset[str] = frozenset()

    async def run(self, retry_rejected: bool, again: frozenset[str]) -> ScanReport:
        store = self._scanner.store
        self._again = again
        await store.write(catalog.index_missing)
        known = await store.read(catalog.load)
        self._anew = again | quarantine.ids_aside(known)
        compared = msgspec.structs.replace(known, rejected=[]) if retry_rejected else known
        try:
            changes = await asyncio.to_thread(self._survey, compared, known)
        finally:
            self._stop.set()
        self._begin(changes)
        await self._read_all()
        removed = await asyncio.to_thread(self._gone, changes, known)
        self._batch.removed += removed
        self._batch.pictures = {
            place: mark for place, mark in changes.pictures.items() if place not in self._unread
        }
        await self._flush()
        if self._wrote:
            await store.write(catalog.prune_artwork)
        return ScanReport(removed=len(removed), problems=tuple(self._problems), **self._count)

    def _survey(self, known: Known, everything: Known) -> Changes:
        walks = [walk(root, self._stop, self._scanner.limits) for root in self._scanner.roots]
        changes = compare(known, walks, self._again, quarantine.places_out(known))
        possible = candidates(changes, self._strays(known, changes), known)
        self._identities = identify(changes.wanted, self._hashes(possible), possible, known)
        self._identities |= settled(changes.repeated, known)
        self._repeated = frozenset(changes.repeated)
        self._taken = {item.id for item in known.items}
        # what is known comes first: a new tag or a rename is soon taken up
        self._wanted = sorted([*changes.wanted, *changes.repeated], key=self._comes_late)
        self._new = self._unknown(changes.wanted, everything)
        return changes

    def _comes_late(self, file: Found) -> bool:
        identity = self._identities.get(file)
        return identity is None or not identity.item.measured

    def _unknown(self, wanted: Sequence[Found], known: Known) -> list[Found]:
        """The files that nothing at all is known of, nor of their places."""
        places = {(one.root, one.path) for one in (*known.items, *known.rejected)}
        return [
            file for file in wanted if file not in self._identities and (file.root, file.path) not in places
        ]

    def _gone(self, changes: Changes, known: Known) -> list[str]:
        refused = [item for item in known.items if (item.root, item.path) in self._refused]
        return [item.id for item in (*changes.missing, *refused) if item.id not in self._kept]

    def _strays(self, known: Known, changes: Changes) -> list[AnyItem]:
        sizes = {file.size_bytes for file in changes.wanted}
        elsewhere = (item for item in known.items if item.root not in self._scanner.roots)
        return [item for item in elsewhere if item.size_bytes in sizes and not os.path.lexists(item.file)]

    def _hashes(self, possible: Mapping[Found, Sequence[AnyItem]]) -> dict[Found, str]:
        hashes = {}
        for file in possible:
            if self._stop.is_set():
                raise Stopped
            try:
                hashes[file] = hashed(file.file)[1]
            except (OSError, AudioError):  # the probe will say what is wrong with it
                continue
        return hashes

    def _begin(self, changes: Changes) -> None:
        self._flushed_s = asyncio.get_running_loop().time()
        self._count["unchanged"] = changes.unchanged
        self._reject(*changes.refused)
        self._batch.forgotten += changes.forgotten
        self._problems += changes.problems
        self._total = len(self._wanted)

    async def _read_all(self) -> None:
        try:
            if len(self._new) >= cataloguing.FEW_FILES:
                await self._catalogue(self._new)
            await self._measure(self._wanted)
        except BaseExceptionGroup as faults:
            first = faults.exceptions[0]
            if not isinstance(first, CannotStart):
                raise first from None
            self._cannot_start(first)

    async def _catalogue(self, new: Sequence[Found]) -> None:
        def tell(done: int, path: str) -> None:
            self._tell(done, len(new), path, READING)

        catalogued = cataloguing.Cataloguing(self._scanner.store, self._taken, self._identities, tell)
        async with self._probers(self._scanner.readers, len(new), WORDS) as probers:
            await catalogued.run(probers, new)
        self._wrote = True
        self._tell(0, self._total, new[-1].path, MEASURING)

    async def _measure(self, wanted: Sequence[Found]) -> None:
        queue = iter(wanted)
        async with self._probers(self._scanner.workers, len(wanted)) as probers, asyncio.TaskGroup() as group:
            for prober in probers:
                group.create_task(self._work(prober, queue))

    @asynccontextmanager
    async def _probers(self, most: int, files: int, *mode: str) -> AsyncIterator[list[Prober]]:
        async with AsyncExitStack() as stack:
            command = (*self._scanner.command, *mode)
            yield [await stack.enter_async_context(Prober(command)) for _ in range(min(most, files))]

    def _tell(self, done: int, total: int, path: str, phase: Phase) -> None:
        rejected = self._count["rejected"]
        self._progress(ScanProgress(done=done, total=total, current=path, rejected=rejected, phase=phase))

    def _cannot_start(self, fault: CannotStart) -> None:
        self._count["unsettled"] += self._total - self._done
        self._kept |= {identity.item.id for identity in self._identities.values()}
        advice = "Run the command by hand to see why. Files that are known stay in the library."
        self._problems.append(
            Problem(path=self._scanner.command[0], problem=f"No file can be probed: {fault}.", advice=advice)
        )

    async def _work(self, prober: Prober, queue: Iterator[Found]) -> None:
        for file in queue:
            self._take(file, await self._probe(prober, file))
            self._done += 1
            self._tell(self._done, self._total, file.path, MEASURING)
            if self._is_due():
                await self._flush()

    async def _probe(self, prober: Prober, file: Found) -> Reply:
        limit_s = self._scanner.limit_s(file.size_bytes)
        identity = self._identities.get(file)
        known = await self._measured(identity)
        for _ in range(ATTEMPTS):
            try:
                return await prober.ask(Job(file.root, file.path, limit_s, known))
            except TimeoutError:
                return _reject(file, f"takes longer to read than {limit_s:.0f} s")
            except WorkerDied:
                continue
        return _reject(file, f"ends the process that reads it, {ATTEMPTS} times")

    async def _measured(self, identity: Identity | None) -> Sound | None:
        if identity is None or not identity.same_content or not identity.item.measured:
            return None
        if identity.item.id in self._anew:
            return None
        return await self._scanner.store.read(details.sound_of, identity.item.id)

    def _take(self, file: Found, reply: Reply) -> None:
        if reply.item is not None:
            self._take_item(file, reply.item, reply)
            if reply.artwork is not None:
                self._batch.artwork.append(reply.artwork)
                self._batch_bytes += len(reply.artwork.data)
        elif reply.rejected is not None:
            self._reject(reply.rejected)
        else:
            self._count["unsettled"] += 1
            self._unread.add((file.root, file.path.rpartition("/")[0]))
            if identity := self._identities.get(file):
                self._kept.add(identity.item.id)
            if reply.unsettled is not None:
                self._problems.append(_later(file, reply.unsettled.reason))

    def _reject(self, *files: RejectedFile) -> None:
        self._count["rejected"] += len(files)
        self._batch.rejected += files
        self._refused |= {(file.root, file.path) for file in files}

    def _take_item(self, file: Found, probed: Item, reply: Reply) -> None:
        identity = self._identities.get(file)
        item_id = identity.item.id if identity else fresh_id(probed.content_hash, probed.path, self._taken)
        self._taken.add(item_id)
        self._kept.add(item_id)
        item = msgspec.structs.replace(probed, id=item_id)
        self._batch.items.append(item)
        self._batch.details[item_id] = Details(
            item=item,
            sound=reply.sound or Sound.of(item),
            tags=msgspec.to_builtins(reply.tags) if reply.tags else {},
            keys=reply.keys,
        )
        self._count[self._change(file, probed)] += 1

    def _change(self, file: Found, after: Item) -> str:
        identity = self._identities.get(file)
        before = identity.item if identity else None
        if before is None or not before.measured:
            return "added"
        if (before.root, before.path) != (after.root, after.path):
            return "moved"
        same = before.content_hash == after.content_hash and file not in self._repeated
        return "unchanged" if same else "changed"

    def _is_due(self) -> bool:
        files = len(self._batch.items) + len(self._batch.rejected)
        age_s = asyncio.get_running_loop().time() - self._flushed_s
        return files >= BATCH_FILES or self._batch_bytes > BATCH_BYTES or age_s >= BATCH_S

    async def _flush(self) -> None:
        batch, self._batch, self._batch_bytes = self._batch, Batch(), 0
        self._flushed_s = asyncio.get_running_loop().time()
        if batch:
            self._wrote = True
            await self._scanner.store.write(catalog.apply, batch)


def _later(file: Found, reason: str) -> Problem:
    return Problem(path=str(file.file), problem=reason, advice="A later scan tries again.")


def _reject(file: Found, reason: str) -> Reply:
    return Reply(
        rejected=RejectedFile(
            root=file.root, path=file.path, reason=reason, size_bytes=file.size_bytes, mtime_ns=file.mtime_ns
        )
    )
