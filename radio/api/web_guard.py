"""Keeps ordinary HTTP connections within bounds: none may hold a place by reading nothing or by being many."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol

from radio.streaming.mounts import address_group

EVERY_S: Final = 2.0
STALLED_S: Final = 20.0
"""A client that takes nothing of its answer for so long is gone, or means no good."""

PER_ADDRESS: Final = 1_200
"""More than the subscribers that one address may have."""


class Connection(Protocol):
    """What is needed of a connection (of aiohttp's ``RequestHandler``)."""

    @property
    def transport(self) -> Any:
        """The connection's transport; None when it is over."""


class WebGuard:
    """Looks at every connection each two seconds. For metrics: ``open`` now, ``closed`` since the start."""

    def __init__(
        self, connections: Callable[[], Iterable[Connection]], *, per_address: int = PER_ADDRESS,
        stalled_s: float = STALLED_S, every_s: float = EVERY_S,
    ) -> None:  # fmt: skip
        self._connections = connections
        self._per_address = per_address
        self._stalled_s = stalled_s
        self._every_s = every_s
        self._unsent: dict[Connection, tuple[int, float]] = {}
        self.open = 0
        self.closed = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look for as long as the context is open."""
        task = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._every_s)
            self.look(loop.time())

    def look(self, now_s: float) -> None:
        """Close what has stood still for too long, and the oldest of those that are too many from one address."""
        found = [each for each in self._connections() if each.transport is not None]
        self.open = len(found)
        self._close_stalled(found, now_s)
        at_address: Counter[str] = Counter()
        for each in reversed(found):
            peer = each.transport.get_extra_info("peername") if each.transport is not None else None
            group = address_group(peer[0]) if isinstance(peer, tuple) else ""
            at_address[group] += 1
            if at_address[group] > self._per_address:
                self._close(each)

    def _close_stalled(self, found: Iterable[Connection], now_s: float) -> None:
        before, self._unsent = self._unsent, {}
        for each in found:
            unsent = each.transport.get_write_buffer_size()
            if not unsent:
                continue
            size, since_s = before.get(each, (unsent, now_s))
            if unsent < size:
                since_s = now_s
            self._unsent[each] = (unsent, since_s)
            if now_s - since_s >= self._stalled_s:
                self._close(each)

    def _close(self, connection: Connection) -> None:
        self.closed += 1
        self._unsent.pop(connection, None)
        if connection.transport is not None:
            connection.transport.abort()
