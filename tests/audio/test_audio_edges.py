from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audio_sounds import music, noise, write, write_wav
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.audio.edges import MAX_SILENCES, Silences, silence_db
from radio.audio.measure import measure
from radio.audio.pcm import Pcm, silence
from radio.audio.windows import blocks, windows_of


def heard(sound: Pcm, rate_hz: int = 48_000) -> Silences:
    silences = Silences(rate_hz)
    for block in blocks([np.ascontiguousarray(sound.T)], rate_hz):
        silences.update(block, windows_of(block, rate_hz))
    return silences


@settings(deadline=None, max_examples=30)
@given(
    rate_hz=st.sampled_from((44_100, 48_000)),
    parts=st.lists(st.tuples(st.integers(300, 2_500), st.integers(300, 2_500)), min_size=1, max_size=3),
)
def test_silences_inside_are_found_to_20_ms(rate_hz: int, parts: list[tuple[int, int]]) -> None:
    pieces, expected, at_ms = [], [], 0
    for sound_ms, silent_ms in parts:
        pieces += [noise(sound_ms * rate_hz // 1000), silence(silent_ms * rate_hz // 1000)]
        expected.append((at_ms + sound_ms, at_ms + sound_ms + silent_ms))
        at_ms += sound_ms + silent_ms
    silences = heard(np.concatenate((*pieces, noise(rate_hz))), rate_hz)
    found = silences.inside(-60.0, silences.cues(-60.0))
    certain = [span for span in expected if not 980 <= span[1] - span[0] <= 1_020]
    for start, end in certain:
        near = [one for one in found if abs(one[0] - start) <= 20 and abs(one[1] - end) <= 20]
        assert len(near) == (end - start >= 1_000)
    assert len(found) <= len(expected)


@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
def test_silence_at_the_ends_is_no_silence_inside(tmp_path: Path, suffix: str) -> None:
    parts = (silence(96_000), music(96_000), silence(72_000), music(96_000), silence(144_000))
    found = measure(write(tmp_path / f"one{suffix}", np.concatenate(parts)))
    ((start, end),) = found.silences
    assert start == pytest.approx(4_000, abs=60 if suffix == ".mp3" else 20)
    assert end == pytest.approx(5_500, abs=60 if suffix == ".mp3" else 20)


def test_silence_that_the_cues_leave_in_is_told(tmp_path: Path) -> None:
    found = measure(write_wav(tmp_path / "late.wav", np.concatenate((silence(12 * 48_000), music(48_000)))))
    assert found.silences == ((found.cue_in_ms, 12_000),)
    assert measure(write_wav(tmp_path / "none.wav", silence(48_000 * 3))).silences == ()


def test_a_quiet_murmur_is_silence_only_beside_loud_sound() -> None:
    assert [silence_db(lufs) for lufs in (None, -10.0, -20.0, -40.0)] == [-60.0, -50.0, -56.0, -60.0]
    murmur = np.concatenate((noise(48_000), noise(96_000, level=10 ** (-70 / 20)), noise(48_000)))
    silences = heard(murmur)
    assert len(silences.inside(-50.0, silences.cues(-50.0))) == 1
    assert silences.inside(-75.0, silences.cues(-75.0)) == ()


def test_no_more_silences_than_a_person_would_read() -> None:
    part = np.zeros((14_000, 2), dtype=np.float32)
    part[:500] = 0.1
    silences = Silences(8_000)
    for block in blocks([np.tile(part, (150, 1)).T], 8_000):
        silences.update(block, windows_of(block, 8_000))
    found = silences.inside(-60.0, silences.cues(-60.0))
    assert len(found) == MAX_SILENCES
    assert list(found) == sorted(found)
