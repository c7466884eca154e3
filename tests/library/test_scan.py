from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from pathlib import Path

import msgspec
import pytest
from library_sounds import id3_words, many_frames, png, tone, with_picture

from radio.library import catalog
from radio.library.catalog import Batch
from radio.library.items import Item
from radio.library.scan import Scanner, ScanProgress, ScanReport, time_limit_s
from radio.store import Store
from radio.units import DurationMs


async def items_of(store: Store) -> dict[str, Item]:
    return {item.path: item for item in await store.read(catalog.load_items)}


async def rejected_of(store: Store) -> dict[str, str]:
    return {file.path: file.reason for file in await store.read(catalog.load_rejected)}


def attempts(notes: Path) -> list[str]:
    return sorted(note.name for note in notes.iterdir() if not note.name.startswith("pid-"))


def move(source: Path, target: Path) -> None:
    source.rename(target)


def retag(file: Path, title: str) -> None:
    id3_words(title).save(file)


async def test_a_first_scan_and_a_second(store: Store, root: Path, scanner: Scanner) -> None:
    with_picture(id3_words(), png()).save(tone(root / "music/a.mp3"))
    tone(root / "sponsors/02 - Corner_shop.opus", hz=300)
    (root / "broken.mp3").write_text("words")
    seen: list[ScanProgress] = []
    report = await scanner.scan(seen.append)
    assert report == ScanReport(added=2, rejected=1)
    assert [(step.done, step.total, step.current) for step in seen] == [
        (1, 3, "broken.mp3"),
        (2, 3, "music/a.mp3"),
        (3, 3, "sponsors/02 - Corner_shop.opus"),
    ]
    assert seen[-1].rejected == 1
    items = await items_of(store)
    music = items["music/a.mp3"]
    assert (music.title, music.category, music.id) == ("Harbour lights", "music", music.content_hash[:20])
    assert items["sponsors/02 - Corner_shop.opus"].title == "Corner shop"
    art = await store.read(catalog.get_artwork, music.artwork or "")
    assert art is not None
    assert art.data == png()
    assert list(await rejected_of(store)) == ["broken.mp3"]

    again = await scanner.scan(seen.append)
    assert again == ScanReport(unchanged=3)
    assert len(seen) == 3
    library = await scanner.library()
    assert library.categories([root]) == ("music", "sponsors")
    assert library.find([root], "music/a") == music


async def test_renames_touches_and_new_tags_keep_the_id(store: Store, root: Path, scanner: Scanner) -> None:
    touched, renamed, retagged = (
        tone(root / f"music/{name}.mp3", hz=hz) for name, hz in zip("abc", (300, 400, 500), strict=True)
    )
    retag(retagged, "First")
    await scanner.scan()
    before = await items_of(store)
    os.utime(touched, ns=(1, 1_700_000_000_000_000_000))
    (root / "old").mkdir()
    move(renamed, root / "old/b.mp3")
    retag(retagged, "Second")
    assert await scanner.scan() == ScanReport(changed=1, moved=1, unchanged=1)
    after = await items_of(store)
    assert {path: item.id for path, item in after.items()} == {
        "music/a.mp3": before["music/a.mp3"].id,
        "old/b.mp3": before["music/b.mp3"].id,
        "music/c.mp3": before["music/c.mp3"].id,
    }
    assert after["music/a.mp3"].mtime_ns == 1_700_000_000_000_000_000
    assert after["old/b.mp3"].category == "old"
    assert after["music/c.mp3"].title == "Second"
    (root / "old/b.mp3").unlink()
    assert await scanner.scan() == ScanReport(removed=1, unchanged=2)
    assert set(await items_of(store)) == {"music/a.mp3", "music/c.mp3"}


async def test_a_touched_or_renamed_file_is_not_measured_again(
    store: Store, root: Path, scanner: Scanner
) -> None:
    tone(root / "a.wav")
    tone(root / "b.wav", hz=300)
    await scanner.scan()
    marked = [
        msgspec.structs.replace(item, duration_ms=DurationMs(777))
        for item in (await items_of(store)).values()
    ]
    await store.write(catalog.apply, Batch(items=marked))
    os.utime(root / "a.wav", ns=(1, 1))
    move(root / "b.wav", root / "07 - new_name.wav")
    await scanner.scan()
    items = await items_of(store)
    assert [(path, item.duration_ms, item.title) for path, item in items.items()] == [
        ("07 - new_name.wav", 777, "new name"),
        ("a.wav", 777, "a"),
    ]


def put_hostile_files(root: Path) -> None:
    whole = tone(root / "good.mp3").read_bytes()
    (root / "zero.mp3").write_bytes(b"")
    (root / "text.mp3").write_text("words " * 100)
    (root / "frames.mp3").write_bytes(many_frames(40_000) + whole)
    (root / "truncated.m4a").write_bytes(tone(root / "whole.m4a").read_bytes()[:2000])
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.mp3")).write_bytes(whole)
    os.mkfifo(root / "fifo.mp3")
    (root / "loop").symlink_to(root)
    with_picture(id3_words(), png(claimed=(30_000, 30_000))).save(tone(root / "bomb.mp3"))


async def test_hostile_files_harm_nobody_else(store: Store, root: Path, scanner: Scanner) -> None:
    for name in ("new\nline.mp3", "emoji 🎺.mp3", "n" * 251 + ".mp3"):
        tone(root / name, seconds=0.3)
    put_hostile_files(root)
    report = await scanner.scan()
    items = await items_of(store)
    assert set(items) == {
        "new\nline.mp3",
        "emoji 🎺.mp3",
        "n" * 251 + ".mp3",
        "good.mp3",
        "whole.m4a",
        "bomb.mp3",
    }
    assert items["new\nline.mp3"].title == "new line"
    assert items["bomb.mp3"].artwork is None
    rejected = await rejected_of(store)
    assert set(rejected) == {
        "zero.mp3",
        "text.mp3",
        "frames.mp3",
        "truncated.m4a",
        "caf\\xe9.mp3",
        "fifo.mp3",
    }
    assert (report.added, report.rejected, report.problems) == (6, 6, ())
    assert await scanner.scan() == ScanReport(unchanged=12)


async def test_copies_get_ids_of_their_own(store: Store, root: Path, scanner: Scanner) -> None:
    tone(root / "a.wav")
    for name in ("b.wav", "c.wav"):
        shutil.copy(root / "a.wav", root / name)
    await scanner.scan()
    items = await items_of(store)
    assert len({item.id for item in items.values()}) == 3
    assert items["a.wav"].id == items["a.wav"].content_hash[:20]


async def test_a_root_that_is_away_loses_nothing(store: Store, tmp_path: Path, root: Path) -> None:
    tone(root / "a.wav")
    tone(tmp_path / "second/b.wav", hz=300)
    scanner = Scanner(store, [root, tmp_path / "second", tmp_path / "never"], workers=1)
    first = await scanner.scan()
    assert (first.added, [problem.path for problem in first.problems]) == (2, [str(tmp_path / "never")])
    move(root, tmp_path / "elsewhere")
    away = await scanner.scan()
    assert (away.removed, away.unchanged) == (0, 1)
    assert {problem.path for problem in away.problems} == {str(tmp_path / "never"), str(root)}
    assert set(await items_of(store)) == {"a.wav", "b.wav"}
    move(tmp_path / "elsewhere", root)
    back = await scanner.scan()
    assert (back.added, back.removed, back.unchanged) == (0, 0, 2)


async def test_items_follow_a_root_that_moved(
    store: Store, tmp_path: Path, root: Path, scanner: Scanner
) -> None:
    tone(root / "a.wav")
    await scanner.scan()
    before = (await items_of(store))["a.wav"]
    move(root, tmp_path / "new")
    moved = Scanner(store, [tmp_path / "new"], workers=1)
    assert await moved.scan() == ScanReport(moved=1)
    after = (await items_of(store))["a.wav"]
    assert (after.id, after.root) == (before.id, str(tmp_path / "new"))


async def test_an_item_that_breaks_leaves_and_comes_back(store: Store, root: Path, scanner: Scanner) -> None:
    file = tone(root / "a.wav")
    whole = file.read_bytes()
    await scanner.scan()
    before = (await items_of(store))["a.wav"]
    file.write_text("words")
    assert await scanner.scan() == ScanReport(removed=1, rejected=1)
    assert await items_of(store) == {}
    file.write_bytes(whole)
    assert await scanner.scan() == ScanReport(added=1)
    assert (await items_of(store))["a.wav"].id == before.id
    assert await rejected_of(store) == {}


async def test_workers_that_die_or_hang_reject_only_their_file(
    store: Store, root: Path, odd_scanner: Scanner, notes: Path
) -> None:
    for name in ("a.wav", "die-once.wav", "die.wav", "z.wav"):
        tone(root / name, seconds=0.2)
    tone(root / "hang.wav", seconds=1.0)
    report = await odd_scanner.scan()
    assert set(await items_of(store)) == {"a.wav", "die-once.wav", "z.wav"}
    assert await rejected_of(store) == {
        "die.wav": "ends the process that reads it, 2 times",
        "hang.wav": "takes longer to read than 1 s",
    }
    assert (report.added, report.rejected) == (3, 2)
    assert attempts(notes) == [
        "a.wav.0",
        "die-once.wav.0",
        "die-once.wav.1",
        "die.wav.0",
        "die.wav.1",
        "hang.wav.0",
        "z.wav.0",
    ]
    assert await odd_scanner.scan() == ScanReport(unchanged=5)


def wait_for(file: Path) -> None:
    until_s = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def children_of(pid: int) -> set[int]:
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if int(parent) == pid and state != "Z":
                found.add(int(entry.name))
    return found


async def test_a_cancelled_scan_leaves_no_process_and_is_resumed(
    store: Store, root: Path, odd_scanner: Scanner, notes: Path
) -> None:
    for number in range(6):
        tone(root / f"slow-{number}.wav", seconds=0.2, hz=200 + number)
    before = children_of(os.getpid())
    third = asyncio.Event()
    task = asyncio.create_task(odd_scanner.scan(lambda step: third.set() if step.done == 4 else None))
    await third.wait()
    during = children_of(os.getpid()) - before
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(during) == 1
    assert not children_of(os.getpid()) & during
    kept = len(await items_of(store))
    assert 1 <= kept < 6
    report = await odd_scanner.scan()
    assert (report.added, report.unchanged) == (6 - kept, kept)


async def test_a_scan_is_cancelled_while_a_worker_hangs(
    store: Store, root: Path, odd_scanner: Scanner, notes: Path
) -> None:
    tone(root / "hang.wav", seconds=0.5)
    before = children_of(os.getpid())
    task = asyncio.create_task(odd_scanner.scan())
    await asyncio.to_thread(wait_for, notes / "hang.wav.0")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children_of(os.getpid()) <= before
    assert await rejected_of(store) == {}


async def test_scans_wait_for_each_other(store: Store, root: Path, scanner: Scanner) -> None:
    tone(root / "a.wav")
    reports = await asyncio.gather(scanner.scan(), scanner.scan())
    assert list(reports) == [ScanReport(added=1), ScanReport(unchanged=1)]


async def test_without_a_worker_nothing_is_lost(store: Store, root: Path, scanner: Scanner) -> None:
    tone(root / "a.wav")
    await scanner.scan()
    move(root / "a.wav", root / "b.wav")
    lame = Scanner(store, [root], workers=1, command=(sys.executable, "-c", ""))
    report = await lame.scan()
    assert (report.unsettled, report.removed) == (1, 0)
    assert "No file can be probed" in report.problems[0].problem
    assert set(await items_of(store)) == {"a.wav"}
    assert await scanner.scan() == ScanReport(moved=1)


async def test_rejected_files_can_be_tried_again(store: Store, root: Path, scanner: Scanner) -> None:
    (root / "a.wav").write_text("words")
    assert (await scanner.scan()).rejected == 1
    assert await scanner.scan() == ScanReport(unchanged=1)
    assert (await scanner.scan(retry_rejected=True)).rejected == 1


async def test_sixty_files_take_seconds_and_the_loop_stays_free(store: Store, root: Path) -> None:
    for number in range(60):
        ending = (".mp3", ".flac", ".wav", ".opus")[number % 4]
        tone(root / f"music/{number:02}{ending}", seconds=0.5, hz=200 + 10 * number)
    held_s: list[float] = []

    async def tick() -> None:
        while True:
            began_s, busy_s = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.005)
            # What other processes take is not the scan's doing, so the loop's own share counts.
            late_s = time.perf_counter() - began_s - 0.005
            held_s.append(min(late_s, max(time.thread_time() - busy_s, late_s / 4)))

    ticking = asyncio.create_task(tick())
    began_s = time.perf_counter()
    report = await Scanner(store, [root], workers=2).scan()
    took_s = time.perf_counter() - began_s
    ticking.cancel()
    assert report == ScanReport(added=60)
    assert took_s < 20
    assert max(held_s) < 0.05


def test_the_time_for_a_file_grows_with_it_and_has_a_bound() -> None:
    assert time_limit_s(0) == 30
    assert time_limit_s(10_000_000) == 110
    assert time_limit_s(10**12) == 1800
