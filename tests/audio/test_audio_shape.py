from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audio_sounds import song, write_wav

from radio.audio.edges import Silences, silence_db
from radio.audio.loudness import Loudness
from radio.audio.measure import measure
from radio.audio.pcm import Pcm, silence
from radio.audio.shape import Shape, shape_of
from radio.audio.windows import blocks, windows_of

_RATE = 16_000


def gain(*points: tuple[float, float]) -> np.ndarray:
    """A gain in dB at each point of time (s, dB), straight between, as factors for a whole song."""
    times, levels = zip(*points, strict=True)
    db = np.interp(np.arange(int(times[-1] * _RATE)) / _RATE, times, levels)
    return (10 ** (db / 20))[:, None].astype(np.float32)


def shaped(curve: np.ndarray, *, seed: int = 3, tail: Pcm | None = None) -> Shape:
    sound = song(60 * _RATE, seed, _RATE)[: len(curve)] * curve
    sound = sound if tail is None else np.concatenate((sound, tail))
    loudness, silences = Loudness(_RATE), Silences(_RATE)
    for block in blocks([sound.T.copy()], _RATE):
        loudness.update(block)
        silences.update(block, windows_of(block, _RATE))
    report = loudness.finish()
    cues = silences.cues(silence_db(report.integrated_lufs))
    return shape_of(report.momentary_lufs, report.integrated_lufs, *cues)


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("intro_s", [5, 14])
def test_a_quiet_intro_ends_where_the_band_comes_in(intro_s: int, seed: int) -> None:
    curve = gain((0, -16), (intro_s, -16), (intro_s + 0.1, 0), (45, 0))
    found = shaped(curve, seed=seed)
    assert found.intro_ms == pytest.approx(intro_s * 1000, abs=700)
    assert found.ending == "cold"


@pytest.mark.parametrize("fade_s", [5, 12])
@pytest.mark.parametrize("tail_s", [0, 3])
def test_a_fade_is_found_with_its_start(fade_s: int, tail_s: int) -> None:
    curve = gain((0, 0), (40, 0), (40 + fade_s, -45))
    found = shaped(curve, tail=silence(tail_s * _RATE))
    assert found.ending == "fade"
    assert found.outro_ms == pytest.approx(40_000, abs=2_000)
    assert found.intro_ms is None


def test_a_linear_fade_is_one_too() -> None:
    curve = np.concatenate((np.ones(_RATE * 40), np.linspace(1, 0, _RATE * 10)))[:, None].astype(np.float32)
    found = shaped(curve)
    assert found.ending == "fade"
    assert found.outro_ms == pytest.approx(41_000, abs=3_000)


def test_a_cut_and_a_rung_out_ending_are_cold() -> None:
    cut = shaped(gain((0, 0), (30, 0)), tail=silence(_RATE))
    assert cut.ending == "cold"
    assert cut.outro_ms == pytest.approx(30_000, abs=600)
    rung = shaped(gain((0, 0), (30, 0), (32, -50)))
    assert rung.ending == "cold"
    assert rung.outro_ms == pytest.approx(30_000, abs=800)


def test_a_quiet_coda_has_a_start_and_no_name() -> None:
    found = shaped(gain((0, 0), (40, 0), (40.2, -16), (52, -16)))
    assert found.ending is None
    assert found.outro_ms == pytest.approx(40_000, abs=1_000)


def test_what_is_short_or_silent_has_no_shape() -> None:
    assert shaped(gain((0, -20), (3, 0), (6, 0))) == Shape()
    assert shaped(silence(_RATE * 10)[:, :1]) == Shape()


def test_a_file_is_measured_with_its_shape(tmp_path: Path) -> None:
    sound = song(48_000 * 30, 3) * np.interp(np.arange(48_000 * 30), (240_000, 241_000), (0.15, 1))[:, None]
    found = measure(write_wav(tmp_path / "song.wav", sound.astype(np.float32)))
    assert found.intro_ms == pytest.approx(5_000, abs=700)
    assert (found.outro_ms, found.ending) == (pytest.approx(30_000, abs=500), "cold")


def test_speech_like_bursts_have_no_intro() -> None:
    bursts = np.repeat(np.random.default_rng(2).choice((1.0, 0.02), 200, p=(0.8, 0.2)), _RATE // 5)
    found = shaped(bursts[:, None].astype(np.float32))
    assert found.intro_ms is None
    assert found.ending == "cold"
