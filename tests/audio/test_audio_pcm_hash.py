from __future__ import annotations

from pathlib import Path

import numpy as np
from audio_sounds import music, write
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.id3 import ID3, TIT2

from radio.audio.measure import measure
from radio.audio.pcm_hash import HASH_DIGITS, PcmHash


def test_lossless_files_of_one_sound_have_one_hash(tmp_path: Path) -> None:
    sound = music(100_003)
    for rate_hz in (44_100, 48_000):
        files = [
            write(tmp_path / f"one{suffix}", sound, rate_hz=rate_hz) for suffix in (".wav", ".flac", ".m4b")
        ]
        files += [write(tmp_path / f"one{suffix}", sound, rate_hz=rate_hz) for suffix in (".aiff", ".wv")]
        assert len({measure(path).pcm_hash for path in files}) == 1


def test_other_sound_another_rate_and_lossy_copies_have_other_hashes(tmp_path: Path) -> None:
    sound = music(48_000)
    changed = sound.copy()
    changed[-1, 1] += 2 / 32768
    files = [
        write(tmp_path / "one.wav", sound),
        write(tmp_path / "two.wav", changed),
        write(tmp_path / "three.wav", sound, rate_hz=44_100),
        write(tmp_path / "four.mp3", sound),
        write(tmp_path / "five.wav", sound[:, ::-1]),
    ]
    found = [measure(path).pcm_hash for path in files]
    assert len(set(found)) == 5
    assert all(len(one) == HASH_DIGITS for one in found)


def test_tags_do_not_change_the_hash_of_a_lossy_file(tmp_path: Path) -> None:
    path = write(tmp_path / "one.mp3", music(96_000))
    before = measure(path).pcm_hash
    tags = ID3()
    tags.add(TIT2(text=["Another title"]))
    tags.save(path)
    assert measure(path).pcm_hash == before


@settings(deadline=None, max_examples=20)
@given(cuts=st.lists(st.integers(1, 999), max_size=5))
def test_the_hash_does_not_depend_on_blocks(cuts: list[int]) -> None:
    planes = music(1_000).T.copy()
    whole, pieces = PcmHash(48_000), PcmHash(48_000)
    whole.update(planes)
    for block in np.split(planes, sorted(set(cuts)), axis=1):
        pieces.update(block)
    assert whole.hexdigest() == pieces.hexdigest()
