"""FLAC and Ogg files with some Vorbis comments changed; the others stay byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO, Final

from mutagen.ogg import OggPage

from radio.library.riff import read_at
from radio.library.tag_edits import CannotWrite, Edit
from radio.library.tag_entries import Entry, FieldTexts, with_changes, with_plain_numbers
from radio.library.tag_names import Family
from radio.library.vorbis_comments import (
    COMMENT_BLOCK,
    PADDING_BLOCK,
    Comments,
    FlacBlock,
    OggHeader,
    flac_blocks,
    ogg_header,
    parse_comments,
)

NEW_PADDING: Final = 4096
MAX_BLOCK_BYTES: Final = (1 << 24) - 1
MAX_PAGES: Final = 4_000_000
_VENDOR: Final = b"Next Up"
_OPUS: Final = b"OpusHead"
_VORBIS: Final = b"\x01vorbis"
_FLAC: Final = b"\x7fFLAC"

_pages_of: Final[Callable[[list[bytes], int], list[Any]]] = OggPage.from_packets
_page: Final[Callable[[BinaryIO], Any]] = OggPage


def with_comments(comments: Comments, changes: FieldTexts) -> Comments:
    """The comments with ``changes``; names that are there keep their spelling."""
    entries = []
    for comment in comments.comments:
        name = comment.partition(b"=")[0].decode("latin-1")
        entries.append(Entry(name.lower(), name, comment))
    pieces = with_changes(entries, Family.VORBIS, with_plain_numbers(changes), _made)
    return Comments(
        comments.vendor, tuple(piece for piece in pieces if isinstance(piece, bytes)), comments.rest
    )


def _made(field: str, spelled: str, texts: tuple[str, ...]) -> list[bytes]:
    return [f"{spelled}=".encode("latin-1") + text.encode() for text in texts]


def flac_edits(file: BinaryIO, changes: FieldTexts) -> list[Edit]:
    """The edits of a FLAC file; padding takes up the difference where it can.

    :raises CannotWrite: the metadata blocks make no sense.
    """
    blocks = flac_blocks(file)
    old = next((block for block in blocks if block.kind == COMMENT_BLOCK), None)
    data = read_at(file, old.at + 4, old.size) if old else b""
    comments = _parsed(data) if old else Comments(_VENDOR, (), b"")
    fresh = with_comments(comments, changes).to_bytes()
    if len(fresh) > MAX_BLOCK_BYTES:
        raise CannotWrite("its comments would grow too long")
    padding = next((block for block in blocks if block.kind == PADDING_BLOCK), None)
    if old is None:
        return [_new_block(blocks[0], file, fresh)]
    if len(fresh) == old.size:
        return [_resized(file, old, fresh)]
    if padding is None:
        return [_with_padding(file, old, fresh)]
    spare = padding.size + old.size - len(fresh)
    spare = spare if 0 <= spare <= MAX_BLOCK_BYTES else NEW_PADDING
    return [_resized(file, old, fresh), _resized(file, padding, bytes(spare))]


def _parsed(data: bytes) -> Comments:
    try:
        return parse_comments(data)
    except ValueError as error:
        raise CannotWrite(str(error)) from None


def _resized(file: BinaryIO, block: FlacBlock, data: bytes) -> Edit:
    kind = read_at(file, block.at, 1)
    return Edit(block.at, 4 + block.size, kind + len(data).to_bytes(3, "big") + data)


def _with_padding(file: BinaryIO, block: FlacBlock, data: bytes) -> Edit:
    last = read_at(file, block.at, 1)[0] & 0x80
    padding = _block(PADDING_BLOCK | last, bytes(NEW_PADDING))
    return Edit(block.at, 4 + block.size, _block(COMMENT_BLOCK, data) + padding)


def _new_block(first: FlacBlock, file: BinaryIO, data: bytes) -> Edit:
    head = read_at(file, first.at, 4 + first.size)
    fresh = bytes((head[0] & 0x7F,)) + head[1:] + _block(COMMENT_BLOCK, data)
    return Edit(first.at, len(head), fresh + _block(PADDING_BLOCK | head[0] & 0x80, bytes(NEW_PADDING)))


def _block(kind: int, data: bytes) -> bytes:
    return bytes((kind,)) + len(data).to_bytes(3, "big") + data


def ogg_edits(file: BinaryIO, changes: FieldTexts) -> list[Edit]:
    """The edits of an Ogg file: its comment pages, and the numbers of later pages where their count changes.

    :raises CannotWrite: the pages make no sense.
    """
    header = ogg_header(file)
    old = header.packets[0]
    comments = with_comments(_parsed(old[len(header.prefix) :]), changes)
    packet = _packet(header, comments, len(old))
    (at, length), *others = [(page.offset, page.size) for page in header.pages]
    after = sum(others[-1]) if others else at + length
    pages = _repaged(header, [packet, *header.packets[1:]])
    edits = [Edit(at, length, b"".join(page.write() for page in pages))]
    edits += [Edit(at, length, b"") for at, length in others]
    if shift := len(pages) - len(header.pages):
        edits += _renumbered(file, after, header.pages[0].serial, shift)
    return edits


def _packet(header: OggHeader, comments: Comments, old_length: int) -> bytes:
    if header.codec == _FLAC:
        body = comments.to_bytes()
        if len(body) > MAX_BLOCK_BYTES:
            raise CannotWrite("its comments would grow too long")
        return header.prefix[:1] + len(body).to_bytes(3, "big") + body
    kept, rest = _kept_rest(header.codec, comments.rest)
    packet = header.prefix + Comments(comments.vendor, comments.comments, rest).to_bytes()
    return packet if kept else packet.ljust(old_length, b"\0")


def _kept_rest(codec: bytes, rest: bytes) -> tuple[bool, bytes]:
    # RFC 7845 section 5.2: what follows is to be kept if the lowest bit of its first byte is set.
    if codec == _OPUS:
        return (True, rest) if rest and rest[0] & 1 else (False, b"")
    framing = rest[:1] if codec == _VORBIS else b""
    return (True, rest) if rest[len(framing) :].strip(b"\0") else (False, framing)


def _repaged(header: OggHeader, packets: list[bytes]) -> list[Any]:
    old = header.pages
    if len(old) == 1 and _lacing(packets) <= 255:
        old[0].packets = packets
        return old
    pages = _pages_of(packets, old[0].sequence)
    for page in pages:
        page.serial = old[0].serial
    pages[0].first, pages[0].continued = old[0].first, old[0].continued
    pages[-1].last, pages[-1].complete = old[-1].last, old[-1].complete
    pages[-1].position = old[-1].position if pages[-1].complete or len(pages[-1].packets) > 1 else -1
    for page in pages[:-1]:
        ends_none = len(page.packets) == 1 and not page.complete
        page.position = -1 if ends_none else 0
    return pages


def _lacing(packets: list[bytes]) -> int:
    return sum(len(packet) // 255 + 1 for packet in packets)


def _renumbered(file: BinaryIO, after: int, serial: int, shift: int) -> list[Edit]:
    edits: list[Edit] = []
    file.seek(after)
    for _ in range(MAX_PAGES):
        try:
            page = _page(file)
        except EOFError:
            return edits
        except Exception:  # mutagen's page reader fails in many ways
            raise CannotWrite("its Ogg pages cannot be followed to the end") from None
        if page.serial == serial:
            at = page.offset + 18
            page.sequence += shift
            # Sequence number and checksum are eight bytes side by side (RFC 3533 section 6).
            edits.append(Edit(at, 8, page.write()[18:26]))
        if page.serial == serial and page.last:
            return edits
    raise CannotWrite("it has too many Ogg pages")
