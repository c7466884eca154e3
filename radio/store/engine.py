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
from radio.store.workers import Workers

P = ParamSpec("P")
T = TypeVar("T")

QUEUE_LIMIT: Final = 10_000
"""Writes that may wait; about ten seconds of them on a slow disk."""

READ_LIMIT: Final = 1_000
"""Reads that may wait."""

READERS: Final = 2

_WRITER: Final = 0
_READERS: Final = 1

_log = structlog.get_logger(__name__)


class Store:
    """One database, opened by :meth:`open`.

    ``work`` is any function whose first argument is a SQLAlchemy ``Connection``; it runs in one transaction
    that is committed when it returns and rolled back when it raises. What it returns must not need the
    connection any more. A write has reached the disk (SQLite: ``synchronous=FULL``) when its call or future
    is done. Work must not wait for other work of the same store.
    """

    def __init__(self, url: str, *, clock: Clock, backups: Path | None) -> None:
        self._url = _parsed(url)
        self._clock = clock
        self._database = _database_file(self._url)
        self._backups = backups or (self._database.parent / "backups" if self._database else None)
        self._engines: tuple[Engine, Engine] | None = None
        self._opened: tuple[int, int] | None = None
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

    def check_file(self) -> None:
        """Raise StoreError where the SQLite file that is open was deleted or replaced: writing goes nowhere.

        Where another file stands in its place, the next transaction opens that.
        """
        if self._database is None or self._engines is None:
            return
        found = _identity(self._database)
        if found == self._opened:
            return
        if found is not None:
            self._opened = found
            for engine in self._engines:
                engine.dispose()
        raise StoreError(f"The database file {self._database} was deleted or replaced.")

    async def back_up(self, *, keep: int = 24) -> Path | None:
        """Write a checked backup beside the older ones, keep the newest ``keep``, and return its path.

        None on PostgreSQL, which is backed up with its own tools. Raises StoreError.
        """
        if self._database is None or self._backups is None:
            return None
        now_ms = self._clock.now_ms()
        return await asyncio.to_thread(backup.make, self._database, self._backups, now_ms=now_ms, keep=keep)

    def _run(self, engine: int, work: Callable[..., T], /, *args: object, **kwargs: object) -> T:
        assert self._engines is not None
        with _as_store_errors(self._url), self._engines[engine].begin() as conn:
            return work(conn, *args, **kwargs)

    def _connect(self) -> None:
        with _as_store_errors(self._url):
            if self._database is None:
                self._engines = postgres.engines(self._url, readers=READERS)
            else:
                self._open_file(self._database)
            self._migrate()

    def _open_file(self, database: Path) -> None:
        assert self._backups is not None
        sqlite.warn_of_fault()
        sqlite.prepare_file(database)
        recovery.ensure_sound(database, self._backups, self._clock)
        self._engines = sqlite.engines(database, readers=READERS)
        self._opened = _identity(database)

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


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _as_store_errors(url: URL) -> Iterator[None]:
    try:
        yield
    except DBAPIError as fault:
        reason = str(fault.orig).strip().partition("\n")[0]
        raise StoreError(f"The database {url.render_as_string()} refused: {reason}") from fault


def _log_failure(work: str, future: Future[T]) -> None:
    if not future.cancelled() and (fault := future.exception()) is not None:
        _log.error("write_failed", work=work, reason=str(fault), exc_info=fault)
