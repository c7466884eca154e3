"""``radio tap`` and ``radio meter`` against a running service."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from cli_desk import Shell
from running_service import Running


def _sound(path: Path) -> tuple[str, float, float]:
    """Codec, seconds and RMS of a recording, as FFmpeg reads it."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        frames = [frame.to_ndarray().astype(np.float64) for frame in container.decode(stream)]
        rate_hz = stream.rate
    samples = np.concatenate([frame.reshape(-1) for frame in frames])
    scale = 1.0 if np.abs(samples).max() <= 1.5 else 32_768.0
    channels = 1 if frames[0].shape[0] == 2 else 2
    seconds = len(samples) / (2 if channels == 1 else channels) / rate_hz
    return stream.codec_context.name, seconds, float(np.sqrt((samples**2).mean()) / scale)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.flac", "flac"), ("a.wav", "pcm_s16le"), ("a.mp3", "mp3float")]
)
def test_a_tap_records_what_listeners_hear(
    running: Running, shell: Shell, tmp_path: Path, name: str, codec: str
) -> None:
    file = tmp_path / name
    done = shell.plain("tap", "wxyz", str(file), "--seconds", "1.5", "--server", running.address)
    assert done.status == 0, done.err
    found, seconds, rms = _sound(file)
    assert found == codec
    assert 1.5 <= seconds < 1.7
    assert rms > 0.01


def test_a_recording_is_never_written_over(running: Running, shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "kept.flac"
    file.write_bytes(b"mine")
    done = shell.plain("tap", "wxyz", str(file), "--seconds", "1", "--server", running.address)
    assert done.status == 1
    assert "exists already" in done.err
    assert file.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("tap", "wxzy", "x.flac"), 2, "no station 'wxzy'"),
        (("tap", "wxyz", "x.txt"), 1, ".flac"),
        (("tap", "wxyz", "x.flac", "--mount", "live.ogg"), 1, "live.mp3"),
        (("tap", "wxyz", "no/such/folder/x.flac"), 1, "cannot be written"),
        (("meter", "wxzy"), 2, "no station 'wxzy'"),
    ],
)
def test_what_cannot_be_recorded_is_said(
    running: Running, shell: Shell, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = shell.plain(*arguments, "--server", running.address)
    assert (done.status, said in done.err) == (code, True), done.err


def test_without_a_service_there_is_nothing_to_hear(shell: Shell) -> None:
    done = shell.plain("meter", "wxyz", "--server", "http://127.0.0.1:1")
    assert done.status == 1
    assert "radio run" in done.err


def test_the_meter_reads_the_sound_of_now(running: Running, shell: Shell) -> None:
    done = shell.plain("meter", "wxyz", "--json", "--seconds", "2", "--server", running.address)
    assert done.status == 0, done.err
    readings = [json.loads(line) for line in done.out.splitlines()]
    assert len(readings) == 2
    for reading in readings:
        assert -60 < reading["rms_db"] <= reading["true_peak_db"] <= reading["highest_true_peak_db"] < 0
        assert -40 < reading["momentary_lufs"] < -5
        assert reading["status"] in ("on_air", "degraded")
        assert 0 < reading["lead_s"] < 31
        assert reading["listeners"] >= 0
