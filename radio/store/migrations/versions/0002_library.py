"""The library, whole: more words, what was measured, corrections, full text, fingerprints, undo of tags."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = ("items_fts", "item_details", "corrections", "fingerprint_keys", "tag_undo")
_INDEXES = (["number", "root"], ["title_key"], ["artist_key"])

_FTS_COLUMNS = (
    "title, artist, album, album_artist, composer, conductor, work, movement, ensemble, genre, label, "
    "comment, path, date"
)


def upgrade() -> None:
    for column in _item_columns():
        op.add_column("items", column)
    for columns in _INDEXES:
        op.create_index(op.f(f"ix_items_{'_'.join(columns)}"), "items", columns)
    op.create_index(op.f("ix_as_run_item_at_ms"), "as_run", ["item", "at_ms"])
    _details()
    _corrections()
    _fingerprints()
    _undo()
    _full_text()


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    op.drop_index(op.f("ix_as_run_item_at_ms"), "as_run")
    for columns in _INDEXES:
        op.drop_index(op.f(f"ix_items_{'_'.join(columns)}"), "items")
    for column in reversed(_item_columns()):
        op.drop_column("items", column.name)


def _item_columns() -> list[sa.Column[Any]]:
    by_code_point = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    texts = ("album_artist", "conductor", "label", "isrc", "language")
    more_texts = ("work", "movement", "ensemble")
    return [
        *(sa.Column(name, sa.Text) for name in texts),
        sa.Column("explicit", sa.Boolean),
        sa.Column("bpm", sa.Double),
        sa.Column("musical_key", sa.Text),
        *(sa.Column(name, sa.Text) for name in more_texts),
        sa.Column("loudness_range_lu", sa.Double),
        sa.Column("intro_ms", sa.BigInteger),
        sa.Column("outro_ms", sa.BigInteger),
        sa.Column("problems", sa.Text),
        sa.Column("inode", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("number", sa.BigInteger),
        sa.Column("title_key", by_code_point),
        sa.Column("artist_key", by_code_point),
    ]


def _details() -> None:
    op.create_table(
        "item_details",
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("sound", sa.Text, nullable=False),
        sa.Column("pcm_hash", sa.Text),
        sa.Column("peaks", sa.LargeBinary),
        sa.Column("fingerprint", sa.LargeBinary),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_details")),
    )
    op.create_index(op.f("ix_item_details_pcm_hash"), "item_details", ["pcm_hash"])


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("item_id", "field", name=op.f("pk_corrections")),
    )


def _fingerprints() -> None:
    op.create_table(
        "fingerprint_keys",
        sa.Column("key", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", "item_id", name=op.f("pk_fingerprint_keys")),
    )
    op.create_index(op.f("ix_fingerprint_keys_item_id"), "fingerprint_keys", ["item_id"])


def _undo() -> None:
    op.create_table(
        "tag_undo",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_undo")),
    )
    op.create_index(op.f("ix_tag_undo_item_id_id"), "tag_undo", ["item_id", "id"])


def _full_text() -> None:
    if op.get_context().dialect.name == "sqlite":
        options = "tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'"
        op.execute(f"CREATE VIRTUAL TABLE items_fts USING fts5({_FTS_COLUMNS}, {options})")
        return
    op.execute("CREATE TABLE items_fts (number BIGINT PRIMARY KEY, words tsvector NOT NULL)")
    op.execute("CREATE INDEX ix_items_fts_words ON items_fts USING gin (words)")
