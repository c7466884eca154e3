"""How many entries the tags of a file hold, found by stepping over them; nothing is read but their heads.

Formats: ID3v2 (https://id3.org/id3v2.4.0-structure), FLAC (RFC 9639, section 8), Vorbis comments in Ogg
(Vorbis I, section 5; RFC 7845, section 5.2), RIFF WAVE and AIFF chunks, ISO base media boxes (ISO/IEC
14496-12). Others are counted in :mod:`radio.audio.other_entries`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO, Final, Literal

from radio.audio.other_entries import ASF_HEADER, ape_entries, asf_entries

_OGG_PAGES: Final = 8
_LONGEST_VENDOR: Final = 4096
_TAG_BOXES: Final = frozenset((b"moov", b"udta", b"meta", b"ilst", b"trak", b"mdia", b"minf", b"edts"))
_MAX_DEPTH: Final = 6


class TooManyEntries(Exception):
    """The tags of a file hold more entries than is allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the tags hold more than {limit} entries")


class _Counter:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0

    def add(self, n: int = 1) -> None:
        self._count += n
        if self._count > self._limit:
            raise TooManyEntries(self._limit)


def id3_bytes(file: BinaryIO, start: int) -> int:
    """The whole length of the ID3v2 tag at ``start``, or 0 where none stands."""
    head = _at(file, start, 10)
    if len(head) < 10 or head[:3] != b"ID3" or 0xFF in head[3:5] or max(head[6:10]) > 0x7F:
        return 0
    footer = 10 if head[3] == 4 and head[5] & 0x10 else 0
    return 10 + _syncsafe(head[6:10]) + footer


def count_entries(file: BinaryIO, start: int, limit: int) -> None:
    """Step over the entries of whatever tag or container stands at ``start``, and those of an APEv2 tag at the
    end of the file; an unknown one has none.

    :raises TooManyEntries: more than ``limit``. :raises ValueError: a comment header that makes no sense.
    """
    head = _at(file, start, 16)
    counter = _Counter(limit)
    counter.add(ape_entries(file))
    walk: Callable[[BinaryIO, int, _Counter], None] | None = None
    if id3_bytes(file, start):
        walk = _id3
    elif head[:4] == b"fLaC":
        walk = _flac
    elif head[:4] == b"OggS":
        walk = _ogg
    elif head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        walk = _riff
    elif head[:4] == b"FORM" and head[8:11] == b"AIF":
        walk = _aiff
    elif head[4:8] == b"ftyp":
        walk = _mp4
    elif head == ASF_HEADER:
        counter.add(asf_entries(file, start, limit))
    if walk is not None:
        walk(file, start, counter)


def _id3(file: BinaryIO, start: int, counter: _Counter) -> None:
    end = start + id3_bytes(file, start)
    head = _at(file, start, 14)
    version, flags, at = head[3], head[5], start + 10
    if len(head) < 14:
        return
    if flags & 0x40 and version == 4:
        at += _syncsafe(head[10:14])
    elif flags & 0x40 and version == 3:
        at += 4 + int.from_bytes(head[10:14], "big")
    head_bytes = 6 if version == 2 else 10
    while at + head_bytes <= end:
        frame = _at(file, at, head_bytes)
        if len(frame) < head_bytes or not frame[0]:
            return
        counter.add()
        at += head_bytes + _id3_frame_bytes(frame, version)


def _id3_frame_bytes(head: bytes, version: int) -> int:
    if version == 2:
        return int.from_bytes(head[3:6], "big")
    return _syncsafe(head[4:8]) if version == 4 else int.from_bytes(head[4:8], "big")


def _flac(file: BinaryIO, start: int, counter: _Counter) -> None:
    at, last = start + 4, False
    while not last:
        head = _at(file, at, 4)
        if len(head) < 4:
            return
        counter.add()
        last, kind, size = bool(head[0] & 0x80), head[0] & 0x7F, int.from_bytes(head[1:4], "big")
        if kind == 4:
            counter.add(_comments(file, at + 4))
        at += 4 + size


def _ogg(file: BinaryIO, start: int, counter: _Counter) -> None:
    # The comment packet of each stream starts a page of its own, right after the streams' first pages.
    at, flac = start, _at(file, start, 64).find(b"\x7fFLAC") >= 0
    for _ in range(_OGG_PAGES):
        head = _at(file, at, 27 + 255)
        if len(head) < 28 or head[:4] != b"OggS":
            return
        segments = head[26]
        packet = at + 27 + segments
        mark = _ogg_comment_mark(_at(file, packet, 8), flac)
        if mark:
            counter.add(_comments(file, packet + mark))
        at = packet + sum(head[27 : 27 + segments])


def _ogg_comment_mark(packet: bytes, flac: bool) -> int:
    if packet[:7] == b"\x03vorbis":
        return 7
    if packet[:8] == b"OpusTags":
        return 8
    return 4 if flac and packet[:1] in (b"\x04", b"\x84") else 0


def _comments(file: BinaryIO, at: int) -> int:
    vendor = int.from_bytes(_at(file, at, 4), "little")
    if vendor > _LONGEST_VENDOR:
        raise ValueError(f"a comment header with a vendor name of {vendor} bytes")
    return int.from_bytes(_at(file, at + 4 + vendor, 4), "little")


def _riff(file: BinaryIO, start: int, counter: _Counter) -> None:
    _chunks(file, start + 12, _size(file), counter, "little")


def _aiff(file: BinaryIO, start: int, counter: _Counter) -> None:
    _chunks(file, start + 12, _size(file), counter, "big")


def _chunks(
    file: BinaryIO,
    start: int,
    end: int,
    counter: _Counter,
    order: Literal["little", "big"],
    inside: bool = False,
) -> None:
    at = start
    while at + 8 <= end:
        head = _at(file, at, 12)
        size = int.from_bytes(head[4:8], order)
        counter.add()
        if head[:4] == b"LIST" and head[8:12] == b"INFO" and not inside:
            _chunks(file, at + 12, min(end, at + 8 + size), counter, order, inside=True)
        elif head[:4] in (b"id3 ", b"ID3 ") and id3_bytes(file, at + 8):
            _id3(file, at + 8, counter)
        at += 8 + size + size % 2


def _mp4(file: BinaryIO, start: int, counter: _Counter) -> None:
    _boxes(file, start, _size(file), counter, 0)


def _boxes(file: BinaryIO, start: int, end: int, counter: _Counter, depth: int) -> None:
    at = start
    while at + 8 <= end:
        head = _at(file, at, 16)
        if len(head) < 8:
            return
        size, kind, head_bytes = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, head_bytes = int.from_bytes(head[8:16], "big"), 16
        size = size or end - at
        if size < head_bytes:
            return
        counter.add()
        if kind in _TAG_BOXES and depth < _MAX_DEPTH:
            inside = at + head_bytes + (4 if kind == b"meta" else 0)
            _boxes(file, inside, min(end, at + size), counter, depth + 1)
        at += size


def _syncsafe(four: bytes) -> int:
    number = int.from_bytes(four.ljust(4, b"\0"), "big")
    return (number & 0x7F) | (number & 0x7F00) >> 1 | (number & 0x7F0000) >> 2 | (number & 0x7F000000) >> 3


def _at(file: BinaryIO, at: int, n: int) -> bytes:
    file.seek(at)
    return file.read(n)


def _size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)
