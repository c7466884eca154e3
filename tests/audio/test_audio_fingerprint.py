from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from audio_sounds import noise, song, write
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.audio.fingerprint import CANDIDATE_KEYS, DUPLICATE_SIMILARITY, MAX_KEYS, keys, similarity
from radio.audio.fingerprinter import Fingerprinter
from radio.audio.measure import measure
from radio.audio.pcm import Pcm, silence

_LENGTH = 48_000 * 18
FIXTURES = Path(__file__).parents[2] / "audio_fixtures"


def fingerprint(sound: Pcm, rate_hz: int = 48_000) -> bytes:
    maker = Fingerprinter(rate_hz)
    mix = np.ascontiguousarray(sound.mean(axis=1), dtype=np.float32)
    for at in range(0, len(mix), rate_hz):
        maker.update(mix[at : at + rate_hz])
    return maker.finish()


SONGS = {seed: song(_LENGTH, seed) for seed in range(5)}
PRINTS = {seed: fingerprint(sound) for seed, sound in SONGS.items()}


def is_found(a: bytes, b: bytes) -> bool:
    return similarity(a, b) >= DUPLICATE_SIMILARITY and len(keys(a) & keys(b)) >= CANDIDATE_KEYS


@pytest.mark.parametrize(
    ("suffix", "bit_rate"),
    [(".mp3", "64k"), (".opus", "64k"), (".m4a", "64k"), (".ogg", "96k"), (".wma", "96k"), (".flac", None)],
)
def test_the_same_sound_is_known_in_every_format(tmp_path: Path, suffix: str, bit_rate: str | None) -> None:
    found = measure(write(tmp_path / f"one{suffix}", SONGS[0], bit_rate=bit_rate)).fingerprint
    assert similarity(PRINTS[0], found) > 0.85
    assert is_found(PRINTS[0], found)


def test_other_sounds_are_other() -> None:
    for a, b in combinations(PRINTS, 2):
        assert similarity(PRINTS[a], PRINTS[b]) < 0.2
        assert len(keys(PRINTS[a]) & keys(PRINTS[b])) < CANDIDATE_KEYS
    assert similarity(fingerprint(noise(_LENGTH, seed=1)), fingerprint(noise(_LENGTH, seed=2))) < 0.2


def test_items_of_the_demo_stations_are_told_apart() -> None:
    files = sorted(FIXTURES.glob("*/idents/*"))
    assert len(files) > 4
    for a, b in combinations([measure(path).fingerprint for path in files], 2):
        assert similarity(a, b) < 0.25


@settings(deadline=None, max_examples=8)
@given(lead=st.integers(0, 96_000), gain_db=st.floats(-20, 6), seed=st.sampled_from((0, 1, 2)))
def test_gain_a_lead_in_and_the_fold_to_mono_change_little(lead: int, gain_db: float, seed: int) -> None:
    sound = np.concatenate((silence(lead), SONGS[seed] * np.float32(10 ** (gain_db / 20))))
    changed = fingerprint(np.repeat(sound.mean(axis=1, keepdims=True), 2, axis=1))
    assert similarity(PRINTS[seed], changed) > 0.8
    assert is_found(PRINTS[seed], changed)


def test_the_rate_of_the_file_does_not_matter(tmp_path: Path) -> None:
    at = np.arange(int(_LENGTH * 44_100 / 48_000)) * 48_000 / 44_100
    planes = [np.interp(at, np.arange(_LENGTH), channel) for channel in SONGS[0].T]
    slow = np.stack(planes, axis=1).astype(np.float32)
    assert similarity(PRINTS[0], fingerprint(slow, 44_100)) > 0.9
    assert (
        similarity(PRINTS[0], measure(write(tmp_path / "one.flac", slow, rate_hz=44_100)).fingerprint) > 0.9
    )


def test_shortened_edits_are_found() -> None:
    start, middle, end = np.split(SONGS[2], 3)
    for edit in ((start, end), (middle, end), (start, middle, middle, end), (middle,)):
        assert is_found(PRINTS[2], fingerprint(np.concatenate(edit)))
    faded = SONGS[2][: _LENGTH // 2] * np.linspace(1, 0, _LENGTH // 2, dtype=np.float32)[:, None]
    assert is_found(PRINTS[2], fingerprint(faded))


def test_part_of_a_sound_counts_as_part() -> None:
    mixed = fingerprint(np.concatenate((SONGS[3][: _LENGTH // 2], SONGS[4][: _LENGTH // 2])))
    assert similarity(PRINTS[3], mixed) == pytest.approx(0.5, abs=0.2)


def test_a_fingerprint_is_small_and_the_same_for_blocks_of_any_size() -> None:
    assert len(PRINTS[0]) * 240 / 18 <= 4_096
    maker = Fingerprinter(48_000)
    for block in np.split(SONGS[0].mean(axis=1), [1, 500, 70_000, 70_010, 700_000]):
        maker.update(block)
    changed = np.unpackbits(np.frombuffer(maker.finish(), np.uint8) ^ np.frombuffer(PRINTS[0], np.uint8))
    assert changed.mean() < 0.001


@pytest.mark.parametrize(
    "sound", [silence(48_000 * 10), noise(40_000), noise(10)], ids=["silent", "short", "pip"]
)
def test_what_cannot_be_told_is_like_nothing(sound: Pcm) -> None:
    made = fingerprint(sound)
    assert similarity(made, made) == 0.0
    assert similarity(made, PRINTS[0]) == similarity(PRINTS[0], made) == 0.0
    assert keys(made) == frozenset()


@settings(deadline=None, max_examples=60)
@given(a=st.binary(max_size=300), b=st.binary(max_size=300))
def test_any_bytes_can_be_compared(a: bytes, b: bytes) -> None:
    assert 0.0 <= similarity(a, b) == similarity(b, a) <= 1.0
    found = keys(a)
    assert len(found) <= MAX_KEYS
    assert all(0 <= key < 2**31 for key in found)


def test_very_long_sounds_are_compared_with_a_bound() -> None:
    rng = np.random.default_rng(1)
    day = rng.integers(1, 1 << 16, 720_000, dtype=np.uint16).tobytes()
    assert similarity(day, day) == 1.0
    assert similarity(day, rng.integers(1, 1 << 16, 720_000, dtype=np.uint16).tobytes()) == 0.0
