"""A stream that two processes make one after the other: no frame is lost, doubled or broken."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest
from av.packet import Packet

from radio.audio.encode import StreamFormat, chunk_bytes_of, encoder_for
from radio.audio.pcm import Pcm
from radio.playout.baton import ChunkerBaton, ContinuedEncoder, first_sample
from radio.playout.chunker import Chunker
from radio.streaming.chunks import Chunk
from radio.units import Samples, UtcMs

sys.path.insert(0, str(Path(__file__).parent.parent / "audio"))
from audio_sounds import song

EPOCH_MS = UtcMs(1_700_000_000_000)
BLOCK = 4_032
KBPS = 96
SOUND = song(48_000 * 14, 5)
FORMATS: tuple[StreamFormat, ...] = ("mp3", "aac", "opus")


def chunker(
    kind: StreamFormat, baton: ChunkerBaton | None = None, fed_from: Samples | None = None
) -> Chunker:
    encoder = (
        encoder_for(kind, KBPS, serial=7)
        if baton is None
        else ContinuedEncoder(kind, KBPS, serial=7, baton=baton, fed_from=fed_from or Samples(0))
    )
    return Chunker(
        station="wxyz", mount="live", epoch=1, epoch_ms=EPOCH_MS, encoder=encoder,
        chunk_bytes=chunk_bytes_of(kind, KBPS), title_at=str, baton=baton,
    )  # fmt: skip


def fed(made: Chunker, sound: Pcm) -> list[Chunk]:
    return [chunk for at in range(0, len(sound), BLOCK) for chunk in made.feed(sound[at : at + BLOCK], -20.0)]


def taken_over(kind: StreamFormat, blocks: int) -> list[Chunk]:
    """Chunks of an old process, and of a new one that takes over after so many blocks."""
    old = chunker(kind)
    chunks = fed(old, SOUND[: blocks * BLOCK])
    old.keep()
    assert fed(old, SOUND[blocks * BLOCK : (blocks + 15) * BLOCK]) == []
    baton = msgspec.msgpack.decode(msgspec.msgpack.encode(old.baton()), type=ChunkerBaton)
    start = first_sample({"live": kind}, [baton])
    assert start % 48 == 0
    new = chunker(kind, baton, start)
    return chunks + fed(new, SOUND[start:])


def decoded(stream: bytes) -> Pcm:
    with av.open(BytesIO(stream)) as container:
        frames, packets = [], container.demux(audio=0)
        while (packet := _next(packets)) is not None:
            try:
                frames += [frame.to_ndarray() for frame in packet.decode()]
            except av.InvalidDataError:
                assert packet.pos is None or packet.pos > len(stream) - 2_000  # a last frame that is cut
    return np.concatenate([f.T if len(f) == 2 else f.reshape(-1, 2) for f in frames])


def _next(packets: Iterator[Packet]) -> Packet | None:
    try:
        return next(packets, None)
    except av.InvalidDataError:  # fewer bytes at the end than a head has; what is missing, lengths tell
        return None


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("blocks", [30, 37, 61])
def test_the_stream_goes_on_as_if_there_had_been_one_process(kind: StreamFormat, blocks: int) -> None:
    whole = fed(chunker(kind), SOUND)
    chunks = taken_over(kind, blocks)

    assert [chunk.seq for chunk in chunks] == list(range(len(chunks)))
    for one, after in zip(chunks, chunks[1:], strict=False):
        assert after.first_sample == one.first_sample + one.samples
    if kind != "aac":  # whose frames vary in size with the fill that each encoder had to add
        assert [chunk.first_sample for chunk in chunks] == [one.first_sample for one in whole[: len(chunks)]]
    delay = encoder_for(kind, KBPS).delay_samples
    heard, meant = (_noise(decoded(b"".join(c.data for c in each)), delay) for each in (chunks, whole))
    assert abs(len(heard) - len(meant)) <= 100
    # a frame that is lost or broken would be as loud as the sound, many times the coder's own noise
    assert heard.max() < 1.3 * meant.max()
    assert heard.mean() < 1.1 * meant.mean()


def _noise(heard: Pcm, delay: int) -> Pcm:
    """How loud the difference from what was encoded is, in each 10 ms."""
    length = min(len(heard) - delay, len(SOUND)) // 480 * 480
    difference = heard[delay : delay + length] - SOUND[:length]
    return np.sqrt((difference.reshape(-1, 480, 2) ** 2).mean(axis=(1, 2)))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_takeover_that_came_to_nothing_leaves_no_trace(kind: StreamFormat) -> None:
    made = chunker(kind)
    chunks = fed(made, SOUND[: 40 * BLOCK])
    made.keep()
    assert fed(made, SOUND[40 * BLOCK : 60 * BLOCK]) == []
    assert made.kept > 15
    made.baton()
    made.go_on()
    chunks += fed(made, SOUND[60 * BLOCK :])
    assert [chunk.data for chunk in chunks] == [chunk.data for chunk in fed(chunker(kind), SOUND)]
