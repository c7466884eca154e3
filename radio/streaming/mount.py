"""A mount: the last chunks of one encoded stream, and everybody who listens to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from radio.streaming.chunks import Chunk
from radio.streaming.fanout import FanOut, Later, Write
from radio.streaming.icy import EMPTY, metadata_block
from radio.units import SAMPLES_PER_MS, DurationMs, UtcMs

DEFAULT_RING_CHUNKS: Final = 16

_ANCHOR_TOLERANCE_MS: Final = 20


@dataclass(frozen=True, slots=True)
class Start:
    """What a new listener gets first, in order, and the stream time of its first sample."""

    stream_time_ms: UtcMs
    buffers: tuple[bytes, ...]


class Member(Protocol):
    """A listener as its mount sees it."""

    def start(self, start: Start) -> None:
        """Send ``start`` now: the chunk for which the listener waited has come."""


class _Packet:
    """A chunk as it stands in the ring; the buffers with metadata are made once, when somebody needs them."""

    __slots__ = ("_with_metadata", "block", "changed", "chunk")

    def __init__(self, chunk: Chunk, block: bytes, changed: bool) -> None:
        self.chunk = chunk
        self.block = block
        self.changed = changed
        self._with_metadata: bytes | None = None

    @property
    def with_metadata(self) -> bytes:
        if self._with_metadata is None:
            self._with_metadata = self.chunk.data + (self.block if self.changed else EMPTY)
        return self._with_metadata


class Mount:
    """One encoded form of a station's output; all calls on the loop's thread.

    Every chunk has ``chunk_bytes`` bytes, a multiple of ``frame_bytes``, so that ICY metadata stands at one
    place for every listener and one buffer serves them all; ``chunk_bytes`` is the stream's ``icy-metaint``.
    The ring holds ``ring_chunks`` chunks: more than the encoder's lead over the clock. ``later`` is
    ``loop.call_soon``. Raises ValueError for sizes that do not fit.

    For metrics: ``listeners`` and ``waiting`` now; ``bytes_sent``, ``joined`` and ``dropped`` since the
    start.
    """

    def __init__(
        self,
        station: str,
        name: str,
        *,
        mime: str,
        bitrate_kbps: int,
        chunk_bytes: int,
        frame_bytes: int,
        later: Later,
        ring_chunks: int = DEFAULT_RING_CHUNKS,
    ) -> None:
        if frame_bytes < 1 or chunk_bytes < frame_bytes or chunk_bytes % frame_bytes or ring_chunks < 2:
            raise ValueError(f"{station}/{name}: {chunk_bytes} bytes are no whole frames of {frame_bytes}")
        self.station = station
        self.name = name
        self.mime = mime
        self.bitrate_kbps = bitrate_kbps
        self.chunk_bytes = chunk_bytes
        self.frame_bytes = frame_bytes
        self.ring_chunks = ring_chunks
        self.on_shift: Callable[[str, str, DurationMs], None] | None = None
        self.bytes_sent = 0
        self.joined = 0
        self.dropped = 0
        self._ring: deque[_Packet] = deque(maxlen=ring_chunks)
        self._icy = FanOut(later)
        self._plain = FanOut(later)
        self._waiting: dict[Member, tuple[Write, bool]] = {}
        self._block = EMPTY
        self._sent_samples = 0
        self._anchor_ms: int | None = None

    @property
    def listeners(self) -> int:
        """How many are being sent the stream now."""
        return len(self._icy) + len(self._plain)

    @property
    def waiting(self) -> int:
        """How many wait for the stream to go on."""
        return len(self._waiting)

    @property
    def newest(self) -> Chunk | None:
        """The chunk published last."""
        return self._ring[-1].chunk if self._ring else None

    @property
    def max_burst_bytes(self) -> int:
        """The most that a new listener can get at once, its metadata and the next two chunks included."""
        return (self.ring_chunks + 2) * (self.chunk_bytes + 1) + len(metadata_block(""))

    def publish(self, chunk: Chunk) -> None:
        """Send a chunk to every listener and start those who waited.

        Raises ValueError for a chunk of another size or mount; nothing is sent then.
        """
        self._check(chunk)
        packet = self._packed(chunk)
        if self._keep_anchor(chunk) or (self._ring and self._ring[-1].chunk.epoch != chunk.epoch):
            self._ring.clear()
        self._ring.append(packet)
        if self._icy:
            self.bytes_sent += self._icy.send(packet.with_metadata) * len(packet.with_metadata)
        if self._plain:
            self.bytes_sent += self._plain.send(chunk.data) * len(chunk.data)
        self._start_waiting()

    def join(self, member: Member, write: Write, *, icy: bool, now_ms: UtcMs) -> Start | None:
        """Take in a listener: what it is to be sent at once, from the chunk that holds ``now_ms`` on.

        None where the mount has nothing for that moment, before its first chunk or when it stalls: the member
        waits, and its ``start`` is called with the next chunk. Later chunks go straight to ``write``.
        """
        at_hand = [packet for packet in self._ring if packet.chunk.ends_at_ms > now_ms]
        if not at_hand:
            self._waiting[member] = (write, icy)
            return None
        return self._start(member, write, icy, at_hand)

    def leave(self, member: Member) -> None:
        """Forget a listener, whether it waits or is being sent the stream; unknown ones are ignored."""
        if self._waiting.pop(member, None) is None and not self._icy.discard(member):
            self._plain.discard(member)

    def _start(self, member: Member, write: Write, icy: bool, packets: list[_Packet]) -> Start:
        first = packets[0].chunk
        if icy:
            later = [packet.with_metadata for packet in packets[1:]]
            buffers = (first.data, packets[0].block, *later)
        else:
            buffers = tuple(packet.chunk.data for packet in packets)
        (self._icy if icy else self._plain).add(member, write)
        self.joined += 1
        self.bytes_sent += sum(map(len, buffers))
        return Start(first.starts_at_ms, buffers)

    def _start_waiting(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for member, (write, icy) in waiting.items():
            member.start(self._start(member, write, icy, [self._ring[-1]]))

    def _packed(self, chunk: Chunk) -> _Packet:
        block = metadata_block(chunk.title)
        changed, self._block = block != self._block, block
        return _Packet(chunk, block, changed)

    def _check(self, chunk: Chunk) -> None:
        if (chunk.station, chunk.mount) != (self.station, self.name):
            raise ValueError(f"a chunk of {chunk.station}/{chunk.mount} came to {self.station}/{self.name}")
        if len(chunk.data) != self.chunk_bytes:
            place = f"{self.station}/{self.name}"
            raise ValueError(f"{place}: a chunk of {len(chunk.data)} bytes, not {self.chunk_bytes}")

    def _keep_anchor(self, chunk: Chunk) -> bool:
        # A listener's T0 stays true only while stream time grows as the sound does. After a stall or a
        # restart it does not: every T0 of this mount then moves by what the two have drifted apart.
        anchor_ms = chunk.starts_at_ms - self._sent_samples // SAMPLES_PER_MS
        self._sent_samples += chunk.samples
        moved_ms = 0 if self._anchor_ms is None else anchor_ms - self._anchor_ms
        jumped = abs(moved_ms) > _ANCHOR_TOLERANCE_MS
        if self._anchor_ms is None or jumped:
            self._anchor_ms = anchor_ms
        if jumped and self.on_shift is not None:
            self.on_shift(self.station, self.name, DurationMs(moved_ms))
        return jumped
