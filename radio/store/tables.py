"""The tables, as SQLAlchemy Core knows them; ``migrations/versions`` makes and changes them.

Every ``_ms`` column holds integer Unix milliseconds or a length in milliseconds. ``body`` is a whole value as
JSON, so that the value can grow; the columns beside it are what is searched by.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

log_rows = Table(
    "log_rows",
    metadata,
    Column("station", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("starts_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("item", Text),
    Column("campaign", Text),
    Column("revision", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "station", "starts_at_ms"),
    Index(None, "station", "ends_at_ms"),
)

COUNTED = text("outcome IN ('aired', 'late', 'truncated')")
"""The condition under which an attempt counts as the one airing of its row."""

UNFINISHED = text("ended_at_ms IS NULL")

# `at_ms` is the moment by which an attempt is sorted: its start, or its cueing until it starts.
as_run = Table(
    "as_run",
    metadata,
    Column("row_id", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("station", Text, primary_key=True),
    Column("starts_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("item", Text),
    Column("category", Text),
    Column("artist", Text),
    Column("title", Text, nullable=False),
    Column("campaign", Text),
    Column("body", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("cued_at_ms", BigInteger, nullable=False),
    Column("started_at_ms", BigInteger),
    Column("checkpoint_at_ms", BigInteger),
    Column("played_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger),
    Column("outcome", Text),
    Column("cause", Text, nullable=False),
    Index(None, "station", "at_ms"),
    Index(None, "station", "campaign", "at_ms"),
    Index(
        "uq_as_run_counted", "row_id", "station", unique=True, sqlite_where=COUNTED, postgresql_where=COUNTED
    ),
    Index("ix_as_run_unfinished", "station", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),
)

operators = Table(
    "operators",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("stations", Text),
    Column("token_id", Text, nullable=False),
    Column("token_sha256", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger),
    UniqueConstraint("token_id"),
)

items = Table(
    "items",
    metadata,
    Column("id", Text, primary_key=True),
    Column("root", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("artist", Text),
    Column("album", Text),
    Column("genre", Text),
    Column("date", Text),
    Column("composer", Text),
    Column("duration_ms", BigInteger, nullable=False),
    Column("cue_in_ms", BigInteger, nullable=False),
    Column("cue_out_ms", BigInteger, nullable=False),
    Column("loudness_lufs", Double),
    Column("true_peak_db", Double),
    Column("artwork", Text),
    UniqueConstraint("root", "path"),
    Index(None, "content_hash"),
)

rejected = Table(
    "rejected",
    metadata,
    Column("root", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
)

artwork = Table(
    "artwork",
    metadata,
    Column("id", Text, primary_key=True),
    Column("mime", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
