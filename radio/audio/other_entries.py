"""How many entries the tags of APE, WavPack, Musepack and WMA files claim to hold; nothing else is read.

Formats: APEv2 (footer of 32 bytes at the end of the file, before an ID3v1 tag of 128 bytes; its number of items
is what FFmpeg believes), ASF (Advanced Systems Format specification, revision 01.20.06, sections 3 and 7).
"""

from __future__ import annotations

import os
from typing import BinaryIO, Final

ASF_HEADER: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")

_APE_FOOTER: Final = 32
_ID3V1: Final = 128
_ASF_EXTENDED_CONTENT: Final = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
_ASF_HEADER_EXTENSION: Final = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
_ASF_METADATA: Final = bytes.fromhex("eacbf8c5af5b77488467aa8c44fa4cca")
_ASF_METADATA_LIBRARY: Final = bytes.fromhex("941c23449894d149a1411d134e457054")
_ASF_MARKERS: Final = bytes.fromhex("01cd87f451a9cf118ee600c00c205365")

# Where, from the start of the object, its number of entries stands, and in how many bytes.
_ASF_COUNTS: Final = {
    _ASF_EXTENDED_CONTENT: (24, 2),
    _ASF_METADATA: (24, 2),
    _ASF_METADATA_LIBRARY: (24, 2),
    _ASF_MARKERS: (40, 4),
}
_ASF_HEADER_BYTES: Final = 30
_ASF_EXTENSION_BYTES: Final = 46
_ASF_OBJECT_BYTES: Final = 24


def ape_entries(file: BinaryIO) -> int:
    """The number of items that an APEv2 tag at the end of the file claims; 0 where there is none."""
    size = file.seek(0, os.SEEK_END)
    for end in (size, size - _ID3V1):
        if end >= _APE_FOOTER:
            file.seek(end - _APE_FOOTER)
            footer = file.read(_APE_FOOTER)
            if footer[:8] == b"APETAGEX":
                return int.from_bytes(footer[16:20], "little")
    return 0


def asf_entries(file: BinaryIO, start: int, limit: int) -> int:
    """The objects of an ASF header and the entries that they claim; counting stops soon after ``limit``."""
    end = start + _object(file, start)[1]
    return _objects(file, start + _ASF_HEADER_BYTES, end, limit)


def _objects(file: BinaryIO, at: int, end: int, limit: int, *, inside: bool = False) -> int:
    count = 0
    while at + _ASF_OBJECT_BYTES <= end and count <= limit:
        kind, size = _object(file, at)
        if size < _ASF_OBJECT_BYTES:
            break
        count += 1 + _claimed(file, at, kind)
        if kind == _ASF_HEADER_EXTENSION and not inside:
            count += _objects(file, at + _ASF_EXTENSION_BYTES, at + size, limit - count, inside=True)
        at += size
    return count


def _object(file: BinaryIO, at: int) -> tuple[bytes, int]:
    file.seek(at)
    head = file.read(_ASF_OBJECT_BYTES)
    size = int.from_bytes(head[16:24], "little")
    return head[:16], size if at + size < 1 << 62 else 0


def _claimed(file: BinaryIO, at: int, kind: bytes) -> int:
    if kind not in _ASF_COUNTS:
        return 0
    offset, length = _ASF_COUNTS[kind]
    file.seek(at + offset)
    return int.from_bytes(file.read(length), "little")
