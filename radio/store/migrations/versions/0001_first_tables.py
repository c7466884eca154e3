"""First tables: the log, the as-run log, operators and the library."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _log_rows()
    _as_run()
    _operators()
    _library()


def downgrade() -> None:
    for table in ("artwork", "rejected", "items", "operators", "as_run", "log_rows"):
        op.drop_table(table)


def _log_rows() -> None:
    op.create_table(
        "log_rows",
        sa.Column("station", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("starts_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("item", sa.Text),
        sa.Column("campaign", sa.Text),
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("station", "id", name=op.f("pk_log_rows")),
    )
    _index("log_rows", "station", "starts_at_ms")
    _index("log_rows", "station", "ends_at_ms")


def _as_run() -> None:
    op.create_table(
        "as_run",
        sa.Column("row_id", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("station", sa.Text, nullable=False),
        sa.Column("starts_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("item", sa.Text),
        sa.Column("category", sa.Text),
        sa.Column("artist", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("campaign", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("cued_at_ms", sa.BigInteger, nullable=False),
        sa.Column("started_at_ms", sa.BigInteger),
        sa.Column("checkpoint_at_ms", sa.BigInteger),
        sa.Column("played_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger),
        sa.Column("outcome", sa.Text),
        sa.Column("cause", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("row_id", "attempt", "station", name=op.f("pk_as_run")),
    )
    _index("as_run", "station", "at_ms")
    _index("as_run", "station", "campaign", "at_ms")
    _partial(
        "uq_as_run_counted", ["row_id", "station"], "outcome IN ('aired', 'late', 'truncated')", unique=True
    )
    _partial("ix_as_run_unfinished", ["station"], "ended_at_ms IS NULL", unique=False)


def _operators() -> None:
    op.create_table(
        "operators",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("stations", sa.Text),
        sa.Column("token_id", sa.Text, nullable=False),
        sa.Column("token_sha256", sa.Text, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_operators")),
        sa.UniqueConstraint("token_id", name=op.f("uq_operators_token_id")),
    )


def _library() -> None:
    op.create_table(
        "items",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("artist", sa.Text),
        sa.Column("album", sa.Text),
        sa.Column("genre", sa.Text),
        sa.Column("date", sa.Text),
        sa.Column("composer", sa.Text),
        sa.Column("duration_ms", sa.BigInteger, nullable=False),
        sa.Column("cue_in_ms", sa.BigInteger, nullable=False),
        sa.Column("cue_out_ms", sa.BigInteger, nullable=False),
        sa.Column("loudness_lufs", sa.Double),
        sa.Column("true_peak_db", sa.Double),
        sa.Column("artwork", sa.Text),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("root", "path", name=op.f("uq_items_root_path")),
    )
    _index("items", "content_hash")
    op.create_table(
        "rejected",
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("root", "path", name=op.f("pk_rejected")),
    )
    op.create_table(
        "artwork",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("mime", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artwork")),
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _partial(name: str, columns: list[str], where: str, *, unique: bool) -> None:
    condition = sa.text(where)
    op.create_index(
        op.f(name), "as_run", columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )
