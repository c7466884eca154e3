"""MP4 files with some tag atoms changed; all others stay byte for byte.

Formats: ISO/IEC 14496-12 (boxes), https://developer.apple.com/documentation/quicktime-file-format (metadata).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

import msgspec

from radio.library.riff import read_at
from radio.library.tag_edits import CannotWrite, Edit, Kept, Piece, edits_of
from radio.library.tag_entries import Entry, FieldTexts, with_changes
from radio.library.tag_names import Family

NEW_PADDING: Final = 1024
MAX_BOXES: Final = 20_000
MAX_TABLE_BYTES: Final = 64 * 1024**2

_TEXT, _INTEGER, _IMPLICIT = 1, 21, 0
_FREE: Final = b"com.apple.iTunes"
_SUPERSEDED: Final = frozenset({"gnre"})
_META_HANDLER: Final = bytes(8) + b"mdirappl" + bytes(9)
_PARENTS: Final = (b"moov", b"udta", b"meta", b"ilst")


class Box(msgspec.Struct, frozen=True):
    """One box: where it starts, where its content starts, where it ends."""

    kind: bytes
    at: int
    inside: int
    end: int
    open_ended: bool = False


def boxes(file: BinaryIO, start: int, end: int) -> list[Box]:
    """The boxes from ``start`` to ``end``. :raises CannotWrite: one does not fit."""
    found: list[Box] = []
    at = start
    while at + 8 <= end:
        head = read_at(file, at, 16)
        size, kind, head_bytes = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, head_bytes = int.from_bytes(head[8:16], "big"), 16
        box = Box(kind, at, at + head_bytes, at + size if size else end, not size)
        if box.end > end or box.end < box.inside or len(found) == MAX_BOXES:
            raise CannotWrite("its MP4 boxes do not fit into each other")
        found.append(box)
        at = box.end
    return found


def _children(file: BinaryIO, box: Box) -> list[Box]:
    inside = box.inside
    if box.kind == b"meta" and read_at(file, inside + 4, 4) != b"hdlr":
        inside += 4
    return boxes(file, inside, box.end)


def mp4_edits(file: BinaryIO, changes: FieldTexts) -> list[Edit]:
    """The edits of an MP4 file: its tag atoms, the free space beside them, and where these do not do, the
    sizes of the boxes around and the places of the sound.

    :raises CannotWrite: the boxes make no sense, or the sound's places cannot be moved.
    """
    top = boxes(file, 0, file.seek(0, 2))
    path = _path(file, top)
    if len(path) == len(_PARENTS):
        region, pieces = _items(file, path, changes)
    else:
        fresh = with_changes([], Family.MP4, changes, _made)
        region, pieces = _new_items(path, b"".join(piece for piece in fresh if isinstance(piece, bytes)))
    edits = edits_of(*region, pieces)
    grown = sum(len(edit.data) - edit.length for edit in edits)
    if not grown:
        return edits
    around = path[:3]
    return [*edits, *_resized(file, around, grown), *_moved(file, top, region[1], grown)]


def _path(file: BinaryIO, top: list[Box]) -> list[Box]:
    path: list[Box] = []
    found: list[Box] = top
    for kind in _PARENTS:
        box = next((box for box in found if box.kind == kind), None)
        if box is None:
            break
        path.append(box)
        found = _children(file, box) if kind != b"ilst" else []
    if not path:
        raise CannotWrite("it has no moov box")
    return path


_Region = tuple[int, int]


def _items(file: BinaryIO, path: list[Box], changes: FieldTexts) -> tuple[_Region, list[Piece]]:
    ilst = path[-1]
    entries = [_entry(file, box) for box in boxes(file, ilst.inside, ilst.end)]
    pieces = with_changes(entries, Family.MP4, changes, _made, _SUPERSEDED)
    size = 8 + sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in pieces)
    siblings = _children(file, path[2])
    free = next((box for box in siblings if box.at == ilst.end and box.kind == b"free"), None)
    end = free.end if free else ilst.end
    spare = end - ilst.at - size
    if spare != 0 and spare < 8:
        spare = 8 + NEW_PADDING
    padding = [_box(b"free", bytes(spare - 8))] if spare else []
    return (ilst.at, end), [struct.pack(">I", size) + b"ilst", *pieces, *padding]


def _new_items(path: list[Box], items: bytes) -> tuple[_Region, list[Piece]]:
    data = _box(b"ilst", items) + _box(b"free", bytes(NEW_PADDING))
    if len(path) < 3:
        data = _box(b"meta", bytes(4) + _box(b"hdlr", _META_HANDLER) + data)
    if len(path) < 2:
        data = _box(b"udta", data)
    end = path[-1].end
    return (end, end), [data]


def _entry(file: BinaryIO, box: Box) -> Entry:
    kept = Kept(box.at, box.end - box.at)
    name = box.kind.decode("latin-1")
    if name != "----":
        return Entry(name, name, kept)
    parts = {
        part.kind: read_at(file, part.inside + 4, part.end - part.inside - 4)
        for part in _free_parts(file, box)
    }
    mean, spelled = (parts.get(kind, b"").decode("utf-8", "replace") for kind in (b"mean", b"name"))
    full = f"----:{mean}:{spelled}"
    return Entry(full.lower(), full, kept)


def _free_parts(file: BinaryIO, box: Box) -> Iterator[Box]:
    for part in boxes(file, box.inside, box.end):
        if part.kind in (b"mean", b"name") and part.end - part.inside < 1024:
            yield part


def _made(field: str, spelled: str, texts: tuple[str, ...]) -> list[bytes]:
    if spelled.startswith("----"):
        _, mean, name = spelled.split(":", 2)
        values = b"".join(_data(_TEXT, text.encode()) for text in texts)
        labels = _box(b"mean", bytes(4) + mean.encode()) + _box(b"name", bytes(4) + name.encode())
        return [_box(b"----", labels + values)]
    if spelled in ("trkn", "disk"):
        number, _, total = texts[0].partition("/")
        pair = struct.pack(">HHH", 0, int(number), int(total or 0))
        return [_box(spelled.encode(), _data(_IMPLICIT, pair + (bytes(2) if spelled == "trkn" else b"")))]
    name_bytes = spelled.encode("latin-1")
    if spelled in ("tmpo", "\xa9mvi"):
        return [_box(name_bytes, _data(_INTEGER, struct.pack(">H", round(float(texts[0])))))]
    if spelled == "rtng":
        return [_box(name_bytes, _data(_INTEGER, bytes((int(texts[0]),))))]
    return [_box(name_bytes, b"".join(_data(_TEXT, text.encode()) for text in texts))]


def _data(kind: int, value: bytes) -> bytes:
    return _box(b"data", struct.pack(">II", kind, 0) + value)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _resized(file: BinaryIO, around: list[Box], grown: int) -> Iterator[Edit]:
    for box in around:
        size = box.end - box.at + grown
        if box.open_ended:
            continue
        if box.inside - box.at == 16:
            yield Edit(box.at + 8, 8, struct.pack(">Q", size))
        elif size >> 32:
            raise CannotWrite("its moov box would grow too long")
        else:
            yield Edit(box.at, 4, struct.pack(">I", size))


def _moved(file: BinaryIO, top: list[Box], place: int, grown: int) -> Iterator[Edit]:
    if any(box.kind in (b"moof", b"mfra", b"sidx") for box in top):
        raise CannotWrite("it is a fragmented MP4 file without room for the tags")
    moov = next(box for box in top if box.kind == b"moov")
    for track in (box for box in _children(file, moov) if box.kind == b"trak"):
        for table in _chunk_tables(file, track):
            yield from _moved_table(file, table, place, grown)


def _chunk_tables(file: BinaryIO, track: Box) -> Iterator[Box]:
    found = [track]
    for kind in (b"mdia", b"minf", b"stbl"):
        found = [child for box in found for child in _children(file, box) if child.kind == kind]
    for box in found:
        yield from (child for child in _children(file, box) if child.kind in (b"stco", b"co64"))


def _moved_table(file: BinaryIO, table: Box, place: int, grown: int) -> Iterator[Edit]:
    letter, width = ("I", 4) if table.kind == b"stco" else ("Q", 8)
    count = int.from_bytes(read_at(file, table.inside + 4, 4), "big")
    start = table.inside + 8
    if start + count * width > table.end or count * width > MAX_TABLE_BYTES:
        raise CannotWrite("its table of chunks does not fit into its box")
    places = struct.unpack(f">{count}{letter}", read_at(file, start, count * width))
    moved = [at + grown if at >= place else at for at in places]
    if moved and max(moved) >> 8 * width:
        raise CannotWrite("its sound would lie too far from the start")
    if any(at >= place for at in places):
        yield Edit(start, count * width, struct.pack(f">{count}{letter}", *moved))
