"""APEv2 tags and ID3v1 tags at the end of a file, by their bytes.

Formats: https://wiki.hydrogenaud.io/index.php?title=APEv2_specification, https://id3.org/ID3v1.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO, Final

import msgspec

from radio.library.riff import read_at

MAX_APE_BYTES: Final = 16 * 1024**2
MAX_ITEMS: Final = 2000
ID3V1_BYTES: Final = 128

_MARK: Final = b"APETAGEX"
_HAS_HEADER: Final = 1 << 31
_LYRICS_END: Final = b"LYRICS200"


class ApeItem(msgspec.Struct, frozen=True):
    """One item: its key as written, and where its bytes stand in the file."""

    key: str
    at: int
    length: int
    flags: int

    @property
    def is_text(self) -> bool:
        """Whether the value is text in UTF-8."""
        return not self.flags & 6


class ApeTag(msgspec.Struct, frozen=True):
    """A tag from ``at`` (its header, where it has one) to ``end``; the items start at ``items_at``."""

    at: int
    items_at: int
    end: int
    version: int
    items: tuple[ApeItem, ...]

    @property
    def has_header(self) -> bool:
        """Whether a header stands before the items."""
        return self.items_at > self.at


def find_ape(file: BinaryIO) -> ApeTag | None:
    """The APE tag at the end of the file, or None where none stands or its items make no sense.

    An ID3v1 tag and Lyrics3v2 may follow it. At most 16 MiB and 2000 items.
    """
    size = file.seek(0, os.SEEK_END)
    tail_at = max(0, size - 160)
    tail = read_at(file, tail_at, 160)
    if tail[-32:-24] == _MARK:
        return _tag(file, size)
    if tail[-128:-125] != b"TAG":
        return None
    end = size - ID3V1_BYTES
    if tail[-137:-128] == _LYRICS_END and tail[-143:-137].isdigit():
        end -= 15 + int(tail[-143:-137])
    return _tag(file, end)


def find_id3v1(file: BinaryIO) -> bytes | None:
    """The ID3v1 tag that is the end of the file."""
    size = file.seek(0, os.SEEK_END)
    tail = read_at(file, max(0, size - ID3V1_BYTES), ID3V1_BYTES)
    is_one = len(tail) == ID3V1_BYTES and tail[:3] == b"TAG"
    return tail if is_one and read_at(file, size - 131, 8) != _MARK else None


def _tag(file: BinaryIO, end: int) -> ApeTag | None:
    footer = read_at(file, end - 32, 32) if end >= 32 else b""
    if len(footer) < 32 or footer[:8] != _MARK:
        return None
    version, size, count, flags = struct.unpack_from("<4I", footer, 8)
    items_at = end - size
    at = items_at - 32 if flags & _HAS_HEADER else items_at
    if not 32 <= size <= MAX_APE_BYTES or count > MAX_ITEMS or at < 0:
        return None
    items = _items(read_at(file, items_at, size - 32), items_at)
    return None if items is None else ApeTag(at, items_at, end, version, items)


def _items(data: bytes, items_at: int) -> tuple[ApeItem, ...] | None:
    items: list[ApeItem] = []
    at = 0
    while at < len(data):
        zero = data.find(b"\0", at + 8, at + 8 + 256)
        if zero < 0 or len(items) == MAX_ITEMS:
            return None
        length, flags = struct.unpack_from("<II", data, at)
        end = zero + 1 + length
        if end > len(data):
            return None
        items.append(ApeItem(data[at + 8 : zero].decode("latin-1"), items_at + at, end - at, flags))
        at = end
    return tuple(items)


def ape_bytes(items_bytes: int, count: int, version: int, *, header: bool) -> tuple[bytes, bytes]:
    """The header (empty where none is wanted) and the footer of a tag."""
    flags = _HAS_HEADER if header else 0
    fields = (version, items_bytes + 32, count)
    footer = _MARK + struct.pack("<4I8x", *fields, flags)
    return _MARK + struct.pack("<4I8x", *fields, flags | 1 << 29) if header else b"", footer


def ape_item(key: str, texts: tuple[str, ...]) -> bytes:
    """The bytes of a text item; its values are parted by zero bytes."""
    value = "\0".join(texts).encode()
    return struct.pack("<II", len(value), 0) + key.encode("ascii") + b"\0" + value
