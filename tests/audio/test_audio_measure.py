from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from audio_sounds import music, noise, sine, write, write_wav
from av.audio.frame import AudioFrame
from av.filter import Graph
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.audio.measure import MAX_LEAD_MS, measure
from radio.audio.pcm import Pcm, silence
from radio.audio.true_peak import TruePeak
from radio.errors import AudioError


def graph_loudness(sound: Pcm) -> tuple[float, float]:
    """Integrated loudness and true peak in dB, by FFmpeg's filter fed with the samples themselves."""
    graph = Graph()
    source = graph.add(
        "abuffer", sample_rate="48000", sample_fmt="flt", channel_layout="stereo", time_base="1/48000"
    )
    meter, sink = graph.add("ebur128", "metadata=1:framelog=quiet:peak=true"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound).reshape(1, -1), format="flt", layout="stereo")
    frame.sample_rate, frame.pts = 48_000, 0
    graph.push(frame)
    report: dict[str, str] = {}
    for _ in range(len(sound) // 4800):
        report = dict(graph.pull().metadata)
    return float(report["lavfi.r128.I"]), 20 * np.log10(float(report["lavfi.r128.true_peak"]))


@pytest.mark.parametrize("signal", ["sine", "noise", "music"])
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_loudness_is_that_of_ebur128(tmp_path: Path, signal: str, suffix: str) -> None:
    sound = {"sine": sine(480_000, level=0.1), "noise": noise(480_000, level=0.02), "music": music(480_000)}[
        signal
    ]
    measured = measure(write(tmp_path / f"one{suffix}", sound))
    loudness, peak_db = graph_loudness(sound)
    assert measured.loudness_lufs == pytest.approx(loudness, abs=0.1)
    assert measured.true_peak_db == pytest.approx(peak_db, abs=0.3)


def test_the_reference_tone_measures_as_the_standard_says(tmp_path: Path) -> None:
    # BS.1770-4: a 997 Hz sine at 0 dBFS on one channel reads -3.01 LKFS, so at -20 dBFS on both it reads -20.
    measured = measure(write_wav(tmp_path / "tone.wav", sine(480_000, level=0.1)))
    assert measured.loudness_lufs == pytest.approx(-20.0, abs=0.05)
    assert measured.true_peak_db == pytest.approx(-20.0, abs=0.1)


def test_mono_measures_as_it_will_sound(tmp_path: Path) -> None:
    mono = measure(write_wav(tmp_path / "mono.wav", music(240_000)[:, :1]))
    both = measure(write_wav(tmp_path / "both.wav", np.repeat(music(240_000)[:, :1], 2, axis=1)))
    assert mono.loudness_lufs == both.loudness_lufs
    assert mono.true_peak_db == both.true_peak_db
    assert (mono.source_channels, both.source_channels) == (1, 2)


def test_true_peak_lies_between_the_samples(tmp_path: Path) -> None:
    # A quarter of the rate, sampled at 45 degrees: samples at 0.707, the wave itself at 1.
    step = 0.5 * np.sin(np.pi / 4 + np.pi / 2 * np.arange(48_000))
    sound = np.repeat(step[:, None], 2, axis=1).astype(np.float32)
    assert np.abs(sound).max() < 0.36
    measured = measure(write_wav(tmp_path / "one.wav", sound))
    assert measured.true_peak_db == pytest.approx(-6.02, abs=0.25)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000),
    sizes=st.lists(st.integers(61, 2000), min_size=1, max_size=6),
    spike=st.integers(0, 5999),
)
def test_true_peak_does_not_depend_on_blocks_or_on_what_is_left_out(
    seed: int, sizes: list[int], spike: int
) -> None:
    sound = noise(6000, level=0.1, seed=seed)
    sound[spike] = 0.9
    whole, pieces, at = TruePeak(), TruePeak(), 0
    whole.update(sound.T)
    while at < 6000:
        size = sizes[at % len(sizes)]
        pieces.update(sound[at : at + size].T)
        at += size
    assert pieces.finish() == pytest.approx(whole.finish(), rel=1e-5)
    assert whole.peak >= np.float32(0.9)


def test_length_is_what_was_decoded(tmp_path: Path) -> None:
    measured = measure(write(tmp_path / "one.flac", music(100_007)))
    assert (measured.samples, measured.duration_ms) == (100_007, 2083)
    assert (measured.cue_in_ms, measured.cue_out_ms) == (0, 2083)
    assert measured.source_rate_hz == 48_000
    path = write(tmp_path / "cut.mp3", music(480_000))
    path.write_bytes(path.read_bytes()[:100_000])
    assert 3_000 < measure(path).duration_ms < 5_000


@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
def test_silence_at_the_ends_is_left_out(tmp_path: Path, suffix: str) -> None:
    sound = np.concatenate((silence(2 * 48_000), music(96_000), silence(3 * 48_000)))
    measured = measure(write(tmp_path / f"one{suffix}", sound))
    assert 1_960 <= measured.cue_in_ms <= 2_000
    assert 4_000 <= measured.cue_out_ms <= 4_260
    assert measured.duration_ms == 7_000


def test_a_quiet_start_is_not_eaten(tmp_path: Path) -> None:
    rise = np.linspace(0, 1, 48_000 * 4, dtype=np.float32)[:, None] ** 2
    measured = measure(write_wav(tmp_path / "rise.wav", music(48_000 * 4) * rise))
    assert measured.cue_in_ms < 400
    murmur = np.concatenate((noise(96_000, level=10 ** (-55 / 20)), music(96_000) * 0.3))
    assert measure(write_wav(tmp_path / "murmur.wav", murmur)).cue_in_ms == 0


def test_no_more_than_a_few_seconds_are_left_out_and_the_middle_never(tmp_path: Path) -> None:
    late = np.concatenate((silence(12 * 48_000), music(48_000)))
    assert measure(write_wav(tmp_path / "late.wav", late)).cue_in_ms == MAX_LEAD_MS - 10
    pause = np.concatenate((music(48_000), silence(8 * 48_000), music(48_000)))
    measured = measure(write_wav(tmp_path / "pause.wav", pause))
    assert (measured.cue_in_ms, measured.cue_out_ms) == (0, 10_000)


def test_digital_silence_has_no_loudness_and_keeps_its_length(tmp_path: Path) -> None:
    measured = measure(write_wav(tmp_path / "none.wav", silence(96_000)))
    assert measured.loudness_lufs is None
    assert measured.true_peak_db is None
    assert (measured.cue_in_ms, measured.cue_out_ms) == (0, 2_000)


def test_a_short_ident_is_measured_as_far_as_it_goes(tmp_path: Path) -> None:
    measured = measure(write_wav(tmp_path / "pip.wav", sine(4_800)))
    assert measured.loudness_lufs is None
    assert measured.true_peak_db == pytest.approx(-6.0, abs=0.1)
    with pytest.raises(AudioError, match="only 10 samples"):
        measure(write_wav(tmp_path / "click.wav", sine(10)))


def test_a_file_that_fails_on_the_way_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "one.flac", noise(48_000 * 30))
    data = bytearray(path.read_bytes())
    for at in np.random.default_rng(5).integers(len(data) // 10, len(data), 3 * len(data) // 1000):
        data[at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(AudioError, match="damaged packets"):
        measure(path)


def test_nothing_is_left_open(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "one.wav", sine(4800))
    measure(path)
    shutil.rmtree(tmp_path)
    assert not path.exists()
