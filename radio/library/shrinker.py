"""Small pictures on demand: made one at a time in a killable process, the latest kept in memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from types import TracebackType
from typing import Final

from radio.errors import LimitReached, UnknownItem
from radio.library import catalog
from radio.library.prober import COMMAND, CannotStart, Prober, WorkerDied
from radio.library.worker_messages import Shrink
from radio.store import Store

LIMIT_S: Final = 10.0
IDLE_S: Final = 60.0
MAX_WAITING: Final = 64
CACHE_BYTES: Final = 24_000_000

_Key = tuple[str, int, str]


class Shrinker:
    """Makes and keeps small pictures. An async context manager; the process starts with the first picture.

    It is ended after a minute without work. Pictures that cannot be decoded are remembered too.
    """

    def __init__(self, store: Store, command: Sequence[str] = COMMAND, *, limit_s: float = LIMIT_S) -> None:
        self._store = store
        self._prober = Prober(command)
        self._limit_s = limit_s
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0
        self._kept: OrderedDict[_Key, bytes | None] = OrderedDict()
        self._kept_bytes = 0
        self._resting: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Shrinker:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._resting is not None:
            self._resting.cancel()
        await self._prober.end()

    async def picture(self, artwork_id: str, size: int, mime: str) -> bytes:
        """The picture with that id, at most ``size`` pixels wide and high, as WebP or JPEG.

        Raises UnknownItem (no such picture, or none that can be shown), LimitReached (64 wait), StoreError.
        """
        key = (artwork_id, size, mime)
        if key not in self._kept:
            await self._make(key)
        found = self._kept.get(key)
        if found is None:
            raise UnknownItem("There is no such picture.")
        self._kept.move_to_end(key)
        return found

    async def _make(self, key: _Key) -> None:
        if self._waiting >= MAX_WAITING:
            raise LimitReached(f"{MAX_WAITING} pictures are waited for; try again in a moment.")
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                if key not in self._kept:
                    await self._ask(key)
        finally:
            self._waiting -= 1

    async def _ask(self, key: _Key) -> None:
        art = await self._store.read(catalog.get_artwork, key[0])
        if art is None:
            raise UnknownItem("There is no such picture.")
        if self._resting is not None:
            self._resting.cancel()
        try:
            reply = await self._prober.ask(Shrink(art.data, key[1], key[2], self._limit_s))
            self._keep(key, reply.picture)
        except (TimeoutError, WorkerDied):
            self._keep(key, None)
        except CannotStart as fault:
            raise LimitReached("No picture can be made now.") from fault
        self._resting = asyncio.get_running_loop().call_later(IDLE_S, self._rest)

    def _keep(self, key: _Key, data: bytes | None) -> None:
        self._kept[key] = data
        self._kept_bytes += _cost(data)
        while self._kept_bytes > CACHE_BYTES and len(self._kept) > 1:
            self._kept_bytes -= _cost(self._kept.popitem(last=False)[1])

    def _rest(self) -> None:
        if not self._one_at_a_time.locked():
            self._ending = asyncio.get_running_loop().create_task(self._prober.end())


def _cost(data: bytes | None) -> int:
    return len(data or b"") + 500
