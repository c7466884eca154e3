"""APEv2 tags with some items changed; the others stay byte for byte."""

from __future__ import annotations

from typing import BinaryIO, Final

from radio.library.ape_tag import MAX_APE_BYTES, ApeTag, ape_bytes, ape_item, find_ape, find_id3v1
from radio.library.riff import read_at
from radio.library.tag_edits import CannotWrite, Edit, Kept, Piece, edits_of
from radio.library.tag_entries import Entry, FieldTexts, with_changes
from radio.library.tag_names import Family

APE_VERSION: Final = 2000


def ape_edits(file: BinaryIO, changes: FieldTexts) -> list[Edit]:
    """The edits of a file whose APEv2 tag changes; a new tag goes to the end, before an ID3v1 tag.

    :raises CannotWrite: the tag would grow past 16 MiB, or is of version 1 and cannot hold the text.
    """
    tag = find_ape(file)
    if tag is None:
        file_bytes = file.seek(0, 2)
        place = file_bytes - (128 if find_id3v1(file) else 0)
        tag = ApeTag(place, place, place, APE_VERSION, ())
    if tag.version < APE_VERSION and not all(text.isascii() for texts in changes.values() for text in texts):
        raise CannotWrite("its APEv1 tag can hold plain ASCII only")
    entries = [Entry(item.key.lower(), item.key, Kept(item.at, item.length)) for item in tag.items]
    pieces = with_changes(entries, Family.APE, changes, lambda _, key, texts: [ape_item(key, texts)])
    return edits_of(tag.at, tag.end, _framed(file, tag, pieces))


def _framed(file: BinaryIO, tag: ApeTag, pieces: list[Piece]) -> list[Piece]:
    size = sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in pieces)
    if size > MAX_APE_BYTES:
        raise CannotWrite("its APE tag would grow too long")
    header = tag.has_header or tag.at == tag.end
    head, foot = ape_bytes(size, len(pieces), tag.version, header=header)
    return [head, *pieces, foot] if pieces or tag.at != tag.end else []


def has_ape(file: BinaryIO) -> bool:
    """Whether the file ends with an APE tag."""
    return find_ape(file) is not None


def id3v1_edit(file: BinaryIO, fresh: bytes) -> Edit:
    """The edit that puts a new ID3v1 tag in the place of the old one."""
    at = file.seek(0, 2) - 128
    return Edit(at, len(read_at(file, at, 128)), fresh)
