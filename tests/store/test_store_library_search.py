"""Both databases find what the pure matcher says: the contract of the library's search."""

from __future__ import annotations

import random

import msgspec
import pytest

from radio.errors import InvalidRequest
from radio.library import catalog
from radio.library.catalog import Batch
from radio.library.details import Details
from radio.library.items import Item
from radio.library.matching import matches
from radio.library.query import parse
from radio.library.search import ORDERS, Page, Search, ids_of, search

WORDS = ("Bach", "Händel", "Dvořák", "suite", "Süite", "air", "water", "AC/DC", "o'brien", "坂本", "No. 5")


def made(number: int) -> Item:
    rng = random.Random(number)

    def words(most: int) -> str:
        return " ".join(rng.choices(WORDS, k=rng.randint(1, most)))

    def maybe(value: object) -> object:
        return value if rng.random() < 0.6 else None

    return Item(
        id=f"item-{number:03}",
        root=rng.choice(("/audio", "/shared")),
        path=f"music/{words(1)}/{number}.mp3",
        size_bytes=1,
        mtime_ns=rng.randint(1, 50),
        content_hash=f"hash-{number}",
        category=rng.choice(("music", "news", "")),
        title=words(4),
        duration_ms=400_000,
        cue_in_ms=0,
        cue_out_ms=rng.choice((210_000, 210_999, 211_000, 300_000)),
        problems=rng.choice(((), ("clipping",), ("mono", "silence inside"))),
        artist=maybe(words(2)),
        album=maybe(words(2)),
        genre=maybe(rng.choice(("Jazz", "jazz", "Blues"))),
        date=maybe(rng.choice(("1989", "1990", "1990-05", "1990-05-17", "2003-12"))),
        bpm=maybe(rng.choice((90.0, 120.0, 120.5))),
        loudness_lufs=maybe(rng.choice((-23.0, -18.5))),
        isrc=maybe("GBABC1900012"),
        explicit=maybe(rng.random() < 0.5),
        measured=number % 5 > 0,
        composer=maybe(words(1)),
    )  # type: ignore[arg-type]


ITEMS = [made(number) for number in range(150)]
COMMENTS = {item.id: "From the master tape" for item in ITEMS[::7]}
QUERIES = (
    "", "bach", "ba", "handel", "HÄN", "dvorak -suite", '"suite air"', '"suite ai"', "AC/DC", '"ac dc"', "obrien",
    "坂本", "坂", "title:water", "artist:bach album:air", "artist:bach OR genre:jazz", "-(artist:bach OR genre:jazz)",
    "genre:jazz", "bpm>=120", "-bpm>=120", "bpm:120", "bpm<121 bpm>100", "length:3:30", "length>=3:31", "date:1990",
    "date>1990", "date<=1990", "date>=1990-05", "date<1990-05", "-date:1990", "category:music", "isrc:GB-ABC-19-00012",
    "measured:yes", "measured:no", "-measured:no bach", "measured:no OR suite",
    "explicit:yes", "-explicit:yes", "explicit:no", "missing:artist", "has:bpm", "missing:problems", "missing:category",
    "problem:clip", "problem:silence", "-problem:mono", "loudness<-20", "master", "comment:tape -bach", "path:music",
    "id:item-003", "5", "No. bach", "bach bach OR suite (water OR air) -genre:blues length>3:30",
)  # fmt: skip


@pytest.fixture
async def full(store):
    details = {
        item.id: Details(item=item, sound=Details.of(item).sound, tags={"comment": COMMENTS.get(item.id)})
        for item in ITEMS
    }
    await store.write(catalog.apply, Batch(items=ITEMS, details=details))
    return store


async def found(store, text: str = "", **wanted: object) -> Page:
    return await store.read(search, Search(query=parse(text), **({"limit": 200} | wanted)))


async def test_the_database_finds_what_the_matcher_says(full):
    for text in QUERIES:
        meaning = parse(text)
        expected = {item.id for item in ITEMS if matches(meaning, item, COMMENTS.get(item.id))}
        page = await found(full, text)
        assert ({item.id for item in page.items}, page.total) == (expected, len(expected)), text
        assert page.is_exact


async def test_filters_narrow_the_search(full):
    page = await found(full, "bach", roots=["/shared", "/other"], categories=["music", ""], problems=["mono"])
    assert [item.id for item in page.items] == [item.id for item in page.items if "mono" in item.problems]
    expected = {
        item.id
        for item in ITEMS
        if matches(parse("bach problem:mono"), item) and item.root == "/shared" and item.category != "news"
    }
    assert {item.id for item in page.items} == expected
    assert (await found(full, roots=[])).total == 0


@pytest.mark.parametrize("sort", [*ORDERS, *(f"-{name}" for name in ORDERS)])
async def test_pages_are_in_order_and_whole(full, sort):
    pages = [
        await found(full, sort=sort, limit=40, offset=offset) for offset in range(0, len(ITEMS) + 40, 40)
    ]
    ids = [item.id for page in pages for item in page.items]
    assert sorted(ids) == [item.id for item in ITEMS]
    assert [len(page.items) for page in pages] == [40, 40, 40, 30, 0]
    assert ids == await full.read(ids_of, Search(sort=sort))
    by_id = {item.id: item for item in ITEMS}
    if sort == "bpm":
        values = [by_id[item_id].bpm for item_id in ids]
        assert values == sorted(values, key=lambda bpm: (bpm is None, bpm or 0))


async def test_the_two_databases_sort_alike(sqlite_database, postgres_database, open_store):
    orders = []
    for url in (sqlite_database, postgres_database):
        async with open_store(url) as store:
            await store.write(catalog.apply, Batch(items=ITEMS))
            orders.append([await store.read(ids_of, Search(sort=sort)) for sort in (*ORDERS, "-title")])
    assert orders[0] == orders[1]


async def test_what_changes_or_leaves_is_found_no_more(full):
    changed = msgspec.structs.replace(ITEMS[0], title="Harbour lights", artist=None)
    await full.write(catalog.apply, Batch(items=[changed], removed=[ITEMS[1].id]))
    assert [item.id for item in (await found(full, "harbour")).items] == [changed.id]
    page = await found(full, limit=200)
    assert page.total == len(ITEMS) - 1
    assert ITEMS[1].id not in {item.id for item in page.items}


@pytest.mark.parametrize(
    ("wanted", "field"), [({"sort": "size"}, "sort"), ({"limit": 201}, "limit"), ({"offset": -1}, "offset")]
)
async def test_what_cannot_be_asked_for_is_named(full, wanted, field):
    with pytest.raises(InvalidRequest) as caught:
        await found(full, **wanted)
    assert caught.value.field == field
