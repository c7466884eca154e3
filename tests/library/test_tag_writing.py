from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from library_sounds import id3_words, tone, zlib_bomb
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TIT2, TPE1
from mutagen.mp4 import MP4
from mutagen.oggvorbis import OggVorbis
from tagged_files import decoded, make, stored_sound

from radio.errors import InvalidRequest, TagsNotWritten
from radio.library.tag_reading import read_tags
from radio.library.tag_writing import Undo, plan_write, undo, write_tags


@pytest.fixture
def mp3(tmp_path: Path) -> Path:
    file = tone(tmp_path / "a.mp3", seconds=0.2)
    id3_words().save(file, v1=2)
    return file


def test_a_plan_writes_nothing(mp3: Path) -> None:
    old = mp3.read_bytes()
    plan = plan_write(mp3, {"title": "New"})
    assert mp3.read_bytes() == old
    assert plan.before.title == "Harbour lights"
    assert plan.wanted.values == {"title": "New"}
    write_tags(mp3, {"title": "New"})
    assert mp3.stat().st_size == plan.size_bytes


def test_a_change_within_the_padding_moves_nothing(mp3: Path) -> None:
    size = mp3.stat().st_size
    record = write_tags(mp3, {"title": "A title that is a good deal longer than the old one was"})
    assert mp3.stat().st_size == size
    assert record is not None
    assert len(record.to_bytes()) < 600


def test_what_is_so_already_is_not_written(mp3: Path) -> None:
    inode = mp3.stat().st_ino
    assert write_tags(mp3, {"conductors": [], "work": None}) is None
    assert mp3.stat().st_ino == inode


@pytest.mark.parametrize("version", [3, 4])
def test_the_version_and_several_values_are_kept(mp3: Path, version: int) -> None:
    tag = ID3()
    tag.add(TIT2(encoding=1, text=["Old"]))
    tag.save(mp3, v2_version=version)
    write_tags(mp3, {"artists": ["AC/DC", "Борис"], "date": "2019-03-01", "original_date": "1971-05"})
    assert mp3.read_bytes()[3] == version
    assert ID3(mp3)["TPE1"].text == ["AC/DC", "Борис"]
    raw = ID3(mp3, translate=False)
    assert ("TYER" in raw, "TDAT" in raw) == (version == 3, version == 3)
    tags = read_tags(mp3)
    assert (tags.artists, tags.date, tags.original_date) == (("AC/DC", "Борис"), "2019-03-01", "1971-05")


def test_id3v1_is_kept_in_step(mp3: Path) -> None:
    write_tags(
        mp3, {"title": "Größe", "artists": ["A", "B"], "track_number": 7, "genres": ["Jazz"], "date": None}
    )
    old = mp3.read_bytes()[-128:]
    assert old[:3] == b"TAG"
    assert (old[3:33].rstrip(b"\0"), old[33:63].rstrip(b"\0")) == ("Größe".encode("latin-1"), b"A, B")
    assert (old[93:97], old[125:128]) == (bytes(4), b"\0\x07\x08")
    assert read_tags(mp3).date is None


def test_unsynchronised_tags(mp3: Path) -> None:
    sound = stored_sound(mp3)
    title, other = b"TIT2\0\0\0\x04\0\0\0Old", b"PRIV\0\0\0\x06\0\0x\0\xff\xe0\xff\0"
    body = (title + other).replace(b"\xff", b"\xff\0")
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    mp3.write_bytes(b"ID3\x03\0\x80" + size + body + sound)
    assert read_tags(mp3).title == "Old"
    write_tags(mp3, {"title": "Naïve ÿ"})
    assert (read_tags(mp3).title, mp3.read_bytes()[3:6]) == ("Naïve ÿ", b"\x03\0\x80")
    assert ID3(mp3)["PRIV:x:\xff\xe0\xff\x00"].data == b"\xff\xe0\xff\x00"
    assert stored_sound(mp3) == sound


def test_flac_padding_is_used_and_made(tmp_path: Path) -> None:
    file = make("flac", tmp_path)
    size = file.stat().st_size
    write_tags(file, {"title": "x" * 100})
    assert file.stat().st_size == size
    media = FLAC(file)
    media.save(padding=lambda info: 0)
    sound = stored_sound(file)
    write_tags(file, {"title": "y" * 200})
    assert [block.length for block in FLAC(file).metadata_blocks if block.code == 1] == [4096]
    assert stored_sound(file) == sound


def test_ogg_pages_are_renumbered_where_their_count_changes(tmp_path: Path) -> None:
    file = make("vorbis", tmp_path)
    sound = stored_sound(file), decoded(file)
    media = OggVorbis(file)
    media.update({f"A{n}": "z" * 9000 for n in range(12)})
    media.save()
    old, pages = file.read_bytes(), file.read_bytes().count(b"OggS")
    record = write_tags(file, {"title": "Long", "artists": [f"{n} " * 100 for n in range(20)]})
    assert file.read_bytes().count(b"OggS") > pages
    assert (stored_sound(file), decoded(file)) == sound
    assert OggVorbis(file)["a3"] == ["z" * 9000]
    assert record is not None
    undo(record)
    assert file.read_bytes() == old


@pytest.mark.parametrize("kind", ["aac", "alac"])
def test_mp4_places_of_the_sound_move_with_it(tmp_path: Path, kind: str) -> None:
    file = make(kind, tmp_path)
    media = MP4(file)
    media.save(padding=lambda info: 0)
    data = file.read_bytes()
    moov, mdat = data.index(b"moov") - 4, data.index(b"mdat") - 4
    if moov > mdat:  # put the tags in front, as files for streaming have them
        file.write_bytes(_moov_first(data, moov, mdat))
    sound = stored_sound(file), decoded(file)
    size = file.stat().st_size
    write_tags(file, {"comment": "long " * 390})
    assert file.stat().st_size > size + 1900
    assert (stored_sound(file), decoded(file)) == sound
    grown = file.stat().st_size
    write_tags(file, {"comment": None})
    assert file.stat().st_size == grown
    assert (stored_sound(file), decoded(file)) == sound


def _moov_first(data: bytes, moov: int, mdat: int) -> bytes:
    box = bytearray(data[moov:])
    at = box.index(b"stco") + 8
    for entry in range(at + 4, at + 4 + 4 * int.from_bytes(box[at : at + 4], "big"), 4):
        place = int.from_bytes(box[entry : entry + 4], "big") + len(box)
        box[entry : entry + 4] = place.to_bytes(4, "big")
    return data[:mdat] + bytes(box) + data[mdat:moov]


def test_mode_owner_attributes_and_times(mp3: Path) -> None:
    mp3.chmod(0o640)
    os.utime(mp3, ns=(10**18, 10**18))
    try:
        os.setxattr(mp3, "user.shelf", b"B4")
        attributes = True
    except (OSError, AttributeError):
        attributes = False
    record = write_tags(mp3, {"title": "New"})
    status = mp3.stat()
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert status.st_mtime_ns > 10**18
    assert not attributes or os.getxattr(mp3, "user.shelf") == b"B4"
    assert record is not None
    undo(record)
    assert mp3.stat().st_mtime_ns == 10**18


def test_undo_follows_a_moved_file_and_refuses_a_changed_one(mp3: Path) -> None:
    old = mp3.read_bytes()
    record = write_tags(mp3, {"title": "New"})
    assert record is not None
    record = Undo.from_bytes(record.to_bytes())
    moved = mp3.rename(mp3.with_name("b.mp3"))
    with pytest.raises(TagsNotWritten, match="no such file"):
        undo(record)
    undo(record, moved)
    assert moved.read_bytes() == old
    with pytest.raises(TagsNotWritten, match="changed since"):
        undo(record, moved)
    assert moved.read_bytes() == old


def _read_only(file: Path) -> None:
    file.chmod(0o444)


def _linked(file: Path) -> None:
    os.link(file, file.with_name("other name.mp3"))


def _compressed(file: Path) -> None:
    file.write_bytes(zlib_bomb())


def _emptied(file: Path) -> None:
    file.write_bytes(b"")


def _text(file: Path) -> None:
    file.write_bytes(b"This is no sound.\n" * 40)


def _fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _symbolic(file: Path) -> None:
    target = file.rename(file.with_name("target.mp3"))
    file.symlink_to(target)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_read_only, "read-only"),
        (_linked, "hard links"),
        (_compressed, "cannot be read"),
        (_emptied, "empty"),
        (_text, "cannot be read"),
        (_fifo, "not a regular file"),
        (_symbolic, "symbolic link"),
        (Path.unlink, "no such file"),
    ],
)
def test_refusals_have_a_reason_and_leave_everything(mp3: Path, spoil: object, reason: str) -> None:
    assert callable(spoil)
    spoil(mp3)
    before = sorted((entry.name, entry.lstat().st_size) for entry in mp3.parent.iterdir())
    with pytest.raises(TagsNotWritten, match=reason) as caught:
        write_tags(mp3, {"title": "New"})
    assert caught.value.path == str(mp3)
    assert sorted((entry.name, entry.lstat().st_size) for entry in mp3.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tilte": "x"}, "tilte"),
        ({"title": 5}, "title"),
        ({"artists": [1]}, "artists"),
        ({"artists": ["a"] * 21}, "artists"),
        ({"date": "01.03.2019"}, "date"),
        ({"isrc": "none"}, "isrc"),
        ({"bpm": 0}, "bpm"),
        ({"explicit": "yes"}, "explicit"),
        ({"track_number": 0}, "track_number"),
        ({"track_number": True}, "track_number"),
        ({"replaygain_track_db": 100.0}, "replaygain_track_db"),
        ({"musicbrainz": {"recording": "x"}}, "musicbrainz"),
        ({"musicbrainz": {"planet": None}}, "musicbrainz"),
        ({"cart": None}, "cart"),
    ],
)
def test_wrong_changes_name_their_field(mp3: Path, changes: dict[str, object], field: str) -> None:
    old = mp3.read_bytes()
    with pytest.raises(InvalidRequest) as caught:
        write_tags(mp3, changes)
    assert caught.value.field == field
    assert caught.value.allowed
    assert mp3.read_bytes() == old


def test_a_file_that_changes_meanwhile_is_left(mp3: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def meddle(handle: int) -> None:
        mp3.write_bytes(mp3.read_bytes() + b"more")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", meddle)
    with pytest.raises(TagsNotWritten, match="changed while"):
        write_tags(mp3, {"title": "New"})
    assert mp3.read_bytes().endswith(b"more")
    assert [entry.name for entry in mp3.parent.iterdir()] == [mp3.name]


def test_a_full_disk_leaves_the_old_file(mp3: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = mp3.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TagsNotWritten, match="no space left"):
        write_tags(mp3, {"title": "New"})
    assert mp3.read_bytes() == old
    assert [entry.name for entry in mp3.parent.iterdir()] == [mp3.name]


_CRASH = """
import os, sys
from pathlib import Path
from radio.library.tag_writing import write_tags
def die(*args, **kwargs):
    os._exit(9)
setattr(os, sys.argv[2], die)
write_tags(Path(sys.argv[1]), {"title": "New"})
"""


@pytest.mark.parametrize("step", ["chmod", "fsync", "replace"])
def test_a_crash_at_any_step_leaves_the_old_file(mp3: Path, step: str) -> None:
    old = mp3.read_bytes()
    command = [sys.executable, "-c", _CRASH, str(mp3), step]
    assert subprocess.run(command, cwd=Path(__file__).parents[2], timeout=60, check=False).returncode == 9
    assert mp3.read_bytes() == old
    left = [entry.name for entry in mp3.parent.iterdir() if entry != mp3]
    assert all(name.startswith(".nextup-") for name in left)


def test_names_of_255_bytes_and_outside_utf8(tmp_path: Path) -> None:
    for name in (b"\xff" * 251 + b".mp3", b"a\nb\x1b.mp3"):
        file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        file.write_bytes(tone(tmp_path / "b.mp3", seconds=0.1).read_bytes())
        record = write_tags(file, {"title": "New"})
        assert read_tags(file).title == "New"
        assert record is not None
        undo(Undo.from_bytes(record.to_bytes()))
        assert read_tags(file).title != "New"


def test_every_name_that_a_tag_uses_is_kept_in_step(tmp_path: Path) -> None:
    file = make("vorbis", tmp_path)
    media = OggVorbis(file)
    media["Organization"], media["LABEL"], media["publisher"] = "Old", "Old", ["Old", "Older"]
    media.save()
    write_tags(file, {"label": "Low Tide Records"})
    media = OggVorbis(file)
    assert [media[name] for name in ("organization", "label", "publisher")] == [["Low Tide Records"]] * 3
    assert ("Organization", "Low Tide Records") in list(media.tags)
    write_tags(file, {"label": None})
    assert "label" not in OggVorbis(file)


def test_an_artist_line_beside_the_list(mp3: Path) -> None:
    tag = ID3(mp3)
    tag.add(TPE1(encoding=3, text=["A feat. B"]))
    tag.save(mp3)
    write_tags(mp3, {"artists": ["A", "B"]})
    assert ID3(mp3)["TPE1"].text == ["A", "B"]
