from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np
import pytest
from audio_sounds import music, noise, rounded, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen.apev2 import APEv2

from radio.audio.decode import Deck
from radio.audio.guard import check_file
from radio.audio.measure import measure
from radio.audio.reader import FORMATS
from radio.errors import AudioError

ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
EXTENDED_CONTENT = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
METADATA_LIBRARY = bytes.fromhex("941c23449894d149a1411d134e457054")


def monkeys_audio(frames: int, seek_bytes: int) -> bytes:
    """The head of an APE file, version 3.99, that claims so many frames."""
    descriptor = b"MAC " + struct.pack("<HHIIIIIII", 3990, 0, 52, 24, seek_bytes, 0, 1000, 0, 0) + bytes(16)
    return descriptor + struct.pack("<HHIIIHHI", 2000, 0, 73_728 * 4, 1000, frames, 16, 2, 44_100)


def musepack7(frames: int) -> bytes:
    return b"MP+\x07" + struct.pack("<I", frames) + bytes(40)


def musepack8(frames: bytes) -> bytes:
    body = bytes(4) + b"\x08" + frames + b"\x00" + b"\x0b\x00"
    return b"MPCKSH" + bytes([len(body) + 3]) + body


def asf_object(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<Q", 24 + len(body)) + body


def asf(*objects: bytes) -> bytes:
    body = struct.pack("<IBB", len(objects), 1, 2) + b"".join(objects)
    return asf_object(ASF_HEADER, body)


def outcome(path: Path) -> int:
    """The samples that can be had of a file; 0 where it is refused. Never slow, never another error."""
    started = time.process_time()
    samples, reason = 0, ""
    try:
        samples = measure(path).samples
    except AudioError as error:
        reason = error.reason
    assert samples or reason
    assert time.process_time() - started < 3.0
    return samples


@pytest.mark.parametrize("suffix", [".wv", ".m4b"])
@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_lossless_formats_play_to_the_sample(tmp_path: Path, suffix: str, rate_hz: int) -> None:
    sound = music(rate_hz + 77)
    path = write(tmp_path / f"one{suffix}", sound, rate_hz=rate_hz)
    assert measure(path).duration_ms == 1000 * len(sound) // rate_hz
    if rate_hz == 48_000:
        deck = Deck.open(path)
        assert np.array_equal(deck.read(100_000), rounded(sound))
        deck.close()


def test_wma_plays(tmp_path: Path) -> None:
    found = measure(write(tmp_path / "one.wma", music(48_000 * 4)))
    assert found.duration_ms == pytest.approx(4_000, abs=100)
    assert found.loudness_lufs is not None


def test_only_sound_formats_may_be_opened() -> None:
    assert not {"hls", "concat", "matroska", "image2", "lavfi", "dash", "rtsp"} & set(FORMATS.split(","))


@pytest.mark.parametrize("suffix", [".wv", ".m4b", ".wma"])
def test_truncated_files_are_played_or_refused(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"one{suffix}", noise(48_000))
    data = path.read_bytes()
    for kept in (0, 1, 11, 31, 40, 200, len(data) // 3, len(data) - 5):
        path.write_bytes(data[:kept])
        assert outcome(path) <= 49_152


@pytest.mark.parametrize("suffix", [".wv", ".m4b", ".wma"])
@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_files_are_played_or_refused(tmp_path: Path, suffix: str, seed: int) -> None:
    path = write(tmp_path / f"one{suffix}", noise(48_000))
    data = np.frombuffer(path.read_bytes(), dtype=np.uint8).copy()
    rng = np.random.default_rng(seed)
    for start in (0, 100):
        at = rng.integers(start, len(data), len(data) // 200)
        data[at] = rng.integers(0, 256, len(at))
        path.write_bytes(data.tobytes())
        assert outcome(path) < 48_000 * 60


@pytest.mark.parametrize(
    "head",
    [
        monkeys_audio(10, 40),
        monkeys_audio(1_000_000, 4_000_000),
        monkeys_audio(100_000_000, 400_000_000),
        monkeys_audio(2**32 - 1, 2**32 - 1),
        musepack7(1_000_000),
        musepack7(100_000_000),
        musepack7(2**32 - 1),
        musepack8(b"\xff\xff\xff\xff\x7f"),
        musepack8(b"\xff" * 9 + b"\x7f"),
        b"wvpk" + struct.pack("<IHBBIII", 2**31, 0x410, 0, 0, 2**32 - 2, 0, 2**20) + bytes(12),
        b"wvpk" + struct.pack("<IHBBIII", 24, 0x410, 0, 0, 2**32 - 2, 0, 0x1804_0021) + bytes(12),
        asf(asf_object(EXTENSION, bytes(18) + struct.pack("<I", 2**32 - 1))),
        ASF_HEADER + struct.pack("<QIBB", 2**64 - 1, 2**32 - 1, 1, 2),
        ASF_HEADER + struct.pack("<QIBB", 30, 1, 1, 2) + EXTENDED_CONTENT + struct.pack("<Q", 2**63),
    ],
)
@pytest.mark.parametrize("rest", [b"", bytes(20_000), np.random.default_rng(8).bytes(20_000)])
def test_heads_that_lie_are_refused_or_cost_nothing(tmp_path: Path, head: bytes, rest: bytes) -> None:
    path = tmp_path / "one"
    path.write_bytes(head + rest)
    assert outcome(path) < 48_000 * 60


@pytest.mark.parametrize("name", ["one.wv", "one.ape", "one.mpc", "one.wma"])
@pytest.mark.parametrize(
    "content", [b"", bytes(80_000), b"hello, listener\n" * 500, np.random.default_rng(4).bytes(80_000)]
)
def test_what_is_no_sound_is_refused_under_any_name(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert outcome(path) == 0


@pytest.mark.parametrize("after", [b"", b"TAG" + bytes(125)])
def test_an_ape_tag_of_very_many_items_is_refused(tmp_path: Path, after: bytes) -> None:
    path = write(tmp_path / "one.wv", noise(4_800))
    plain = path.read_bytes()
    items = b"".join(struct.pack("<II", 1, 0) + b"k%05d\0v" % index for index in range(3_000))
    footer = b"APETAGEX" + struct.pack("<IIII", 2_000, len(items) + 32, 3_000, 0) + bytes(8)
    path.write_bytes(plain + items + footer + after)
    with pytest.raises(AudioError, match="more than 2000 entries"):
        measure(path)


def test_an_ordinary_ape_tag_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "one.wv", noise(48_000))
    before = measure(path)
    tags = APEv2()
    tags["Title"], tags["Artist"] = "Slack water", ["The Harbor news desk", "Low tide"]
    tags.save(path)
    assert measure(path) == before


@pytest.mark.parametrize("inside", [False, True])
def test_a_wma_head_of_very_many_entries_is_refused(tmp_path: Path, inside: bool) -> None:
    many = struct.pack("<H", 60_000) + bytes(60_000 * 6)
    path = tmp_path / "one.wma"
    if inside:
        library = asf_object(METADATA_LIBRARY, many)
        path.write_bytes(asf(asf_object(EXTENSION, bytes(18) + struct.pack("<I", len(library)) + library)))
    else:
        path.write_bytes(asf(asf_object(EXTENDED_CONTENT, many)))
    with pytest.raises(AudioError, match="more than 2000 entries"):
        check_file(path)


def test_a_wma_head_of_very_many_objects_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.wma"
    path.write_bytes(asf(*(asf_object(bytes([index % 250]) * 16, b"") for index in range(2_500))))
    with pytest.raises(AudioError, match="more than 2000 entries"):
        check_file(path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from((ASF_HEADER, asf(EXTENSION), b"MAC ", b"wvpk", b"MP+\x07", b"MPCK")),
    rest=st.binary(max_size=300),
    footer=st.booleans(),
)
def test_any_bytes_are_checked_with_a_bound(tmp_path: Path, head: bytes, rest: bytes, footer: bool) -> None:
    path = tmp_path / "any"
    path.write_bytes(head + rest + (b"APETAGEX" + rest[:24].ljust(24, b"\0") if footer else b""))
    try:
        assert check_file(path).sound_offset == 0
    except AudioError as error:
        reason = error.reason
        assert "more than" in reason
