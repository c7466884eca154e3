from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.ogg import OggPage

from radio.audio.encode import MIME_TYPES, Encoder, StreamFormat, chunk_bytes_of, encoder_for
from radio.audio.pcm import Pcm
from radio.config import BITRATES_KBPS
from radio.playout.chunker import Chunker
from radio.playout.cutters import empty_tag
from radio.streaming.chunks import Chunk
from radio.units import SAMPLES_PER_MS, Samples, UtcMs

sys.path.insert(0, str(Path(__file__).parent.parent / "audio"))
from audio_sounds import music, noise, sine

EPOCH_MS = UtcMs(1_700_000_000_000)
FORMATS: tuple[StreamFormat, ...] = ("mp3", "aac", "opus")


class Counted:
    """An encoder whose frames have the sizes it is told, each numbered."""

    content_type = "audio/test"
    frame_samples = 100
    delay_samples = Samples(0)
    header = b""

    def __init__(self, sizes: list[int]) -> None:
        self.frames = [bytes([n % 256]) * size for n, size in enumerate(sizes)]

    def encode(self, block: Pcm) -> list[bytes]:
        frames, self.frames = self.frames[: len(block)], self.frames[len(block) :]
        return frames

    def flush(self) -> list[bytes]:
        return []


def chunker(encoder: Encoder, chunk_bytes: int | None, latency: int = 0) -> Chunker:
    return Chunker(
        station="wxyz", mount="live", epoch=1, epoch_ms=EPOCH_MS, encoder=encoder, chunk_bytes=chunk_bytes,
        title_at=lambda sample: f"at {sample}", latency=Samples(latency),
    )  # fmt: skip


def chunks_of(
    kind: StreamFormat, sound: Pcm, kbps: int = 96, block: int = 4032, latency: int = 0
) -> list[Chunk]:
    made = chunker(encoder_for(kind, kbps), chunk_bytes_of(kind, kbps), latency)
    return [chunk for at in range(0, len(sound), block) for chunk in made.feed(sound[at : at + block], -20.0)]


def decoded(data: bytes) -> Pcm:
    """All that FFmpeg makes of a stream; any error but a last frame that is cut is raised."""
    frames = []
    with av.open(BytesIO(data)) as container:
        packets = list(container.demux(audio=0))
        for n, packet in enumerate(packets):
            try:
                frames += [frame.to_ndarray() for frame in packet.decode()]
            except av.InvalidDataError:
                assert n >= len(packets) - 2
    return np.concatenate([f.T if len(f) == 2 else f.reshape(-1, 2) for f in frames])


def contiguous(chunks: list[Chunk]) -> None:
    for one, after in zip(chunks, chunks[1:], strict=False):
        assert after.seq == one.seq + 1
        assert after.first_sample == one.first_sample + one.samples
    for one in chunks:
        assert one.starts_at_ms == EPOCH_MS + one.first_sample // SAMPLES_PER_MS
        assert one.title == f"at {one.first_sample + one.samples - 1}"


@pytest.mark.parametrize(("kind", "first", "samples"), [("mp3", -1105, 42 * 1152), ("opus", 0, 48_000)])
def test_chunks_of_frames_of_one_length_hold_the_same_number_of_them(
    kind: StreamFormat, first: int, samples: int
) -> None:
    chunks = chunks_of(kind, music(480_000), latency=144)
    contiguous(chunks)
    assert len(chunks) >= 9
    assert chunks[0].first_sample == first - 144
    assert {chunk.samples for chunk in chunks} == {samples}


def test_chunks_of_aac_have_one_size_and_about_a_second() -> None:
    sound = np.concatenate([noise(240_000), np.zeros((240_000, 2), dtype=np.float32), music(240_000)])
    chunks = chunks_of("aac", sound)
    contiguous(chunks)
    assert chunks[0].first_sample == -1024
    assert {len(chunk.data) for chunk in chunks} == {96 * 126}
    assert all(0.5 <= chunk.samples / 48_000 <= 1.55 for chunk in chunks)
    assert sum(chunk.samples for chunk in chunks) / 48_000 / len(chunks) == pytest.approx(1.008, abs=0.03)
    assert b"".join(chunk.data for chunk in chunks)[:2] == b"\xff\xf1"


@pytest.mark.parametrize("kind", FORMATS)
def test_whoever_starts_with_a_chunk_hears_it_where_it_says(kind: StreamFormat) -> None:
    sound = music(384_000)
    encoder = encoder_for(kind, 96)
    chunks = chunks_of(kind, sound)
    for start in (0, 1, 2, 4):
        first = chunks[start]
        if chunk_bytes_of(kind, 96) is not None:
            assert len(first.lead_in) == first.entry
        rest = [chunk.data for chunk in chunks[start + 1 :]]
        heard = decoded(first.lead_in + first.data[first.entry :] + b"".join(rest))
        # the decoder's first block is not whole, and MP3's first frames lack their reservoir
        part = heard[9_600:29_600, 0]
        places = range(first.first_sample + 9_600 - 240, first.first_sample + 9_600 + 241)
        fits = [float(np.dot(part, sound[at : at + 20_000, 0])) if at >= 0 else 0.0 for at in places]
        off_samples = places[int(np.argmax(fits))] - (first.first_sample + 9_600)
        assert abs(off_samples) <= 1, f"{encoder.content_type}: {off_samples / 48:.2f} ms"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_sine_has_no_step_where_chunks_join(kind: StreamFormat) -> None:
    tone = sine(480_000, hz=997.0, level=0.2)
    chunks = chunks_of(kind, tone, 128)
    heard = decoded(b"".join(chunk.data for chunk in chunks))[9_600:-4_800, 0].astype(np.float64)
    assert len(heard) > 400_000
    # a sine is twice the cosine of its step times the last sample less the one before
    residue = heard[2:] - 2 * np.cos(2 * np.pi * 997 / 48_000) * heard[1:-1] + heard[:-2]
    assert np.abs(residue).max() < 2e-3


@settings(deadline=None, max_examples=8)
@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=12), st.sampled_from(FORMATS))
def test_chunks_do_not_depend_on_how_the_sound_is_cut(cuts: list[int], kind: StreamFormat) -> None:
    sound = music(sum(cuts))
    made, at, chunks = chunker(encoder_for(kind, 64), chunk_bytes_of(kind, 64)), 0, []
    for cut in cuts:
        chunks += made.feed(sound[at : at + cut], -20.0)
        at += cut
    assert chunks == chunks_of(kind, sound, 64, 1000)


def test_opus_repeats_its_headers_to_all_who_start_and_sends_them_once_to_all_who_listened() -> None:
    chunks = chunks_of("opus", music(192_000))
    header = chunks[0].lead_in
    assert chunks[0].data.startswith(header)
    assert chunks[0].entry == len(header)
    assert {(chunk.lead_in, chunk.entry) for chunk in chunks[1:]} == {(header, 0)}
    pages = BytesIO(b"".join(chunk.data for chunk in chunks))
    assert [OggPage(pages).sequence for _ in range(2 + 10 * len(chunks))] == list(range(2 + 10 * len(chunks)))


@given(st.lists(st.integers(1, 60), min_size=60, max_size=400))
def test_chunks_of_one_size_are_entered_at_a_frame_that_leaves_room_for_a_tag(sizes: list[int]) -> None:
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    chunks = chunker(Counted(sizes), 200).feed(np.zeros((len(sizes), 2), dtype=np.float32), 0.0)
    contiguous(chunks)
    stream = b"".join(bytes([n % 256]) * size for n, size in enumerate(sizes))
    for n, chunk in enumerate(chunks):
        assert chunk.data == stream[200 * n : 200 * (n + 1)]
        frame = chunk.first_sample // 100
        assert starts[frame] == 200 * n + chunk.entry
        assert chunk.entry == 0 or chunk.entry >= 10
        before = [at - 200 * n for at in starts[:frame] if at >= 200 * n]
        assert all(1 <= at <= 9 for at in before), "the first that may be entered is taken"
        assert chunk.lead_in == empty_tag(chunk.entry)


@pytest.mark.parametrize("size", [10, 11, 137, 138, 1536])
def test_an_empty_tag_is_as_long_as_asked(size: int) -> None:
    tag = empty_tag(size)
    assert len(tag) == size
    assert tag[:6] == b"ID3\x04\0\0"
    assert sum(byte << shift for byte, shift in zip(tag[6:10], (21, 14, 7, 0), strict=True)) == size - 10
    assert not any(tag[10:])


@pytest.mark.parametrize("size", [1, 9])
def test_no_tag_is_shorter_than_its_head(size: int) -> None:
    assert empty_tag(0) == b""
    with pytest.raises(ValueError, match="no tag has"):
        empty_tag(size)


def test_every_bit_rate_that_may_be_configured_has_an_encoder() -> None:
    assert set(BITRATES_KBPS) == set(MIME_TYPES) == set(FORMATS)
    for kind in FORMATS:
        for kbps in BITRATES_KBPS[kind]:
            assert encoder_for(kind, kbps).content_type == MIME_TYPES[kind]
            assert chunk_bytes_of(kind, kbps) == (None if kind == "opus" else 126 * kbps)
