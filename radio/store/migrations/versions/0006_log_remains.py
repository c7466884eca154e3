"""What a log knows besides its rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_remains",
        sa.Column("station", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("station", name=op.f("pk_log_remains")),
    )


def downgrade() -> None:
    op.drop_table("log_remains")
