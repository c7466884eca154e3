"""Named threads that take jobs from one bounded queue."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from radio.errors import LimitReached, StoreError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job:
    call: Callable[[], Any]
    future: Future[Any]

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.call()
        except BaseException as fault:
            self.future.set_exception(fault)
        else:
            self.future.set_result(result)


class Workers:
    """``threads`` threads behind a queue that holds at most ``limit`` jobs; jobs start in order of arrival.

    With one thread, jobs also end in that order. The threads are daemons: a process that dies without
    :meth:`close` does not hang on them.
    """

    def __init__(self, name: str, *, threads: int, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._closed = False
        self._gate = threading.Lock()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many jobs wait for a thread."""
        return self._jobs.qsize()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Queue ``call``; its result or exception comes through the future. Safe from any thread.

        Cancelling the future takes the job back as long as it has not begun.
        Raises LimitReached when the queue is full, StoreError after :meth:`close`.
        """
        future: Future[T] = Future()
        with self._gate:
            if self._closed:
                raise StoreError(f"The {self._name} is closed.")
            if self._jobs.qsize() >= self._limit:
                raise LimitReached(f"{self._limit} jobs wait for the {self._name}; it takes no more for now.")
            self._jobs.put(_Job(call, future))
        return future

    def close(self) -> None:
        """Take no more jobs, finish those that are queued, and end the threads. Blocks; may be repeated."""
        with self._gate:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
            del job
