from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audio_sounds import level_db, noise, sine, write, write_wav

from radio.audio.decode import Deck
from radio.audio.pcm import Pcm, silence
from radio.audio.prepare import message_over_bed
from radio.errors import AudioError


def heard(path: Path) -> Pcm:
    deck = Deck.open(path)
    sound = deck.read(48_000 * 60)
    deck.close()
    return sound


def test_the_bed_goes_down_under_the_message_and_comes_back(tmp_path: Path) -> None:
    message = write(tmp_path / "message.flac", silence(96_000))
    bed = write_wav(tmp_path / "bed.wav", noise(48_000 * 8))
    target = tmp_path / "out.wav"
    length_ms = message_over_bed(message, target, bed=bed, ducked_db=12.0, lead_ms=1500, tail_ms=3000)
    sound = heard(target)
    assert length_ms == 6500
    assert len(sound) == 6500 * 48
    before, under = level_db(sound[:48_000]), level_db(sound[80_000:160_000])
    assert under - before == pytest.approx(-12.0, abs=0.3)
    assert level_db(sound[-480:]) < before - 30
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["bed.wav", "message.flac", "out.wav"]


def test_the_built_in_bed_and_no_edges(tmp_path: Path) -> None:
    message = write_wav(tmp_path / "message.wav", sine(48_000))
    target = tmp_path / "out.wav"
    assert message_over_bed(message, target, lead_ms=0, tail_ms=0) == 1000
    assert abs(level_db(heard(target)) - level_db(sine(48_000))) < 0.5
    assert not np.array_equal(heard(target), sine(48_000))


def test_what_cannot_be_prepared_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    message = write_wav(tmp_path / "message.wav", sine(48_000))
    target = tmp_path / "out.wav"
    with pytest.raises(AudioError, match="shorter than the 5000 ms"):
        message_over_bed(message, target, bed=write_wav(tmp_path / "bed.wav", noise(100)))
    with pytest.raises(ValueError, match="0 to 60000 ms"):
        message_over_bed(message, target, lead_ms=-1)
    with pytest.raises(AudioError, match="No such file"):
        message_over_bed(tmp_path / "none.wav", target)
    assert not target.exists()
