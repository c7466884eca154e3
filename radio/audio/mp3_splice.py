"""Goes from one MP3 encoder's frames to another's without a broken frame (pure).

A frame of MPEG-1 Layer III may keep the beginning of its main data in the frames before it (the bit reservoir;
ISO/IEC 11172-3, 2.4.2.7: ``main_data_begin``, 0 to 511 bytes, headers and side information not counted). When
a stream of one encoder is continued with the frames of another, the first frame of the new one would look for
those bytes in the old one's frames. They are put there: into the bytes that the old encoder had kept free for
its own next frame, which will not be sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from radio.errors import AudioError

MOST_BYTES_BACK: Final = 511
_HEADER_BYTES: Final = 4
_CRC_BYTES: Final = 2
_SIDE_BYTES_STEREO: Final = 32
_SIDE_BYTES_MONO: Final = 17
_MONO: Final = 0b11


def bytes_back(frame: bytes) -> int:
    """``main_data_begin`` of an MPEG-1 Layer III frame. Raises AudioError for any other bytes."""
    first = _main_data_at(frame) - _side_bytes(frame)
    return frame[first] << 1 | frame[first + 1] >> 7


def spliced(old: bytes, new: bytes, frame_bytes: int) -> tuple[bytes, int] | None:
    """The frames of ``old`` up to a place, and from there on those of ``new``; and the number of that frame.

    Both hold the same stretch of sound as frames of ``frame_bytes``, encoded by two encoders; ``new``'s had been
    running for some frames before. None where no frame of ``new`` fits into what ``old`` keeps free there.
    Raises AudioError where one of them is no row of such frames.
    """
    if len(old) != len(new) or len(old) % frame_bytes:
        raise AudioError("the stream", "the two stretches are not of the same whole frames")
    before, after = _frames(old, frame_bytes), _frames(new, frame_bytes)
    for number, (given, taken) in enumerate(zip(before, after, strict=True)):
        wanted = bytes_back(taken)
        held = sum(len(frame) - _main_data_at(frame) for frame in before[:number])
        if number and wanted <= bytes_back(given) and wanted <= held:
            kept = _with_reservoir(before[:number], _reservoir(after[:number], wanted))
            return b"".join([*kept, *after[number:]]), number
    return None


def _frames(data: bytes, frame_bytes: int) -> list[bytes]:
    return [data[at : at + frame_bytes] for at in range(0, len(data), frame_bytes)]


def _reservoir(frames: list[bytes], size: int) -> bytes:
    main_data = b"".join(frame[_main_data_at(frame) :] for frame in frames)
    return main_data[len(main_data) - size :]


def _with_reservoir(frames: list[bytes], reservoir: bytes) -> Iterator[bytes]:
    """The frames, with the last bytes of their main data replaced."""
    left = sum(len(frame) - _main_data_at(frame) for frame in frames) - len(reservoir)
    for frame in frames:
        start = _main_data_at(frame)
        room = len(frame) - start
        kept = min(max(left, 0), room)
        left -= room
        put, reservoir = reservoir[: room - kept], reservoir[room - kept :]
        yield frame[: start + kept] + put


def _main_data_at(frame: bytes) -> int:
    if (
        len(frame) < _HEADER_BYTES + _CRC_BYTES + _SIDE_BYTES_STEREO
        or frame[0] != 0xFF
        or frame[1] >> 1 != 0x7D
    ):
        raise AudioError("the stream", "these bytes are no frame of MPEG-1 Layer III")
    crc = 0 if frame[1] & 1 else _CRC_BYTES
    return _HEADER_BYTES + crc + _side_bytes(frame)


def _side_bytes(frame: bytes) -> int:
    return _SIDE_BYTES_MONO if frame[3] >> 6 == _MONO else _SIDE_BYTES_STEREO
