"""Reads a file's words without its sound: hash, tags, the length that it claims. Runs in a worker process.

It is the short way to an item that can be searched for, at a hundredth of the cost of
:mod:`radio.library.probe`. Nothing here imports FFmpeg or NumPy, so that the process starts at once.
"""

from __future__ import annotations

import os
import stat
from hashlib import blake2b
from io import BufferedReader, BytesIO, FileIO
from pathlib import Path
from typing import Any, Final

import msgspec

from radio.audio.guard import check_open
from radio.errors import AudioError
from radio.library.claimed import claimed_ms
from radio.library.items import Item
from radio.library.tagged import tags_in
from radio.library.tags import Tags, tags_of
from radio.library.walk import inode_of
from radio.units import DurationMs

HASH_BYTES: Final = 20
"""The length of a content hash; as text it has twice as many digits."""

_READ_BYTES: Final = 1 << 20
_OPEN_FLAGS: Final = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


class Glanced(msgspec.Struct, frozen=True):
    """A file of which only the words were read: an item that is not measured, and its tags.

    The item's id is for the caller to decide: here it is the content's hash. ``tags`` are a
    :class:`radio.library.tags.Tags` where they were read, and plain data on the other side of a pipe.
    """

    item: Item
    tags: Any


class Unsettled(msgspec.Struct, frozen=True):
    """A file that changed while it was read or could not be read now; a later scan looks at it again."""

    path: str
    reason: str


def glance(root: Path, name: str) -> Glanced | None:
    """Read the words of the file ``name`` below ``root``; nothing is decoded, no picture read.

    None for a file that changes meanwhile and for everything that a probe should look at first: what it would
    reject or could not read, and what has no tags that mutagen understands. Never raises for what the file is
    or holds.
    """
    path = root / name
    try:
        handle, status = _opened(path)
        with os.fdopen(handle, "rb", buffering=0) as raw:
            content_hash, small = _hashed(raw, status)
            file = BufferedReader(raw) if small is None else BytesIO(small)
            check_open(path, status, file)
            if (tagged := tags_in(file)) is None:
                return None
            length_ms, tags = claimed_ms(file, tagged), tags_of(tagged, path.stem)
            item = _unmeasured(placed(root, name, status), content_hash, length_ms, tags)
    except Exception:  # the probe will say what is wrong with it
        return None
    return Glanced(item, tags) if is_unchanged(path, status) else None


def hashed(path: Path) -> tuple[os.stat_result, str]:
    """The status and the BLAKE2b hash (20 bytes, as hex) of a regular file's content.

    Raises AudioError for anything but a regular file, which is never read; OSError.
    """
    handle, status = _opened(path)
    with os.fdopen(handle, "rb", buffering=0) as raw:
        return status, _hashed(raw, status)[0]


def is_unchanged(path: Path, before: os.stat_result) -> bool:
    """Whether the file still is as it was."""
    try:
        after = path.stat()
    except OSError:
        return False
    return _content_key(before) == _content_key(after)


def placed(root: Path, name: str, status: os.stat_result) -> dict[str, Any]:
    """The fields of an item that its place gives."""
    return {
        "root": str(root),
        "path": name,
        "size_bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "inode": inode_of(status),
        "category": name.partition("/")[0] if "/" in name else "",
    }


_SAID: Final = {
    "title": "title", "artist": "artist", "album": "album", "album_artist": "album_artist", "genre": "genre",
    "date": "date", "composer": "composer", "conductor": "conductor", "label": "label", "isrc": "isrc",
    "language": "language", "explicit": "explicit", "bpm": "bpm", "musical_key": "initial_key", "work": "work",
    "movement": "movement", "ensemble": "ensemble",
}  # fmt: skip
"""The fields of an item that the tags give, and what they are called there."""


def said(tags: Tags) -> dict[str, Any]:
    """The fields of an item that its tags give."""
    return {field: getattr(tags, name, None) for field, name in _SAID.items()}


def _opened(path: Path) -> tuple[int, os.stat_result]:
    handle = os.open(path, os.O_RDONLY | _OPEN_FLAGS)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise AudioError(path, "not a regular file")
    return handle, status


def _hashed(raw: FileIO, status: os.stat_result) -> tuple[str, bytes | None]:
    """The hash, and the whole content where it is small."""
    content = raw.read(min(status.st_size + 1, _READ_BYTES)) or b""
    digest = blake2b(content, digest_size=HASH_BYTES)
    is_whole = len(content) == status.st_size < _READ_BYTES
    while not is_whole and (block := raw.read(_READ_BYTES)):
        digest.update(block)
    return digest.hexdigest(), content if is_whole else None


def _unmeasured(place: dict[str, Any], content_hash: str, length_ms: DurationMs, tags: Tags) -> Item:
    return Item(
        id=content_hash,
        content_hash=content_hash,
        duration_ms=length_ms,
        cue_in_ms=DurationMs(0),
        cue_out_ms=length_ms,
        measured=False,
        **place,
        **said(tags),
    )


def _content_key(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev
