"""Brings a database's schema to the one that this release works with.

Alembic is imported only when there is something to bring: it takes as long to load as all else of the store. A new
SQLite file is made without it.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, text

from radio.errors import StoreTooNew
from radio.store import new_schema

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER: Final = Path(__file__).parent / "migrations"
# Alembic's environment is a global of the process; two stores may be opened at once.
_ALEMBIC: Final = threading.Lock()
# Any number that nothing else uses: all processes that start at once on one PostgreSQL queue up behind it.
_ADVISORY_KEY: Final = 0x6E657874_7570


def head() -> str:
    """The revision that this release works with: the last of :func:`revisions`."""
    return revisions()[-1]


@cache
def revisions() -> tuple[str, ...]:
    """Every revision that this release knows, from the first on; they are one chain.

    A revision is the number with which the name of its file begins.
    """
    return tuple(sorted(path.name.partition("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*_*.py")))


def current(conn: Connection) -> str | None:
    """The revision of the database; None where it is empty.

    Raises StoreTooNew for a revision that this release does not know.
    """
    revision: str | None = None
    if conn.dialect.has_table(conn, "alembic_version"):
        revision = conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision is not None and revision not in revisions():
        raise StoreTooNew(
            f"The database has schema {revision}, made by a later release; this one works with {head()}. "
            "Install the later release, or restore a backup made before the upgrade."
        )
    return revision


def upgrade(conn: Connection) -> None:
    """Bring the schema to :func:`head` within the transaction of ``conn``; no work where it is there.

    Raises StoreTooNew as :func:`current` does.
    """
    _queue_up(conn)
    if new_schema.is_new(conn):
        new_schema.make(conn, head())
    elif current(conn) != head():
        from alembic import command

        with _ALEMBIC:
            command.upgrade(_config(conn), "head")


def downgrade(conn: Connection, revision: str) -> None:
    """Take the schema back to ``revision`` ("base": no tables), and its data with it."""
    _queue_up(conn)
    from alembic import command

    with _ALEMBIC:
        command.downgrade(_config(conn), revision)


def _queue_up(conn: Connection) -> None:
    if conn.dialect.name == "postgresql":
        conn.execute(text("SET LOCAL lock_timeout = '120s'"))
        conn.execute(text("SET LOCAL statement_timeout = 0"))
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_KEY})


def _config(conn: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": conn})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
