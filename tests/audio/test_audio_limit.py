"""The limiter: true peaks under the ceiling whatever comes, and nothing changed that need not be."""

from __future__ import annotations

import numpy as np
import pytest
from audio_sounds import music, noise, sine
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.audio.limit import DELAY, Limiter
from radio.audio.pcm import Pcm, silence
from radio.audio.true_peak import HIGHEST_GAIN, TAPS, TruePeak, sample_true_peaks, true_peak_near

CEILING = 10 ** (-2 / 20)
OVER = 10 ** (0.1 / 20)


def limited(sound: Pcm, *sizes: int) -> Pcm:
    """``sound`` through a new limiter in blocks of these sizes, and what it holds at the end."""
    limiter, pieces, at = Limiter(), [], 0
    sound = np.concatenate((sound, silence(1_000)))
    while at < len(sound):
        size = sizes[len(pieces) % len(sizes)] if sizes else 4_032
        pieces.append(limiter.process(sound[at : at + size]))
        at += size
    return np.concatenate(pieces)


def true_peak(sound: Pcm) -> float:
    meter = TruePeak()
    meter.update(np.ascontiguousarray(sound.T))
    return meter.finish()


def impulses(seed: int, n: int = 9_000) -> Pcm:
    random, sound = np.random.default_rng(seed), silence(n)
    sound[random.integers(0, n, 40), random.integers(0, 2, 40)] = random.standard_normal(40) * 8
    return sound


def square(hz: float, n: int = 9_000) -> Pcm:
    return np.sign(sine(n, hz=hz, level=1.0)).astype(np.float32)


def bursts(seed: int, n: int = 9_000) -> Pcm:
    gates = np.random.default_rng(seed).integers(0, 2, n // 90 + 1).repeat(90)[:n, None]
    return (noise(n, level=3.0, seed=seed) * gates).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(
    st.one_of(
        st.builds(
            lambda level, seed: noise(9_000, level=level, seed=seed), st.floats(0.1, 40.0), st.integers(0, 99)
        ),
        st.builds(impulses, st.integers(0, 99)),
        st.builds(square, st.floats(5.0, 23_000.0)),
        st.builds(
            lambda hz, level: sine(9_000, hz=hz, level=level), st.floats(5, 23_000), st.floats(0.5, 30)
        ),
        st.builds(bursts, st.integers(0, 99)),
    )
)
def test_no_true_peak_passes_the_ceiling(sound: Pcm) -> None:
    assert true_peak(limited(sound)) <= CEILING * OVER


@settings(deadline=None, max_examples=30)
@given(
    level=st.floats(0.05, 10.0),
    sizes=st.lists(st.integers(61, 6_000), min_size=1, max_size=5),
    seed=st.integers(0, 50),
)
def test_the_result_does_not_depend_on_the_blocks(level: float, sizes: list[int], seed: int) -> None:
    sound = np.concatenate((noise(3_000, level=0.01, seed=seed), noise(6_000, level=level, seed=seed)))
    assert np.allclose(limited(sound, *sizes), limited(sound), atol=1e-6)


def test_sound_that_is_low_enough_passes_bit_for_bit_and_late() -> None:
    for sound in (music(20_000), sine(20_000, level=0.78)):
        assert np.array_equal(limited(sound)[DELAY : DELAY + len(sound)], sound)


def test_the_gain_is_there_before_the_peak_and_goes_back_without_a_step() -> None:
    tone = sine(96_000, level=0.1)
    tone[:, 1] *= 0.5
    tone[20_000] = (4.0, 0.0)
    heard = limited(tone)[DELAY:]
    assert np.array_equal(heard[: 20_000 - DELAY], tone[: 20_000 - DELAY])
    assert np.abs(heard[20_000 - 1]).max() < 0.03
    assert np.abs(np.diff(heard[19_800:19_990, 0])).max() < np.abs(np.diff(tone[:10_000, 0])).max() * 1.05
    assert np.allclose(heard[20_001:60_000, 1], heard[20_001:60_000, 0] * 0.5, atol=1e-6)
    assert np.array_equal(heard[60_000:96_000], tone[60_000:])


def test_the_limiter_comes_to_rest() -> None:
    limiter = Limiter()
    limiter.process(noise(4_032, level=2.0))
    assert limiter.reduction_db > 3
    for _ in range(30):
        limiter.process(silence(4_032))
    assert limiter.reduction_db == 0


def test_no_number_becomes_silence() -> None:
    block = sine(1_000, level=0.1)
    block[10], block[20], block[30] = np.nan, np.inf, -1e30
    heard = limited(block)
    assert np.isfinite(heard).all()
    assert not heard[DELAY + 10].any()
    assert true_peak(heard) <= CEILING * OVER
    assert len(Limiter().process(silence(0))) == 0


def test_a_release_must_be_a_release() -> None:
    with pytest.raises(ValueError, match="release"):
        Limiter(release_db_per_s=0)


@settings(deadline=None, max_examples=40)
@given(level=st.floats(0.05, 3.0), n=st.integers(1, 3_000), seed=st.integers(0, 50))
def test_true_peaks_of_samples_are_those_of_the_whole_sound(level: float, n: int, seed: int) -> None:
    sound = np.concatenate((silence(TAPS - 1), noise(n, level=level, seed=seed), silence(TAPS - 1)))
    meter = TruePeak()
    meter.update(np.ascontiguousarray(sound.T))
    found = sample_true_peaks(sound, floor=0.5)
    if meter.peak > 0.5 * 1.000001:
        assert found is not None
        assert found.max() == pytest.approx(meter.peak, rel=1e-5)
    near = true_peak_near(sound)
    assert meter.sample_peak <= near <= meter.peak * 1.00001
    assert meter.peak <= meter.sample_peak * HIGHEST_GAIN * 1.00001


def test_a_meter_finds_the_true_peak_of_a_tone_between_its_samples() -> None:
    index = np.arange(4_800)
    tone = np.stack([np.cos(np.pi / 2 * index + np.pi / 4)] * 2, axis=1).astype(np.float32)
    assert np.abs(tone).max() == pytest.approx(0.7071, abs=1e-3)
    assert true_peak_near(tone[100:]) == pytest.approx(1.0, abs=0.03)
    assert true_peak_near(silence(100)) == 0.0
    assert true_peak_near(tone[:5]) > 0.7
