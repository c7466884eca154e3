"""One station's log as it is kept in the store; a store that refuses is told in the journal and stops nothing."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from radio.errors import StoreError
from radio.log import LogRow
from radio.schedule.inputs import unbroken
from radio.schedule.persistence import LogStore
from radio.schedule.remains import Remains
from radio.schedule.rotation import Play
from radio.schedule.station_log import StationLog
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)


class Keeping:
    """Stores a log and what it knows besides its rows; nothing any more while another process has it."""

    def __init__(self, log: StationLog, store: LogStore) -> None:
        self.is_handed_over = False
        self._log = log
        self._store = store

    async def keep(self, from_ms: UtcMs, revision: str) -> None:
        """Store the log from ``from_ms`` on, and return when that is on the disk."""
        if self.is_handed_over:
            return
        rows, remains = self._log.kept_from(from_ms)
        try:
            await self._store.replace_from(self._log.station, from_ms, rows, revision, remains)
        except StoreError:
            _journal.exception("log_not_stored", station=self._log.station)

    def keep_soon(self, from_ms: UtcMs, revision: str) -> None:
        """The same before all that is written later: ahead of the ends of the rows that a change displaced."""
        if self.is_handed_over:
            return
        rows, remains = self._log.kept_from(from_ms)
        try:
            self._store.replace_soon(self._log.station, from_ms, rows, revision, remains)
        except StoreError:
            _journal.exception("log_not_stored", station=self._log.station)

    async def stored(self, from_ms: UtcMs, now_ms: UtcMs) -> tuple[list[LogRow], Remains]:
        """The stored log around ``now_ms``, from ``from_ms`` on, and what was known besides."""
        try:
            found = await self._store.load(self._log.station, from_ms, UtcMs(2**53))
            remains = await self._store.remains(self._log.station)
        except StoreError:
            _journal.exception("stored_log_unreadable", station=self._log.station)
            return [], Remains()
        return unbroken(found, now_ms), remains

    async def plays(self, since_ms: UtcMs) -> Sequence[Play]:
        """What was heard since then, oldest first."""
        try:
            return await self._store.plays(self._log.station, since_ms)
        except StoreError:
            _journal.exception("history_unreadable", station=self._log.station)
            return ()
