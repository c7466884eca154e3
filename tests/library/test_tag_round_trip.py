"""Tags written into every format, then read by us, by mutagen and by FFmpeg: equal, and nothing else touched."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import mutagen
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3
from other_readers import programs_say
from tagged_files import MAKERS, PICTURE, STRAY, decoded, ffmpeg_says, make, stored_sound

from radio.errors import TagsNotWritten
from radio.library.encodings import repaired
from radio.library.tag_reading import read_tags
from radio.library.tag_writing import undo, write_tags
from radio.library.tags import Tags
from radio.library.words import cleaned

ONE_YEAR = frozenset({"mp3 v2.2"})


def _sound_text(text: str) -> bool:
    return bool(text) and repaired(text).text == text


plain = st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
texts = st.text(plain, min_size=1, max_size=60).map(cleaned).filter(_sound_text)
names = st.lists(texts, max_size=3, unique=True).map(tuple)
genres = st.lists(texts.map("Folk {}".format), max_size=3, unique=True).map(tuple)
numbers = st.none() | st.integers(1, 300)
days = st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(str)
uuids = st.uuids().map(str)

changes = st.fixed_dictionaries(
    {"title": texts},
    optional={
        "artists": names,
        "album": texts | st.none(),
        "album_artists": names,
        "composers": names,
        "conductors": names,
        "work": texts,
        "movement": texts,
        "movement_number": numbers,
        "ensembles": names,
        "genres": genres,
        "date": days,
        "label": texts,
        "catalog_number": texts,
        "isrc": st.from_regex(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", fullmatch=True),
        "musicbrainz": st.fixed_dictionaries(
            {}, optional={"recording": uuids, "work": st.lists(uuids, max_size=2)}
        ),
        "language": st.sampled_from(["eng", "deu", None]),
        "explicit": st.none() | st.booleans(),
        "comment": texts,
        "bpm": st.none() | st.integers(1, 300),
        "initial_key": st.sampled_from(["Am", "C#", None]),
        "track_number": numbers,
        "track_total": numbers,
        "disc_number": numbers,
        "replaygain_track_db": st.none() | st.floats(-20, 20),
        "r128_track_db": st.none() | st.floats(-20, 20),
    },
)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each kind."""
    folder = tmp_path_factory.mktemp("samples")
    return {kind: make(kind, folder / kind.replace(" ", "-")) for kind in MAKERS}


@pytest.mark.parametrize("kind", list(MAKERS))
@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(asked=changes, again=changes)
def test_round_trip(
    samples: dict[str, Path], tmp_path: Path, kind: str, asked: dict[str, Any], again: dict[str, Any]
) -> None:
    file = tmp_path / samples[kind].name
    shutil.copy2(samples[kind], file)
    old, before, others = file.read_bytes(), read_tags(file), _others(file)
    sound = stored_sound(file), decoded(file)
    mtime_ns = file.stat().st_mtime_ns
    if kind in ONE_YEAR:
        for wanted in (asked, again):
            wanted.update(date=wanted["date"][:4]) if "date" in wanted else None
            wanted.pop("movement", None)
            wanted.pop("movement_number", None)
    first = write_tags(file, asked)
    assert first is not None
    _check(file, before, asked, others, sound)
    middle = read_tags(file)
    second = write_tags(file, again)
    _check(file, middle, again, others, sound)
    _check_ffmpeg(file, read_tags(file))
    if second is not None:
        undo(type(second).from_bytes(second.to_bytes()))
        assert read_tags(file) == middle
    undo(first)
    assert file.read_bytes() == old
    assert file.stat().st_mtime_ns == mtime_ns


LISTED = (".flac", ".ogg", ".opus", ".m4a")
"""Formats in which every program tells several values of a field apart."""


@pytest.mark.parametrize("kind", list(MAKERS))
def test_other_programs_read_the_same(kind: str, tmp_path: Path) -> None:
    file = make(kind, tmp_path)
    artists = ("Ada Quay", "The Tern Trio") if file.suffix in LISTED else ("Ada Quay",)
    expected = {
        "title": ("Mélodie №5 – Dvořák",),
        "artist": artists,
        "album": ("Slack water & 坂本",),
        "composer": ("B. Reef",),
        "genre": ("Folk tales",),
    }
    asked = {"title": expected["title"][0], "album": expected["album"][0], "artists": artists}
    write_tags(file, asked | {"composers": expected["composer"], "genres": expected["genre"]})
    _check_mutagen(file, read_tags(file))
    _check_ffmpeg(file, read_tags(file))
    for program, words in programs_say(file).items():
        if (program, kind) == ("mediainfo", "wav info"):  # it takes INFO lists for Windows-1252
            continue
        if (program, file.suffix) == ("exiftool", ".m4a"):  # of several artists it tells the last
            words["artist"] = artists if words["artist"] == artists[-1:] else words["artist"]
        assert words == {field: expected[field] for field in words}, program
        assert words.keys() >= {"title", "artist", "genre"}, program


def _check(
    file: Path, before: Tags, asked: dict[str, Any], others: dict[str, str], sound: tuple[bytes, bytes | None]
) -> None:
    after = read_tags(file)
    for field in Tags.__struct_fields__:
        if field not in asked and field not in ("doubts", "cart"):
            assert getattr(after, field) == getattr(before, field), field
    for field, value in asked.items():
        _check_value(field, value, getattr(after, field), before)
    assert _others(file) == others
    assert (stored_sound(file), decoded(file)) == sound
    _check_mutagen(file, after)


def _check_value(field: str, value: Any, found: Any, before: Tags) -> None:
    if field == "musicbrainz":
        given_ids = {
            key: (ids,) if isinstance(ids, str) else tuple(dict.fromkeys(ids)) for key, ids in value.items()
        }
        assert found == {key: ids for key, ids in {**before.musicbrainz, **given_ids}.items() if ids}
    elif isinstance(value, float):
        assert found == pytest.approx(value, abs=0.006)
    else:
        assert found == value


def _check_mutagen(file: Path, after: Tags) -> None:
    media = mutagen.File(file)
    if file.suffix == ".wav" and (media is None or media.tags is None):  # mutagen reads no INFO lists
        return
    tags: Any = APEv2(file) if media is None or media.tags is None else media.tags
    if isinstance(tags, ID3):
        said = [_id3(tags, name) for name in ("TIT2", "TPE1", "TALB", "TCOM", "TPE3")]
    elif media is not None and file.suffix == ".m4a":
        said = [tuple(tags.get(name, ())) for name in ("\xa9nam", "\xa9ART", "\xa9alb", "\xa9wrt")]
        said.append(tuple(b.decode() for b in tags.get("----:com.apple.iTunes:conductor", ())))
    else:
        said = [tuple(tags.get(name, ())) for name in ("Title", "Artist", "Album", "Composer", "Conductor")]
    album = (after.album,) if after.album else ()
    expected = [(after.title,), after.artists, album, after.composers, after.conductors]
    if file.suffix == ".wav":  # what an INFO list holds is not repeated for ID3
        assert all(found in (want, ()) for found, want in zip(said, expected, strict=True))
    else:
        assert said == expected


def _id3(tags: ID3, name: str) -> tuple[str, ...]:
    return tuple(tags[name].text) if name in tags else ()


def _check_ffmpeg(file: Path, after: Tags) -> None:
    if _is_beyond_ffmpeg(file):
        return
    said = ffmpeg_says(file)
    assert said["title"] == after.title
    assert said.get("album") == after.album
    assert said.get("artist", "").startswith(after.artists[:1] or "")


def _is_beyond_ffmpeg(file: Path) -> bool:
    data = file.read_bytes()
    if file.suffix == ".wav":  # with a bext chunk and no INFO list it drops the ID3 chunk
        return b"bext" in data and b"INFO" not in data
    return file.suffix == ".ape" or (file.suffix == ".mp3" and not data.startswith(b"ID3"))


def _others(file: Path) -> dict[str, str]:
    """What no field of ours is kept in, as mutagen sees it, and whether the raw bytes are there."""
    data = file.read_bytes()
    found = {name: str(raw in data) for name, raw in (("picture", PICTURE), ("stray", STRAY))}
    found["chunks"] = str([raw in data for raw in (b"<BWFXML/>", b"000417", b"ISFT\x0a\0\0\0Some tool\0")])
    kept = (
        "shelf",
        "apic",
        "geob",
        "priv",
        "uslt",
        "tenc",
        "tpe4",
        "covr",
        "grp",
        "cpil",
        "itunnorm",
        "cover",
    )
    media = mutagen.File(file)
    for tags in (getattr(media, "tags", None), _ape(file)):
        for name, value in tags.items() if tags else ():
            if any(word in name.lower() for word in kept):
                found[f"{type(tags).__name__} {name}"] = repr(value)
    if file.suffix == ".flac":
        found["blocks"] = str(
            [type(block).__name__ for block in media.metadata_blocks if block.code not in (1, 4)]
        )
        found["pictures"] = repr([picture.write() for picture in media.pictures])
    return found


def _ape(file: Path) -> Any:
    try:
        return APEv2(file)
    except mutagen.MutagenError:
        return None


def test_a_text_that_reads_as_a_wrong_encoding_is_refused_before_the_file_is_opened(tmp_path: Path) -> None:
    file = make("flac", tmp_path)
    old = file.read_bytes()
    with pytest.raises(Exception, match="meant"):
        write_tags(file, {"title": "CafÃ©"})
    assert file.read_bytes() == old


@pytest.mark.parametrize("kind", ["mp3 v2.2"])
def test_what_a_version_cannot_hold_is_refused(tmp_path: Path, kind: str) -> None:
    file = make(kind, tmp_path)
    old = file.read_bytes()
    with pytest.raises(TagsNotWritten, match="cannot hold"):
        write_tags(file, {"date": "2019-03"})
    assert file.read_bytes() == old
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]
