from __future__ import annotations

from io import BytesIO
from math import ceil

import av
import numpy as np
import pytest
from audio_sounds import level_db, music, noise, sine
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.ogg import OggPage
from mutagen.oggopus import OggOpus

from radio.audio.opus import OPUS_BITRATES_KBPS, OpusEncoder
from radio.audio.pcm import Pcm, silence


def encoded(encoder: OpusEncoder, sound: Pcm, block: int = 4032) -> list[bytes]:
    pages = [page for at in range(0, len(sound), block) for page in encoder.encode(sound[at : at + block])]
    return pages + encoder.flush()


def decoded(encoder: OpusEncoder, pages: list[bytes]) -> Pcm:
    with av.open(BytesIO(encoder.header + b"".join(pages)), format="ogg") as container:
        return np.concatenate(
            [frame.to_ndarray().reshape(-1, 2) if not frame.format.is_planar else frame.to_ndarray().T
             for frame in container.decode(audio=0)]
        )  # fmt: skip


def opened(pages: list[bytes]) -> list[OggPage]:
    return [OggPage(BytesIO(page)) for page in pages]


def test_the_headers_are_those_of_rfc_7845() -> None:
    encoder = OpusEncoder(96, serial=7)
    stream = BytesIO(encoder.header)
    head, tags = OggPage(stream), OggPage(stream)
    assert (head.first, head.position, head.sequence, head.serial) == (True, 0, 0, 7)
    assert head.packets == [b"OpusHead\x01\x02" + (312).to_bytes(2, "little") + b"\x80\xbb\0\0" + b"\0\0\0"]
    assert (tags.first, tags.position, tags.sequence, tags.serial) == (False, 0, 1, 7)
    assert tags.packets[0].startswith(b"OpusTags")
    assert stream.read() == b""
    assert encoder.pre_skip == 312
    file = OggOpus(BytesIO(encoder.header + b"".join(encoded(encoder, music(96_000)))))
    assert (file.info.channels, file.info.length) == (2, 2.0)


def test_pages_are_of_100_ms_and_count_on() -> None:
    encoder = OpusEncoder(64, serial=(1 << 32) + 5)
    pages = opened(encoded(encoder, music(48_000)))
    assert [page.sequence for page in pages] == list(range(2, 2 + len(pages)))
    assert {page.serial for page in pages} == {5}
    assert [len(page.packets) for page in pages[:-1]] == [5] * (len(pages) - 1)
    assert [page.position for page in pages[:-1]] == [4800 * n for n in range(1, len(pages))]
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].position == 48_000 + 312
    assert not any(page.continued or page.first or not page.complete for page in pages)


@pytest.mark.parametrize("n", [1, 648, 649, 4_488, 4_489, 47_999])
def test_the_number_of_pages_follows_from_the_number_of_samples(n: int) -> None:
    encoder = OpusEncoder(64)
    pages = encoded(encoder, noise(n))
    assert len(pages) == encoder.frames_out == ceil((n + 312) / 4800)
    assert encoder.samples_in == n
    assert len(decoded(encoder, pages)) == n


def test_nothing_in_is_nothing_out() -> None:
    assert encoded(OpusEncoder(), silence(0)) == []


@pytest.mark.parametrize("start", [0, 7])
def test_a_sample_is_heard_at_its_place_wherever_one_starts(start: int) -> None:
    sound = music(96_000)
    encoder = OpusEncoder(160)
    heard = decoded(encoder, encoded(encoder, sound)[start:])
    assert len(heard) == 96_000 - 4_800 * start
    part = sound[4_800 * start + 9_600 :][:20_000, 0]
    found = [float(np.dot(part, heard[9_600 + late :][:20_000, 0])) for late in range(-300, 300)]
    assert int(np.argmax(found)) - 300 == encoder.delay_samples == 0


@pytest.mark.parametrize("bitrate", OPUS_BITRATES_KBPS)
def test_level_and_rate_are_kept_at_every_bit_rate(bitrate: int) -> None:
    tone = sine(96_000, hz=997.0, level=0.5)
    encoder = OpusEncoder(bitrate)
    heard = decoded(encoder, encoded(encoder, tone))[12_000:84_000]
    assert abs(level_db(heard) - level_db(tone)) < 0.1
    size = sum(map(len, encoded(OpusEncoder(bitrate), music(480_000))))
    assert size * 8 / 10 == pytest.approx(bitrate * 1000, rel=0.05)


def test_a_sine_goes_through_without_a_step_anywhere() -> None:
    tone = sine(480_000, hz=997.0, level=0.2)
    encoder = OpusEncoder(128)
    heard = decoded(encoder, encoded(encoder, tone))[9_600:470_000, 0].astype(np.float64)
    # a sine is twice the cosine of its step times the last sample less the one before
    residue = heard[2:] - 2 * np.cos(2 * np.pi * 997 / 48_000) * heard[1:-1] + heard[:-2]
    assert np.abs(residue).max() < 2e-3


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(1, 9_000), min_size=1, max_size=8))
def test_bytes_do_not_depend_on_how_the_sound_is_cut(cuts: list[int]) -> None:
    sound = music(sum(cuts))
    encoder, at, pages = OpusEncoder(64), 0, []
    for cut in cuts:
        pages += encoder.encode(sound[at : at + cut])
        at += cut
    assert pages + encoder.flush() == encoded(OpusEncoder(64), sound, 960)


def test_what_is_not_a_number_or_far_too_loud_is_no_end() -> None:
    bad = music(9_000)
    bad[100:200] = np.nan
    bad[3_000], bad[4_000] = np.inf, 1e30
    encoder = OpusEncoder(96)
    assert np.isfinite(decoded(encoder, encoder.encode(bad) + encoded(encoder, music(9_000)))).all()


@pytest.mark.parametrize("bitrate", [0, 24, 100, 320])
def test_rates_that_are_not_offered_are_refused(bitrate: int) -> None:
    with pytest.raises(ValueError, match="no Opus bit rate"):
        OpusEncoder(bitrate)
