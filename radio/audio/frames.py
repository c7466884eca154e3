"""MPEG audio frame headers, Layer III (ISO/IEC 11172-3, section 2.4.1.3; ISO/IEC 13818-3, section 2.4.2.3).

Pure: bytes in, values out. Used to cut a stream into frames, to find the first whole frame of one, and to
check what an encoder made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HEADER_BYTES: Final = 4

_BITRATES_MPEG1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_MPEG2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES_MPEG1: Final = (44_100, 48_000, 32_000)
_VERSIONS: Final = {0b11: 1.0, 0b10: 2.0, 0b00: 2.5}
_RATE_DIVISORS: Final = {1.0: 1, 2.0: 2, 2.5: 4}
_LAYER_III: Final = 0b01


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """One Layer III frame: ``version`` is 1.0, 2.0 or 2.5, ``frame_bytes`` its whole length with the
    header."""

    version: float
    bitrate_kbps: int
    sample_rate_hz: int
    channels: int
    padding: bool
    protected: bool

    @property
    def samples(self) -> int:
        """Sample frames that the frame decodes to: 1152 for MPEG-1, 576 for the low rates."""
        return 1152 if self.version == 1.0 else 576

    @property
    def frame_bytes(self) -> int:
        """Whole length in bytes: one slot of one byte more where the padding bit is set."""
        return self.samples // 8 * self.bitrate_kbps * 1000 // self.sample_rate_hz + self.padding

    @property
    def side_info_bytes(self) -> int:
        """Length of the side information that follows the header and its checksum."""
        if self.version == 1.0:
            return 17 if self.channels == 1 else 32
        return 9 if self.channels == 1 else 17


def parse_header(data: bytes | bytearray | memoryview, offset: int = 0) -> FrameHeader | None:
    """The Layer III header at ``offset``, or None where none stands. Free-format frames (index 0) are
    none."""
    if offset < 0 or offset + HEADER_BYTES > len(data):
        return None
    word = int.from_bytes(data[offset : offset + HEADER_BYTES], "big")
    version = _VERSIONS.get(word >> 19 & 0b11)
    bitrate_index, rate_index = word >> 12 & 0b1111, word >> 10 & 0b11
    if word >> 21 != 0x7FF or version is None or word >> 17 & 0b11 != _LAYER_III:
        return None
    if bitrate_index in (0, 15) or rate_index == 3:
        return None
    bitrates = _BITRATES_MPEG1 if version == 1.0 else _BITRATES_MPEG2
    return FrameHeader(
        version=version,
        bitrate_kbps=bitrates[bitrate_index],
        sample_rate_hz=_RATES_MPEG1[rate_index] // _RATE_DIVISORS[version],
        channels=1 if word >> 6 & 0b11 == 0b11 else 2,
        padding=bool(word >> 9 & 1),
        protected=not word >> 16 & 1,
    )


def split_frames(data: bytes) -> Iterator[bytes]:
    """The frames of ``data``, which must start at a frame and hold whole ones only.

    :raises ValueError: bytes that are no frame, with their offset.
    """
    offset = 0
    while offset < len(data):
        header = parse_header(data, offset)
        if header is None or offset + header.frame_bytes > len(data):
            raise ValueError(f"no whole MPEG audio frame at byte {offset} of {len(data)}")
        yield data[offset : offset + header.frame_bytes]
        offset += header.frame_bytes


def first_frame(data: bytes, offset: int = 0) -> int | None:
    """Where the first frame at or after ``offset`` starts; None where none is sure.

    A header counts when another of the same rate follows right after its frame, or when its frame ends the
    data.
    """
    while (offset := data.find(b"\xff", offset)) >= 0:
        header = parse_header(data, offset)
        if header is not None:
            after = offset + header.frame_bytes
            following = parse_header(data, after)
            if after == len(data) or (following and following.sample_rate_hz == header.sample_rate_hz):
                return offset
        offset += 1
    return None


def main_data_begin(frame: bytes) -> int:
    """How many bytes before this frame its sound begins (the bit reservoir, at most 511 for MPEG-1).

    :raises ValueError: ``frame`` starts with no header or is cut short.
    """
    header = parse_header(frame)
    start = HEADER_BYTES + (2 if header and header.protected else 0)
    if header is None or len(frame) < start + 2:
        raise ValueError("no whole MPEG audio frame")
    word = int.from_bytes(frame[start : start + 2], "big")
    return word >> 7 if header.version == 1.0 else word >> 8


def is_info_frame(frame: bytes) -> bool:
    """Whether the frame is no sound but a Xing, Info or VBRI header, which a stream must not carry."""
    header = parse_header(frame)
    if header is None:
        return False
    start = HEADER_BYTES + (2 if header.protected else 0) + header.side_info_bytes
    return frame[start : start + 4] in (b"Xing", b"Info") or frame[36:40] == b"VBRI"
