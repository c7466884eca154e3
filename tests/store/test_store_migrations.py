from __future__ import annotations

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from radio.errors import StoreTooNew
from radio.library.items import Item, RejectedFile
from radio.store import migrate, new_schema, sqlite, tables


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


def schema(conn: Connection) -> dict[str, object]:
    """What a SQLite file holds: columns by name, for a column that a migration adds stands last, and all else."""
    others = conn.execute(text("SELECT name, sql FROM sqlite_master WHERE type <> 'table'"))
    found: dict[str, object] = {other.name: other.sql for other in others}
    for table in conn.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")):
        columns = conn.execute(text(f"PRAGMA table_info({table.name})"))
        found[table.name] = {column[1]: tuple(column)[2:] for column in columns}
        if "VIRTUAL" in table.sql or "_fts" in table.name:
            found[table.name] = table.sql
    return found


def test_a_new_file_is_what_the_migrations_make(tmp_path):
    found = []
    for name in ("new.db", "migrated.db"):
        sqlite.prepare_file(tmp_path / name)
        writer, reader = sqlite.engines(tmp_path / name, readers=1)
        with writer.begin() as conn:
            assert new_schema.is_new(conn)
            if name == "migrated.db":  # with a table of its own it is no new file
                conn.execute(
                    text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
                )
            migrate.upgrade(conn)
            assert not new_schema.is_new(conn)
            assert migrate.current(conn) == migrate.head()
            found.append(schema(conn))
        writer.dispose()
        reader.dispose()
    assert found[0] == found[1]
    assert {"as_run", "items_fts", "items_fts_data", "uq_as_run_counted", "ix_items_number_root"} <= set(
        found[0]
    )


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
