"""The mark in a file's tags up to which an ident may be heard over its music."""

from __future__ import annotations

from pathlib import Path

import pytest
from library_sounds import tone
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TXXX
from mutagen.mp4 import MP4
from mutagen.oggopus import OggOpus

from radio.library.probe import Probed, probe
from radio.library.tag_reading import read_tags

DEMO = Path(__file__).parents[2] / "audio_fixtures" / "lowtide" / "music"


def mark(path: Path, text: str) -> None:
    """Write the tag as other programs do, without our own writer."""
    if path.suffix == ".mp3":
        tag = ID3()
        tag.add(TXXX(encoding=3, desc="INTRO_MS", text=[text]))
        tag.save(path)
    elif path.suffix == ".m4a":
        file = MP4(path)
        file["----:com.apple.iTunes:INTRO_MS"] = [text.encode()]
        file.save()
    else:
        comments = (FLAC if path.suffix == ".flac" else OggOpus)(path)
        comments["INTRO_MS"] = text
        comments.save()


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".opus", ".m4a"])
def test_the_tag_is_the_end_of_the_intro(tmp_path: Path, suffix: str) -> None:
    path = tone(tmp_path / f"a{suffix}", seconds=2)
    mark(path, "1500")
    found = probe(path, tmp_path)
    assert isinstance(found, Probed)
    assert (found.tags.intro_ms, found.item.intro_ms) == (1500, 1500)


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "2 s", "600001", "9" * 40, "", "x"])
def test_what_is_no_length_is_no_intro(tmp_path: Path, text: str) -> None:
    path = tone(tmp_path / "a.flac", seconds=2)
    mark(path, text)
    assert read_tags(path).intro_ms is None


def test_an_intro_longer_than_the_sound_is_none(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.flac", seconds=2)
    mark(path, "2500")
    found = probe(path, tmp_path)
    assert isinstance(found, Probed)
    assert (found.tags.intro_ms, found.item.intro_ms) == (2500, None)


def test_the_demo_has_music_with_an_intro() -> None:
    marks = {path.stem: read_tags(path).intro_ms for path in sorted(DEMO.iterdir())}
    assert {name for name, at_ms in marks.items() if at_ms} == {
        *("paper-boats", "slack-water", "slipway-dub", "sodium-lamps")
    }
    assert marks["slack-water"] == 9600
