"""Ended listening sessions on their way into the store, many at a time.

A session that is open when the process dies is lost: only ended ones are written, so no row ever needs mending.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import structlog

from radio.clock import Clock
from radio.errors import RadioError
from radio.store.listener_sessions import ListenerSession, blank_addresses, record
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)

BATCH: Final = 500
EVERY_S: Final = 10.0
LIMIT: Final = 20_000
"""Sessions held in memory, those included that the store has not written yet."""

_BLANK_EVERY_S: Final = 3_600.0
_DAY_MS: Final = 86_400_000

Submit = Callable[..., Future[Any]]
"""``Store.submit``: queue a function of a connection for the writer, from any thread."""


class SessionLog:
    """Takes ended sessions on the loop's thread and writes them in batches of 500, or what there is each 10 s.

    ``keep_addresses_days`` is how long addresses stay: 0 never stores one, and blanks those of earlier days.
    Where the store fails or does not keep up, sessions are lost, counted in ``lost``, and one line of the journal
    says so; the sound is not touched.
    """

    def __init__(self, submit: Submit | None, clock: Clock, *, keep_addresses_days: int = 0) -> None:
        self._submit = submit
        self._clock = clock
        self._keep_ms = keep_addresses_days * _DAY_MS
        self._ready: list[ListenerSession] = []
        self._gate = threading.Lock()
        self._under_way = 0
        self._failing = False
        self.lost = 0

    @property
    def keeps_addresses(self) -> bool:
        """Whether an address may be stored at all."""
        return self._keep_ms > 0

    def add(self, session: ListenerSession) -> None:
        """A session has ended. Never raises."""
        if self._submit is None:
            return
        if len(self._ready) + self._under_way >= LIMIT:
            self._lose(1, "the store does not keep up")
            return
        self._ready.append(session)
        if len(self._ready) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand what is ready to the store's writer."""
        while self._ready:
            batch, self._ready = self._ready[:BATCH], self._ready[BATCH:]
            self._write(batch)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write every 10 s and look after old addresses while the context is open; at its end, write the rest."""
        task = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.flush()

    async def _keep(self) -> None:
        blank_at_s = self._clock.monotonic_s()
        while True:
            if self._clock.monotonic_s() >= blank_at_s:
                blank_at_s += _BLANK_EVERY_S
                self._blank()
            await self._clock.sleep(EVERY_S)
            self.flush()

    def _blank(self) -> None:
        if self._submit is not None:
            before_ms = UtcMs(self._clock.now_ms() - self._keep_ms)
            # the store's own journal tells of a failure; the next hour tries again
            with suppress(RadioError):
                self._submit(blank_addresses, before_ms)

    def _write(self, batch: list[ListenerSession]) -> None:
        assert self._submit is not None
        try:
            future = self._submit(record, batch)
        except RadioError as fault:
            self._lose(len(batch), fault.message)
            return
        with self._gate:
            self._under_way += len(batch)
        future.add_done_callback(lambda done: self._written(done, len(batch)))

    def _written(self, future: Future[Any], count: int) -> None:
        """The writer's thread says what became of a batch."""
        with self._gate:
            self._under_way -= count
        if future.cancelled() or future.exception() is not None:
            self._lose(count, "the store refused them")
        else:
            self._failing = False

    def _lose(self, count: int, reason: str) -> None:
        with self._gate:
            self.lost += count
            known, self._failing = self._failing, True
        if not known:
            _journal.error("listener_sessions_lost", count=count, reason=reason)
