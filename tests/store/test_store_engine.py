from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Connection, func, insert, select, text

from radio.errors import LimitReached, StoreError
from radio.store import Store, engine, log_rows, sqlite_url
from radio.store.tables import artwork


def put(conn: Connection, name: str) -> str:
    conn.execute(insert(artwork).values(id=name, mime="image/png", width=1, height=1, data=name.encode()))
    return name


def put_then_fail(conn: Connection, name: str) -> None:
    put(conn, name)
    raise ArithmeticError(name)


def names(conn: Connection) -> list[str]:
    return list(conn.execute(select(artwork.c.id).order_by(artwork.c.id)).scalars())


async def test_what_is_written_can_be_read_and_is_there_after_opening_again(database, open_store):
    async with open_store(database) as store:
        assert await store.write(put, "first") == "first"
        assert await store.read(names) == ["first"]
    async with open_store(database) as store:
        assert await store.read(names) == ["first"]


async def test_work_takes_arguments_by_name(store):
    assert await store.write(put, name="named") == "named"
    assert await store.read(names) == ["named"]


async def test_a_write_that_raises_leaves_nothing_behind_and_the_writer_goes_on(store):
    with pytest.raises(ArithmeticError, match="lost"):
        await store.write(put_then_fail, "lost")
    await store.write(put, "kept")
    assert await store.read(names) == ["kept"]


async def test_what_the_database_refuses_is_a_store_error_and_rolled_back(store):
    await store.write(put, "one")

    def twice(conn: Connection) -> None:
        put(conn, "two")
        put(conn, "one")

    with pytest.raises(StoreError, match="refused"):
        await store.write(twice)
    assert await store.read(names) == ["one"]


async def test_a_read_connection_refuses_to_write(store):
    with pytest.raises(StoreError, match=r"read.?only"):
        await store.read(put, "smuggled")
    assert await store.read(names) == []


async def test_readers_go_on_during_a_write_and_see_the_state_before_it(store):
    written, finish = threading.Event(), threading.Event()

    def slow(conn: Connection) -> None:
        put(conn, "slow")
        written.set()
        assert finish.wait(10)

    writing = store.submit(slow)
    assert await asyncio.to_thread(written.wait, 10)
    assert await asyncio.gather(*(store.read(names) for _ in range(20))) == [[]] * 20
    finish.set()
    await asyncio.wrap_future(writing)
    assert await store.read(names) == ["slow"]


async def test_one_read_sees_one_snapshot(store):
    begun, changed = threading.Event(), threading.Event()

    def look_twice(conn: Connection) -> tuple[list[str], list[str]]:
        before = names(conn)
        begun.set()
        assert changed.wait(10)
        return before, names(conn)

    looking = asyncio.ensure_future(store.read(look_twice))
    assert await asyncio.to_thread(begun.wait, 10)
    await store.write(put, "between")
    changed.set()
    assert await looking == ([], [])


async def test_writes_from_many_threads_all_arrive(store):
    def many(thread: int) -> None:
        for number in range(20):
            store.submit(put, f"{thread}-{number:02}")

    await asyncio.gather(*(asyncio.to_thread(many, thread) for thread in range(4)))
    assert len(await store.write(names)) == 80


async def test_closing_finishes_the_writes_that_were_taken(database, open_store):
    async with open_store(database) as store:
        futures = [store.submit(put, f"{number:03}") for number in range(100)]
    assert [future.result(0) for future in futures] == [f"{number:03}" for number in range(100)]
    with pytest.raises(StoreError, match="closed"):
        store.submit(put, "late")
    async with open_store(database) as store:
        assert len(await store.read(names)) == 100


async def test_the_queue_of_writes_is_bounded(database, open_store, monkeypatch):
    monkeypatch.setattr(engine, "QUEUE_LIMIT", 3)
    begun, finish = threading.Event(), threading.Event()

    def hold(_conn: Connection) -> None:
        begun.set()
        assert finish.wait(10)

    async with open_store(database) as store:
        store.submit(hold)
        assert await asyncio.to_thread(begun.wait, 10)
        taken = [store.submit(put, str(number)) for number in range(3)]
        assert store.backlog == 3
        with pytest.raises(LimitReached, match="3 jobs wait"):
            store.submit(put, "too much")
        with pytest.raises(LimitReached):
            await store.write(put, "too much")
        finish.set()
        assert await asyncio.gather(*map(asyncio.wrap_future, taken)) == ["0", "1", "2"]
        assert await store.write(put, "3") == "3"


async def test_a_write_that_has_not_begun_is_taken_back_with_its_caller(store):
    begun, finish = threading.Event(), threading.Event()

    def hold(_conn: Connection) -> None:
        begun.set()
        assert finish.wait(10)

    store.submit(hold)
    assert await asyncio.to_thread(begun.wait, 10)
    waiting = asyncio.ensure_future(store.write(put, "given up"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    finish.set()
    assert await store.write(names) == []


async def test_a_submitted_write_that_fails_is_logged(store):
    with structlog.testing.capture_logs() as logs:
        future = store.submit(put_then_fail, "unseen")
        await store.write(names)
    assert isinstance(future.exception(0), ArithmeticError)
    assert [(entry["event"], entry["work"], entry["reason"]) for entry in logs] == [
        ("write_failed", "put_then_fail", "unseen")
    ]


async def test_two_stores_share_one_database(database, open_store):
    async with open_store(database) as one, open_store(database) as other:
        await asyncio.gather(
            *(store.write(put, f"{index}-{n}") for n in range(10) for index, store in enumerate((one, other)))
        )
        assert len(await one.read(names)) == len(await other.read(names)) == 20


async def test_stores_that_open_an_empty_database_at_once_both_come_up(database, open_store):
    async def count() -> int:
        async with open_store(database) as store:
            return await store.read(
                lambda conn: conn.execute(select(func.count()).select_from(artwork)).scalar()
            )

    assert await asyncio.gather(count(), count(), count()) == [0, 0, 0]


async def test_a_lost_postgres_connection_is_replaced(postgres_database, open_store):
    async with open_store(postgres_database) as store:
        await store.write(put, "before")
        kill = text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name = 'nextup-radio' AND pid <> pg_backend_pid()"
        )
        async with open_store(postgres_database) as other:
            await other.write(lambda conn: conn.execute(kill).scalar())
        assert await store.read(names) == ["before"]
        await store.write(put, "after")
        assert await store.read(names) == ["after", "before"]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nonsense", "cannot be read"),
        ("mysql://root:hunter2@db/radio", "'mysql' are not supported"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("postgresql+psycopg://nextup:hunter2@127.0.0.1:9/radio", "refused"),
    ],
)
async def test_a_database_that_cannot_be_had_is_named_without_its_password(url, problem):
    with pytest.raises(StoreError, match=problem) as caught:
        async with Store.open(url):
            pytest.fail("opened")
    assert "hunter2" not in str(caught.value)


async def test_plain_postgres_urls_mean_psycopg(postgres_database, open_store):
    async with open_store(postgres_database.replace("+psycopg", "")) as store:
        assert await store.read(names) == []


def test_a_path_with_odd_characters_survives_the_url(tmp_path: Path):
    path = tmp_path / "a b%20?c#d" / "nextup.db"
    assert Store(sqlite_url(path), clock=None, backups=None)._database == path


async def test_a_long_log_is_stored_in_one_transaction(store, make_row):
    rows = [make_row(number) for number in range(3000)]
    await store.write(log_rows.replace_from, "harbor", rows[0].starts_at_ms, rows, "r1")
    loaded = await store.read(log_rows.load, "harbor", rows[0].starts_at_ms, rows[-1].ends_at_ms)
    assert loaded == rows
