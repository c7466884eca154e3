from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import msgspec
import pytest
from library_sounds import id3_words, many_frames, png, tone, with_picture

from radio.library.items import RejectedFile
from radio.library.probe import Probed, Sound, Unsettled, probe


def test_a_file_becomes_an_item_with_its_picture(tmp_path: Path) -> None:
    file = tone(tmp_path / "music/jazz/a.mp3", seconds=1.0)
    with_picture(id3_words(), png()).save(file)
    found = probe(file, tmp_path)
    assert isinstance(found, Probed)
    item, art = found.item, found.artwork
    assert art is not None
    assert (item.root, item.path, item.category) == (str(tmp_path), "music/jazz/a.mp3", "music")
    assert (item.title, item.artist, item.date) == ("Harbour lights", "The Tern Trio, Ada Quay", "2019-03-01")
    assert (item.artwork, art.data) == (art.id, png())
    assert item.duration_ms == pytest.approx(1000, abs=60)
    assert 0 <= item.cue_in_ms < item.cue_out_ms <= item.duration_ms
    assert item.loudness_lufs == pytest.approx(-12.4, abs=1.5)
    assert (item.size_bytes, item.mtime_ns) == (file.stat().st_size, file.stat().st_mtime_ns)
    assert item.id == item.content_hash
    assert len(item.content_hash) == 40


def test_a_file_in_the_root_has_no_category(tmp_path: Path) -> None:
    found = probe(tone(tmp_path / "loose.wav"), tmp_path)
    assert isinstance(found, Probed)
    assert found.item.category == ""


def test_a_known_sound_is_not_measured_again_but_words_are_read(tmp_path: Path) -> None:
    file = tone(tmp_path / "a.wav")
    first = probe(file, tmp_path)
    assert isinstance(first, Probed)
    known = msgspec.structs.replace(Sound.of(first.item), duration_ms=777)
    second = probe(file.rename(tmp_path / "05 - b_side.wav"), tmp_path, known)
    assert isinstance(second, Probed)
    assert (second.item.duration_ms, second.item.title) == (777, "b side")
    other = probe(tone(tmp_path / "c.wav", hz=300), tmp_path, known)
    assert isinstance(other, Probed)
    assert other.item.duration_ms != 777


@pytest.mark.parametrize(
    "content",
    [b"", b"just words\n" * 200, b"\0" * 4000, b"<html></html>", b"#EXTM3U\nfile:///etc/hostname\n"],
)
def test_what_is_no_sound_is_rejected_with_a_reason(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.mp3"
    file.write_bytes(content)
    found = probe(file, tmp_path)
    assert isinstance(found, RejectedFile)
    assert found.reason
    assert (found.path, found.size_bytes, found.mtime_ns) == ("a.mp3", len(content), file.stat().st_mtime_ns)


def test_forty_thousand_frames_are_refused_fast(tmp_path: Path) -> None:
    file = tmp_path / "a.mp3"
    file.write_bytes(many_frames(40_000) + tone(tmp_path / "b.mp3").read_bytes())
    began_s = time.process_time()
    found = probe(file, tmp_path)
    assert time.process_time() - began_s < 0.5
    assert isinstance(found, RejectedFile)
    assert "entries" in found.reason


def test_a_fifo_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp3")
    found = probe(tmp_path / "a.mp3", tmp_path)
    assert isinstance(found, RejectedFile)
    assert found.reason == "not a regular file"


def test_a_truncated_file_is_cut_or_rejected_and_never_longer_than_its_sound(tmp_path: Path) -> None:
    for ending in (".mp3", ".flac", ".m4a", ".opus", ".wav"):
        whole = tone(tmp_path / f"whole{ending}", seconds=2.0).read_bytes()
        file = tmp_path / f"cut{ending}"
        file.write_bytes(whole[: len(whole) // 2])
        found = probe(file, tmp_path)
        assert isinstance(found, RejectedFile) or found.item.duration_ms < 1500  # type: ignore[union-attr]


def test_a_file_that_grows_meanwhile_is_for_later(tmp_path: Path) -> None:
    file = tone(tmp_path / "a.wav", seconds=20)
    done = threading.Event()

    def grow() -> None:
        with file.open("ab", buffering=0) as end:
            while not done.is_set():
                end.write(b"\0" * 64)
                time.sleep(0.001)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        found = probe(file, tmp_path)
    finally:
        done.set()
        writer.join()
    assert found == Unsettled("a.wav", "It changed while it was read.")


def test_a_file_that_is_gone_is_for_later(tmp_path: Path) -> None:
    found = probe(tmp_path / "a.wav", tmp_path)
    assert found == Unsettled("a.wav", "It cannot be read: no such file or directory.")
