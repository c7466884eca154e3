from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audio_sounds import music, noise, sine, write
from av.audio.frame import AudioFrame
from av.filter import Graph

from radio.audio.loudness import Loudness
from radio.audio.measure import measure
from radio.audio.pcm import Pcm, silence


def ebur128(sound: Pcm, rate_hz: int) -> tuple[float, float, float]:
    """Integrated loudness, range and highest momentary loudness, by FFmpeg's filter fed with whole samples."""
    graph = Graph()
    source = graph.add(
        "abuffer",
        sample_rate=str(rate_hz),
        sample_fmt="flt",
        channel_layout="stereo",
        time_base=f"1/{rate_hz}",
    )
    meter, sink = graph.add("ebur128", "metadata=1:framelog=quiet"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound).reshape(1, -1), format="flt", layout="stereo")
    frame.sample_rate, frame.pts = rate_hz, 0
    graph.push(frame)
    reports = [graph.pull().metadata for _ in range(len(sound) * 10 // rate_hz)]
    momentary = max(float(report["lavfi.r128.M"]) for report in reports)
    return float(reports[-1]["lavfi.r128.I"]), float(reports[-1]["lavfi.r128.LRA"]), momentary


def swelling(seconds: int, rate_hz: int) -> Pcm:
    steps = 10 ** (np.random.default_rng(9).uniform(-24, 0, seconds // 3 + 1) / 20)
    curve = np.repeat(steps, 3 * rate_hz)[: seconds * rate_hz, None]
    return (noise(seconds * rate_hz, level=0.2) * curve).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_range_and_highest_moment_are_those_of_ebur128(tmp_path: Path, rate_hz: int) -> None:
    sound = swelling(27, rate_hz)
    found = measure(write(tmp_path / "one.flac", sound, rate_hz=rate_hz))
    integrated, loudness_range, momentary = ebur128(sound, rate_hz)
    assert loudness_range > 8
    assert found.loudness_lufs == pytest.approx(integrated, abs=0.02)
    assert found.loudness_range_lu == pytest.approx(loudness_range, abs=0.1)
    assert found.max_momentary_lufs == pytest.approx(momentary, abs=0.02)


def test_the_range_of_two_levels_is_their_distance(tmp_path: Path) -> None:
    # EBU Tech 3342, case 1: 20 s at -20 dBFS and 20 s at -30 dBFS have a range of 10 LU, +- 1.
    tone = np.concatenate((sine(48_000 * 20, hz=1_000, level=0.1), sine(48_000 * 20, hz=1_000, level=0.0316)))
    assert measure(write(tmp_path / "one.wav", tone)).loudness_range_lu == pytest.approx(10, abs=1)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_clipped_harsh_sound_is_measured_at_its_own_rate(tmp_path: Path, rate_hz: int) -> None:
    # What a resampler takes away below half of 44.1 kHz is 0.16 LU here.
    sound = np.clip(noise(rate_hz * 10, level=1.5), -1, 1)
    found = measure(write(tmp_path / "one.flac", sound, rate_hz=rate_hz))
    assert found.loudness_lufs == pytest.approx(ebur128(sound, rate_hz)[0], abs=0.05)


def test_silence_after_sound_leaves_numbers() -> None:
    loudness = Loudness(48_000)
    for block in (music(96_000), silence(96_000)):
        loudness.update(np.ascontiguousarray(block.T))
    report = loudness.finish()
    assert np.isfinite(report.momentary_lufs).all()
    assert report.max_momentary_lufs is not None
    assert report.momentary_lufs[-1] < -70


def test_silence_has_no_loudness_at_all(tmp_path: Path) -> None:
    found = measure(write(tmp_path / "none.flac", silence(96_000)))
    assert (found.loudness_lufs, found.loudness_range_lu, found.max_momentary_lufs) == (None, None, None)
    assert found.sample_peak_db is None
