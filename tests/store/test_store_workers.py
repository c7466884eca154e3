from __future__ import annotations

import threading

import pytest

from radio.errors import LimitReached, StoreError
from radio.store.workers import Workers


@pytest.fixture
def one_worker():
    workers = Workers("bench", threads=1, limit=2)
    yield workers
    workers.close()


def test_jobs_of_one_thread_run_in_order(one_worker):
    seen: list[int] = []
    for number in range(50):
        one_worker.submit(lambda number=number: seen.append(number)).result(10)
    assert seen == list(range(50))


def test_the_queue_is_bounded_and_a_cancelled_job_does_not_run(one_worker):
    begun, finish = threading.Event(), threading.Event()
    ran: list[str] = []
    one_worker.submit(lambda: (begun.set(), finish.wait(10)))
    assert begun.wait(10)
    dropped = one_worker.submit(lambda: ran.append("dropped"))
    kept = one_worker.submit(lambda: ran.append("kept"))
    with pytest.raises(LimitReached):
        one_worker.submit(lambda: ran.append("too much"))
    assert dropped.cancel()
    finish.set()
    kept.result(10)
    assert ran == ["kept"]


def test_a_failing_job_does_not_end_the_thread(one_worker):
    failing = one_worker.submit(lambda: 1 // 0)
    assert isinstance(failing.exception(10), ZeroDivisionError)
    assert one_worker.submit(lambda: 7).result(10) == 7


def test_two_threads_work_side_by_side():
    workers = Workers("bench", threads=2, limit=10)
    meet = threading.Barrier(2)
    both = [workers.submit(lambda: meet.wait(10)) for _ in range(2)]
    assert sorted(future.result(10) for future in both) == [0, 1]
    workers.close()


def test_closing_drains_the_queue_and_may_be_repeated():
    workers = Workers("bench", threads=1, limit=100)
    futures = [workers.submit(lambda number=number: number) for number in range(50)]
    workers.close()
    workers.close()
    assert [future.result(0) for future in futures] == list(range(50))
    with pytest.raises(StoreError, match="bench is closed"):
        workers.submit(lambda: None)
