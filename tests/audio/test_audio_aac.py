from __future__ import annotations

from io import BytesIO
from math import ceil

import av
import numpy as np
import pytest
from audio_sounds import level_db, music, noise, sine
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.audio.aac import AAC_BITRATES_KBPS, AacEncoder, adts_header, lengthened
from radio.audio.pcm import Pcm, silence


def encoded(encoder: AacEncoder, sound: Pcm, block: int = 4032) -> list[bytes]:
    frames = [frame for at in range(0, len(sound), block) for frame in encoder.encode(sound[at : at + block])]
    return frames + encoder.flush()


def decoded(data: bytes) -> Pcm:
    with av.open(BytesIO(data), format="aac") as container:
        return np.concatenate([frame.to_ndarray().T for frame in container.decode(audio=0)])


def test_every_frame_has_a_header_that_says_its_length() -> None:
    frames = encoded(AacEncoder(96), music(48_000))
    for frame in frames:
        assert frame[:4] == b"\xff\xf1\x4c\x80"  # MPEG-4, AAC-LC, 48 kHz, stereo
        assert (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5 == len(frame)
    with av.open(BytesIO(b"".join(frames))) as container:
        stream = container.streams.audio[0]
        assert (container.format.name, stream.codec_context.name) == ("aac", "aac")
        assert (stream.rate, stream.channels, stream.codec_context.profile) == (48_000, 2, "LC")


@pytest.mark.parametrize("n", [1, 1023, 1024, 1025, 47_999])
def test_the_number_of_frames_follows_from_the_number_of_samples(n: int) -> None:
    encoder = AacEncoder(64)
    frames = encoded(encoder, noise(n))
    assert len(frames) == encoder.frames_out == ceil(n / 1024) + 1
    assert encoder.samples_in == n
    assert len(decoded(b"".join(frames))) == len(frames) * 1024


def test_nothing_in_is_nothing_out() -> None:
    assert encoded(AacEncoder(), silence(0)) == []


def test_a_sample_is_heard_delay_samples_after_it_went_in() -> None:
    sound = music(48_000)
    sound[:20_000] = 0
    encoder = AacEncoder(128)
    heard = decoded(b"".join(encoded(encoder, sound)))
    part = sound[20_000:40_000, 0]
    found = [float(np.dot(part, heard[20_000 + delay : 40_000 + delay, 0])) for delay in range(900, 1150)]
    assert 900 + int(np.argmax(found)) == encoder.delay_samples == 1024


def test_who_starts_in_the_middle_hears_every_sample_at_its_place() -> None:
    sound = music(96_000)
    heard = decoded(b"".join(encoded(AacEncoder(128), sound)[40:]))
    # the first frame lacks its other half
    inside = heard[1024:48_000]
    assert np.abs(inside - sound[39 * 1024 + 1024 :][: len(inside)]).max() < 0.05


@pytest.mark.parametrize("bitrate", AAC_BITRATES_KBPS)
def test_level_and_rate_are_kept_at_every_bit_rate(bitrate: int) -> None:
    tone = sine(96_000, hz=997.0, level=0.5)
    heard = decoded(b"".join(encoded(AacEncoder(bitrate), tone)))[12_000:84_000]
    assert abs(level_db(heard) - level_db(tone)) < 0.1
    sound = music(480_000)
    size = sum(map(len, encoded(AacEncoder(bitrate), sound)))
    assert size * 8 / 10 == pytest.approx(bitrate * 1000, rel=0.05)


@pytest.mark.parametrize("bitrate", [96, 128, 256])
@pytest.mark.parametrize("hz", [55, 440, 8_000])
def test_a_loud_pure_tone_is_not_clipped(bitrate: int, hz: int) -> None:
    tone = sine(48_000, hz=hz, level=0.89)
    heard = decoded(b"".join(encoded(AacEncoder(bitrate), tone)))[1024:]
    inside = slice(24_000, 44_000)
    assert abs(level_db(heard[inside]) - level_db(tone[inside])) < 0.1
    assert level_db(heard[inside] - tone[inside]) - level_db(tone) < -30


def test_a_sine_goes_through_without_a_step_anywhere() -> None:
    tone = sine(480_000, hz=997.0, level=0.2)
    heard = decoded(b"".join(encoded(AacEncoder(128), tone)))[1024 + 4096 : 470_000, 0].astype(np.float64)
    # a sine is twice the cosine of its step times the last sample less the one before
    residue = heard[2:] - 2 * np.cos(2 * np.pi * 997 / 48_000) * heard[1:-1] + heard[:-2]
    assert np.abs(residue).max() < 2e-3


def test_silence_takes_its_share_of_bytes_and_stays_silent() -> None:
    frames = encoded(AacEncoder(96), silence(480_000))
    assert sum(map(len, frames)) * 8 / 10 == pytest.approx(96_000, rel=0.01)
    assert not decoded(b"".join(frames)).any()


def test_bytes_never_come_more_than_half_a_second_late() -> None:
    sound = np.concatenate([noise(96_000, level=0.2), silence(96_000), music(96_000), silence(96_000)])
    sizes = [len(frame) for frame in encoded(AacEncoder(96), sound)]
    ahead = np.concatenate(
        [[0.0], np.cumsum(sizes) * 8 - 96_000 * 1024 / 48_000 * np.arange(1, len(sizes) + 1)]
    )
    worst = (np.maximum.accumulate(ahead) - ahead).max()
    assert worst <= 96_000 * 0.5 + 1


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(1, 9_000), min_size=1, max_size=8), st.sampled_from([48, 96, 160]))
def test_bytes_do_not_depend_on_how_the_sound_is_cut(cuts: list[int], bitrate: int) -> None:
    sound = music(sum(cuts))
    encoder, at, frames = AacEncoder(bitrate), 0, []
    for cut in cuts:
        frames += encoder.encode(sound[at : at + cut])
        at += cut
    assert b"".join(frames + encoder.flush()) == b"".join(encoded(AacEncoder(bitrate), sound, 1024))


@given(st.integers(1, 900))
def test_a_frame_can_be_made_longer_by_any_number_of_bytes(more: int) -> None:
    raw = _RAW
    longer = lengthened(raw, more)
    assert len(raw) + more <= len(longer) <= len(raw) + more + 2
    assert longer[: len(raw) - 2] == raw[:-2]


def test_a_longer_frame_decodes_to_the_same_sound() -> None:
    frames = encoded(AacEncoder(64), music(24_000))
    meant = decoded(b"".join(frames))
    for more in (1, 2, 14, 15, 16, 17, 18, 269, 270, 271, 272, 600, 700):
        longer = [lengthened(frame[7:], more) for frame in frames]
        assert np.array_equal(decoded(b"".join(adts_header(len(raw)) + raw for raw in longer)), meant)


def test_what_is_not_a_number_or_far_too_loud_is_no_end() -> None:
    bad = music(9_000)
    bad[100:200] = np.nan
    bad[3_000], bad[4_000], bad[5_000] = np.inf, -np.inf, 1e30
    encoder = AacEncoder(96)
    frames = encoder.encode(bad) + encoded(encoder, music(9_000))
    heard = decoded(b"".join(frames))
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() < 4.0


@pytest.mark.parametrize("bitrate", [0, 32, 100, 320])
def test_rates_that_are_not_offered_are_refused(bitrate: int) -> None:
    with pytest.raises(ValueError, match="no AAC bit rate"):
        AacEncoder(bitrate)


def test_a_frame_that_no_header_can_tell_is_refused() -> None:
    with pytest.raises(ValueError, match="an ADTS frame of 8192 bytes"):
        adts_header(8185)


_RAW = encoded(AacEncoder(64), music(8_000))[5][7:]
