"""A change of a file as a list of places that become other bytes: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os.path import commonprefix
from typing import BinaryIO, Final

import msgspec

from radio.library.riff import read_at

BLOCK_BYTES: Final = 1 << 20


class Edit(msgspec.Struct, frozen=True, array_like=True):
    """``length`` bytes at ``at`` become ``data``."""

    at: int
    length: int
    data: bytes


class Kept(msgspec.Struct, frozen=True):
    """A run of the old file that stays as it is."""

    at: int
    length: int


Piece = Kept | bytes
"""A part of a region that is put together anew: old bytes at their place, or new ones."""


class CannotWrite(Exception):
    """The tags of a file cannot be changed; the message says why."""


def edits_of(start: int, end: int, pieces: Iterable[Piece]) -> list[Edit]:
    """The edits that make the bytes from ``start`` to ``end`` into ``pieces``; kept ones in rising order."""
    edits: list[Edit] = []
    at, fresh = start, b""
    for piece in (*pieces, Kept(end, 0)):
        if isinstance(piece, bytes):
            fresh += piece
            continue
        if fresh or piece.at > at:
            edits.append(Edit(at, piece.at - at, fresh))
        at, fresh = piece.at + piece.length, b""
    return edits


def ordered(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits by place, without those that change nothing. :raises ValueError: two of them overlap."""
    kept = sorted(
        (edit for edit in edits if edit.length or edit.data), key=lambda edit: (edit.at, edit.length)
    )
    for before, after in zip(kept, kept[1:], strict=False):
        if before.at + before.length > after.at:
            raise ValueError(f"two edits overlap at byte {after.at}")
    return tuple(kept)


def effective(edits: Iterable[Edit], file: BinaryIO) -> tuple[Edit, ...]:
    """The edits in order, each cut down to the bytes of ``file`` that it does change."""
    cut = []
    for edit in edits:
        old, new = read_at(file, edit.at, edit.length), edit.data
        head = len(commonprefix((old, new)))
        tail = len(commonprefix((old[head:][::-1], new[head:][::-1])))
        cut.append(Edit(edit.at + head, edit.length - head - tail, new[head : len(new) - tail]))
    return ordered(cut)


def inverse(edits: Sequence[Edit], file: BinaryIO) -> tuple[Edit, ...]:
    """What makes the edited file into the old one again; ``file`` is the old one. Needs ordered edits."""
    undone, shift = [], 0
    for edit in edits:
        undone.append(Edit(edit.at + shift, len(edit.data), read_at(file, edit.at, edit.length)))
        shift += len(edit.data) - edit.length
    return tuple(undone)


def growth(edits: Iterable[Edit]) -> int:
    """How many bytes longer the file becomes."""
    return sum(len(edit.data) - edit.length for edit in edits)
