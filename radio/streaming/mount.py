"""A mount: the last chunks of one encoded stream, and everybody who listens to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from radio.streaming.chunks import Chunk
from radio.streaming.fanout import FanOut, Later, Now, Write
from radio.streaming.icy import EMPTY, metadata_block
from radio.units import SAMPLE_RATE_HZ, SAMPLES_PER_MS, DurationMs, UtcMs

DEFAULT_RING_CHUNKS: Final = 16

PIECE_BITS: Final = 32 * 1024 * 8
"""What Chromium reads of a stream at once: it plays what it has while it waits for so much more."""

_MARGIN_MS: Final = 1_100

_ANCHOR_TOLERANCE_MS: Final = 20
_ADMITTED_AT_ONCE: Final = 50
_SPREAD: Final = 0.6
"""How much of a chunk's own length its delivery may take; the rest is left for the work itself."""


def burst_ms_of(bitrate_kbps: int) -> DurationMs:
    """How much sound a new listener needs at once, so that no browser stalls: a piece of 32 KiB and a chunk."""
    return DurationMs(_MARGIN_MS + PIECE_BITS // bitrate_kbps)


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
    """A chunk as it stands in the ring; the buffers made of it are made once, when somebody needs them."""

    __slots__ = ("_entrance", "_with_metadata", "block", "changed", "chunk")

    def __init__(self, chunk: Chunk, block: bytes, changed: bool) -> None:
        self.chunk = chunk
        self.block = block
        self.changed = changed
        self._with_metadata: bytes | None = None
        self._entrance: bytes | None = None

    @property
    def with_metadata(self) -> bytes:
        if self._with_metadata is None:
            self._with_metadata = self.chunk.data + (self.block if self.changed else EMPTY)
        return self._with_metadata

    @property
    def entrance(self) -> bytes:
        """What a listener that starts here is sent of the sound."""
        if self._entrance is None:
            chunk = self.chunk
            whole = not chunk.entry and not chunk.lead_in
            self._entrance = chunk.data if whole else chunk.lead_in + chunk.data[chunk.entry :]
        return self._entrance


class _Wait:
    """How one that waits wants the stream, and the packet with which it may start, once there is one."""

    __slots__ = ("icy", "since", "way")

    def __init__(self, way: Write, icy: bool) -> None:
        self.way = way
        self.icy = icy
        self.since: _Packet | None = None


class Mount:
    """One encoded form of a station's output; all calls on the loop's thread.

    Every chunk has ``chunk_bytes`` bytes, a multiple of ``frame_bytes``, so that ICY metadata stands at one
    place for every listener and one buffer serves them all; ``chunk_bytes`` is the stream's ``icy-metaint``.
    Where it is None, chunks have any size and the stream has no metadata of that kind.
    The ring holds ``ring_chunks`` chunks: more than the encoder's lead over the clock. A new listener is sent
    ``burst_ms`` of sound at least, where the ring has so much; where that is more than the lead, it hears the
    stream later than the clock, which its T0 says. ``later`` is
    ``loop.call_later`` and ``now`` is ``loop.time``; without it a busy loop is not caught up with. Raises
    ValueError for sizes that do not fit.

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
        chunk_bytes: int | None,
        frame_bytes: int = 1,
        later: Later,
        now: Now | None = None,
        ring_chunks: int = DEFAULT_RING_CHUNKS,
        burst_ms: int = 0,
    ) -> None:
        _check_sizes(f"{station}/{name}", chunk_bytes, frame_bytes, ring_chunks)
        self.station = station
        self.name = name
        self.mime = mime
        self.bitrate_kbps = bitrate_kbps
        self.chunk_bytes = chunk_bytes
        self.frame_bytes = frame_bytes
        self.ring_chunks = ring_chunks
        self.burst_ms = burst_ms
        self.on_shift: Callable[[str, str, DurationMs], None] | None = None
        self.bytes_sent = 0
        self.joined = 0
        self.dropped = 0
        self._largest = chunk_bytes or 0
        self._ring: deque[_Packet] = deque(maxlen=ring_chunks)
        self._later = later
        self._icy = FanOut(later, now)
        self._plain = FanOut(later, now)
        self._waiting: dict[Member, _Wait] = {}
        self._admitting = False
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
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks at hand for new listeners, oldest first."""
        return tuple(packet.chunk for packet in self._ring)

    @property
    def max_burst_bytes(self) -> int:
        """The most that a new listener can get at once, its metadata and the next two chunks included."""
        return (self.ring_chunks + 2) * (self._largest + 1) + len(metadata_block(""))

    def publish(self, chunk: Chunk) -> None:
        """Send a chunk to every listener, spread over most of its own length, and start those who waited.

        Raises ValueError for a chunk of another size or mount; nothing is sent then.
        """
        self._check(chunk)
        packet = self._packed(chunk)
        if self._keep_anchor(chunk) or (self._ring and self._ring[-1].chunk.epoch != chunk.epoch):
            self._ring.clear()
        self._ring.append(packet)
        self._largest = max(self._largest, len(chunk.data) + len(chunk.lead_in))
        over_s = chunk.samples / SAMPLE_RATE_HZ * _SPREAD
        if self._icy:
            buffer = packet.with_metadata
            self.bytes_sent += self._icy.send(buffer, over_s=over_s) * len(buffer)
        if self._plain:
            self.bytes_sent += self._plain.send(chunk.data, over_s=over_s) * len(chunk.data)
        for wait in self._waiting.values():
            wait.since = wait.since or packet
        self._admit_some()

    def join(self, member: Member, way: Write, *, icy: bool, now_ms: UtcMs) -> Start | None:
        """Take in a listener: what it is to be sent at once, from the chunk that holds ``now_ms`` on or before it.

        None where the mount has nothing for that moment, before its first chunk or when it stalls: the member
        waits, and its ``start`` is called with the next chunk. Later chunks go straight to ``way``.
        Raises ValueError for ``icy`` where the mount has no metadata.
        """
        self._check_wish(icy)
        at_hand = self._at_hand(now_ms)
        if not at_hand:
            self._waiting[member] = _Wait(way, icy)
            return None
        return self._start(member, way, icy, at_hand)

    def admit(self, member: Member, way: Write, *, icy: bool) -> None:
        """Take in a listener that was started elsewhere: it is sent what is published from now on."""
        self._check_wish(icy)
        self._fan(icy).add(member, way)
        self.joined += 1

    def leave(self, member: Member) -> None:
        """Forget a listener, whether it waits or is being sent the stream; unknown ones are ignored."""
        if self._waiting.pop(member, None) is None and not self._icy.discard(member):
            self._plain.discard(member)

    def finish(self) -> None:
        """Write what is on its way to listeners now, so that all have had the same chunks."""
        self._icy.finish()
        self._plain.finish()

    def _at_hand(self, now_ms: UtcMs) -> list[_Packet]:
        """The packets from the one that holds ``now_ms`` on, and some before where that is too little to start."""
        at_hand: deque[_Packet] = deque()
        for packet in reversed(self._ring):
            if packet.chunk.ends_at_ms <= now_ms and (not at_hand or self._lasts(at_hand)):
                break
            at_hand.appendleft(packet)
        return list(at_hand)

    def _lasts(self, packets: Sequence[_Packet]) -> bool:
        return packets[-1].chunk.ends_at_ms - packets[0].chunk.starts_at_ms >= self.burst_ms

    def _fan(self, icy: bool) -> FanOut:
        return self._icy if icy else self._plain

    def _start(self, member: Member, way: Write, icy: bool, packets: list[_Packet]) -> Start:
        first = packets[0]
        if icy:
            later = [packet.with_metadata for packet in packets[1:]]
            buffers = (first.entrance, first.block, *later)
        else:
            buffers = (first.entrance, *(packet.chunk.data for packet in packets[1:]))
        self._fan(icy).add(member, way)
        self.joined += 1
        self.bytes_sent += sum(map(len, buffers))
        return Start(first.chunk.starts_at_ms, buffers)

    def _admit_some(self) -> None:
        """Start the first of those who wait; a whole town that returns at once is let in a few at a time."""
        ready = list(islice(self._waiting.items(), _ADMITTED_AT_ONCE))
        for member, wait in ready:
            if wait.since is None:
                return
            # one that was started just now may have ended another
            if self._waiting.pop(member, None) is not None:
                member.start(self._start(member, wait.way, wait.icy, self._from(wait.since)))
        if not self._admitting and any(wait.since for wait in islice(self._waiting.values(), 1)):
            self._admitting = True
            self._later(0.0, self._admit_rest)

    def _admit_rest(self) -> None:
        self._admitting = False
        self._admit_some()

    def _from(self, since: _Packet) -> list[_Packet]:
        packets = list(self._ring)
        return packets[packets.index(since) :] if since in packets else packets

    def _packed(self, chunk: Chunk) -> _Packet:
        block = metadata_block(chunk.title)
        changed, self._block = block != self._block, block
        return _Packet(chunk, block, changed)

    def _check(self, chunk: Chunk) -> None:
        place = f"{self.station}/{self.name}"
        if (chunk.station, chunk.mount) != (self.station, self.name):
            raise ValueError(f"a chunk of {chunk.station}/{chunk.mount} came to {place}")
        if self.chunk_bytes is None:
            return
        if len(chunk.data) != self.chunk_bytes:
            raise ValueError(f"{place}: a chunk of {len(chunk.data)} bytes, not {self.chunk_bytes}")
        if len(chunk.lead_in) != chunk.entry:
            raise ValueError(f"{place}: {len(chunk.lead_in)} bytes cannot lead in at byte {chunk.entry}")

    def _check_wish(self, icy: bool) -> None:
        if icy and self.chunk_bytes is None:
            raise ValueError(f"{self.station}/{self.name} has no place for metadata")

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


def _check_sizes(place: str, chunk_bytes: int | None, frame_bytes: int, ring_chunks: int) -> None:
    whole = chunk_bytes is None or (chunk_bytes >= frame_bytes >= 1 and not chunk_bytes % frame_bytes)
    if not whole or ring_chunks < 2:
        raise ValueError(f"{place}: {chunk_bytes} bytes are no whole frames of {frame_bytes}")
