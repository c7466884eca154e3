"""Encodes a station's sound for one mount and cuts it into chunks (no thread, no clock)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from radio.audio.encode import Encoder
from radio.audio.pcm import Pcm
from radio.streaming.chunks import Chunk
from radio.units import SAMPLES_PER_MS, Samples, UtcMs

FRAMES_PER_CHUNK: Final = 42
"""Whole frames in a chunk: 42 frames of 1152 samples are 1.008 s. Few and large sends are cheap ones."""


class Chunker:
    """Collects a mount's encoded frames until they make a chunk.

    ``title_at`` gives the ICY title that holds at a sample. Stream time is that of the sound as it is
    heard: the encoder's delay is taken off.
    """

    def __init__(
        self, *, station: str, mount: str, epoch: int, epoch_ms: UtcMs, encoder: Encoder,
        title_at: Callable[[Samples], str],
    ) -> None:  # fmt: skip
        self._station = station
        self._mount = mount
        self._epoch = epoch
        self._epoch_ms = epoch_ms
        self._encoder = encoder
        self._title_at = title_at
        self._pending = bytearray()
        if encoder.frame_bytes is None:
            raise ValueError("a chunk is made of frames of one size")
        self._size = FRAMES_PER_CHUNK * encoder.frame_bytes
        self._samples = Samples(FRAMES_PER_CHUNK * encoder.frame_samples)
        self._seq = 0

    def feed(self, block: Pcm, level_db: float) -> list[Chunk]:
        """Encode ``block`` and return the chunks that it completes."""
        self._pending += self._encoder.encode(block)
        chunks = []
        while len(self._pending) >= self._size:
            chunks.append(self._chunk(bytes(self._pending[: self._size]), level_db))
            del self._pending[: self._size]
        return chunks

    def _chunk(self, data: bytes, level_db: float) -> Chunk:
        first = Samples(self._seq * self._samples - self._encoder.delay_samples)
        chunk = Chunk(
            station=self._station,
            mount=self._mount,
            epoch=self._epoch,
            seq=self._seq,
            starts_at_ms=UtcMs(self._epoch_ms + first // SAMPLES_PER_MS),
            first_sample=first,
            samples=self._samples,
            data=data,
            title=self._title_at(Samples(first + self._samples - 1)),
            level_db=level_db,
        )
        self._seq += 1
        return chunk
