"""Who listened, from when to when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ADDRESSED = sa.text("address IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "listener_sessions",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("station", sa.Text, nullable=False),
        sa.Column("mount", sa.Text, nullable=False),
        sa.Column("started_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger, nullable=False),
        sa.Column("bytes_sent", sa.BigInteger, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listener_sessions")),
    )
    op.create_index(
        op.f("ix_listener_sessions_station_started_at_ms"), "listener_sessions", ["station", "started_at_ms"]
    )
    op.create_index(
        op.f("ix_listener_sessions_addressed"),
        "listener_sessions",
        ["ended_at_ms"],
        sqlite_where=_ADDRESSED,
        postgresql_where=_ADDRESSED,
    )


def downgrade() -> None:
    op.drop_table("listener_sessions")
