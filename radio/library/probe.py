"""Understands one file: its hash, its sound, its words and its picture. Runs in a worker process."""

from __future__ import annotations

import os
import stat
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec

from radio.audio import fingerprint
from radio.audio.guard import check_file
from radio.audio.measure import measure
from radio.errors import AudioError
from radio.library.artwork import Artwork, picture
from radio.library.items import Item, RejectedFile
from radio.library.sound import Sound
from radio.library.tagged import open_tagged
from radio.library.tags import Tags, read_tags
from radio.library.walk import inode_of
from radio.library.words import cleaned

HASH_BYTES: Final = 20
"""The length of a content hash; as text it has twice as many digits."""

_READ_BYTES: Final = 1 << 20
_OPEN_FLAGS: Final = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


class Probed(msgspec.Struct, frozen=True):
    """A file that can be aired, with what its item was made of.

    The item's id is for the caller to decide: here it is the content's hash. ``keys`` are those of the sound's
    fingerprint.
    """

    item: Item
    artwork: Artwork | None
    sound: Sound
    tags: Tags
    keys: tuple[int, ...]


class Unsettled(msgspec.Struct, frozen=True):
    """A file that changed under the probe or could not be read now; a later scan looks at it again."""

    path: str
    reason: str


def probe(path: Path, root: Path, known: Sound | None = None) -> Probed | RejectedFile | Unsettled:
    """Probe the file at ``path`` (absolute, below ``root``).

    ``known`` is taken as the measurement where the content's hash is the same, which makes the probe of a
    renamed file cheap. Blocks for as long as decoding takes; the caller sets limits on time and memory.
    Never raises for what the file is or holds.
    """
    name = path.relative_to(root).as_posix()
    try:
        before, content_hash = hashed(path)
    except OSError as fault:
        return Unsettled(name, f"It cannot be read: {(fault.strerror or str(fault)).lower()}.")
    except AudioError as fault:
        return RejectedFile(root=str(root), path=name, reason=fault.reason, size_bytes=0, mtime_ns=0)
    outcome: Probed | RejectedFile
    try:
        outcome = _understood(path, root, name, before, content_hash, known)
    except AudioError as fault:
        outcome = _rejected(root, name, before, fault.reason)
    except MemoryError:
        outcome = _rejected(root, name, before, "needs more memory than a probe may take")
    except Exception as fault:  # a library's own surprise must not end the worker
        reason = cleaned(f"cannot be understood ({type(fault).__name__}: {fault})")
        outcome = _rejected(root, name, before, reason)
    return outcome if _is_unchanged(path, before) else Unsettled(name, "It changed while it was read.")


def hashed(path: Path) -> tuple[os.stat_result, str]:
    """The status and the BLAKE2b hash (20 bytes, as hex) of a regular file's content.

    Raises AudioError for anything but a regular file, which is never read; OSError.
    """
    handle = os.open(path, os.O_RDONLY | _OPEN_FLAGS)
    with open(handle, "rb", buffering=0) as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise AudioError(path, "not a regular file")
        digest = blake2b(digest_size=HASH_BYTES)
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return status, digest.hexdigest()


def _understood(
    path: Path, root: Path, name: str, status: os.stat_result, content_hash: str, known: Sound | None
) -> Probed:
    check_file(path)
    if known is None or known.content_hash != content_hash:
        known = Sound.measured(content_hash, measure(path))
    tagged = open_tagged(path)
    art = picture(path, tagged)
    tags = read_tags(path, tagged)
    item = _item(root, name, status, known, tags, art)
    return Probed(item, art, known, tags, tuple(sorted(fingerprint.keys(known.fingerprint))))


def _item(
    root: Path, name: str, status: os.stat_result, sound: Sound, tags: Tags, art: Artwork | None
) -> Item:
    return Item(
        id=sound.content_hash,
        root=str(root),
        path=name,
        size_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
        inode=inode_of(status),
        category=name.partition("/")[0] if "/" in name else "",
        artwork=art.id if art else None,
        **_said(tags),
        **sound.for_item(),
    )


_SAID: Final = {
    "title": "title", "artist": "artist", "album": "album", "album_artist": "album_artist", "genre": "genre",
    "date": "date", "composer": "composer", "conductor": "conductor", "label": "label", "isrc": "isrc",
    "language": "language", "explicit": "explicit", "bpm": "bpm", "musical_key": "initial_key", "work": "work",
    "movement": "movement", "ensemble": "ensemble",
}  # fmt: skip
"""The fields of an item that the tags give, and what they are called there."""


def _said(tags: Tags) -> dict[str, Any]:
    return {field: getattr(tags, name, None) for field, name in _SAID.items()}


def _rejected(root: Path, name: str, status: os.stat_result, reason: str) -> RejectedFile:
    return RejectedFile(
        root=str(root), path=name, reason=reason, size_bytes=status.st_size, mtime_ns=status.st_mtime_ns
    )


def _is_unchanged(path: Path, before: os.stat_result) -> bool:
    try:
        after = path.stat()
    except OSError:
        return False
    return _content_key(before) == _content_key(after)


def _content_key(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev
