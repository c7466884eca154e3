"""Items that are catalogued before they are measured, and the pictures of folders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INDEX = "ix_items_measured_root_path"


def upgrade() -> None:
    op.add_column("items", sa.Column("measured", sa.Boolean, nullable=False, server_default=sa.true()))
    op.create_index(op.f(_INDEX), "items", ["measured", "root", "path"])
    op.create_table(
        "folder_pictures",
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("root", "folder", name=op.f("pk_folder_pictures")),
    )


def downgrade() -> None:
    op.drop_table("folder_pictures")
    # an earlier release would air them; it finds their files by itself
    op.execute(sa.text("DELETE FROM items WHERE NOT measured"))
    op.drop_index(op.f(_INDEX), "items")
    op.drop_column("items", "measured")
