"""A library that was kept by the first schema goes on with the second."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, text

from radio.library import catalog, details, editing
from radio.store import migrate

OLD = {
    "root": "/audio",
    "size_bytes": 2**33,
    "mtime_ns": 2**62,
    "category": "music",
    "artist": "Ada Quay",
    "duration_ms": 3000,
    "cue_in_ms": 10,
    "cue_out_ms": 2900,
    "loudness_lufs": -20.5,
}


def fill_first_schema(conn: Connection) -> None:
    migrate.downgrade(conn, "0001")
    names = ("id", "path", "content_hash", "title", *OLD)
    values = ", ".join(f":{name}" for name in names)
    rows = [OLD | {"id": f"i{n}", "path": f"music/{n}.mp3", "content_hash": f"h{n}"} for n in range(700)]
    conn.execute(
        text(f"INSERT INTO items ({', '.join(names)}) VALUES ({values})"),
        [row | {"title": f"Pièce {row['id']}"} for row in rows],
    )


def words_in_index(conn: Connection) -> int:
    return int(conn.execute(text("SELECT count(*) FROM items_fts")).scalar_one())


async def test_items_are_kept_indexed_and_can_be_corrected(database, open_store):
    async with open_store(database) as store:
        await store.write(fill_first_schema)
    async with open_store(database) as store:
        assert await store.read(migrate.current) == migrate.head()
        before = await store.read(catalog.load_items)
        assert await store.write(catalog.index_missing) == 700
        assert await store.write(catalog.index_missing) == 0
        assert await store.read(words_in_index) == 700
        assert await store.read(catalog.load_items) == before
        assert before[0].problems == ()
        assert (before[0].title, before[0].inode, before[0].bpm) == ("Pièce i0", 0, None)
        changed = await store.write(editing.correct, "i0", {"artist": "B. Reef", "bpm": 90}, "desk", 1)
        assert changed == msgspec.structs.replace(before[0], artist="B. Reef", bpm=90.0)
        again = await store.write(editing.correct, "i0", {"artist": None, "bpm": None}, "desk", 2)
        assert again == before[0]
        sound = await store.read(details.sound_of, "i0")
        assert sound is not None
        assert (sound.loudness_lufs, sound.cue_out_ms, sound.is_mono) == (-20.5, 2900, None)


async def test_the_way_back_keeps_the_items(database, open_store):
    async with open_store(database) as store:
        await store.write(fill_first_schema)
        await store.write(migrate.upgrade)
        await store.write(catalog.index_missing)
        await store.write(migrate.downgrade, "0001")
        await store.write(migrate.upgrade)
        assert await store.write(catalog.index_missing) == 700
        assert len(await store.read(catalog.load_items)) == 700


def leave_one_unmeasured(conn: Connection) -> None:
    conn.execute(text("UPDATE items SET measured = false WHERE id = 'i7'"))


async def test_the_way_back_leaves_out_what_is_not_measured(database, open_store):
    async with open_store(database) as store:
        await store.write(fill_first_schema)
        await store.write(migrate.upgrade)
        assert all(item.measured for item in await store.read(catalog.load_items))
        await store.write(leave_one_unmeasured)
        assert len(await store.read(catalog.load_items, measured_only=True)) == 699
        await store.write(migrate.downgrade, "0002")
        await store.write(migrate.upgrade)
        assert "i7" not in {item.id for item in await store.read(catalog.load_items)}
