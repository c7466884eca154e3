"""The unit in which a mount's encoded sound travels from playout to listeners."""

from __future__ import annotations

import msgspec

from radio.units import SAMPLES_PER_MS, DurationMs, Samples, UtcMs


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """About a second of an encoded stream, that may be sent to any number of listeners.

    Who listens already is sent ``data``; who starts with this chunk is sent ``lead_in + data[entry:]``. So
    ``entry`` is where the first whole frame or page begins, and ``lead_in`` what a decoder needs before it:
    the header pages of Ogg, or an empty tag as long as ``entry`` where ICY metadata must stay at its place.

    ``epoch`` names the run of the stream and ``seq`` counts chunks within it from 0. ``starts_at_ms`` is stream
    time: the moment at which the first sample is meant to be heard. ``first_sample`` counts from the start of
    the epoch; both speak of the frame at ``entry``, and ``samples`` reach to the ``entry`` of the next chunk.
    ``title`` is the ICY title that holds at the chunk's last sample. ``level_db`` is the RMS level of
    the sound before encoding.
    """

    station: str
    mount: str
    epoch: int
    seq: int
    starts_at_ms: UtcMs
    first_sample: Samples
    samples: Samples
    data: bytes
    title: str
    level_db: float
    entry: int = 0
    lead_in: bytes = b""

    @property
    def ends_at_ms(self) -> UtcMs:
        """Stream time right after the last sample, rounded down to the millisecond."""
        return UtcMs(self.starts_at_ms + self.duration_ms)

    @property
    def duration_ms(self) -> DurationMs:
        """The length of the sound, rounded down to the millisecond."""
        return DurationMs(self.samples // SAMPLES_PER_MS)
