"""Pictures that belong to a file: embedded in its tags, or lying beside it in its folder.

Only headers are read, nothing is decoded: what a picture claims to be decides whether it is kept.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import Final

import msgspec

MAX_BYTES: Final = 2_000_000
MAX_PIXELS: Final = 25_000_000
_STEMS: Final = ("cover", "folder", "front")
FOLDER_NAMES: Final = tuple(
    spelling
    for stem in _STEMS
    for ending in (".jpg", ".jpeg", ".png", ".webp")
    for spelling in (
        stem + ending,
        stem.capitalize() + ending,
        (stem + ending).upper(),
        stem.capitalize() + ending.upper(),
    )
)
"""File names that are taken for the picture of everything in their folder, the preferred first."""


class Artwork(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as it was found. ``id`` is made of its bytes, so that one picture is kept once.

    ``mime`` is image/jpeg, image/png or image/webp; ``width`` and ``height`` are pixels as the header says.
    """

    id: str
    mime: str
    width: int
    height: int
    data: bytes


def artwork_of(data: bytes) -> Artwork | None:
    """The picture that ``data`` is, or None where its format is not taken or a limit is passed."""
    if not 0 < len(data) <= MAX_BYTES:
        return None
    size = dimensions(data)
    if size is None or min(size[1:]) < 1 or size[1] * size[2] > MAX_PIXELS:
        return None
    name = blake2b(data, digest_size=16).hexdigest()
    return Artwork(id=name, mime=size[0], width=size[1], height=size[2], data=bytes(data))


def dimensions(data: bytes) -> tuple[str, int, int] | None:
    """MIME type, width and height from a picture's header; None for anything else than JPEG, PNG and WebP.

    PNG: W3C PNG section 11.2.1. JPEG: ITU-T T.81 annex B.2.2. WebP: RFC 9649 section 2.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
            return ("image/png", *struct.unpack(">II", data[16:24]))
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):
        return None
    return None


def _jpeg(data: bytes) -> tuple[str, int, int] | None:
    place = 2
    for _ in range(2000):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            place += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return "image/jpeg", width, height
        elif marker in (0xD9, 0xDA):
            return None
        else:
            place += 2 + max(2, struct.unpack(">H", data[place + 2 : place + 4])[0])
    return None


def _webp(data: bytes) -> tuple[str, int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return ("image/webp", width, height) if len(data) >= 30 else None
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = struct.unpack("<I", data[21:25])[0]
        return "image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        return "image/webp", width & 0x3FFF, height & 0x3FFF
    return None
