from __future__ import annotations

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from radio.errors import StoreTooNew
from radio.library.items import Item, RejectedFile
from radio.store import migrate, tables


def difference(conn: Connection) -> list[object]:
    def is_compared(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or not (name or "").startswith("items_fts")

    context = MigrationContext.configure(
        conn, opts={"compare_type": True, "compare_server_default": True, "include_name": is_compared}
    )
    return list(compare_metadata(context, tables.metadata))


def table_names(conn: Connection) -> set[str]:
    """All tables, but of the full-text table's own only the one that carries its name."""
    return {
        name for name in inspect(conn).get_table_names() if name == "items_fts" or "items_fts" not in name
    }


def set_revision(conn: Connection, revision: str) -> None:
    conn.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})


async def test_opening_makes_exactly_the_tables_that_the_code_knows(store):
    assert await store.read(migrate.current) == migrate.head()
    assert await store.read(difference) == []


async def test_down_to_nothing_and_up_again(store):
    await store.write(migrate.downgrade, "base")
    assert await store.read(table_names) == {"alembic_version"}
    await store.write(migrate.upgrade)
    assert await store.read(table_names) == {"alembic_version", "items_fts", *tables.metadata.tables}
    assert await store.read(difference) == []


async def test_a_migration_that_fails_leaves_the_schema_as_it_was(store):
    def half(conn: Connection) -> None:
        migrate.downgrade(conn, "base")
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await store.write(half)
    assert await store.read(migrate.current) == migrate.head()
    assert await store.read(difference) == []


async def test_a_schema_of_a_later_release_is_refused_and_left_alone(database, open_store):
    async with open_store(database) as store:
        await store.write(set_revision, "9999")
    with pytest.raises(StoreTooNew, match="schema 9999, made by a later release") as caught:
        async with open_store(database):
            pytest.fail("opened")
    assert caught.value.code == "store_too_new"


def test_the_revisions_are_one_chain():
    scripts = ScriptDirectory.from_config(migrate._config())
    assert scripts.get_heads() == [migrate.head()]
    assert scripts.get_bases() == [migrate.revisions()[0]] == ["0001"]


def test_the_library_tables_have_a_column_for_each_field():
    own = [field.name for field in msgspec.structs.fields(Item)]
    assert tables.items.columns.keys() == [*own, "number", "title_key", "artist_key"]
    assert tables.rejected.columns.keys() == [field.name for field in msgspec.structs.fields(RejectedFile)]


async def test_the_partial_indexes_are_partial(store):
    def conditions(conn: Connection) -> set[str | None]:
        indexes = inspect(conn).get_indexes("as_run")
        option = f"{conn.dialect.name}_where"
        return {
            index["name"] for index in indexes if index.get("dialect_options", {}).get(option) is not None
        }

    assert await store.read(conditions) == {"uq_as_run_counted", "ix_as_run_unfinished"}
