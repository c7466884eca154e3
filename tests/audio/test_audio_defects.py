from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from audio_sounds import music, noise, sine, write_wav
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.audio.defects import CLIPPED_RUN, Clipping
from radio.audio.measure import measure
from radio.audio.pcm import silence


def counted(plane: np.ndarray) -> tuple[int, int]:
    """Runs and samples, counted one by one."""
    lengths = [len(list(run)) for sign, run in groupby(np.sign(plane) * (np.abs(plane) == 1)) if sign]
    long = [length for length in lengths if length >= CLIPPED_RUN]
    return len(long), sum(long)


@settings(deadline=None, max_examples=60)
@given(
    left=st.lists(st.sampled_from((-1.0, 0.5, 1.0)), min_size=60, max_size=60),
    cuts=st.lists(st.integers(1, 59), max_size=4),
)
def test_clipping_is_counted_to_the_sample_in_blocks_of_any_size(left: list[float], cuts: list[int]) -> None:
    planes = np.array([left, left[::-1]], dtype=np.float32)
    clipping = Clipping()
    for block in np.split(planes, sorted(set(cuts)), axis=1):
        clipping.update(block, float(np.abs(block).max()))
    clipping.finish()
    runs, samples = zip(*(counted(plane) for plane in planes), strict=True)
    assert (clipping.runs, clipping.samples) == (sum(runs), sum(samples))


@pytest.mark.parametrize("channels", [1, 2])
def test_clipping_in_a_file_is_exact(tmp_path: Path, channels: int) -> None:
    sound = noise(100_000, level=0.05)[:, :channels]
    sound[500:503] = 1.0  # a run
    sound[900:902] = 1.0  # too short
    sound[47_990:48_020] = -1.0  # across the end of a block
    sound[-4:] = 1.0
    found = measure(write_wav(tmp_path / "one.wav", sound))
    assert (found.clipped_runs, found.clipped_samples) == (3 * channels, (3 + 30 + 4) * channels)
    assert found.sample_peak_db == pytest.approx(0.0, abs=0.01)


def test_loud_sound_below_full_scale_is_not_clipped(tmp_path: Path) -> None:
    found = measure(write_wav(tmp_path / "one.wav", sine(48_000, level=0.999)))
    assert (found.clipped_runs, found.clipped_samples) == (0, 0)


def test_mono_is_known_with_one_channel_and_with_two(tmp_path: Path) -> None:
    sound = music(96_000)
    one = measure(write_wav(tmp_path / "one.wav", sound[:, :1]))
    twice = measure(write_wav(tmp_path / "twice.wav", np.repeat(sound[:, :1], 2, axis=1)))
    nearly = measure(write_wav(tmp_path / "nearly.wav", np.repeat(sound[:, :1], 2, axis=1) * [1, 0.9]))
    assert (one.is_mono, twice.is_mono, nearly.is_mono) == (True, True, False)
    assert (one.phase_correlation, twice.phase_correlation, nearly.phase_correlation) == (1.0, 1.0, 1.0)


def test_the_correlation_tells_what_mono_listeners_lose(tmp_path: Path) -> None:
    tone = sine(48_000 * 8)
    turned = measure(write_wav(tmp_path / "turned.wav", tone * [1, -1]))
    apart = measure(write_wav(tmp_path / "apart.wav", noise(48_000 * 8)))
    left = measure(write_wav(tmp_path / "left.wav", tone * [1, 0]))
    assert turned.phase_correlation == pytest.approx(-1.0, abs=0.001)
    assert apart.phase_correlation == pytest.approx(0.0, abs=0.02)
    assert (left.phase_correlation, left.is_mono) == (0.0, False)
    none = measure(write_wav(tmp_path / "none.wav", silence(48_000)))
    assert (none.phase_correlation, none.worst_phase_correlation) == (None, None)


def test_the_worst_three_seconds_are_found(tmp_path: Path) -> None:
    sound = sine(48_000 * 20)
    sound[48_000 * 7 + 24_000 : 48_000 * 10 + 24_000, 1] *= -1
    found = measure(write_wav(tmp_path / "one.wav", sound))
    assert found.worst_phase_correlation == pytest.approx(-1.0, abs=0.001)
    assert found.phase_correlation == pytest.approx(0.7, abs=0.01)
    quiet = sine(48_000 * 20)
    quiet[48_000 * 7 : 48_000 * 11] *= [1e-4, -1e-4]
    assert measure(write_wav(tmp_path / "quiet.wav", quiet)).worst_phase_correlation == pytest.approx(
        1, abs=0.01
    )


def test_the_offset_is_that_of_the_worse_channel(tmp_path: Path) -> None:
    sound = sine(48_000, level=0.1) + np.array([0.01, -0.04], dtype=np.float32)
    assert measure(write_wav(tmp_path / "one.wav", sound)).dc_offset == pytest.approx(-0.04, abs=1e-4)
    assert measure(write_wav(tmp_path / "two.wav", sine(48_000))).dc_offset == pytest.approx(0, abs=1e-4)
