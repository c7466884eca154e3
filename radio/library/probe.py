"""Understands one file: its hash, its sound, its words and its picture. Runs in a worker process."""

from __future__ import annotations

import os
import stat
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from radio.audio.guard import check_file
from radio.audio.measure import measure
from radio.errors import AudioError
from radio.library.artwork import Artwork, picture
from radio.library.items import Item, RejectedFile
from radio.library.tagged import open_tagged
from radio.library.tags import Tags, read_tags
from radio.library.words import cleaned
from radio.units import Decibels, DurationMs, Lufs

HASH_BYTES: Final = 20
"""The length of a content hash; as text it has twice as many digits."""

_READ_BYTES: Final = 1 << 20
_OPEN_FLAGS: Final = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an item that depends on nothing but the file's bytes, and takes long to find."""

    content_hash: str
    duration_ms: DurationMs
    cue_in_ms: DurationMs
    cue_out_ms: DurationMs
    loudness_lufs: Lufs | None
    true_peak_db: Decibels | None

    @classmethod
    def of(cls, item: Item) -> Sound:
        """What was measured when ``item`` was probed."""
        return cls(**{name: getattr(item, name) for name in cls.__struct_fields__})


class Probed(msgspec.Struct, frozen=True):
    """A file that can be aired. The item's id is for the caller to decide: here it is the content's hash."""

    item: Item
    artwork: Artwork | None


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
    sound = known if known is not None and known.content_hash == content_hash else _heard(path, content_hash)
    tagged = open_tagged(path)
    art = picture(path, tagged)
    item = _item(root, name, status, sound, read_tags(path, tagged), art)
    return Probed(item, art)


def _heard(path: Path, content_hash: str) -> Sound:
    found = measure(path)
    return Sound(
        content_hash=content_hash,
        duration_ms=found.duration_ms,
        cue_in_ms=found.cue_in_ms,
        cue_out_ms=found.cue_out_ms,
        loudness_lufs=found.loudness_lufs,
        true_peak_db=found.true_peak_db,
    )


def _item(
    root: Path, name: str, status: os.stat_result, sound: Sound, tags: Tags, art: Artwork | None
) -> Item:
    return Item(
        id=sound.content_hash,
        root=str(root),
        path=name,
        size_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
        category=name.partition("/")[0] if "/" in name else "",
        title=tags.title,
        artist=tags.artist,
        album=tags.album,
        genre=tags.genre,
        date=tags.date,
        composer=tags.composer,
        artwork=art.id if art else None,
        **msgspec.structs.asdict(sound),
    )


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
