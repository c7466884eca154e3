from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library_sounds import id3_words, jpeg, picture_block, png, tone, with_picture
from mutagen.flac import FLAC, Picture
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus

from radio.library.artwork import MAX_BYTES, artwork_of, dimensions
from radio.library.pictures import picture


def webp(kind: bytes, payload: bytes) -> bytes:
    body = b"WEBP" + kind + struct.pack("<I", len(payload)) + payload
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(640, 480), ("image/png", 640, 480)),
        (jpeg(1200, 900), ("image/jpeg", 1200, 900)),
        (
            webp(b"VP8X", bytes(4) + (1199).to_bytes(3, "little") + (899).to_bytes(3, "little")),
            ("image/webp", 1200, 900),
        ),
        (webp(b"VP8L", b"\x2f" + struct.pack("<I", 99 | 49 << 14)), ("image/webp", 100, 50)),
        (webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 320, 200)), ("image/webp", 320, 200)),
        (b"GIF89a" + bytes(20), None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"", None),
        (jpeg(10, 10)[:26], None),
        (b"\xff\xd8" + b"\xff" * 5000, None),
        (png()[:20], None),
    ],
)
def test_dimensions_come_from_the_header(data: bytes, expected: tuple[str, int, int] | None) -> None:
    assert dimensions(data) == expected


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8X", b""]),
    st.binary(),
)
def test_any_bytes_are_taken_or_refused(head: bytes, rest: bytes) -> None:
    found = artwork_of(head + rest)
    assert found is None or 0 < found.width * found.height <= 25_000_000


def test_a_picture_of_30000_by_30000_is_refused(tmp_path: Path) -> None:
    bomb = png(claimed=(30_000, 30_000))
    assert artwork_of(bomb) is None
    file = tone(tmp_path / "a.mp3")
    with_picture(id3_words(), bomb).save(file)
    assert picture(file) is None


def test_a_picture_over_two_megabytes_is_refused() -> None:
    assert artwork_of(png() + bytes(MAX_BYTES)) is None
    assert artwork_of(png() + bytes(1000)) is not None


def test_the_front_cover_wins_over_the_first(tmp_path: Path) -> None:
    file = tone(tmp_path / "a.mp3")
    with_picture(with_picture(id3_words(), png(shade=1), kind=4), png(shade=2), kind=3).save(file)
    found = picture(file)
    assert found is not None
    assert (found.data, found.mime, found.width, found.height) == (png(shade=2), "image/png", 8, 8)


def test_a_refused_cover_gives_way_to_the_next(tmp_path: Path) -> None:
    file = tone(tmp_path / "a.mp3")
    with_picture(with_picture(id3_words(), b"GIF89a" + bytes(50), kind=3), png(), kind=4).save(file)
    assert picture(file) == artwork_of(png())


def test_flac_opus_and_mp4_pictures(tmp_path: Path) -> None:
    flac = FLAC(tone(tmp_path / "a.flac"))
    block = Picture()
    block.type, block.mime, block.data = 3, "image/png", png()
    flac.add_picture(block)
    flac.save()
    opus = OggOpus(tone(tmp_path / "a.opus"))
    opus["metadata_block_picture"] = picture_block(png())
    opus.save()
    mp4 = MP4(tone(tmp_path / "a.m4a"))
    mp4["covr"] = [MP4Cover(png(), MP4Cover.FORMAT_PNG)]
    mp4.save()
    expected = artwork_of(png())
    assert expected is not None
    assert [picture(tmp_path / f"a{ending}") for ending in (".flac", ".opus", ".m4a")] == [expected] * 3


def test_broken_picture_comments_are_passed_over(tmp_path: Path) -> None:
    opus = OggOpus(tone(tmp_path / "a.opus"))
    opus["metadata_block_picture"] = ["not base64!", picture_block(png())[:40]]
    opus.save()
    assert picture(tmp_path / "a.opus") is None


def test_the_folders_picture_stands_in(tmp_path: Path) -> None:
    file = tone(tmp_path / "a.wav")
    (tmp_path / "Folder.JPG").write_bytes(jpeg(5, 5))
    (tmp_path / "folder.png").write_bytes(png(shade=9))
    assert picture(file) == artwork_of(jpeg(5, 5))
    (tmp_path / "Folder.JPG").unlink()
    assert picture(file) == artwork_of(png(shade=9))
    (tmp_path / "cover.jpg").write_bytes(jpeg(300, 300))
    assert picture(file) == artwork_of(jpeg(300, 300))


def test_folder_pictures_that_lead_astray_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    file = tone(tmp_path / "music" / "a.wav")
    os.mkfifo(tmp_path / "music" / "cover.jpg")
    (tmp_path / "music" / "cover.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "music" / "folder.png").write_bytes(png() + bytes(MAX_BYTES))
    assert picture(file) is None
