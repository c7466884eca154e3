"""Run by Alembic: applies revisions on the connection that ``radio.store.migrate`` hands over.

The connection's owner holds the transaction: a revision that fails leaves the schema as it was.
"""

from __future__ import annotations

from alembic import context

from radio.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
