"""WAVE, RF64 and AIFF files with some tags changed; all other chunks stay byte for byte.

What a file has is kept in step: its ID3 chunk, its INFO lists or text chunks, title and artist of its cart
chunk. An ID3 chunk is added where the others cannot hold what is to be written.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Final

from radio.library.cart import ARTIST_AT, FIXED_BYTES, NAME_BYTES, TITLE_AT
from radio.library.encodings import repaired
from radio.library.id3_writing import rewritten_id3
from radio.library.riff import (
    AIFF_TEXTS,
    MAX_TEXT_BYTES,
    Chunk,
    Form,
    chunk_data,
    info_chunks,
    read_at,
    read_form,
)
from radio.library.tag_edits import CannotWrite, Edit, Kept, Piece, edits_of, growth
from radio.library.tag_entries import Entry, FieldTexts, with_changes
from radio.library.tag_names import NAMES, Family

_CART_FIELDS: Final = (("title", TITLE_AT), ("artists", ARTIST_AT))


def chunk_edits(file: BinaryIO, changes: FieldTexts) -> list[Edit]:
    """The edits of a file of chunks. :raises CannotWrite: it would pass what its size field can say."""
    form = read_form(file)
    if form is None:
        raise CannotWrite("it is not a file of chunks")
    edits = [edit for chunk in form.chunks for edit in _in_step(file, form, chunk, changes)]
    id3 = form.first(b"id3 ", b"ID3 ")
    if id3 is not None:
        edits += _id3_edits(file, form, id3, changes)
    elif missing := _unfit(file, form, changes):
        edits.append(_new_id3(form, missing))
    return [*edits, *_sizes(file, form, growth(edits))]


def _unfit(file: BinaryIO, form: Form, changes: FieldTexts) -> FieldTexts:
    present = {chunk.id for chunk in form.chunks}
    has_info = any(_is_info(file, chunk) for chunk in form.chunks) and form.order == "little"
    unfit: dict[str, tuple[str, ...]] = {}
    for field, texts in changes.items():
        names = NAMES[Family.INFO].get(field, ())
        has_place = bool(names) and (has_info or any(name.encode() in present for name in names))
        if texts and not (has_place and len(texts) == 1 and _survives(texts[0])):
            unfit[field] = texts
    return unfit


def _is_info(file: BinaryIO, chunk: Chunk) -> bool:
    return chunk.id == b"LIST" and read_at(file, chunk.data_at, 4) == b"INFO" and chunk.size <= MAX_TEXT_BYTES


def _survives(text: str) -> bool:
    return repaired(text.encode().decode("latin-1")) == (text, True)


def _in_step(file: BinaryIO, form: Form, chunk: Chunk, changes: FieldTexts) -> list[Edit]:
    if form.order == "little" and _is_info(file, chunk):
        return _info_edits(file, form, chunk, changes)
    if form.order == "big" and chunk.id in AIFF_TEXTS:
        return _text_edits(file, form, chunk, changes)
    if chunk.id == b"cart" and chunk.size >= FIXED_BYTES:
        return [
            Edit(chunk.data_at + at, NAME_BYTES, _cart_text(changes[field]))
            for field, at in _CART_FIELDS
            if field in changes
        ]
    return []


def _cart_text(texts: tuple[str, ...]) -> bytes:
    text = ", ".join(texts)
    encoded = text.encode("latin-1") if max(text, default="") <= "\xff" else text.encode()
    cut = encoded[:NAME_BYTES]
    if encoded != cut and max(text) > "\xff":
        cut = cut.decode("utf-8", "ignore").encode()
    return cut.ljust(NAME_BYTES, b"\0")


def _info_edits(file: BinaryIO, form: Form, chunk: Chunk, changes: FieldTexts) -> list[Edit]:
    data = chunk_data(file, chunk)
    entries = []
    for name, at, size in info_chunks(data):
        start, end = at - 8, min(at + size + size % 2, len(data))
        spelled = name.decode("latin-1")
        entries.append(Entry(spelled, spelled, Kept(chunk.data_at + start, end - start)))
    wanted = {field: texts for field, texts in changes.items() if field in NAMES[Family.INFO]}
    pieces = with_changes(entries, Family.INFO, wanted, _info_entry)
    size = 4 + sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in pieces)
    head = b"LIST" + struct.pack("<I", size) + b"INFO"
    return edits_of(chunk.at, min(chunk.end, form.file_bytes), [head, *pieces, bytes(size % 2)])


def _info_entry(field: str, spelled: str, texts: tuple[str, ...]) -> list[bytes]:
    text = ", ".join(texts).encode() + b"\0"
    return [spelled.encode("latin-1") + struct.pack("<I", len(text)) + text + bytes(len(text) % 2)]


def _text_edits(file: BinaryIO, form: Form, chunk: Chunk, changes: FieldTexts) -> list[Edit]:
    name = chunk.id.decode("latin-1")
    for field, texts in changes.items():
        if name in NAMES[Family.INFO].get(field, ()):
            is_first = form.first(chunk.id) == chunk
            data = _chunk(form, chunk.id, ", ".join(texts).encode()) if texts and is_first else b""
            return [Edit(chunk.at, min(chunk.end, form.file_bytes) - chunk.at, data)]
    return []


def _id3_edits(file: BinaryIO, form: Form, chunk: Chunk, changes: FieldTexts) -> list[Edit]:
    data = chunk_data(file, chunk, chunk.size)
    length = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=False))
    if not data.startswith(b"ID3") or length > chunk.size:
        raise CannotWrite("its ID3 chunk makes no sense")
    pieces = rewritten_id3(data, chunk.data_at, changes)
    size = sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in pieces)
    head = chunk.id + struct.pack("<I" if form.order == "little" else ">I", size)
    end = min(chunk.end, form.file_bytes)
    return edits_of(chunk.at, end, [head, *pieces, bytes(size % 2)])


def _new_id3(form: Form, changes: FieldTexts) -> Edit:
    fresh: list[Piece] = rewritten_id3(b"", 0, changes)
    data = b"".join(piece for piece in fresh if isinstance(piece, bytes))
    last = form.chunks[-1].end if form.chunks else 12
    gap = bytes(max(0, last - form.file_bytes))  # the last chunk lacks its filling byte
    name = b"id3 " if form.order == "little" else b"ID3 "
    return Edit(form.file_bytes, 0, gap + _chunk(form, name, data))


def _chunk(form: Form, name: bytes, data: bytes) -> bytes:
    size = struct.pack("<I" if form.order == "little" else ">I", len(data))
    return name + size + data + bytes(len(data) % 2)


def _sizes(file: BinaryIO, form: Form, grown: int) -> list[Edit]:
    if not grown:
        return []
    old = int.from_bytes(read_at(file, 4, 4), form.order)
    ds64 = form.first(b"ds64")
    if form.id == b"RF64" and ds64 is not None:
        riff_bytes = int.from_bytes(read_at(file, ds64.data_at, 8), "little")
        return [Edit(ds64.data_at, 8, struct.pack("<Q", riff_bytes + grown))]
    if old in (0, 0xFFFF_FFFF):  # a writer that could not go back left it open
        return []
    size = form.file_bytes - 8 + grown
    if size >> 32:
        raise CannotWrite("it would grow past 4 GiB")
    return [Edit(4, 4, size.to_bytes(4, form.order))]
