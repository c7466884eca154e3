from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from audio_sounds import noise, sine
from av.audio.frame import AudioFrame
from av.filter import Graph
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.audio.pcm import Pcm, silence
from radio.audio.running_loudness import RunningLoudness

STEP = 4_800


def ebur128(sound: Pcm) -> tuple[float, float, float]:
    """Momentary, short-term and integrated loudness at the end, by FFmpeg's filter."""
    graph = Graph()
    source = graph.add(
        "abuffer", sample_rate="48000", sample_fmt="flt", channel_layout="stereo", time_base="1/48000"
    )
    meter, sink = graph.add("ebur128", "metadata=1:framelog=quiet"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound).reshape(1, -1), format="flt", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    graph.push(frame)
    report: dict[str, str] = {}
    while True:
        try:
            report = graph.pull().metadata
        except (av.BlockingIOError, av.EOFError):
            break
    return float(report["lavfi.r128.M"]), float(report["lavfi.r128.S"]), float(report["lavfi.r128.I"])


def given_in(sound: Pcm, *sizes: int) -> RunningLoudness:
    """The meter after the sound, in blocks of the sizes by turns."""
    meter, at, turn = RunningLoudness(), 0, 0
    while at < len(sound):
        size = sizes[turn % len(sizes)]
        meter.update(np.ascontiguousarray(sound[at : at + size].T))
        at, turn = at + size, turn + 1
    return meter


def changing(seconds: int, seed: int) -> Pcm:
    random = np.random.default_rng(seed)
    levels = np.repeat(10 ** random.uniform(-2, 0, seconds * 2), 24_000)[:, None]
    low = sine(48_000 * seconds, hz=float(random.uniform(20, 200)), level=0.3)
    return ((noise(48_000 * seconds, level=0.2) + low) * levels).astype(np.float32)


@settings(max_examples=12, deadline=None)
@given(seconds=st.integers(3, 12), seed=st.integers(0, 10_000), size=st.integers(100, 100_000))
def test_it_reads_what_ebur128_reads(seconds: int, seed: int, size: int) -> None:
    sound = changing(seconds, seed)
    momentary, short_term, integrated = ebur128(sound)
    meter = given_in(sound, size, 4_032)
    assert meter.momentary_lufs == pytest.approx(momentary, abs=0.05)
    assert meter.short_term_lufs == pytest.approx(short_term, abs=0.05)
    assert meter.integrated_lufs == pytest.approx(integrated, abs=0.1)


def test_a_tone_of_the_standard_reads_as_it_says() -> None:
    # BS.1770-4, annex 1: 997 Hz at 0 dBFS in one channel reads -3.01 LUFS; in both at -23 dBFS, -23 (EBU Tech 3341, 1)
    tone = sine(48_000 * 4, hz=997, level=10 ** (-23 / 20))
    meter = given_in(tone, 48_000)
    assert meter.momentary_lufs == pytest.approx(-23, abs=0.05)
    assert meter.short_term_lufs == pytest.approx(-23, abs=0.05)
    assert meter.integrated_lufs == pytest.approx(-23, abs=0.05)


def test_what_is_quiet_does_not_lower_the_whole() -> None:
    # Tech 3341, case 3: the relative gate leaves out what is 10 LU below
    quiet, loud = (sine(48_000 * s, hz=1_000, level=10 ** (db / 20)) for s, db in ((10, -36), (60, -23)))
    assert given_in(np.concatenate((quiet, loud, quiet)), 48_000).integrated_lufs == pytest.approx(
        -23, abs=0.1
    )


def test_silence_has_no_loudness_and_does_not_end_it() -> None:
    meter = given_in(silence(96_000), 48_000)
    assert (meter.momentary_lufs, meter.short_term_lufs, meter.integrated_lufs) == (None, None, None)
    meter.update(np.ascontiguousarray(noise(48_000, level=0.2).T))
    assert meter.momentary_lufs is not None
    meter.update(np.ascontiguousarray(silence(48_000 * 4).T))
    assert meter.momentary_lufs is None
    assert meter.integrated_lufs is not None


def test_less_than_a_tenth_of_a_second_reads_nothing_yet() -> None:
    meter = given_in(noise(STEP - 1, level=0.2), 1_000)
    assert meter.momentary_lufs is None
    meter.update(np.ascontiguousarray(noise(1, level=0.2).T))
    assert meter.momentary_lufs is not None
