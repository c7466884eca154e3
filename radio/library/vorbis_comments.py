"""Vorbis comments by their bytes (Vorbis I section 5), and where FLAC and Ogg streams keep them.

Formats: RFC 9639 section 8 (FLAC), RFC 3533 (Ogg), RFC 7845 section 5.2 (Opus), Vorbis I section 4.2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, BinaryIO, Final

import msgspec
from mutagen.ogg import OggPage

from radio.audio.tag_entries import id3_bytes
from radio.library.riff import read_at
from radio.library.tag_edits import CannotWrite

MAX_COMMENTS: Final = 2000
MAX_BLOCKS: Final = 512
MAX_HEADER_PAGES: Final = 2000

COMMENT_BLOCK: Final = 4
PADDING_BLOCK: Final = 1

_PACKET_HEADS: Final = (
    (b"\x01vorbis", b"\x03vorbis"),
    (b"OpusHead", b"OpusTags"),
    (b"Speex   ", b""),
    (b"\x7fFLAC", b""),
)


_page: Final[Callable[[BinaryIO], Any]] = OggPage
_packets_of: Final[Callable[[list[Any]], list[bytes]]] = OggPage.to_packets


class Comments(msgspec.Struct, frozen=True):
    """A comment header in parts. ``rest`` is what follows the comments: framing bit, padding, other data."""

    vendor: bytes
    comments: tuple[bytes, ...]
    rest: bytes

    def to_bytes(self) -> bytes:
        """The header as it is stored."""
        parts = [struct.pack("<I", len(part)) + part for part in (self.vendor, *self.comments)]
        parts.insert(1, struct.pack("<I", len(self.comments)))
        return b"".join((*parts, self.rest))


def parse_comments(data: bytes) -> Comments:
    """The parts of a comment header. :raises ValueError: it makes no sense or has over 2000 comments."""
    vendor, at = _counted(data, 0)
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    if count > MAX_COMMENTS or at > len(data):
        raise ValueError(f"a comment header of {count} comments")
    comments = []
    for _ in range(count):
        comment, at = _counted(data, at)
        comments.append(comment)
    return Comments(vendor, tuple(comments), data[at:])


def _counted(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 4 + int.from_bytes(data[at : at + 4], "little")
    if at + 4 > len(data) or end > len(data):
        raise ValueError("a comment header that ends early")
    return data[at + 4 : end], end


class FlacBlock(msgspec.Struct, frozen=True):
    """A metadata block: ``at`` is the place of its 4-byte head."""

    kind: int
    at: int
    size: int

    @property
    def end(self) -> int:
        """Where the next block or the sound starts."""
        return self.at + 4 + self.size


def flac_blocks(file: BinaryIO) -> list[FlacBlock]:
    """The metadata blocks of a FLAC file, which end at the first frame.

    :raises CannotWrite: they do not lead to a frame.
    """
    at = id3_bytes(file, 0)
    blocks: list[FlacBlock] = []
    if read_at(file, at, 4) != b"fLaC":
        raise CannotWrite("it does not start as a FLAC file does")
    at += 4
    for _ in range(MAX_BLOCKS):
        head = read_at(file, at, 4)
        block = FlacBlock(head[0] & 0x7F if head else 127, at, int.from_bytes(head[1:], "big"))
        blocks.append(block)
        at = block.end
        if len(head) < 4 or head[0] & 0x80:
            break
    sync = read_at(file, at, 2)
    if len(sync) < 2 or sync[0] != 0xFF or sync[1] & 0xFC != 0xF8:
        raise CannotWrite("its metadata blocks do not lead to the sound")
    return blocks


class OggHeader(msgspec.Struct, frozen=True):
    """The pages that hold a stream's comments. ``prefix`` precedes the comments in the first of ``packets``;
    the others share the last page with it.
    ``pages`` are mutagen's."""

    codec: bytes
    prefix: bytes
    packets: list[bytes]
    pages: list[Any]


def ogg_header(file: BinaryIO) -> OggHeader:
    """The comment header of the first stream that is known. :raises CannotWrite: there is none."""
    file.seek(0)
    try:
        codec, prefix, first = _first_comment_page(file)
        pages = [first]
        while not (pages[-1].complete or len(pages[-1].packets) > 1):
            page = _page(file)
            if page.serial == first.serial:
                pages.append(page)
            if len(pages) > MAX_HEADER_PAGES:
                raise CannotWrite("its comments fill too many pages")
        packets = _packets_of(pages)
    except CannotWrite:
        raise
    except Exception:  # mutagen's page reader fails in many ways
        raise CannotWrite("its Ogg pages cannot be followed") from None
    prefix = packets[0][:4] if codec == b"\x7fFLAC" else prefix
    return OggHeader(codec, prefix, packets, pages)


def _first_comment_page(file: BinaryIO) -> tuple[bytes, bytes, Any]:
    known: dict[int, tuple[bytes, bytes]] = {}
    for _ in range(64):
        page = _page(file)
        packet = page.packets[0] if page.packets else b""
        if page.serial in known and not page.first:
            codec, prefix = known[page.serial]
            if not packet.startswith(prefix):
                break
            return codec, prefix, page
        for codec, prefix in _PACKET_HEADS:
            if page.first and packet.startswith(codec):
                known[page.serial] = codec, prefix
    raise CannotWrite("it has no comment header of a known codec")


def raw_comments(file: BinaryIO) -> Comments:
    """The comments of a FLAC or Ogg file by their bytes. :raises CannotWrite: ValueError: there are none."""
    if read_at(file, id3_bytes(file, 0), 4) == b"fLaC":
        block = next((block for block in flac_blocks(file) if block.kind == COMMENT_BLOCK), None)
        if block is None:
            raise ValueError("no comments")
        return parse_comments(read_at(file, block.at + 4, block.size))
    header = ogg_header(file)
    return parse_comments(header.packets[0][len(header.prefix) :])
