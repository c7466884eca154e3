"""ID3v2 tags with some frames changed; all other frames stay as they are, and so does the version.

New frames are made by mutagen. Formats: https://id3.org/id3v2-00, https://id3.org/id3v2.3.0,
https://id3.org/id3v2.4.0-structure, https://id3.org/ID3v1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Final

import msgspec
from mutagen.id3 import ID3, TCON, Frames, Frames_2_2

from radio.library.tag_edits import CannotWrite, Kept, Piece
from radio.library.tag_entries import Entry, FieldTexts, with_changes
from radio.library.tag_names import Family

NEW_PADDING: Final = 2048
MAX_PADDING: Final = 1 << 20
"""More padding than this is given up when the tag is written."""

MAX_TAG_BYTES: Final = 1 << 28
_MAX_FRAMES: Final = 2000
_UNSYNC: Final = 0x80
_EXTENDED: Final = 0x40
_EXPERIMENTAL: Final = 0x20
_FRAME_ID: Final = re.compile(rb"[A-Z][A-Z0-9]{2,3}")
_SUPERSEDED: Final = frozenset({"RVA2:track", "RVA2:album"})
_OLD_DATES: Final = {"TYER": "TDRC", "TDAT": "TDRC", "TIME": "TDRC", "TORY": "TDOR"}

_frame_types: Final[Mapping[str, Callable[..., Any]]] = Frames
_tag: Final[Callable[..., Any]] = ID3
_genres: Final[list[str]] = TCON.GENRES
_LONG_NAMES: Final[dict[str, str]] = {short: kind.__bases__[0].__name__ for short, kind in Frames_2_2.items()}
_SHORT_NAMES: Final = {long: short for short, long in reversed(_LONG_NAMES.items())}


class _Frame(msgspec.Struct, frozen=True):
    name: str
    at: int
    body_at: int
    end: int
    flags: int


class _Layout(msgspec.Struct, frozen=True):
    version: int
    flags: int
    frames: tuple[_Frame, ...]
    data: bytes
    """The tag as frames are read from it: without unsynchronisation of the whole."""


def rewritten_id3(data: bytes, at: int, changes: FieldTexts) -> list[Piece]:
    """The ID3v2 tag ``data``, which stands at ``at`` in its file, with ``changes``; a new one of version 2.4
    where there is none yet (``data`` empty).

    Padding takes up the difference where it can, so that what follows stays at its place. The extended header
    and the footer, which describe the tag as it was, go. :raises CannotWrite: the tag makes no sense.
    """
    layout = _layout(data) if data else _Layout(4, 0, (), b"")
    whole = bool(layout.flags & _UNSYNC) and layout.version < 4
    entries = [_entry(layout, frame, at, keep=not whole) for frame in layout.frames]
    frames = _with_dates(entries, changes, layout.version)
    if whole:
        frames = [_unsynchronised(b"".join(piece for piece in frames if isinstance(piece, bytes)))]
    return _framed(layout, frames, len(data))


def _framed(layout: _Layout, frames: list[Piece], room: int) -> list[Piece]:
    needed = 10 + sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in frames)
    padding = room - needed
    if not 0 <= padding <= MAX_PADDING:
        padding = NEW_PADDING
    size = needed - 10 + padding
    if size > MAX_TAG_BYTES:
        raise CannotWrite("its ID3v2 tag would grow too long")
    flags = layout.flags & (_UNSYNC | _EXPERIMENTAL)
    head = b"ID3" + bytes((layout.version, 0, flags)) + _synchsafe(size)
    return [head, *frames, bytes(padding)]


def _with_dates(entries: list[Entry], changes: FieldTexts, version: int) -> list[Piece]:
    def make(field: str, spelled: str, texts: tuple[str, ...]) -> list[bytes]:
        return [_frame_bytes(frame, version) for frame in _frames(field, spelled, texts, version)]

    return with_changes(entries, Family.ID3, changes, make, _SUPERSEDED)


def _layout(data: bytes) -> _Layout:
    version, flags = data[3], data[5]
    if version not in (2, 3, 4) or len(data) < 10:
        raise CannotWrite(f"ID3v2.{version} is not known")
    if flags & _UNSYNC and version < 4:
        data = data[:10] + data[10:].replace(b"\xff\x00", b"\xff")
    start, end = 10 + _extended_bytes(data, version, flags), len(data) - (10 if flags & 0x10 else 0)
    for synchsafe in (True, False) if version == 4 else (False,):
        frames = _walked(data, start, end, version, synchsafe=synchsafe)
        if frames is not None:
            return _Layout(version, flags, frames, data)
    raise CannotWrite("its ID3v2 frames cannot be told apart")


def _extended_bytes(data: bytes, version: int, flags: int) -> int:
    if not flags & _EXTENDED or version == 2 or _FRAME_ID.fullmatch(data[10:14]):
        return 0
    size = data[10:14]
    return _from_synchsafe(size) if version == 4 else 4 + int.from_bytes(size, "big")


def _walked(data: bytes, at: int, end: int, version: int, *, synchsafe: bool) -> tuple[_Frame, ...] | None:
    id_bytes, head_bytes = (3, 6) if version == 2 else (4, 10)
    frames: list[_Frame] = []
    while at + head_bytes <= end and data[at]:
        name, size = data[at : at + id_bytes], data[at + id_bytes : at + 2 * id_bytes]
        length = _from_synchsafe(size) if synchsafe else int.from_bytes(size, "big")
        after = at + head_bytes + length
        known = _FRAME_ID.fullmatch(name) and (not synchsafe or max(size) < 0x80)
        if not known or after > end or len(frames) == _MAX_FRAMES:
            return None
        flags = data[at + 9] if version > 2 else 0
        frames.append(_Frame(name.decode("ascii"), at, at + head_bytes, after, flags))
        at = after
    return None if data[at:end].strip(b"\0") else tuple(frames)


def _entry(layout: _Layout, frame: _Frame, at: int, *, keep: bool) -> Entry:
    body = layout.data[frame.body_at : frame.end]
    long = _LONG_NAMES.get(frame.name, frame.name) if layout.version == 2 else frame.name
    name, spelled = _names(long, _payload(body, frame.flags, layout.version))
    head = layout.data[frame.at : frame.body_at]
    piece: Piece = Kept(at + frame.at, frame.end - frame.at) if keep else head + body
    if keep and layout.version == 4 and head[4:8] != _synchsafe(len(body)):  # a plain size, as iTunes wrote
        piece = head[:4] + _synchsafe(len(body)) + head[8:] + body
    return Entry(name, spelled, piece)


def _payload(body: bytes, flags: int, version: int) -> bytes:
    if version == 4:
        body = body[(1 if flags & 0x40 else 0) + (4 if flags & 0x01 else 0) :]
        return body.replace(b"\xff\x00", b"\xff") if flags & 0x02 else body
    return body[1:] if version == 3 and flags & 0x20 else body


def _names(name: str, body: bytes) -> tuple[str, str]:
    if name in _OLD_DATES:
        return _OLD_DATES[name], _OLD_DATES[name]
    if name == "TXXX" and body:
        desc = _described(body[0], body[1:])
        return f"TXXX:{desc.lower()}", f"TXXX:{desc}"
    if name == "COMM" and len(body) > 4:
        desc, language = _described(body[0], body[4:]), body[1:4].decode("latin-1")
        return (f"COMM:{desc.lower()}" if desc else name), f"COMM:{language}:{desc}"
    if name in ("UFID", "RVA2"):
        owner = body.partition(b"\0")[0].decode("latin-1")
        return f"{name}:{owner if name == 'UFID' else owner.lower()}", f"{name}:{owner}"
    return name, name


def _described(encoding: int, data: bytes) -> str:
    if encoding in (1, 2):
        end = next((at for at in range(0, len(data) - 1, 2) if data[at : at + 2] == b"\0\0"), len(data))
        return data[:end].decode("utf-16" if encoding == 1 else "utf-16-be", "replace")
    return data.partition(b"\0")[0].decode("utf-8" if encoding == 3 else "latin-1", "replace")


def _frames(field: str, spelled: str, texts: tuple[str, ...], version: int) -> list[Any]:
    encoding = 3 if version == 4 else 1
    if version < 4 and all(text.isascii() for text in texts):
        encoding = 0
    kind, _, detail = spelled.partition(":")
    if kind == "COMM":
        language, _, desc = detail.partition(":")
        return [_frame_types["COMM"](encoding=encoding, lang=language or "eng", desc=desc, text=list(texts))]
    if kind == "TXXX":
        return [_frame_types["TXXX"](encoding=encoding, desc=detail, text=list(texts))]
    if kind == "UFID":
        return [_frame_types["UFID"](owner=detail, data=text.encode("ascii")) for text in texts[:1]]
    if version < 4 and kind in ("TDRC", "TDOR"):
        return _old_dates(kind, texts[0], version)
    return [_frame_types[kind](encoding=encoding, text=list(texts))]


def _old_dates(kind: str, date: str, version: int) -> list[Any]:
    year, _, month_day = date.partition("-")
    frames = [_frame_types["TYER" if kind == "TDRC" else "TORY"](encoding=0, text=[year])]
    if kind == "TDRC" and len(month_day) == 5:
        frames.append(_frame_types["TDAT"](encoding=0, text=[month_day[3:] + month_day[:2]]))
    elif month_day and version == 3:  # what the old frames cannot say, readers take from the new one
        frames.append(_frame_types[kind](encoding=0, text=[date]))
    return frames


def _frame_bytes(frame: Any, version: int) -> bytes:
    tag, buffer = _tag(), BytesIO()
    tag.add(frame)
    tag.save(buffer, v1=0, v2_version=max(version, 3), v23_sep=None, padding=lambda info: 0)
    made = buffer.getvalue()[10:]
    if version > 2:
        return made
    name = _SHORT_NAMES.get(made[:4].decode("ascii"))
    if name is None:
        raise CannotWrite(f"ID3v2.2 has no frame {made[:4].decode('ascii')}")
    return name.encode("ascii") + made[5:8] + made[10:]


def rewritten_id3v1(tag: bytes, changes: FieldTexts) -> bytes:
    """The 128 bytes of an ID3v1 tag with those of ``changes`` that it has a place for, as far as they fit."""
    is_v11 = tag[125] == 0 and tag[126] != 0
    places = {"title": (3, 30), "artists": (33, 30), "album": (63, 30), "date": (93, 4)}
    places["comment"] = (97, 28 if is_v11 else 30)
    fresh = bytearray(tag)
    for field, (at, length) in places.items():
        if field in changes:
            text = ", ".join(changes[field]).encode("latin-1", "replace")[:length]
            fresh[at : at + length] = text.ljust(length, b"\0")
    if "genres" in changes:
        named = [_genres.index(text) for text in changes["genres"][:1] if text in _genres[:255]]
        fresh[127] = named[0] if named else 255
    if "track" in changes and (is_v11 or not any(tag[125:127])):
        number = int("".join(changes["track"]).partition("/")[0] or 0)
        fresh[125:127] = bytes((0, number if number < 256 else 0))
    return bytes(fresh)


def _unsynchronised(data: bytes) -> bytes:
    return re.sub(b"\xff(?=[\x00\xe0-\xff])|\xff$", b"\xff\x00", data, flags=re.DOTALL)


def _synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _from_synchsafe(four: bytes) -> int:
    return sum((byte & 0x7F) << shift for byte, shift in zip(four, (21, 14, 7, 0), strict=False))
