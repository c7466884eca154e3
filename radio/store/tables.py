"""The tables, as SQLAlchemy Core knows them; ``migrations/versions`` makes and changes them.

Every ``_ms`` column holds integer Unix milliseconds or a length in milliseconds. ``body`` is a whole value as
JSON, so that the value can grow; the columns beside it are what is searched by.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
    true,
)


class Words(TypeDecorator[tuple[str, ...]]):
    """A tuple of short words, kept as a JSON array of strings."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        return msgspec.json.encode(value or ()).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[str, ...]:
        return msgspec.json.decode(value, type=tuple[str, ...]) if value else ()


BY_CODE_POINT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by code points on PostgreSQL too, as it does on SQLite."""

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

log_remains = Table(
    "log_remains",
    metadata,
    Column("station", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
"""What a station's log knows besides its rows, as one value; written in one transaction with them."""

COUNTED = text("outcome IN ('aired', 'late', 'truncated')")
"""The condition under which an attempt counts as the one airing of its row."""

UNFINISHED = text("ended_at_ms IS NULL")

ADDRESSED = text("address IS NOT NULL")

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
    Index(None, "item", "at_ms"),
    # on PostgreSQL they are partial too, by their migrations: to say it here would load its dialect, 2 MB
    Index("uq_as_run_counted", "row_id", "station", unique=True, sqlite_where=COUNTED),
    Index("ix_as_run_unfinished", "station", sqlite_where=UNFINISHED),
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
    Column("album_artist", Text),
    Column("conductor", Text),
    Column("label", Text),
    Column("isrc", Text),
    Column("language", Text),
    Column("explicit", Boolean),
    Column("bpm", Double),
    Column("musical_key", Text),
    Column("work", Text),
    Column("movement", Text),
    Column("ensemble", Text),
    Column("loudness_range_lu", Double),
    Column("intro_ms", BigInteger),
    Column("outro_ms", BigInteger),
    Column("problems", Words),
    Column("inode", BigInteger, nullable=False, server_default=text("0")),
    Column("measured", Boolean, nullable=False, server_default=true()),
    Column("number", BigInteger),
    Column("title_key", BY_CODE_POINT),
    Column("artist_key", BY_CODE_POINT),
    UniqueConstraint("root", "path"),
    Index(None, "content_hash"),
    Index(None, "number", "root"),
    Index(None, "title_key"),
    Index(None, "artist_key"),
    Index(None, "measured", "root", "path"),
)
"""The library, with what people corrected. ``number`` joins the full-text table ``items_fts``, which each
database has in its own form and which is therefore no part of this metadata; it is None, like the sort keys,
until the item is indexed (:mod:`radio.library.search_index`)."""

item_details = Table(
    "item_details",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("item", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("sound", Text, nullable=False),
    Column("pcm_hash", Text),
    Column("peaks", LargeBinary),
    Column("fingerprint", LargeBinary),
    Index(None, "pcm_hash"),
)
"""What a file says of itself and what was measured, as JSON and untouched by corrections; ``item`` is the item
that was made of both."""

corrections = Table(
    "corrections",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
"""What a person set, as JSON. It outlives its item: a file that comes back finds it again."""

fingerprint_keys = Table(
    "fingerprint_keys",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("item_id", Text, primary_key=True),
    Index(None, "item_id"),
)

tag_undo = Table(
    "tag_undo",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("item_id", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("operator", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index(None, "item_id", "id"),
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

folder_pictures = Table(
    "folder_pictures",
    metadata,
    Column("root", Text, primary_key=True),
    Column("folder", Text, primary_key=True),
    Column("mark", Text, nullable=False),
)
"""Which picture lay in a folder when its items were last read; a root that was looked at has a row of its own
(``folder`` empty), with an empty ``mark`` where no picture lies there."""

artwork = Table(
    "artwork",
    metadata,
    Column("id", Text, primary_key=True),
    Column("mime", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

listener_sessions = Table(
    "listener_sessions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("station", Text, nullable=False),
    Column("mount", Text, nullable=False),
    Column("started_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=False),
    Column("bytes_sent", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
    Column("address", Text),
    Index(None, "station", "started_at_ms"),
    Index("ix_listener_sessions_addressed", "ended_at_ms", sqlite_where=ADDRESSED),
)
"""Connections to streams that have ended. ``address`` is blank unless the operator keeps addresses, and when it
has been kept long enough."""

schedule_revisions = Table(
    "schedule_revisions",
    metadata,
    Column("station", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("parent", BigInteger),
    Column("at_ms", BigInteger, nullable=False),
    Column("operator", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("added_lines", BigInteger, nullable=False),
    Column("removed_lines", BigInteger, nullable=False),
    Column("data", LargeBinary),
    Index(None, "station", "version"),
)
"""Every text that a schedule had. ``data`` is the whole text, compressed, and blank when it is old."""

schedule_drafts = Table(
    "schedule_drafts",
    metadata,
    Column("station", Text, primary_key=True),
    Column("operator", Text, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("base", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
