"""Files known by their content: hashes, and whether a file is still the one that was read."""

from __future__ import annotations

import os
import stat
from hashlib import blake2b
from io import FileIO
from pathlib import Path
from typing import Final

from radio.errors import AudioError

HASH_BYTES: Final = 20
"""The length of a content hash; as text it has twice as many digits."""

_READ_BYTES: Final = 1 << 20
_OPEN_FLAGS: Final = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def hashed(path: Path) -> tuple[os.stat_result, str]:
    """The status and the BLAKE2b hash (20 bytes, as hex) of a regular file's content.

    Raises AudioError for anything but a regular file, which is never read; OSError.
    """
    handle, status = opened(path)
    with os.fdopen(handle, "rb", buffering=0) as raw:
        return status, hash_and_content(raw, status)[0]


def is_unchanged(path: Path, before: os.stat_result) -> bool:
    """Whether the file still is as it was."""
    try:
        after = path.stat()
    except OSError:
        return False
    return _content_key(before) == _content_key(after)


def opened(path: Path) -> tuple[int, os.stat_result]:
    """A descriptor of a regular file and its status. Raises AudioError for anything else, OSError."""
    handle = os.open(path, os.O_RDONLY | _OPEN_FLAGS)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise AudioError(path, "not a regular file")
    return handle, status


def hash_and_content(raw: FileIO, status: os.stat_result) -> tuple[str, bytes | None]:
    """The hash of an open file, and the whole content where that is small (up to 1 MiB)."""
    content = raw.read(min(status.st_size + 1, _READ_BYTES)) or b""
    digest = blake2b(content, digest_size=HASH_BYTES)
    is_whole = len(content) == status.st_size < _READ_BYTES
    while not is_whole and (block := raw.read(_READ_BYTES)):
        digest.update(block)
    return digest.hexdigest(), content if is_whole else None


def _content_key(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev
