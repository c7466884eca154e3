"""The bed and the meter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audio_sounds import level_db, noise, sine, write_wav
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.audio.bed import Bed
from radio.audio.fades import fade_in_gain, fade_out_gain
from radio.audio.measure import measure
from radio.audio.meter import FLOOR_DB, Meter
from radio.audio.pcm import silence


@settings(deadline=None)
@given(first=st.integers(-50, 300), n=st.integers(0, 200), length=st.integers(0, 200))
def test_fades_keep_the_power_and_mirror_each_other(first: int, n: int, length: int) -> None:
    rising, falling = fade_in_gain(first, n, length), fade_out_gain(first, n, length)
    assert rising.shape == falling.shape == (n, 1)
    assert np.allclose(rising**2 + falling**2, 1.0, atol=1e-6)
    assert np.array_equal(
        falling[np.arange(first, first + n) >= length], np.zeros((max(0, min(n, first + n - length)), 1))
    )


def test_the_bed_has_the_loudness_it_is_given(tmp_path: Path) -> None:
    for lufs in (-24.0, -30.0):
        measured = measure(write_wav(tmp_path / "bed.wav", Bed(lufs).read(48_000 * 24)))
        assert measured.loudness_lufs == pytest.approx(lufs, abs=0.3)
        assert measured.true_peak_db is not None
        assert measured.true_peak_db < lufs + 16


def test_the_bed_never_ends_never_clicks_and_is_always_the_same() -> None:
    bed = Bed()
    first = bed.read(48_000 * 24 - 500)
    seam = bed.read(1000)
    assert np.array_equal(seam[500:], first[:500])
    assert np.abs(np.diff(seam, axis=0)).max() <= np.abs(np.diff(first, axis=0)).max()
    other = Bed()
    assert np.array_equal(np.concatenate([other.read(n) for n in (1, 1151, 7000)]), first[:8152])
    levels = [level_db(first[at : at + 9600]) for at in range(0, len(first) - 9600, 9600)]
    assert max(levels) - min(levels) < 6.0
    bed.close()
    assert len(bed.read(10)) == 10


def test_levels_of_known_sounds() -> None:
    assert Meter.rms_db(sine(48_000, level=1.0)) == pytest.approx(-3.01, abs=0.01)
    assert Meter.peak_db(sine(48_000, level=0.5)) == pytest.approx(-6.02, abs=0.01)
    assert Meter.rms_db(silence(100)) == Meter.peak_db(silence(0)) == FLOOR_DB
    assert Meter.rms_db(silence(0)) == FLOOR_DB


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=8))
def test_running_silence_is_counted_in_blocks_of_any_size(sizes: list[int]) -> None:
    meter, total = Meter(), sum(sizes)
    meter.update(sine(4800))
    assert meter.silence_ms == 0
    for size in sizes:
        level = meter.update(noise(size, level=1e-4))
    assert level.silence_ms == meter.silence_ms == total // 48
    assert level.rms_db < -70
    assert meter.update(sine(1200)).silence_ms == 0


def test_silence_within_a_block_counts_from_the_last_sound() -> None:
    level = Meter().update(np.concatenate((sine(48_000), silence(48_000))))
    assert level.silence_ms == 1000
