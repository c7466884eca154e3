"""Many new files are found by their words before they are measured, and aired only after."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from library_items import item
from library_sounds import id3_bytes, id3_words, png, tone, with_picture
from musepack_sound import MUSEPACK

from radio.library import catalog, cataloguing, editing
from radio.library.catalog import Batch
from radio.library.glance import glance
from radio.library.items import Item
from radio.library.probe import Probed, probe
from radio.library.query import parse
from radio.library.scan import Scanner, ScanProgress, ScanReport
from radio.library.scan_report import MEASURING, READING
from radio.library.search import Search, search
from radio.library.walk import Found
from radio.library.worker import glance_job
from radio.library.worker_messages import MAX_GLANCED_BYTES, Glance
from radio.schedule.pool import Pool
from radio.store import Store

MANY = 22


async def items_of(store: Store) -> dict[str, Item]:
    return {one.path: one for one in await store.read(catalog.load_items)}


async def found(store: Store, text: str) -> list[str]:
    page = await store.read(search, Search(query=parse(text), limit=100))
    return [one.path for one in page.items]


def put_many(root: Path, count: int = MANY) -> None:
    """Tagged files that differ, in one folder."""
    sound = tone(root.parent / "plain.mp3").read_bytes()
    for number in range(count):
        file = root / f"music/{number:02}.mp3"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sound)
        id3_words(f"Song {number:02}").save(file)


async def cut_short(scanner: Scanner) -> list[ScanProgress]:
    """A scan that is killed when all is catalogued and nothing measured."""
    steps: list[ScanProgress] = []
    reached = asyncio.Event()

    def tell(step: ScanProgress) -> None:
        steps.append(step)
        if step.phase == MEASURING:
            reached.set()

    task = asyncio.create_task(scanner.scan(tell))
    await asyncio.wait_for(reached.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return steps


async def test_a_scan_killed_between_the_phases_is_found_and_resumed(
    store: Store, root: Path, scanner: Scanner
) -> None:
    put_many(root)
    steps = await cut_short(scanner)
    assert [(step.phase, step.done, step.total) for step in steps[:2]] == [
        (READING, MANY, MANY),
        (MEASURING, 0, MANY),
    ]
    before = await items_of(store)
    assert len(before) == MANY
    one = before["music/07.mp3"]
    assert (one.measured, one.loudness_lufs, one.problems, one.title) == (False, None, (), "Song 07")
    assert 450 < one.duration_ms == one.cue_out_ms < 650
    assert await found(store, "song 07") == ["music/07.mp3"]
    assert await found(store, "measured:no title:07") == ["music/07.mp3"]
    assert await found(store, "measured:yes") == []
    assert len(await found(store, "missing:loudness")) == MANY
    assert await found(store, "problem:no") == []

    assert len(await scanner.library()) == 0
    assert await store.read(catalog.load_items, measured_only=True) == []
    await store.write(editing.correct, one.id, {"artist": "The Desk", "title": "Ebb"}, "desk", 1)
    assert not (await items_of(store))["music/07.mp3"].measured

    again: list[ScanProgress] = []
    assert await scanner.scan(again.append) == ScanReport(added=MANY)
    assert {step.phase for step in again} == {MEASURING}
    after = await items_of(store)
    assert {path: each.id for path, each in after.items()} == {path: each.id for path, each in before.items()}
    now = after["music/07.mp3"]
    assert (now.measured, now.artist, now.title) == (True, "The Desk", "Ebb")
    assert now.loudness_lufs is not None
    assert await found(store, "measured:no") == []
    assert len(await found(store, "measured:yes song")) == MANY - 1
    assert (await scanner.library()).by_id[now.id] == now
    assert await scanner.scan() == ScanReport(unchanged=MANY)


async def test_nobody_who_plans_gets_what_is_not_measured(root: Path, store: Store, scanner: Scanner) -> None:
    known = item("music/a.mp3", root=str(root))
    waits = item("music/b.mp3", root=str(root), measured=False)
    await store.write(catalog.apply, Batch(items=[known, waits]))
    library = await scanner.library()
    assert [one.path for one in library] == ["music/a.mp3"]
    assert library.find([root], "music/b") is None
    assert list(Pool.of(library, [str(root)]).by_id) == [known.id]


async def test_one_scan_catalogues_and_measures(store: Store, root: Path, scanner: Scanner) -> None:
    put_many(root)
    (root / "words.mp3").write_bytes(id3_bytes(b"TIT2\0\0\0\x05\0\0\x03Tide") + b"words " * 50)
    (root / "text.mp3").write_text("words " * 100)
    before: dict[str, Item] = {}
    steps: list[ScanProgress] = []
    looks: list[asyncio.Task[dict[str, Item]]] = []

    def tell(step: ScanProgress) -> None:
        steps.append(step)
        if step.phase == MEASURING and not looks:
            looks.append(asyncio.create_task(items_of(store)))

    report = await scanner.scan(tell)
    before = await looks[0]
    assert report == ScanReport(added=MANY, rejected=2)
    assert [step.done for step in steps if step.phase == MEASURING] == list(range(MANY + 3))
    assert before["words.mp3"].title == "Tide"
    assert "text.mp3" not in before
    after = await items_of(store)
    assert set(after) == set(before) - {"words.mp3"}
    assert all(one.measured for one in after.values())
    refused = {file.path for file in await store.read(catalog.load_rejected)}
    assert refused == {"words.mp3", "text.mp3"}
    assert await scanner.scan() == ScanReport(unchanged=MANY + 2)


async def test_few_new_files_are_measured_at_once(store: Store, root: Path, scanner: Scanner) -> None:
    put_many(root, cataloguing.FEW_FILES - 1)
    steps: list[ScanProgress] = []
    await scanner.scan(steps.append)
    assert {step.phase for step in steps} == {MEASURING}


async def test_what_is_known_is_not_downgraded(store: Store, root: Path, scanner: Scanner) -> None:
    first, second, third = (
        tone(root / f"old/{name}.mp3", hz=hz) for name, hz in zip("abc", (300, 400, 500), strict=True)
    )
    await scanner.scan()
    before = await items_of(store)
    id3_words("Retagged").save(first)
    second.rename(root / "old/moved.mp3")
    tone(second, hz=700)  # another recording at the place of a known item
    third.unlink()
    put_many(root)
    await cut_short(scanner)
    now = await items_of(store)
    for path in ("old/a.mp3", "old/b.mp3", "old/c.mp3"):
        assert now[path] == before[path]
    report = await scanner.scan()
    assert (report.added, report.changed, report.moved, report.removed) == (MANY + 1, 1, 1, 1)
    after = await items_of(store)
    assert (after["old/a.mp3"].id, after["old/a.mp3"].title) == (before["old/a.mp3"].id, "Retagged")
    assert after["old/moved.mp3"].id == before["old/b.mp3"].id
    assert after["old/b.mp3"].id != before["old/b.mp3"].id


async def test_a_renamed_file_that_waits_keeps_its_id(store: Store, root: Path, scanner: Scanner) -> None:
    put_many(root)
    await cut_short(scanner)
    before = await items_of(store)
    (root / "music/03.mp3").rename(root / "music/renamed.mp3")
    id3_words("Other").save(root / "music/04.mp3")
    (root / "music/05.mp3").unlink()
    await scanner.scan()
    after = await items_of(store)
    assert after["music/renamed.mp3"].id == before["music/03.mp3"].id
    assert (after["music/04.mp3"].id, after["music/04.mp3"].title) == (before["music/04.mp3"].id, "Other")
    assert len(after) == MANY - 1
    assert all(one.measured for one in after.values())


async def test_a_job_that_dies_is_left_to_the_measuring(
    store: Store, root: Path, odd_scanner: Scanner, notes: Path
) -> None:
    put_many(root)
    tone(root / "die.wav", seconds=0.2)
    report = await odd_scanner.scan()
    assert (report.added, report.rejected) == (MANY, 1)
    assert f"glance.{MANY + 1}" in os.listdir(notes)
    (refused,) = await store.read(catalog.load_rejected)
    assert refused.path == "die.wav"


def test_jobs_are_of_one_root_and_bounded() -> None:
    def file(root: str, number: int, size: int = 1) -> Found:
        return Found(root=root, path=str(number), size_bytes=size, mtime_ns=1)

    small = [file("/a", number) for number in range(150)] + [file("/b", 0)]
    assert [len(part) for part in cataloguing.jobs(small)] == [100, 50, 1]
    large = [file("/a", number, cataloguing.JOB_BYTES) for number in range(3)]
    assert [len(part) for part in cataloguing.jobs(large)] == [1, 1, 1]
    assert list(cataloguing.jobs([])) == []


def test_a_reply_is_bounded(tmp_path: Path) -> None:
    for number in range(30):
        tag = id3_words()
        tag["TPE1"].text = [f"{index:02}" + "é" * 290 for index in range(20)]
        tag["TCOM"].text = tag["TPE2"].text = tag["TCON"].text = tag["TPE1"].text
        tag.save(tone(tmp_path / f"{number}.mp3", seconds=0.1))
    names = tuple(f"{number}.mp3" for number in range(30))
    reply = glance_job(Glance(str(tmp_path), (*names, "gone.mp3"), 60))
    assert 0 < len(reply.glanced) < 30
    assert MAX_GLANCED_BYTES <= 1_000_000


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".wav", ".aiff", ".m4a", ".opus", ".wv"])
def test_the_claimed_length_is_near_the_true_one(tmp_path: Path, suffix: str) -> None:
    tone(tmp_path / f"a{suffix}", seconds=2.0)
    claimed, true = glance(tmp_path, f"a{suffix}"), probe(tmp_path / f"a{suffix}", tmp_path)
    assert claimed is not None
    assert isinstance(true, Probed)
    assert abs(claimed.item.duration_ms - true.item.duration_ms) < 100
    assert claimed.item.content_hash == true.item.content_hash


@pytest.mark.parametrize(("name", "content"), [("a.mpc", MUSEPACK), ("b.m4b", b"")])
def test_more_endings_are_audio(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content or tone(tmp_path / "x.m4a").read_bytes())
    outcome = probe(file, tmp_path)
    assert isinstance(outcome, Probed)
    assert outcome.item.loudness_lufs is not None or outcome.item.duration_ms < 400
    first = glance(tmp_path, name)
    assert first is not None
    assert abs(first.item.duration_ms - outcome.item.duration_ms) < 100


async def test_the_new_endings_are_scanned(store: Store, root: Path, scanner: Scanner) -> None:
    (root / "a.mpc").write_bytes(MUSEPACK)
    tone(root / "x.m4a").rename(root / "b.M4B")
    assert await scanner.scan() == ScanReport(added=2)


def test_a_length_that_cannot_be_is_none(tmp_path: Path) -> None:
    whole = bytearray(tone(tmp_path / "a.flac").read_bytes())
    whole[21:26] = b"\x0f\xff\xff\xff\xff"  # 2**36 samples
    (tmp_path / "b.flac").write_bytes(whole)
    found = glance(tmp_path, "b.flac")
    assert found is not None
    assert (found.item.duration_ms, found.item.cue_out_ms) == (0, 0)


async def test_a_picture_of_a_folder_that_comes_changes_and_goes(
    store: Store, root: Path, scanner: Scanner
) -> None:
    for name in ("with/a.wav", "with/b.wav", "without/c.wav", "with/deep/d.wav"):
        tone(root / name, hz=300 + len(name) + ord(name[-5]))
    own = tone(root / "with/own.mp3")
    with_picture(id3_words(), png(shade=9)).save(own)
    await scanner.scan()
    before = await items_of(store)
    assert before["with/a.wav"].artwork is None

    (root / "with/cover.png").write_bytes(png(shade=1))
    assert await scanner.scan() == ScanReport(changed=3, unchanged=2)
    first = await items_of(store)
    assert first["with/a.wav"].artwork == first["with/b.wav"].artwork
    art = await store.read(catalog.get_artwork, first["with/a.wav"].artwork or "")
    assert art is not None
    assert art.data == png(shade=1)
    assert first["with/own.mp3"].artwork == before["with/own.mp3"].artwork
    assert first["without/c.wav"] == before["without/c.wav"]
    assert first["with/a.wav"].loudness_lufs == before["with/a.wav"].loudness_lufs
    assert await scanner.scan() == ScanReport(unchanged=5)

    (root / "with/cover.png").write_bytes(png(16, 16, shade=2))
    assert (await scanner.scan()).changed == 3
    second = await items_of(store)
    assert second["with/a.wav"].artwork not in (None, first["with/a.wav"].artwork)
    assert await store.read(catalog.get_artwork, first["with/a.wav"].artwork or "") is None

    (root / "with/cover.png").unlink()
    assert (await scanner.scan()).changed == 3
    assert (await items_of(store))["with/a.wav"].artwork is None
    assert await store.read(catalog.get_artwork, second["with/a.wav"].artwork or "") is None
    assert await store.read(catalog.get_artwork, before["with/own.mp3"].artwork or "") is not None
    assert await scanner.scan() == ScanReport(unchanged=5)


async def test_a_library_of_an_earlier_release_is_not_read_anew_for_its_pictures(
    store: Store, root: Path, scanner: Scanner
) -> None:
    tone(root / "a.wav")
    (root / "cover.png").write_bytes(png())
    await scanner.scan()
    await store.write(lambda connection: connection.exec_driver_sql("DELETE FROM folder_pictures").close())
    assert await scanner.scan() == ScanReport(unchanged=1)
    (root / "cover.png").write_bytes(png(16, 16))
    assert await scanner.scan() == ScanReport(changed=1)


async def test_a_root_that_is_away_keeps_its_pictures(
    store: Store, root: Path, scanner: Scanner, tmp_path: Path
) -> None:
    tone(root / "a.wav")
    (root / "cover.png").write_bytes(png())
    await scanner.scan()
    os.rename(root, tmp_path / "away")
    await scanner.scan()
    os.rename(tmp_path / "away", root)
    assert await scanner.scan() == ScanReport(unchanged=1)
