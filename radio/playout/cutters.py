"""Where a stream of frames is cut into the buffers that travel to listeners (pure)."""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

import msgspec

_TAG_BYTES: Final = 10


class CutterState(msgspec.Struct, frozen=True, kw_only=True):
    """What a cutter holds that is not in a chunk yet, for another process that goes on with the stream."""

    held: list[bytes]
    starts: list[int] = []
    begun: bool = True


def empty_tag(size: int) -> bytes:
    """An ID3v2.4 tag of ``size`` bytes that says nothing (ID3v2.4.0 structure, section 3.1); none for 0.

    Every player of MP3 and ADTS passes over it. Raises ValueError for a size of 1 to 9.
    """
    if not size:
        return b""
    if size < _TAG_BYTES:
        raise ValueError(f"no tag has {size} bytes")
    body = size - _TAG_BYTES
    return b"ID3\x04\0\0" + bytes(body >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(body)


class Cut(msgspec.Struct, frozen=True):
    """The bytes of a chunk, what stands for its first ``entry`` bytes at a new listener, and its whole frames."""

    data: bytes
    entry: int
    lead_in: bytes
    frames: int


class Cutter(Protocol):
    """Collects frames until they make a chunk."""

    def add(self, frame: bytes) -> Cut | None:
        """The chunk that ``frame`` completes, if it does."""

    def state(self) -> CutterState:
        """What is collected."""

    def restore(self, state: CutterState) -> None:
        """Go on with what another one had collected."""


class BySize:
    """Chunks of one size, cut wherever that falls, also within a frame.

    A chunk's ``entry`` is the first frame in it that begins at 0 or leaves room for a tag; its frames are
    those from there up to the entry of the next chunk.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held = bytearray()
        self._starts = deque([0])  # of the frames from the entry on, and where the next frame will begin

    def add(self, frame: bytes) -> Cut | None:
        self._held += frame
        self._starts.append(len(self._held))
        if len(self._held) < self._size:
            return None
        frames = next((i for i, at in enumerate(self._starts) if self._may_enter(at - self._size)), None)
        if frames is None:
            return None
        entry = self._starts[0]
        self._starts = deque(at - self._size for at in list(self._starts)[frames:])
        data = bytes(self._held[: self._size])
        del self._held[: self._size]
        return Cut(data, entry, empty_tag(entry), frames)

    def state(self) -> CutterState:
        return CutterState(held=[bytes(self._held)], starts=list(self._starts))

    def restore(self, state: CutterState) -> None:
        self._held = bytearray(b"".join(state.held))
        self._starts = deque(state.starts)

    def _may_enter(self, at: int) -> bool:
        return at == 0 or at >= _TAG_BYTES


class ByPages:
    """Chunks of a number of pages; what a player needs before them is repeated for everyone who starts."""

    def __init__(self, pages: int, header: bytes) -> None:
        self._pages = pages
        self._header = header
        self._held: list[bytes] = []
        self._begun = False

    def add(self, frame: bytes) -> Cut | None:
        self._held.append(frame)
        if len(self._held) < self._pages:
            return None
        data, self._held = b"".join(self._held), []
        entry = 0
        if not self._begun:
            # Who listened to the run before this one needs the new one's headers too.
            data, entry, self._begun = self._header + data, len(self._header), True
        return Cut(data, entry, self._header, self._pages)

    def state(self) -> CutterState:
        return CutterState(held=list(self._held), begun=self._begun)

    def restore(self, state: CutterState) -> None:
        self._held = list(state.held)
        self._begun = state.begun
