"""Encodes a station's sound for one mount and cuts it into chunks (no thread, no clock)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from radio.audio.encode import Encoder
from radio.audio.pcm import Pcm
from radio.playout.baton import ChunkerBaton
from radio.playout.cutters import ByPages, BySize, Cut, Cutter
from radio.streaming.chunks import Chunk
from radio.units import SAMPLES_PER_MS, Samples, UtcMs

FRAMES_PER_CHUNK: Final = 42
"""Whole frames in a chunk of MP3: 42 frames of 1152 samples are 1.008 s. Few and large sends are cheap ones."""

PAGES_PER_CHUNK: Final = 10
"""Pages in a chunk of Ogg: 1 s."""


class Chunker:
    """Collects a mount's encoded frames until they make a chunk.

    Chunks have ``chunk_bytes`` each, or ten frames where that is None. ``title_at`` gives the ICY title that
    holds at a sample. Stream time is that of the sound as it is heard: the encoder's delay is taken off, and
    ``latency``, by which the sound was late already when it was fed.
    """

    def __init__(
        self, *, station: str, mount: str, epoch: int, epoch_ms: UtcMs, encoder: Encoder,
        title_at: Callable[[Samples], str], chunk_bytes: int | None, latency: Samples | None = None,
        baton: ChunkerBaton | None = None,
    ) -> None:  # fmt: skip
        self._station = station
        self._mount = mount
        self._epoch = epoch
        self._epoch_ms = epoch_ms
        self._encoder = encoder
        self._title_at = title_at
        self._late = encoder.delay_samples + (latency or 0)
        self._cutter: Cutter = (
            ByPages(PAGES_PER_CHUNK, encoder.header) if chunk_bytes is None else BySize(chunk_bytes)
        )
        self._frames = 0
        self._seq = 0
        self._encoded = 0
        self._moves: deque[tuple[Samples, int]] = deque()
        self._kept: list[bytes] | None = None
        self._ready: list[bytes] = []
        if baton is not None:
            self._take(baton)

    def keep(self) -> None:
        """Make no more chunks: keep the frames that come, until :meth:`go_on`."""
        self._kept = [] if self._kept is None else self._kept

    def go_on(self) -> None:
        """Make chunks again, first of what was kept."""
        self._ready, self._kept = self._kept or [], None

    @property
    def kept(self) -> int:
        """How many frames are kept."""
        return len(self._kept or ())

    def baton(self) -> ChunkerBaton:
        """All that another process needs to go on with this mount's stream, without a break."""
        return ChunkerBaton(
            mount=self._mount,
            epoch_ms=self._epoch_ms,
            seq=self._seq,
            frames=self._frames,
            encoded=self._encoded,
            kept=list(self._kept or ()),
            cutter=self._cutter.state(),
            moves=list(self._moves),
        )

    def clock_moved(self, at: Samples, shift_ms: int) -> None:
        """From sample ``at`` on, which has not been fed yet, stream time is ``shift_ms`` later than before."""
        self._moves.append((at, shift_ms))

    def feed(self, block: Pcm, level_db: float) -> list[Chunk]:
        """Encode ``block`` and return the chunks that it completes."""
        frames, self._ready = [*self._ready, *self._encoder.encode(block)], []
        self._encoded += len(frames)
        if self._kept is not None:
            self._kept += frames
            return []
        chunks = []
        for frame in frames:
            cut = self._cutter.add(frame)
            if cut is not None:
                chunks.append(self._chunk(cut, level_db))
        return chunks

    def _chunk(self, cut: Cut, level_db: float) -> Chunk:
        first = Samples(self._frames * self._encoder.frame_samples - self._late)
        samples = Samples(cut.frames * self._encoder.frame_samples)
        while self._moves and first >= self._moves[0][0]:
            self._epoch_ms = UtcMs(self._epoch_ms + self._moves.popleft()[1])
        chunk = Chunk(
            station=self._station,
            mount=self._mount,
            epoch=self._epoch,
            seq=self._seq,
            starts_at_ms=UtcMs(self._epoch_ms + first // SAMPLES_PER_MS),
            first_sample=first,
            samples=samples,
            data=cut.data,
            title=self._title_at(Samples(first + samples - 1)),
            level_db=level_db,
            entry=cut.entry,
            lead_in=cut.lead_in,
        )
        self._frames += cut.frames
        self._seq += 1
        return chunk

    def _take(self, baton: ChunkerBaton) -> None:
        self._epoch_ms = baton.epoch_ms
        self._seq = baton.seq
        self._frames = baton.frames
        self._encoded = baton.encoded - len(baton.kept)
        self._moves = deque(baton.moves)
        self._cutter.restore(baton.cutter)
