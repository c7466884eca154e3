"""What one process hands another so that it goes on with a station's stream, to the byte and to the sample (pure).

The old process stops making chunks at some sample and renders a little further; the frames of that stretch are
kept. The new process renders the same stretch, from a while before it, with encoders of its own. Of MP3 the kept
frames lead into the new encoder's (:mod:`radio.audio.mp3_splice`), of other formats they are sent as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from radio.audio.encode import StreamFormat, encoder_for, frame_samples_of
from radio.audio.mp3_splice import spliced
from radio.audio.pcm import Pcm
from radio.errors import AudioError
from radio.log import LogRow
from radio.playout.cutters import CutterState
from radio.units import SAMPLE_RATE_HZ, Samples, UtcMs

SAMPLES_PER_STEP: Final = 48
"""What a moment of the log is counted in: a millisecond."""

WARM_UP_SAMPLES: Final = Samples(SAMPLE_RATE_HZ)
"""For so long a new encoder runs before its first frame is used: its state is then the old one's."""


class ChunkerBaton(msgspec.Struct, frozen=True, kw_only=True):
    """One mount's part. ``encoded`` counts the frames that came out of the old encoder, ``kept`` are the last of
    them, which are in no chunk and in no cutter; ``seq`` and ``frames`` are the next chunk's number and first frame.
    """

    mount: str
    epoch_ms: UtcMs
    seq: int
    frames: int
    encoded: int
    kept: list[bytes]
    cutter: CutterState
    moves: list[tuple[Samples, int]]


class RunBaton(msgspec.Struct, frozen=True, kw_only=True):
    """One station's part. Samples count from the start of the run, ``anchor_s`` is the machine's monotonic clock
    at its start, ``wall_ms`` the wall's moment there as it counts now.

    ``row`` is on the air at every sample that the new process renders before it goes on, and began at
    ``row_starts_at``.
    """

    epoch: int
    epoch_ms: UtcMs
    serial: int
    anchor_s: float
    row: LogRow
    row_starts_at: Samples
    mounts: list[ChunkerBaton]


class ContinuedEncoder:
    """An encoder that goes on with the frames of another.

    It is fed from sample ``starts_at`` of the run on, and gives out frames from the first kept one on, or the
    first after them where they are of a format whose frames stand alone.
    """

    def __init__(
        self,
        stream_format: StreamFormat,
        bitrate_kbps: int,
        *,
        serial: int,
        baton: ChunkerBaton,
        fed_from: Samples,
    ) -> None:
        self._splices = stream_format == "mp3"
        first = _first_frame(baton, stream_format)
        encoder = encoder_for(stream_format, bitrate_kbps, serial=serial, first_frame=first)
        self._encoder = encoder
        self._skip = first * encoder.frame_samples - fed_from
        if self._skip < 0:
            raise AudioError("the stream", "the sound before the first frame is not there")
        self._drop = _first_needed(baton, stream_format) - first
        self._kept = list(baton.kept)
        self._new: list[bytes] = []
        self.content_type = encoder.content_type
        self.frame_samples = encoder.frame_samples
        self.delay_samples = encoder.delay_samples
        self.header = encoder.header

    def encode(self, block: Pcm) -> list[bytes]:
        """The frames that became ready; the kept ones come first, and once."""
        skipped = min(self._skip, len(block))
        self._skip -= skipped
        frames = self._encoder.encode(block[skipped:]) if skipped < len(block) else []
        dropped = min(self._drop, len(frames))
        self._drop -= dropped
        return self._joined(frames[dropped:])

    def flush(self) -> list[bytes]:
        """The frames still held back."""
        return self._joined(self._encoder.flush())

    def _joined(self, frames: list[bytes]) -> list[bytes]:
        if not self._kept:
            return frames
        if not self._splices:
            kept, self._kept = self._kept, []
            return [*kept, *frames]
        self._new += frames
        if len(self._new) < len(self._kept):
            return []
        new, self._new = self._new, []
        kept, self._kept = self._kept, []
        return [*_spliced(kept, new[: len(kept)]), *new[len(kept) :]]


def first_sample(formats: Mapping[str, StreamFormat], batons: Iterable[ChunkerBaton]) -> Samples:
    """From where the new process must render; ``formats`` gives each mount's."""
    starts = [
        _first_frame(baton, formats[baton.mount]) * frame_samples_of(formats[baton.mount]) for baton in batons
    ]
    return Samples(min(starts) // SAMPLES_PER_STEP * SAMPLES_PER_STEP)


def _first_needed(baton: ChunkerBaton, stream_format: StreamFormat) -> int:
    return baton.encoded - (len(baton.kept) if stream_format == "mp3" else 0)


def _first_frame(baton: ChunkerBaton, stream_format: StreamFormat) -> int:
    warm_up = -(-WARM_UP_SAMPLES // frame_samples_of(stream_format))
    return max(0, _first_needed(baton, stream_format) - warm_up)


def _spliced(old: list[bytes], new: list[bytes]) -> list[bytes]:
    size = len(new[0])
    joined = spliced(b"".join(old), b"".join(new), size)
    if joined is None:
        return new  # the first of them may lack some bytes: a frame of 24 ms is heard as silence
    return [joined[0][at : at + size] for at in range(0, len(joined[0]), size)]
