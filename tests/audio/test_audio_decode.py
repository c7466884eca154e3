from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from audio_sounds import level_db, music, noise, rounded, sine, write, write_wav

from radio.audio.decode import EXACT_JOIN_MS, Deck
from radio.audio.mixer import Mixer, Voice
from radio.audio.pcm import Pcm
from radio.audio.reader import MAX_FAULTS
from radio.errors import AudioError
from radio.units import Samples

LOSSLESS = (".wav", ".flac", ".aiff")
# By how many samples the length may be off: PyAV's Vorbis encoder writes whole blocks, its MP4 whole milliseconds.
LOSSY = {".mp3": 0, ".opus": 0, ".ogg": 1024, ".m4a": 48}


def read_all(deck: Deck, block: int = 1152) -> Pcm:
    blocks = [deck.read(block)]
    while len(blocks[-1]) == block:
        blocks.append(deck.read(block))
    deck.close()
    return np.concatenate(blocks)


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("block", [1152, 997, 100_000])
def test_lossless_files_come_out_sample_for_sample(tmp_path: Path, suffix: str, block: int) -> None:
    sound = music(50_003)
    deck = Deck.open(write(tmp_path / f"one{suffix}", rounded(sound)))
    assert np.array_equal(read_all(deck, block), rounded(sound))
    assert deck.failed is None
    assert (deck.source_rate_hz, deck.source_channels) == (48_000, 2)


@pytest.mark.parametrize("suffix", LOSSY)
def test_lossy_files_come_out_in_place_and_in_length(tmp_path: Path, suffix: str) -> None:
    sound = music(60_011)
    heard = read_all(Deck.open(write(tmp_path / f"one{suffix}", sound)))
    assert abs(len(heard) - len(sound)) <= LOSSY[suffix]
    near = [
        float(np.square(heard[2000 + d : 58_000 + d] - sound[2000:58_000]).mean()) for d in (-2, -1, 0, 1, 2)
    ]
    assert int(np.argmin(near)) == 2
    assert abs(level_db(heard[2000:58_000]) - level_db(sound[2000:58_000])) < 0.5


def test_a_sine_cut_into_pieces_of_several_codecs_plays_without_a_gap(tmp_path: Path) -> None:
    lengths = {".wav": 48_011, ".flac": 52_807, ".mp3": 47_933, ".aiff": 44_777, ".opus": 50_021}
    total, at, mixer = sum(lengths.values()), 0, Mixer()
    whole = sine(total)
    for suffix, length in lengths.items():
        deck = Deck.open(write(tmp_path / f"piece{suffix}", rounded(whole[at : at + length])))
        mixer.add(Voice(deck, Samples(at), Samples(at + length)))
        at += length
    heard = np.concatenate([mixer.render(1152) for _ in range(total // 1152 + 1)])
    assert mixer.take_dry() == []
    assert np.array_equal(heard[: 48_011 + 52_807], rounded(whole[: 48_011 + 52_807]))
    assert np.abs(heard[:total] - whole).max() < 0.12
    assert np.abs(np.diff(heard[:total], axis=0)).max() < 0.15
    assert not heard[total:].any()


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 96_000])
def test_other_rates_become_48_kHz_in_place(tmp_path: Path, rate_hz: int) -> None:
    seconds = 2
    path = write_wav(tmp_path / "one.wav", sine(rate_hz * seconds, rate_hz=rate_hz), rate_hz=rate_hz)
    heard = read_all(Deck.open(path))
    assert abs(len(heard) - 48_000 * seconds) <= 48_000 // rate_hz + 1
    middle = slice(4800, 48_000 * seconds - 4800)
    assert np.abs(heard[middle] - sine(48_000 * seconds)[middle]).max() < 2e-3


def test_mono_is_given_to_both_channels_at_full_level(tmp_path: Path) -> None:
    mono = rounded(sine(20_000)[:, :1])
    heard = read_all(Deck.open(write_wav(tmp_path / "mono.wav", mono)))
    assert np.array_equal(heard, np.hstack([mono, mono]))
    resampled = read_all(Deck.open(write_wav(tmp_path / "slow.wav", mono, rate_hz=44_100)))
    assert np.array_equal(resampled[:, 0], resampled[:, 1])
    assert abs(level_db(resampled) - level_db(mono)) < 0.05


def test_surround_is_mixed_down(tmp_path: Path) -> None:
    six = np.zeros((30_000, 6), dtype=np.float32)
    six[:, 0], six[:, 2] = 0.25, 0.2
    heard = read_all(Deck.open(write(tmp_path / "six.flac", six)))
    assert np.allclose(heard[1000:29_000, 0], 0.25 + 0.2 * np.sqrt(0.5), atol=1e-3)
    assert np.allclose(heard[1000:29_000, 1], 0.2 * np.sqrt(0.5), atol=1e-3)


def test_the_gain_is_applied(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "one.wav", sine(10_000))
    heard = read_all(Deck.open(path, gain_db=-6.0))
    assert abs(level_db(heard) - level_db(sine(10_000)) + 6.0) < 0.01


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3"])
@pytest.mark.parametrize("cue_in_ms", [1, 333, 1900])
def test_the_cue_is_exact_to_the_sample(tmp_path: Path, suffix: str, cue_in_ms: int) -> None:
    path = write(tmp_path / f"one{suffix}", music(100_000))
    assert np.array_equal(
        read_all(Deck.open(path, cue_in_ms=cue_in_ms)), read_all(Deck.open(path))[cue_in_ms * 48 :]
    )


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg", ".m4a", ".opus"])
def test_a_row_is_joined_in_progress(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"long{suffix}", noise(48_000 * 30, level=0.05))
    whole = read_all(Deck.open(path))
    near = read_all(Deck.open(path, cue_in_ms=500, seek_ms=1500))
    assert np.array_equal(near, whole[96_000:])
    far = read_all(Deck.open(path, cue_in_ms=500, seek_ms=EXACT_JOIN_MS + 4_500))
    expected = whole[25 * 48_000 :]
    assert abs(len(far) - len(expected)) <= 1152
    shifts = range(-1200, 1201)
    part = far[4800:9600, 0]
    found = [float(np.dot(part, expected[4800 + s : 9600 + s, 0])) for s in shifts]
    assert abs(shifts[int(np.argmax(found))]) <= (64 if suffix != ".mp3" else 1152)


def test_a_start_beyond_the_end_reads_nothing(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "one.wav", sine(4800))
    for seek_ms in (200, 60_000):
        deck = Deck.open(path, seek_ms=seek_ms)
        assert len(deck.read(100)) == 0
        deck.close()


def test_the_end_is_the_end_and_close_may_be_repeated(tmp_path: Path) -> None:
    deck = Deck.open(write_wav(tmp_path / "one.wav", sine(100)))
    assert len(deck.read(0)) == 0
    assert [len(deck.read(64)) for _ in range(4)] == [64, 36, 0, 0]
    deck.close()
    deck.close()
    assert len(deck.read(10)) == 0


def test_a_few_damaged_packets_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "one.flac", noise(48_000 * 4))
    data = bytearray(path.read_bytes())
    for at in range(60_000, 400_000, 60_000):
        data[at : at + 4] = b"\x00\xff\x00\xff"
    path.write_bytes(data)
    deck = Deck.open(path)
    heard = read_all(deck)
    assert deck.failed is None
    assert 48_000 * 2 < len(heard) <= 48_000 * 4 + 4608


def test_a_file_of_damage_fails_in_words(tmp_path: Path) -> None:
    path = write(tmp_path / "one.flac", noise(48_000 * 30))
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(5)
    for at in rng.integers(len(data) // 10, len(data), 3 * len(data) // 1000):
        data[at] ^= 0xFF
    path.write_bytes(data)
    deck = Deck.open(path)
    heard = read_all(deck)
    assert len(heard) < 48_000 * 30
    assert deck.failed is not None
    assert f"more than {MAX_FAULTS} damaged packets" in deck.failed


def test_values_that_are_no_sound_become_silence_or_are_bounded(tmp_path: Path) -> None:
    samples = np.full((4800, 2), 0.25, dtype="<f4")
    samples[100], samples[200], samples[300] = np.nan, np.inf, 1e30
    path = tmp_path / "float.wav"
    data = samples.tobytes()
    head = b"WAVEfmt " + (16).to_bytes(4, "little") + bytes.fromhex("0300020080bb000000dc050008002000")
    body = head + b"data" + len(data).to_bytes(4, "little") + data
    path.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    heard = read_all(Deck.open(path))
    assert heard.shape == (4800, 2)
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 8.0
    assert not heard[100].any()
    assert np.all(heard[400:] == 0.25)


def test_a_file_that_is_cut_short_plays_what_is_there(tmp_path: Path) -> None:
    path = write(tmp_path / "one.mp3", noise(48_000 * 4))
    path.write_bytes(path.read_bytes()[:30_000])
    heard = read_all(Deck.open(path))
    assert 48_000 // 2 < len(heard) < 48_000 * 2


def test_the_rate_of_one_hertz_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "slow.wav", sine(1000))
    with wave.open(str(path), "rb") as file:
        assert file.getframerate() == 48_000
    data = bytearray(path.read_bytes())
    data[24:28] = (1).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(AudioError, match=r"sample rate of 1 Hz; 8000 to 192000"):
        Deck.open(path)
