from __future__ import annotations

from pathlib import Path

import msgspec
from library_items import item
from library_sounds import png

from radio.library import catalog
from radio.library.artwork import artwork_of
from radio.library.catalog import Batch
from radio.library.items import Item, RejectedFile
from radio.store import Store, sqlite_url
from radio.units import Decibels, Lufs

BAD = RejectedFile(root="/audio", path="bad.mp3", reason="no sound", size_bytes=3, mtime_ns=2**62)


async def known(store: Store) -> tuple[list[Item], list[RejectedFile]]:
    return await store.read(catalog.load_items), await store.read(catalog.load_rejected)


async def test_items_come_back_as_they_were(tmp_path: Path) -> None:
    full = item(
        "a/new\nline 🎺.mp3", artist="Ada Quay", loudness_lufs=Lufs(-23.4), true_peak_db=Decibels(-1.5)
    )
    full = msgspec.structs.replace(full, mtime_ns=2**62, size_bytes=2**40, artwork="x")
    async with Store.open(sqlite_url(tmp_path / "radio.db")) as store:
        batch = Batch(items=[full, item("b.mp3", root="/other")], rejected=[BAD])
        for _ in range(2):
            await store.write(catalog.apply, batch)
        assert await store.read(catalog.load_items) == [full, item("b.mp3", root="/other")]
        known = await store.read(catalog.load)
        assert [one.id for one in known.items] == [full.id, "id-hash-of-b.mp3"]
        assert known.rejected == [BAD]
        assert await store.read(catalog.load_items, ["/other/"]) == [item("b.mp3", root="/other")]
        assert await store.read(catalog.load_rejected, [Path("/other")]) == []


async def test_a_place_holds_one_thing(tmp_path: Path) -> None:
    good = item("bad.mp3")
    async with Store.open(sqlite_url(tmp_path / "radio.db")) as store:
        await store.write(catalog.apply, Batch(rejected=[BAD]))
        await store.write(catalog.apply, Batch(items=[good]))
        assert await known(store) == ([good], [])
        await store.write(catalog.apply, Batch(rejected=[BAD]))
        assert await known(store) == ([], [BAD])
        await store.write(catalog.apply, Batch(forgotten=[("/audio", "bad.mp3")]))
        assert await known(store) == ([], [])


async def test_two_items_may_swap_their_places(tmp_path: Path) -> None:
    a, b = item("a"), item("b")
    async with Store.open(sqlite_url(tmp_path / "radio.db")) as store:
        await store.write(catalog.apply, Batch(items=[a, b]))
        swapped = [msgspec.structs.replace(a, path="b"), msgspec.structs.replace(b, path="a")]
        await store.write(catalog.apply, Batch(items=swapped))
        assert {known.id: known.path for known in await store.read(catalog.load_items)} == {
            a.id: "b",
            b.id: "a",
        }
        await store.write(catalog.apply, Batch(removed=[a.id]))
        assert [known.path for known in await store.read(catalog.load_items)] == ["a"]


async def test_a_picture_is_kept_once(tmp_path: Path) -> None:
    art = artwork_of(png())
    assert art is not None
    async with Store.open(sqlite_url(tmp_path / "radio.db")) as store:
        await store.write(catalog.apply, Batch(items=[item("a")], artwork=[art, art]))
        await store.write(catalog.put_artwork, art)
        assert await store.read(catalog.get_artwork, art.id) == art
        assert await store.read(catalog.get_artwork, "unknown") is None
