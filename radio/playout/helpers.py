"""A few threads that read files for one station; one that hangs on a disk is left behind."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

_journal = structlog.get_logger(__name__)

MAX_THREADS: Final = 8
"""So many may hang at once; when all do, nothing more is read until one comes back."""

MAX_WAITING: Final = 64

IDLE_S: Final = 2.0
"""A thread that had nothing to do for so long ends, but for the last."""


class Helpers:
    """Runs jobs in the order given, beside the caller. Where every thread is busy, one more is made.

    So a job that hangs holds none of the others up; there is one thread as long as nothing hangs. Jobs must not
    raise. Threads are daemons: one that hangs does not keep the process.
    """

    def __init__(self, name: str, *, most: int = MAX_THREADS) -> None:
        self._name = name
        self._most = most
        self._jobs: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._idle = 0
        self._made = 0
        self.threads = 0
        self._closed = False

    def submit(self, job: Callable[[], None]) -> bool:
        """Have ``job`` done soon; False, and it is not taken, where too much waits already or all is closed."""
        with self._changed:
            if self._closed or len(self._jobs) >= MAX_WAITING:
                return False
            if self._idle <= len(self._jobs):
                if self.threads < self._most:
                    self._start()
                elif self.threads == self._most and not self._idle:
                    _journal.warning("files_hang", threads=self.threads, waiting=len(self._jobs))
            self._jobs.append(job)
            self._changed.notify()
            return True

    def close(self) -> None:
        """Take no more jobs and forget those that wait. The threads end when their job does."""
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()

    def _start(self) -> None:
        self.threads += 1
        self._made += 1
        threading.Thread(target=self._run, name=f"{self._name}-{self._made}", daemon=True).start()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:
                _journal.exception("helper_failed", thread=threading.current_thread().name)
            del job

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._idle += 1
            try:
                while not self._jobs:
                    if self._closed or (
                        not self._changed.wait(IDLE_S) and not self._jobs and self.threads > 1
                    ):
                        self.threads -= 1
                        return None
                return self._jobs.popleft()
            finally:
                self._idle -= 1
