"""Every text that a schedule had, and drafts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schedule_revisions",
        sa.Column("station", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("parent", sa.BigInteger),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("added_lines", sa.BigInteger, nullable=False),
        sa.Column("removed_lines", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary),
        sa.PrimaryKeyConstraint("station", "number", name=op.f("pk_schedule_revisions")),
    )
    op.create_index(
        op.f("ix_schedule_revisions_station_version"), "schedule_revisions", ["station", "version"]
    )
    op.create_table(
        "schedule_drafts",
        sa.Column("station", sa.Text, nullable=False),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("station", "operator", name=op.f("pk_schedule_drafts")),
    )


def downgrade() -> None:
    op.drop_table("schedule_drafts")
    op.drop_table("schedule_revisions")
