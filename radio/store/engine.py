"""The store: work on the database is a function of a connection, run in the writer's or a reader's thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import structlog
from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from radio.clock import Clock, SystemClock
from radio.errors import StoreError
from radio.store import backup, migrate, postgres, recovery, sqlite
from radio.store.trouble import Ailment, Restored, Trouble, ailment_of
from radio.store.workers import Workers
from radio.units import UtcMs

P = ParamSpec("P")
T = TypeVar("T")

QUEUE_LIMIT: Final = 10_000
"""Writes that may wait; about ten seconds of them on a slow disk."""

READ_LIMIT: Final = 1_000
"""Reads that may wait."""

READERS: Final = 2

MISSING_FOR_S: Final = 3.0
"""A database file that was gone for so long is made anew: somebody may just be moving it."""

CHECK_AGAIN_S: Final = 10.0
"""A file that SQLite calls damaged, and that cannot be mended now, is looked at again so much later."""

CHECK_RUNNING_S: Final = 30.0
"""How long the check of a suspect file may take while the service runs; only writes wait for it."""

_Identity = tuple[int, int]

_WRITER: Final = 0
_READERS: Final = 1

_log = structlog.get_logger(__name__)


class Store:
    """One database, opened by :meth:`open`.

    ``work`` is any function whose first argument is a SQLAlchemy ``Connection``; it runs in one transaction
    that is committed when it returns and rolled back when it raises. What it returns must not need the
    connection any more. A write has reached the disk (SQLite: ``synchronous=FULL``) when its call or future
    is done. Work must not wait for other work of the same store.

    A database file that is damaged, deleted or replaced while the store is open is set aside, and the newest backup
    or an empty file takes its place, before the next write. ``restorers`` then write what the process still knows, in
    one transaction and in the writer's thread; ``restored`` says what happened, and ``on_restored`` is called after it,
    in that thread.
    """

    def __init__(self, url: str, *, clock: Clock, backups: Path | None) -> None:
        self._url = _parsed(url)
        self._clock = clock
        self._database = _database_file(self._url)
        self._backups = backups or (self._database.parent / "backups" if self._database else None)
        self._engines: tuple[Engine, Engine] | None = None
        self._opened: _Identity | None = None
        self._journal_opened: _Identity | None = None
        self._folder_opened: _Identity | None = None
        self._gone_since_s: float | None = None
        self._is_suspect = False
        self._next_check_s = 0.0
        self._trouble: Trouble | None = None
        self.restored: Restored | None = None
        self.restorers: list[Callable[[Connection], None]] = []
        self.on_restored: Callable[[], None] = lambda: None
        self._writer = Workers("store writer", threads=1, limit=QUEUE_LIMIT)
        self._readers = Workers("store reader", threads=READERS, limit=READ_LIMIT)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, clock: Clock | None = None, backups: Path | None = None
    ) -> AsyncIterator[Store]:
        """Open the database at ``url``, bring its schema up to date, and close it when the context ends.

        ``url`` is ``sqlite:////absolute/path.db`` (see :func:`radio.store.sqlite_url`) or
        ``postgresql+psycopg://user:password@host/name``. A missing SQLite file is made; a damaged one is set
        aside and the newest of ``backups`` (default: the folder ``backups`` beside the database) restored;
        one with an older schema is backed up first. Leaving the context finishes all work that was taken.

        Raises StoreError (what cannot be reached, written or understood), StoreTooNew.
        """
        store = cls(url, clock=clock or SystemClock(), backups=backups)
        try:
            await asyncio.wrap_future(store._writer.submit(store._connect))
            yield store
        finally:
            await asyncio.to_thread(store._close)

    @property
    def backlog(self) -> int:
        """How many writes wait for the writer thread."""
        return self._writer.waiting

    async def read(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``work`` in a reader thread on one snapshot; the connection refuses to write.

        Raises StoreError, LimitReached (READ_LIMIT reads wait), and whatever ``work`` raises.
        """
        call = partial(self._run, _READERS, work, *args, **kwargs)
        return await asyncio.wrap_future(self._readers.submit(call))

    async def write(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``work`` in the writer thread, in order of arrival, and return once it is committed.

        A caller that is cancelled takes the work back only where it has not begun.
        Raises StoreError, LimitReached (QUEUE_LIMIT writes wait), and whatever ``work`` raises.
        """
        call = partial(self._run, _WRITER, work, *args, **kwargs)
        return await asyncio.wrap_future(self._writer.submit(call))

    def submit(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Queue ``work`` for the writer thread and return at once; safe from any thread.

        The future is done when the work is committed; a failure is also logged, so that the future may be
        dropped. Raises LimitReached when QUEUE_LIMIT writes wait, StoreError when the store is closed.
        """
        future = self.submit_quietly(work, *args, **kwargs)
        future.add_done_callback(partial(_log_failure, getattr(work, "__qualname__", repr(work))))
        return future

    def submit_quietly(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """As :meth:`submit`, for a caller that looks at the future itself: no failure is logged."""
        return self._writer.submit(partial(self._run, _WRITER, work, *args, **kwargs))

    @property
    def trouble(self) -> Trouble | None:
        """Why the database refuses work; None where the last write was taken."""
        return self._trouble

    async def check(self) -> None:
        """Look through the SQLite file for damage, half a second at most; what is found is told and mended.

        SQLite itself notices damage only where it reads, and it keeps what it has read.
        """
        if self._database is None or self._engines is None or _identity(self._database) != self._opened:
            return
        try:
            fault = await asyncio.to_thread(recovery.fault_of, self._database, self._clock)
        except StoreError:  # locked, or gone meanwhile: writing finds that out
            return
        if fault is not None:
            self._ails(Ailment.CORRUPT, fault)
            await self.write(_nothing)

    async def back_up(self, *, keep: int = 24) -> Path | None:
        """Write a checked backup beside the older ones, keep the newest ``keep``, and return its path.

        None on PostgreSQL, which is backed up with its own tools. Raises StoreError.
        """
        if self._database is None or self._backups is None:
            return None
        now_ms = self._clock.now_ms()
        return await asyncio.to_thread(backup.make, self._database, self._backups, now_ms=now_ms, keep=keep)

    def _run(self, engine: int, work: Callable[..., T], /, *args: object, **kwargs: object) -> T:
        if engine == _WRITER:
            self._mend()
        assert self._engines is not None
        with self._as_store_errors(), self._engines[engine].begin() as conn:
            result = work(conn, *args, **kwargs)
        if engine == _WRITER and not self._is_suspect:
            self._trouble = None
        return result

    @contextmanager
    def _as_store_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as fault:
            reason = str(fault.orig).strip().partition("\n")[0]
            if (ailment := ailment_of(fault.orig)) is not None:
                self._ails(ailment, reason)
            raise StoreError(f"The database {self._url.render_as_string()} refused: {reason}") from fault

    def _ails(self, ailment: Ailment, reason: str) -> None:
        known = self._trouble
        since_ms = known.since_ms if known and known.ailment is ailment else self._clock.now_ms()
        self._trouble = Trouble(ailment=ailment, reason=reason, since_ms=UtcMs(since_ms))
        self._is_suspect = self._is_suspect or ailment is Ailment.CORRUPT

    def _mend(self) -> None:
        """In the writer's thread: see that what is written goes into a whole file at its place.

        Raises StoreError where the file was deleted just now, or with its folder: that is for people to mend.
        """
        database = self._database
        if database is None or self._engines is None:
            return
        found = _identity(database)
        if found == self._opened and not self._is_suspect:
            self._gone_since_s = None
            self._journal_opened = _identity(_journal_of(database))
            return
        now_s = self._clock.monotonic_s()
        if found is None:
            self._gone_since_s = now_s if self._gone_since_s is None else self._gone_since_s
            if (
                now_s - self._gone_since_s < MISSING_FOR_S
                or _identity(database.parent) != self._folder_opened
            ):
                reason = f"The database file {database} was deleted."
                self._ails(Ailment.MISSING, reason)
                raise StoreError(reason)
            self._restore(database, Ailment.MISSING)
        elif found != self._opened:
            self._restore(database, Ailment.MISSING, is_other=True)
        elif now_s >= self._next_check_s:
            self._next_check_s = now_s + CHECK_AGAIN_S
            self._mend_damage(database)

    def _mend_damage(self, database: Path) -> None:
        if recovery.fault_of(database, self._clock, limit_s=CHECK_RUNNING_S) is not None:
            self._restore(database, Ailment.CORRUPT)
            return
        # a page in somebody's memory was damaged, not the file: it is opened anew
        assert self._engines is not None
        for engine in self._engines:
            engine.dispose()
        self._is_suspect = False

    def _restore(self, database: Path, ailment: Ailment, *, is_other: bool = False) -> None:
        """Take another file into use: the newest backup, an empty one, or what somebody put there (``is_other``)."""
        assert self._backups is not None
        if is_other:
            if _identity(_journal_of(database)) == self._journal_opened is not None:
                recovery.set_journal_aside(database, self._clock)
            aside, restored = recovery.ensure_sound(database, self._backups, self._clock) or (None, None)
        else:
            aside, restored = recovery.replace(database, self._backups, self._clock)
        # SQLite does not touch the journal of a file that was moved when the old connections close
        before, self._engines = self._engines, sqlite.engines(database, readers=READERS)
        try:
            with self._as_store_errors():
                self._migrate()
                with self._engines[0].begin() as conn:
                    for restore in self.restorers:
                        restore(conn)
        except BaseException:
            for engine in self._engines:
                engine.dispose()
            self._engines = before
            raise
        for engine in before or ():
            engine.dispose()
        self._settle(database)
        self._is_suspect, self._trouble = False, None
        self._note_restored(ailment, aside, restored)
        _log.error("database_replaced", path=str(database), ailment=str(ailment))
        self.on_restored()

    def _note_restored(
        self, ailment: Ailment, aside: Path | None, backup: Path | None, *, at_start: bool = False
    ) -> None:
        self.restored = Restored(
            ailment=ailment,
            at_ms=self._clock.now_ms(),
            at_start=at_start,
            set_aside=str(aside) if aside else None,
            backup=str(backup) if backup else None,
        )

    def _settle(self, database: Path) -> None:
        self._opened, self._folder_opened = _identity(database), _identity(database.parent)
        self._journal_opened = _identity(_journal_of(database))
        self._gone_since_s = None

    def _connect(self) -> None:
        with self._as_store_errors():
            if self._database is None:
                self._engines = postgres.engines(self._url, readers=READERS)
            else:
                self._open_file(self._database)
            self._migrate()

    def _open_file(self, database: Path) -> None:
        assert self._backups is not None
        sqlite.warn_of_fault()
        sqlite.prepare_file(database)
        if (replaced := recovery.ensure_sound(database, self._backups, self._clock)) is not None:
            self._note_restored(Ailment.CORRUPT, *replaced, at_start=True)
        self._engines = sqlite.engines(database, readers=READERS)
        self._settle(database)

    def _migrate(self) -> None:
        assert self._engines is not None
        writer, _ = self._engines
        with writer.begin() as conn:
            found = migrate.current(conn)
        if found == migrate.head():
            return
        if found is not None and self._database is not None and self._backups is not None:
            backup.make(self._database, self._backups, now_ms=self._clock.now_ms(), keep=24)
        with writer.begin() as conn:
            migrate.upgrade(conn)
        _log.info("schema_upgraded", revision_before=found, revision=migrate.head())

    def _close(self) -> None:
        self._readers.close()
        self._writer.close()
        if self._engines is not None:
            # The writer goes last: as its last connection closes, SQLite folds its journal into the database.
            for engine in reversed(self._engines):
                engine.dispose()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as fault:
        raise StoreError(f"The database's URL cannot be read. {_ALLOWED}") from fault
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise StoreError(f"Databases of the kind {parsed.drivername!r} are not supported. {_ALLOWED}")
    return parsed


_ALLOWED: Final = "Allowed: sqlite:////absolute/path.db, postgresql+psycopg://user:password@host/name."


def _database_file(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StoreError(f"An SQLite database must be a file. {_ALLOWED}")
    return Path(url.database).absolute()


def _journal_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def _nothing(conn: Connection) -> None:
    """A write that only asks whether writing is possible."""


def _identity(file: Path) -> _Identity | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _log_failure(work: str, future: Future[T]) -> None:
    if not future.cancelled() and (fault := future.exception()) is not None:
        _log.error("write_failed", work=work, reason=str(fault), exc_info=fault)
