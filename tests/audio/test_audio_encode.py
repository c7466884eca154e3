from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from audio_sounds import decoded_mp3, level_db, music, noise, sine

from radio.audio.encode import BITRATES_KBPS, Encoder, Mp3Encoder
from radio.audio.frames import is_info_frame, parse_header, split_frames
from radio.audio.pcm import Pcm


def encoded(encoder: Encoder, sound: Pcm, block: int = 1152) -> bytes:
    frames = [frame for at in range(0, len(sound), block) for frame in encoder.encode(sound[at : at + block])]
    return b"".join(frames + encoder.flush())


def test_a_minute_at_128_is_2500_frames_of_384_bytes_and_one_for_the_delay() -> None:
    minute = np.tile(noise(480_000, level=0.05), (6, 1))
    encoder = Mp3Encoder(128)
    frames = list(split_frames(encoded(encoder, minute, 4800)))
    assert len(frames) == 2501
    assert encoder.frames_out == 2501
    assert {len(frame) for frame in frames} == {384}
    assert encoder.frame_bytes == 384
    header = parse_header(frames[0])
    assert header is not None
    assert (header.bitrate_kbps, header.sample_rate_hz, header.channels, header.samples) == (
        128,
        48_000,
        2,
        1152,
    )
    assert not any(is_info_frame(frame) for frame in frames)
    assert len(decoded_mp3(b"".join(frames))) == 2501 * 1152


@pytest.mark.parametrize("n", [1, 1151, 1152, 1153, 47_999])
def test_the_number_of_frames_follows_from_the_number_of_samples(n: int) -> None:
    encoder = Mp3Encoder(64)
    data = encoded(encoder, noise(n))
    assert len(data) == ceil((n + 1152) / 1152) * encoder.frame_bytes
    assert encoder.samples_in == n


def test_nothing_in_is_nothing_out() -> None:
    assert encoded(Mp3Encoder(), noise(0)) == b""


@pytest.mark.parametrize("bitrate", BITRATES_KBPS)
def test_the_level_is_kept_at_every_bit_rate(bitrate: int) -> None:
    tone = sine(72_000, hz=997.0, level=0.5)
    encoder = Mp3Encoder(bitrate)
    data = encoded(encoder, tone)
    assert {len(frame) for frame in split_frames(data)} == {3 * bitrate}
    heard = decoded_mp3(data)[12_000:60_000]
    assert abs(level_db(heard) - level_db(tone)) < 0.1


def test_a_sample_is_heard_delay_samples_after_it_went_in() -> None:
    sound = music(48_000)
    sound[:20_000] = 0
    encoder = Mp3Encoder(192)
    heard = decoded_mp3(encoded(encoder, sound))
    part = sound[20_000:40_000, 0]
    found = [float(np.dot(part, heard[20_000 + delay : 40_000 + delay, 0])) for delay in range(1000, 1200)]
    assert 1000 + int(np.argmax(found)) == encoder.delay_samples == 1105


def test_frames_come_out_soon_and_the_same_for_any_blocks() -> None:
    sound = music(96_000)
    encoder = Mp3Encoder(128)
    for at in range(0, 96_000, 1152):
        encoder.encode(sound[at : at + 1152])
        assert encoder.samples_in / 1152 - encoder.frames_out <= 4
    assert encoded(Mp3Encoder(128), sound, 1152) == encoded(Mp3Encoder(128), sound, 7001)


def test_what_is_too_loud_is_clipped_and_not_wrapped() -> None:
    heard = decoded_mp3(encoded(Mp3Encoder(320), sine(48_000, level=3.0)))
    assert np.abs(heard).max() < 1.5
    assert level_db(heard[12_000:36_000]) > -1.5


@pytest.mark.parametrize(("bitrate", "quality"), [(100, 5), (0, 5), (128, 1), (128, 9)])
def test_rates_and_qualities_that_do_not_exist_are_refused(bitrate: int, quality: int) -> None:
    with pytest.raises(ValueError, match="no MP3"):
        Mp3Encoder(bitrate, quality=quality)
