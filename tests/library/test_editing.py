from __future__ import annotations

from pathlib import Path

import pytest
from library_items import item
from library_sounds import id3_words, tone

from radio.errors import InvalidRequest, UnknownItem
from radio.library import catalog, details, editing
from radio.library.catalog import Batch
from radio.library.scan import Scanner, ScanReport
from radio.store import Store
from radio.units import UtcMs

NOW = UtcMs(1_800_000_000_000)


async def correct(store: Store, item_id: str, **changes: object) -> None:
    await store.write(editing.correct, item_id, changes, "The Harbor news desk", NOW)


async def test_a_correction_is_kept_over_rescans_renames_and_new_tags(
    store: Store, root: Path, scanner: Scanner
) -> None:
    file = tone(root / "music/a.mp3")
    id3_words("First").save(file)
    await scanner.scan()
    (measured,) = await store.read(catalog.load_items)
    await correct(store, measured.id, title="Mine", loudness_lufs=-30.0, cue_in_ms=40)
    id3_words("Second").save(file)
    await scanner.scan()
    file.rename(root / "b.mp3")
    await scanner.scan()
    await scanner.scan(again=[measured.id])
    (item_now,) = await store.read(catalog.load_items)
    assert (item_now.id, item_now.path, item_now.title) == (measured.id, "b.mp3", "Mine")
    assert (item_now.loudness_lufs, item_now.cue_in_ms) == (-30.0, 40)
    known = await store.read(details.get, measured.id)
    assert known.item.title == "Second"
    assert known.sound.loudness_lufs == measured.loudness_lufs
    await correct(store, measured.id, title=None, loudness_lufs=None, cue_in_ms=None)
    (item_now,) = await store.read(catalog.load_items)
    assert (item_now.title, item_now.loudness_lufs) == ("Second", measured.loudness_lufs)


async def test_a_correction_outlives_the_absence_of_its_file(
    store: Store, root: Path, scanner: Scanner
) -> None:
    file = tone(root / "a.wav")
    await scanner.scan()
    (measured,) = await store.read(catalog.load_items)
    await correct(store, measured.id, artist="Ada Quay")
    file.rename(root.parent / "away.wav")
    assert await scanner.scan() == ScanReport(removed=1)
    (root.parent / "away.wav").rename(root / "back.wav")
    await scanner.scan()
    (back,) = await store.read(catalog.load_items)
    assert (back.id, back.artist) == (measured.id, "Ada Quay")


async def test_items_are_measured_again_when_that_is_asked_for(
    store: Store, root: Path, scanner: Scanner
) -> None:
    tone(root / "a.wav")
    tone(root / "b.wav", hz=300)
    await scanner.scan()
    first, second = await store.read(catalog.load_items)
    assert await scanner.scan(again=[first.id]) == ScanReport(changed=1, unchanged=1)
    assert await store.read(catalog.load_items) == [first, second]


async def test_who_corrected_what_is_known(store: Store) -> None:
    await store.write(catalog.apply, Batch(items=[item("a")]))
    await correct(store, "id-hash-of-a", bpm=120, title="A")
    await correct(store, "id-hash-of-a", bpm=121)
    found = await store.read(details.corrections_of, "id-hash-of-a")
    assert [(one.field, one.value, one.operator, one.at_ms) for one in found] == [
        ("bpm", 121.0, "The Harbor news desk", NOW),
        ("title", "A", "The Harbor news desk", NOW),
    ]


async def test_a_wrong_change_changes_nothing(store: Store) -> None:
    await store.write(catalog.apply, Batch(items=[item("a")]))
    with pytest.raises(InvalidRequest, match="`bpm`"):
        await correct(store, "id-hash-of-a", title="New", bpm=-1)
    with pytest.raises(InvalidRequest, match="cue_in_ms before cue_out_ms"):
        await correct(store, "id-hash-of-a", title="New", cue_in_ms=3000)
    with pytest.raises(UnknownItem):
        await correct(store, "nobody", title="New")
    assert await store.read(catalog.load_items) == [item("a")]
    assert await store.read(details.corrections_of, "id-hash-of-a") == []


async def test_a_change_of_what_was_changed_meanwhile_is_refused(store: Store) -> None:
    await store.write(catalog.apply, Batch(items=[item("a")]))
    version = editing.version_of(item("a"))
    await store.write(editing.correct, "id-hash-of-a", {"bpm": 90}, "desk", NOW, version=version)
    with pytest.raises(InvalidRequest, match="changed meanwhile") as caught:
        await store.write(editing.correct, "id-hash-of-a", {"bpm": 91}, "desk", NOW, version=version)
    assert caught.value.field == "If-Match"


async def test_writes_of_tags_are_remembered_newest_first(store: Store) -> None:
    for number in range(editing.MAX_UNDO + 5):
        await store.write(editing.keep_undo, "x", "/audio/a.mp3", bytes([number]), "desk", NOW)
    taken = []
    while undo := await store.read(editing.last_undo, "x"):
        taken.append(undo.data[0])
        await store.write(editing.drop_undo, undo.id)
    assert taken == list(range(editing.MAX_UNDO + 4, 4, -1))
