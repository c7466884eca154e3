from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from audio_sounds import id3_tag, noise, sine, syncsafe, write, write_wav
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen.flac import FLAC
from mutagen.mp4 import MP4
from mutagen.oggopus import OggOpus

from radio.audio.decode import Deck
from radio.audio.guard import MAX_TAG_ENTRIES, check_file
from radio.audio.measure import measure
from radio.errors import AudioError

MAGIC = (
    b"ID3\x03\x00\x40\x00\x00\x02\x00",
    b"ID3\x02\x00\x00\x00\x00\x02\x00TT2",
    b"fLaC\x04\x00\x00\x20",
    b"OggS\x00\x02" + bytes(20) + b"\x01\x10OpusTags",
    b"RIFF\x00\x01\x00\x00WAVELIST\xf0\x00\x00\x00INFO",
    b"FORM\x00\x00\x01\x00AIFFID3 \x00\x00\x00\x80ID3\x04\x00\x00\x00\x00\x00\x40",
    b"\x00\x00\x00\x10ftypM4A \x00\x00\x00\x00\x00\x00\x01\x00moov\x00\x00\x00\x80udta",
)


def refusal(path: Path) -> str:
    started = time.perf_counter()
    with pytest.raises(AudioError) as deck_error:
        Deck.open(path).close()
    with pytest.raises(AudioError):
        measure(path)
    assert time.perf_counter() - started < 1.0
    assert deck_error.value.path == str(path)
    return deck_error.value.reason


def samples_of_file(path: Path) -> int:
    try:
        deck = Deck.open(path)
    except AudioError:
        return 0
    samples = len(deck.read(200_000))
    deck.close()
    return samples


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp3"
    path.touch()
    assert refusal(path) == "the file is empty"


@pytest.mark.parametrize("name", ["one.mp3", "one.wav", "one.flac", "one.ogg", "one.m4a"])
@pytest.mark.parametrize(
    "content",
    [
        b"hello, listener\n" * 500,
        b"<html><body>404</body></html>" * 50,
        np.random.default_rng(4).bytes(80_000),
        bytes(80_000),
    ],
    ids=["text", "html", "random", "zeros"],
)
def test_what_is_no_sound_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(path)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe.mp3"
    os.mkfifo(fifo)
    assert refusal(fifo) == "not a regular file"
    assert refusal(tmp_path) == "not a regular file"
    assert refusal(tmp_path / "missing.mp3") == "No such file or directory"
    device = tmp_path / "zero.wav"
    device.symlink_to("/dev/zero")
    assert refusal(device) == "not a regular file"


def test_playlists_are_refused_and_nothing_they_name_is_opened(tmp_path: Path) -> None:
    target = tmp_path / "secret.mp3"
    os.mkfifo(target)  # whoever opened it would hang
    playlist = tmp_path / "list.mp3"
    playlist.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{target}\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n"
    )
    assert refusal(playlist)
    concat = tmp_path / "concat.mp3"
    concat.write_text("ffconcat version 1.0\nfile secret.mp3\n")
    assert refusal(concat)


@pytest.mark.parametrize("frames", [MAX_TAG_ENTRIES + 1, 20_000, 80_000])
def test_a_tag_of_very_many_frames_is_refused_at_once(tmp_path: Path, frames: int) -> None:
    path = write(tmp_path / "one.mp3", noise(48_000))
    path.write_bytes(id3_tag(frames) + path.read_bytes())
    assert "more than 2000 entries" in refusal(path)


def test_a_tag_that_hides_its_frames_costs_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "one.mp3", noise(48_000))
    plain = path.read_bytes()
    body = b"\x00" * 10 + id3_tag(40_000)[10:]
    path.write_bytes(b"ID3\x04\x00\x00" + syncsafe(len(body)) + body + plain)
    started = time.perf_counter()
    with_tag = Deck.open(path)
    assert time.perf_counter() - started < 1.0
    assert len(with_tag.read(100_000)) >= 48_000
    with_tag.close()


def test_ordinary_and_repeated_tags_change_no_sample(tmp_path: Path) -> None:
    path = write(tmp_path / "one.mp3", noise(48_000))
    bare = Deck.open(path)
    expected = bare.read(60_000)
    bare.close()
    data, before = path.read_bytes(), check_file(path).sound_offset
    path.write_bytes(id3_tag(30) + id3_tag(5) + data)
    deck = Deck.open(path)
    assert deck.read(60_000).tobytes() == expected.tobytes()
    deck.close()
    assert check_file(path).sound_offset == before + len(id3_tag(30) + id3_tag(5))
    path.write_bytes(id3_tag(1) * 9 + data)
    assert "ID3v2 tags" in refusal(path)


def test_a_tag_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.mp3"
    path.write_bytes(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + b"\x00" * 5000)
    assert "at most 16777216" in refusal(path)


def test_very_many_comments_in_any_container_are_refused(tmp_path: Path) -> None:
    many = [f"k{index}=v" for index in range(3000)]
    flac = FLAC(write(tmp_path / "one.flac", noise(4800)))
    flac["comment"] = many
    flac.save()
    opus = OggOpus(write(tmp_path / "one.opus", noise(4800)))
    opus["comment"] = many
    opus.save()
    mp4 = MP4(write(tmp_path / "one.m4a", noise(4800)))
    for index in range(3000):
        mp4[f"----:org.example:k{index}"] = b"v"
    mp4.save()
    wav = write_wav(tmp_path / "one.wav", noise(4800))
    info = b"INFO" + (b"ICMT" + struct.pack("<I", 2) + b"v\x00") * 3000
    data = wav.read_bytes() + b"LIST" + struct.pack("<I", len(info)) + info
    wav.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    for path in (flac.filename, opus.filename, mp4.filename, wav):
        assert "more than 2000 entries" in refusal(Path(path))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aiff"])
def test_truncated_files_are_played_or_refused_but_never_hang(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"one{suffix}", noise(48_000))
    data = path.read_bytes()
    for kept in (1, 3, 11, 40, 200, len(data) // 3, len(data) - 5):
        path.write_bytes(data[:kept])
        assert samples_of_file(path) <= 49_152


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(magic=st.sampled_from(MAGIC), rest=st.binary(max_size=300))
def test_any_bytes_are_checked_with_a_bound(tmp_path: Path, magic: bytes, rest: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(magic + rest)
    try:
        assert check_file(path).sound_offset >= 0
    except AudioError as error:
        reason = error.reason
        assert "more than" in reason or "vendor name" in reason or "ID3v2 tag of" in reason


def test_odd_names_are_opened(tmp_path: Path) -> None:
    for name in ("-dash.wav", "a:b%20.wav", "new\nline.wav", "ünï.wav", os.fsdecode(b"bad\xff.wav")):
        path = write_wav(tmp_path / name, sine(100))
        deck = Deck.open(path)
        assert len(deck.read(200)) == 100
        deck.close()


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = write(tmp_path / "one.flac", noise(4800)).rename(tmp_path / "one.mp3")
    deck = Deck.open(path)
    assert len(deck.read(10_000)) == 4800
    deck.close()
