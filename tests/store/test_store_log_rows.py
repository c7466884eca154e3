from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select, update

from radio.errors import StoreError
from radio.log import Anchor, ItemKind
from radio.store import log_rows, tables

NOON = 1_800_000_000_000
LATER = NOON + 3_600_000


async def stored(store, station: str = "harbor"):
    return await store.read(log_rows.load, station, 0, LATER)


async def test_rows_come_back_as_they_went(store, make_row, sponsor_message):
    rows = [
        make_row(0, artist="Ärtist 'quoted' \"name\" 🎻", gain_db=-7.25, artwork="pic", cue_in_ms=120),
        make_row(1, kind=ItemKind.SPONSOR, sponsor=sponsor_message, break_id="b1", anchor=Anchor.HARD),
        make_row(2, item=None, artist=None, category=None, kind=ItemKind.FILL, fade_out_ms=900),
    ]
    await store.write(log_rows.replace_from, "harbor", NOON, rows, "r1")
    assert await stored(store) == rows


async def test_columns_that_are_searched_by_hold_what_the_row_says(store, make_row, sponsor_message):
    row = make_row(1, kind=ItemKind.SPONSOR, sponsor=sponsor_message)
    await store.write(log_rows.replace_from, "harbor", NOON, [row], "r7")
    t = tables.log_rows.c
    columns = select(t.station, t.id, t.starts_at_ms, t.ends_at_ms, t.kind, t.item, t.campaign, t.revision)
    found = await store.read(lambda conn: tuple(conn.execute(columns).one()))
    assert found == (
        "harbor", "row-1", NOON + 30_000, NOON + 60_000, "sponsor", "item-1", "ferry-spring", "r7",
    )  # fmt: skip


async def test_a_new_plan_replaces_what_has_not_started_and_nothing_else(store, make_row):
    old = [make_row(number) for number in range(6)]
    other = [make_row(number, station="island") for number in range(6)]
    await store.write(log_rows.replace_from, "harbor", NOON, old, "r1")
    await store.write(log_rows.replace_from, "island", NOON, other, "r1")
    new = [make_row(number, id=f"new-{number}") for number in range(2, 5)]
    await store.write(log_rows.replace_from, "harbor", NOON + 60_000, new, "r2")
    assert await stored(store) == old[:2] + new
    assert await stored(store, "island") == other


async def test_a_row_that_is_left_early_is_shortened(store, make_row):
    await store.write(log_rows.replace_from, "harbor", NOON, [make_row(0), make_row(1)], "r1")
    skipped_at = NOON + 41_000
    new = make_row(1, id="new", starts_at_ms=skipped_at, ends_at_ms=skipped_at + 30_000)
    await store.write(log_rows.replace_from, "harbor", skipped_at, [new], "r2")
    rows = await stored(store)
    assert [(row.id, row.ends_at_ms) for row in rows] == [
        ("row-0", NOON + 30_000),
        ("row-1", skipped_at),
        ("new", skipped_at + 30_000),
    ]


async def test_replacing_with_nothing_clears_the_plan(store, make_row):
    await store.write(log_rows.replace_from, "harbor", NOON, [make_row(n) for n in range(3)], "r1")
    await store.write(log_rows.replace_from, "harbor", NOON + 30_000, [], "r2")
    assert await stored(store) == [make_row(0)]


async def test_rows_that_are_no_log_are_refused_and_the_old_log_stays(store, make_row):
    old = [make_row(number) for number in range(3)]
    await store.write(log_rows.replace_from, "harbor", NOON, old, "r1")
    faults = {
        "starts 30000 ms after": [make_row(0), make_row(2)],
        "stands twice": [make_row(0), make_row(1, id="row-0")],
        "belongs to station island": [make_row(0, station="island")],
        "before the moment to replace from": [make_row(-1), make_row(0)],
        "lasts 0 ms": [make_row(0, ends_at_ms=NOON)],
    }
    for problem, rows in faults.items():
        with pytest.raises(StoreError, match=problem):
            await store.write(log_rows.replace_from, "harbor", NOON, rows, "r2")
    assert await stored(store) == old


async def test_load_takes_rows_that_touch_the_span(store, make_row):
    rows = [make_row(number) for number in range(3)]
    await store.write(log_rows.replace_from, "harbor", NOON, rows, "r1")
    spans = {
        (NOON, NOON + 30_000): [0],
        (NOON + 29_999, NOON + 30_001): [0, 1],
        (NOON + 30_000, NOON + 30_001): [1],
        (NOON + 45_000, NOON + 45_001): [1],
        (NOON - 9_000, NOON): [],
        (NOON + 90_000, LATER): [],
    }
    for span, numbers in spans.items():
        assert await store.read(log_rows.load, "harbor", *span) == [rows[number] for number in numbers], span


async def test_prune_deletes_rows_that_are_over(store, make_row):
    await store.write(log_rows.replace_from, "harbor", NOON, [make_row(n) for n in range(4)], "r1")
    assert await store.write(log_rows.prune, NOON + 60_000) == 2
    assert await stored(store) == [make_row(2), make_row(3)]


async def test_a_row_with_fields_of_another_release_is_still_read(store, make_row):
    await store.write(log_rows.replace_from, "harbor", NOON, [make_row(0)], "r1")
    body = msgspec.json.encode(msgspec.to_builtins(make_row(0)) | {"mood": "calm"}).decode()
    await store.write(lambda conn: conn.execute(update(tables.log_rows).values(body=body)).rowcount)
    assert await stored(store) == [make_row(0)]
