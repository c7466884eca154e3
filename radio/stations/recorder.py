"""Writes the as-run log: to its files at once, to the database as soon as it takes it, without ever waiting.

An event goes to the files (:mod:`radio.store.as_run_files`) and into a bounded queue for the database. While
the database is locked, full, corrupt or gone, the queue waits and the sound goes on; when the database is
back, the events are written in their order. What the queue could not hold, or was left in it at the end, is
taken in from the files at the next start (:meth:`AsRunRecorder.begin`).
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from itertools import islice
from typing import Final

import msgspec
import structlog
from sqlalchemy import Connection

from radio.errors import RadioError, StoreError
from radio.events import PlayoutEvent, RowCued, RowEnded, RowStarted
from radio.log import LogRow, Outcome
from radio.store import Store, as_run
from radio.store.as_run import Aired
from radio.store.as_run_events import AsRunEvent, Refused, Step, attempts_since, take_in, write
from radio.store.as_run_files import AsRunFiles, days_of, read_day
from radio.units import DurationMs, UtcMs

_journal = structlog.get_logger(__name__)

WAITING_LIMIT: Final = 10_000
"""Events that wait for the database; beyond it the oldest are left to the files."""

RETRY_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
"""How long to wait after the first, second ... failure in a row; the last one from then on."""

REMEMBERED_MS: Final = 2 * 86_400_000
"""Rows that were played this long ago are not played again, so their attempts need not be known."""

FORGOTTEN_MS: Final = 6 * 3_600_000
"""So long after its end and its time a row cannot come again, and its attempts are forgotten."""

RECENT_DAYS: Final = 2
ATTEMPTS_KEPT: Final = 50_000
_AT_ONCE: Final = 200

_SETTLE_S: Final = 0.01
_SETTLE_TRIES: Final = 200

_NONE: Final = DurationMs(0)

_Key = tuple[str, str]
_Checkpoint = tuple[int, UtcMs, DurationMs]


class OpenAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt at a row that has not ended."""

    station: str
    row: str
    attempt: int
    is_started: bool


class AsRunRecorder:
    """The recorder of all stations. Called in the event loop, but for what the store's writer runs.

    ``files`` may be left out; what the database loses is then lost. For metrics: ``waiting`` and ``lost``; ``fault``
    says why the database takes nothing at present. Where the store takes another database file into use, what that
    lacks is taken in from the files at once.
    ``was_behind`` says, after :meth:`begin`, that the database lacked something: older files may hold more.
    """

    def __init__(
        self, store: Store, files: AsRunFiles | None = None, *, waiting_limit: int = WAITING_LIMIT,
        retry_s: tuple[float, ...] = RETRY_S,
    ) -> None:  # fmt: skip
        self._store = store
        self._files = files
        self._limit = waiting_limit
        self._retry_s = retry_s
        self._guard = threading.Lock()
        self._waiting: deque[AsRunEvent] = deque()
        self._checkpoints: dict[_Key, _Checkpoint] = {}
        self._is_writing = False
        self._failures = 0
        self._timer: threading.Timer | None = None
        self._closed = False
        # an attempt is open from its intent to its end; whether it was started stands beside it
        self._open: dict[_Key, tuple[int, bool]] = {}
        # the newest attempt at each row of late, and until when it may matter
        self._last: dict[_Key, tuple[int, int]] = {}
        self._stations: tuple[str, ...] = ()
        self._is_restored = False
        self.lost = 0
        self.was_behind = False
        self.fault = ""
        store.restorers.append(self._restore)

    @property
    def waiting(self) -> int:
        """How many events wait for the database."""
        return len(self._waiting)

    async def begin(self, stations: Iterable[str], now_ms: UtcMs) -> dict[str, Aired]:
        """Take in what the database missed, close what a crash left open, and learn the attempts so far.

        Returns what each station was playing when the process last ended. Raises StoreError.
        """
        self._stations = tuple(stations)
        return await self._store.write(self._begin, self._stations, now_ms)

    async def hand_over(self) -> list[OpenAttempt]:
        """Which attempts are open, for another process that goes on with them, once what waits is written.

        What the database does not take in two seconds stands in the files.
        """
        for _ in range(_SETTLE_TRIES):
            if not self._waiting and not self._is_writing:
                break
            await asyncio.sleep(_SETTLE_S)
        return [
            OpenAttempt(station=station, row=row, attempt=attempt, is_started=is_started)
            for (station, row), (attempt, is_started) in self._open.items()
        ]

    async def adopt(self, attempts: Iterable[OpenAttempt], stations: Iterable[str], now_ms: UtcMs) -> None:
        """Go on with the attempts of another process, in the place of :meth:`begin`. Raises StoreError."""
        self._stations = tuple(stations)
        for one in attempts:
            self._open[one.station, one.row] = (one.attempt, one.is_started)
        for station in self._stations:
            self._learn(
                await self._store.read(attempts_since, station, UtcMs(now_ms - REMEMBERED_MS)), now_ms
            )

    async def take_in_all(self, stations: Iterable[str]) -> None:
        """Take in older files as well, back to the first day of which nothing was lost. Raises StoreError."""
        if self._files is None:
            return
        for station in stations:
            for path in reversed(days_of(self._files.folder / station)[:-RECENT_DAYS]):
                events = await asyncio.to_thread(read_day, path)
                if not await self._store.write(take_in, station, events):
                    break
                _journal.warning("as_run_taken_in_from_files", station=station, file=path.name)

    def record(self, event: PlayoutEvent) -> None:
        """Take one event; those of a station come in their order."""
        row = event.row
        key = (row.station, row.id)
        attempt, is_started = self._open.get(key, (0, False))
        if isinstance(event, RowCued):
            if not is_started:
                self._intend(row, attempt, event.at_ms)
        elif isinstance(event, RowStarted):
            if not attempt:
                # a start without its intent: what is heard must be written all the same
                attempt = self._intend(row, 0, event.at_ms)
            if not is_started:
                self._open[key] = (attempt, True)
                self._put("start", row, attempt, event.at_ms)
        elif isinstance(event, RowEnded) and attempt:
            self._end(event, attempt)

    def missed(self, row: LogRow, at_ms: UtcMs, cause: str) -> None:
        """The time of ``row`` passed while nothing was on the air. Nothing where an attempt at it is known."""
        key = (row.station, row.id)
        if row.item is not None and key not in self._open and key not in self._last:
            self.record(RowCued(row, at_ms))
            self.record(RowEnded(row, at_ms, _NONE, Outcome.MISSED, cause))

    def knows(self, station: str, row: str) -> bool:
        """Whether an attempt at the row of that id is known, of the last day at least."""
        return (station, row) in self._open or (station, row) in self._last

    def withdraw(self, row: LogRow, at_ms: UtcMs) -> None:
        """``row`` was cued and will not be heard: its intent was none. Nothing where it was started."""
        key = (row.station, row.id)
        attempt, is_started = self._open.get(key, (0, False))
        if attempt and not is_started:
            del self._open[key]
            self._put("withdrawn", row, attempt, at_ms)

    def checkpoint(self, row: LogRow, at_ms: UtcMs, played_ms: DurationMs) -> None:
        """Note how much of ``row`` was heard; the newest note takes the place of one that still waits."""
        key = (row.station, row.id)
        attempt, is_started = self._open.get(key, (0, False))
        if is_started:
            with self._guard:
                self._checkpoints[key] = (attempt, at_ms, played_ms)
            self._write_on()

    async def close(self) -> None:
        """Write what waits, if the database takes it now; the files keep the rest for the next start."""
        with self._guard:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
        while self._waiting:
            before = len(self._waiting)
            try:
                self._written(await self._store.write(self._drain))
            except RadioError as fault:
                _journal.error("as_run_left_to_files", events=before, reason=fault.message)
                return

    def _begin(self, conn: Connection, stations: tuple[str, ...], now_ms: UtcMs) -> dict[str, Aired]:
        found: dict[str, Aired] = {}
        for station in stations:
            if self._files is not None:
                taken = take_in(conn, station, self._files.recent(station, RECENT_DAYS))
                if taken:
                    self.was_behind = True
                    _journal.warning("as_run_taken_in_from_files", station=station, events=taken)
            for closed in as_run.close_unfinished(conn, station, now_ms):
                self._file_end(closed)
            self._learn(attempts_since(conn, station, UtcMs(now_ms - REMEMBERED_MS)), now_ms)
            playing = as_run.interrupted(conn, station, UtcMs(now_ms - REMEMBERED_MS))
            if playing is not None:
                found[station] = playing
        return found

    def _learn(self, attempts: Mapping[_Key, int], now_ms: UtcMs) -> None:
        self._last.update({key: (attempt, now_ms) for key, attempt in attempts.items()})

    def _forget(self, before_ms: int) -> None:
        while self._last:
            oldest = next(iter(self._last))
            if len(self._last) <= ATTEMPTS_KEPT and self._last[oldest][1] >= before_ms:
                return
            del self._last[oldest]

    def _intend(self, row: LogRow, attempt: int, at_ms: UtcMs) -> int:
        key = (row.station, row.id)
        attempt = attempt or self._last.get(key, (0, 0))[0] + 1
        self._open[key] = (attempt, False)
        self._put("intent", row, attempt, at_ms, planned=row)
        return attempt

    def _end(self, event: RowEnded, attempt: int) -> None:
        key = (event.row.station, event.row.id)
        del self._open[key]
        # the newest last, so that the oldest are forgotten
        self._last.pop(key, None)
        self._last[key] = attempt, max(event.at_ms, event.row.ends_at_ms)
        self._forget(event.at_ms - FORGOTTEN_MS)
        with self._guard:
            self._checkpoints.pop(key, None)
        self._put(
            "end", event.row, attempt, event.at_ms,
            played_ms=event.played_ms, outcome=event.outcome, cause=event.cause,
        )  # fmt: skip

    def _file_end(self, closed: Aired) -> None:
        if self._files is not None and closed.ended_at_ms is not None:
            self._files.append(
                AsRunEvent(
                    event="end",
                    station=closed.row.station,
                    row_id=closed.row.id,
                    attempt=closed.attempt,
                    at_ms=closed.ended_at_ms,
                    played_ms=closed.played_ms,
                    outcome=closed.outcome,
                    cause=closed.cause,
                )  # fmt: skip
            )

    def _put(
        self, step: Step, row: LogRow, attempt: int, at_ms: UtcMs, *, planned: LogRow | None = None,
        played_ms: DurationMs = _NONE, outcome: Outcome | None = None, cause: str = "",
    ) -> None:  # fmt: skip
        event = AsRunEvent(
            event=step, station=row.station, row_id=row.id, attempt=attempt, at_ms=at_ms, row=planned,
            played_ms=played_ms, outcome=outcome, cause=cause,
        )  # fmt: skip
        if self._files is not None:
            self._files.append(event)
        with self._guard:
            if len(self._waiting) >= self._limit:
                # never the front while it is being written: it would be taken off twice
                del self._waiting[_AT_ONCE if self._is_writing and self._limit > _AT_ONCE else 0]
                self.lost += 1
            self._waiting.append(event)
        self._write_on()

    def _write_on(self) -> None:
        with self._guard:
            if self._is_writing or self._timer is not None or self._closed:
                return
            self._is_writing = True
        try:
            self._store.submit_quietly(self._drain).add_done_callback(self._after)
        except RadioError as fault:
            self._failed(fault)

    def _drain(self, conn: Connection) -> int:
        """In the writer's thread: write the oldest that wait, and return how many; all or none is committed."""
        with self._guard:
            batch = list(islice(self._waiting, _AT_ONCE))
            checkpoints = list(self._checkpoints.items()) if len(self._waiting) <= _AT_ONCE else []
        if self._is_restored:
            self._take_in_waiting(conn, batch)
        else:
            _write_all(conn, batch)
        for (station, row_id), (attempt, at_ms, played_ms) in checkpoints:
            with suppress(StoreError):  # an attempt that a restored database does not know
                as_run.checkpoint(conn, row_id, attempt, at_ms, played_ms, station=station)
        with self._guard:
            for key, value in checkpoints:
                if self._checkpoints.get(key) == value:
                    del self._checkpoints[key]
        return len(batch)

    def _restore(self, conn: Connection) -> None:
        """Another database file was taken into use: write what it lacks of the newest days."""
        self._is_restored = True
        for station in self._stations if self._files is not None else ():
            assert self._files is not None
            held = self._files.pending()
            taken = take_in(conn, station, [*self._files.recent(station, RECENT_DAYS), *held])
            _journal.warning("as_run_taken_in_from_files", station=station, events=taken)

    def _take_in_waiting(self, conn: Connection, batch: list[AsRunEvent]) -> None:
        """Write what waits into a database that may have it from the files already."""
        for station in {event.station for event in batch}:
            take_in(conn, station, batch)

    def _after(self, done: Future[int]) -> None:
        fault = done.exception()
        if fault is not None:
            self._failed(fault)
            return
        self._written(done.result())
        with self._guard:
            self._is_writing = False
            is_more = bool(self._waiting)
        if is_more:
            self._write_on()

    def _written(self, count: int) -> None:
        with self._guard:
            for _ in range(count):
                self._waiting.popleft()
        self._is_restored = self._is_restored and bool(self._waiting)
        if self._failures:
            self._failures, self.fault = 0, ""
            _journal.warning("as_run_written_again", waiting=len(self._waiting), lost=self.lost)

    def _failed(self, fault: BaseException) -> None:
        if not self._failures:
            _journal.error(
                "as_run_not_written", reason=str(fault), waiting=len(self._waiting),
                advice="events wait in memory and stand in the as-run files",
            )  # fmt: skip
        self.fault = str(fault)
        wait_s = self._retry_s[min(self._failures, len(self._retry_s) - 1)]
        self._failures += 1
        with self._guard:
            self._is_writing = False
            if self._closed:
                return
            self._timer = threading.Timer(wait_s, self._try_again)
            self._timer.daemon = True
            self._timer.start()

    def _try_again(self) -> None:
        with self._guard:
            self._timer = None
        self._write_on()


def _write_all(conn: Connection, events: Iterable[AsRunEvent]) -> None:
    for event in events:
        try:
            write(conn, event)
        except Refused as fault:
            _journal.error("as_run_refused", row=event.row_id, reason=fault.message)
