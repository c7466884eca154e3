"""The first phase of a scan of many new files: their words alone are read, so that they can be found in seconds.

What it leaves out, for whatever reason, the measuring phase looks at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from radio.library import catalog
from radio.library.catalog import Batch
from radio.library.changes import Identity, KnownItem, fresh_id
from radio.library.details import Details
from radio.library.items import Item
from radio.library.prober import Prober, WorkerDied
from radio.library.sound import Sound
from radio.library.walk import Found
from radio.library.worker_messages import Glance, Glanced
from radio.store import Store

FEW_FILES: Final = 20
"""Fewer new files are measured at once."""

JOB_FILES: Final = 100
JOB_BYTES: Final = 256_000_000
BATCH_ITEMS: Final = 500
WRITES: Final = 2
"""Batches that may wait for the store; beyond, reading waits."""


def limit_s(size_bytes: int) -> float:
    """The seconds that a job may take: 30, and as long as a disk of 5 MB/s needs to read its files."""
    return 30.0 + size_bytes / 5_000_000


def jobs(files: Sequence[Found]) -> Iterator[list[Found]]:
    """The files in their order, in parts of one root, of at most 100 files and 256 MB or one file."""
    part, size = list[Found](), 0
    for file in files:
        full = len(part) == JOB_FILES or size + file.size_bytes > JOB_BYTES
        if part and (full or part[0].root != file.root):
            yield part
            part, size = [], 0
        part.append(file)
        size += file.size_bytes
    if part:
        yield part


class Cataloguing:
    """Writes items that are not measured into ``store``.

    ``taken`` are the ids that are in use, ``identities`` which item each file is; new ones are added to both.
    ``tell`` hears how many files are done and the last of them.
    """

    def __init__(
        self,
        store: Store,
        taken: set[str],
        identities: dict[Found, Identity],
        tell: Callable[[int, str], None],
    ) -> None:
        self._store = store
        self._taken = taken
        self._identities = identities
        self._tell = tell
        self._done = 0
        self._batch = Batch()
        self._writes = asyncio.Semaphore(WRITES)

    async def run(self, probers: Sequence[Prober], files: Sequence[Found]) -> None:
        """Catalogue ``files``; when this returns they can be found. Raises CannotStart, StoreError, LimitReached
        (within an exception group)."""
        queue = jobs(files)
        async with asyncio.TaskGroup() as group:
            readers = [group.create_task(self._read(prober, queue, group)) for prober in probers]
            await asyncio.gather(*readers)
            await self._flush(group)

    async def _read(self, prober: Prober, queue: Iterator[list[Found]], group: asyncio.TaskGroup) -> None:
        for part in queue:
            for file, one in await self._glance(prober, part):
                self._take(file, one)
            self._done += len(part)
            self._tell(self._done, part[-1].path)
            if len(self._batch.items) >= BATCH_ITEMS:
                await self._flush(group)

    async def _glance(self, prober: Prober, part: Sequence[Found]) -> list[tuple[Found, Glanced]]:
        by_path = {file.path: file for file in part}
        limit = limit_s(sum(file.size_bytes for file in part))
        try:
            reply = await prober.ask(Glance(part[0].root, tuple(by_path), limit))
        except (TimeoutError, WorkerDied):  # one of them is to blame; measuring them one by one shows which
            return []
        return [(by_path[one.item.path], one) for one in reply.glanced if one.item.path in by_path]

    def _take(self, file: Found, one: Glanced) -> None:
        item = msgspec.structs.replace(
            one.item, id=fresh_id(one.item.content_hash, one.item.path, self._taken)
        )
        self._taken.add(item.id)
        self._batch.items.append(item)
        self._batch.details[item.id] = Details(item=item, sound=Sound.of(item), tags=one.tags)
        self._identities[file] = Identity(_known(item), False)

    async def _flush(self, group: asyncio.TaskGroup) -> None:
        await self._writes.acquire()
        batch, self._batch = self._batch, Batch()
        group.create_task(self._write(batch))

    async def _write(self, batch: Batch) -> None:
        try:
            if batch:
                await self._store.write(catalog.apply, batch)
        finally:
            self._writes.release()


def _known(item: Item) -> KnownItem:
    return KnownItem(
        item.id, item.root, item.path, item.size_bytes, item.mtime_ns, item.content_hash, item.inode, False
    )
