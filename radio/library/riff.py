"""Chunks of RIFF WAVE, RF64 and AIFF files: where they stand, and the text that their INFO lists hold.

Formats: Multimedia Programming Interface and Data Specifications 1.0 (1991), chapters 2 and 3; EBU Tech 3306
(RF64); Audio Interchange File Format 1.3 (Apple, 1989).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO, Final, Literal

import msgspec

MAX_CHUNKS: Final = 2000
MAX_TEXT_BYTES: Final = 1 << 20
"""The longest chunk of text that is read."""

AIFF_TEXTS: Final = (b"NAME", b"AUTH", b"(c) ", b"ANNO")
"""The text chunks of AIFF (section 12)."""

Order = Literal["little", "big"]


class Chunk(msgspec.Struct, frozen=True):
    """One chunk: ``at`` is the place of its head in the file, ``size`` the bytes of its data."""

    id: bytes
    at: int
    size: int

    @property
    def data_at(self) -> int:
        """Where the data starts."""
        return self.at + 8

    @property
    def end(self) -> int:
        """Where the next chunk starts; chunks lie at even places."""
        return self.at + 8 + self.size + self.size % 2


class Form(msgspec.Struct, frozen=True):
    """A file of chunks: ``id`` is RIFF, RF64 or FORM, ``kind`` WAVE, AIFF or AIFC."""

    id: bytes
    kind: bytes
    chunks: tuple[Chunk, ...]
    file_bytes: int

    @property
    def order(self) -> Order:
        """The order of bytes in numbers."""
        return "big" if self.id == b"FORM" else "little"

    def first(self, *ids: bytes) -> Chunk | None:
        """The first chunk that has one of the ids."""
        return next((chunk for chunk in self.chunks if chunk.id in ids), None)


def read_form(file: BinaryIO) -> Form | None:
    """The chunks of the file, or None where it is none of these formats.

    At most :data:`MAX_CHUNKS`; a chunk that says more bytes than there are ends with the file.
    """
    head = read_at(file, 0, 12)
    if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64", b"FORM"):
        return None
    end = file.seek(0, os.SEEK_END)
    order: Order = "big" if head[:4] == b"FORM" else "little"
    return Form(head[:4], head[8:12], tuple(_chunks(file, 12, end, order)), end)


def _chunks(file: BinaryIO, at: int, end: int, order: Order) -> Iterator[Chunk]:
    data_bytes = 0
    for _ in range(MAX_CHUNKS):
        head = read_at(file, at, 8)
        if len(head) < 8 or at + 8 > end:
            return
        size = int.from_bytes(head[4:], order)
        if head[:4] == b"ds64":
            data_bytes = int.from_bytes(read_at(file, at + 16, 8), "little")
        elif head[:4] == b"data" and size == 0xFFFF_FFFF:
            size = data_bytes or size
        chunk = Chunk(head[:4], at, min(size, end - at - 8))
        yield chunk
        at = chunk.end


def chunk_data(file: BinaryIO, chunk: Chunk, limit: int = MAX_TEXT_BYTES) -> bytes:
    """The data of a chunk, at most ``limit`` bytes of it."""
    return read_at(file, chunk.data_at, min(chunk.size, limit))


def info_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The entries of a LIST chunk's data of type INFO: id, place of its data, length."""
    at = 4
    while at + 8 <= len(data):
        size = min(int.from_bytes(data[at + 4 : at + 8], "little"), len(data) - at - 8)
        yield data[at : at + 4], at + 8, size
        at += 8 + size + size % 2


def bare_texts(file: BinaryIO, form: Form) -> dict[str, list[str]]:
    """The texts of INFO lists, or of AIFF's text chunks, by id; bytes are read as Latin-1.

    Neither format says how text is encoded: see :mod:`radio.library.encodings`.
    """
    texts: dict[str, list[str]] = {}
    for chunk in form.chunks:
        if chunk.id == b"LIST" and form.order == "little":
            data = chunk_data(file, chunk)
            entries = info_chunks(data) if data[:4] == b"INFO" else ()
            for name, at, size in entries:
                _add(texts, name, data[at : at + size])
        elif chunk.id in AIFF_TEXTS and form.order == "big":
            _add(texts, chunk.id, chunk_data(file, chunk))
    return texts


def _add(texts: dict[str, list[str]], name: bytes, data: bytes) -> None:
    if text := fixed_text(data):
        texts.setdefault(name.decode("latin-1"), []).append(text)


def fixed_text(data: bytes) -> str:
    """The text of a field up to its first zero byte, as Latin-1, without ASCII white space around."""
    return data.partition(b"\0")[0].strip().decode("latin-1")


def read_at(file: BinaryIO, at: int, count: int) -> bytes:
    """``count`` bytes at ``at``, fewer where the file ends."""
    file.seek(at)
    return file.read(count)
