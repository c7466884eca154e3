"""The schema of a new SQLite file, made at once from the tables as the code knows them.

Alembic would go through all revisions to the same end, and what it takes for that would stay with the process: 8 MB,
and a second of the first start. A test holds the two ways against each other.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

from radio.store.tables import metadata

_FULL_TEXT: Final = (
    "CREATE VIRTUAL TABLE items_fts USING fts5(title, artist, album, album_artist, composer, conductor, work, "
    "movement, ensemble, genre, label, comment, path, date, "
    "tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3')"
)
_VERSION: Final = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def is_new(conn: Connection) -> bool:
    """Whether this is a SQLite file in which nothing was ever made."""
    if conn.dialect.name != "sqlite":
        return False
    return not conn.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one()


def make(conn: Connection, revision: str) -> None:
    """Make every table in a new SQLite file, within the transaction of ``conn``; ``revision`` is the newest one."""
    metadata.create_all(conn, checkfirst=False)
    conn.execute(text(_FULL_TEXT))
    conn.execute(text(_VERSION))
    conn.execute(text("INSERT INTO alembic_version (version_num) VALUES (:revision)"), {"revision": revision})
