"""A station's own sound for when an item cannot be played."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audio_sounds import level_db, music, write, write_wav

from radio.audio.measure import measure
from radio.audio.standby import StandbySound
from radio.errors import AudioError


def test_it_loops_without_a_seam_at_the_loudness_that_is_asked_for(tmp_path: Path) -> None:
    sound = StandbySound(write(tmp_path / "standby.flac", music(48_000 * 8)), target_lufs=-20.0)
    source = sound()
    heard = np.concatenate([source.read(4_032) for _ in range(250)])
    assert len(heard) == 250 * 4_032
    found = measure(write_wav(tmp_path / "heard.wav", heard)).loudness_lufs
    assert found == pytest.approx(-20.0, abs=0.5)
    windows = heard[: len(heard) // 2_400 * 2_400].reshape(-1, 2_400, 2)
    levels = [level_db(window) for window in windows]
    assert min(levels) > -45.0
    assert np.abs(np.diff(heard, axis=0)).max() < 0.2


def test_every_source_starts_at_the_start(tmp_path: Path) -> None:
    sound = StandbySound(write(tmp_path / "standby.wav", music(48_000 * 6)), target_lufs=-16.0)
    first, second = sound(), sound()
    first.read(5_000)
    assert np.array_equal(second.read(100), sound().read(100))


@pytest.mark.parametrize("seconds", [2, 130])
def test_what_is_too_short_or_too_long_is_refused(tmp_path: Path, seconds: int) -> None:
    path = write_wav(tmp_path / "standby.wav", np.tile(music(48_000), (seconds, 1)))
    with pytest.raises(AudioError, match="5 to 120 s"):
        StandbySound(path, target_lufs=-16.0)


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "standby.mp3"
    path.write_bytes(b"no sound at all" * 100)
    with pytest.raises(AudioError):
        StandbySound(path, target_lufs=-16.0)
