"""Puts an edited copy of a file in its place, whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

from radio.library.riff import read_at
from radio.library.tag_edits import BLOCK_BYTES, CannotWrite, Edit

HASH_BYTES: Final = 20
TEMPORARY_PREFIX: Final = ".nextup-"
"""How the names of unfinished copies start: hidden, so that no scan takes them for audio."""

TEMPORARY_SUFFIX: Final = ".tmp"
LEFT_AFTER_MS: Final = 3_600_000
"""An unfinished copy that nobody touched for so long was left by a process that was killed."""

MAX_SWEPT_ENTRIES: Final = 2_000_000

_swap_lock: Final = threading.Lock()


def writable_status(path: Path) -> os.stat_result:
    """The status of a file that may be replaced.

    :raises CannotWrite: it is a link, not a regular file, has several names, or is read-only, as is its
    folder. :raises OSError: there is no such file.
    """
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise CannotWrite("it is a symbolic link; write to the file that it names")
    if not stat.S_ISREG(status.st_mode):
        raise CannotWrite("it is not a regular file")
    if status.st_nlink > 1:
        raise CannotWrite("it has several names (hard links), which a new file would part; copy it first")
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise CannotWrite("it is read-only; give the service the right to write it")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CannotWrite("its folder is read-only; give the service the right to write there")
    return status


def replace_file(
    path: Path,
    status: os.stat_result,
    edits: Sequence[Edit],
    check: Callable[[Path, str, str], None],
    mtime_ns: int | None = None,
) -> None:
    """Apply ordered ``edits`` to the file whose ``status`` was taken before they were planned.

    A copy beside the file gets the edits, the mode, the owner and the extended attributes, is brought to the
    disk, and handed to ``check`` with the hashes (BLAKE2b, 20 bytes, hex) of the old and the new content;
    what ``check`` raises ends the work. Then the copy takes the file's name in one step. Its time of change
    is now, or ``mtime_ns``. At any failure the old file stays.

    :raises CannotWrite: the file changed meanwhile, or the copy cannot be given the file's owner or
    attributes. :raises OSError: the disk refuses.
    """
    handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, suffix=TEMPORARY_SUFFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with open(handle, "wb") as target, path.open("rb") as source:
            if not _is_same(os.fstat(source.fileno()), status):
                raise CannotWrite("it changed while it was read; try again")
            hashes = _copied(source, target, edits)
            target.flush()
            _keep_status(path, temporary, status)
            if mtime_ns is not None:
                os.utime(temporary, ns=(status.st_atime_ns, mtime_ns))
            os.fsync(target.fileno())
        check(temporary, *hashes)
        with _swap_lock:
            if not _is_same(path.lstat(), status):
                raise CannotWrite("it changed while its copy was written; try again")
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def sweep_leftovers(roots: Iterable[str | Path], now_ms: int) -> list[Path]:
    """Remove the unfinished copies below ``roots`` that are older than an hour, and return where they were.

    Blocks on the disk: call it in a thread. Links are not followed; what cannot be read or removed is left; at
    most 2,000,000 entries are looked at. A copy in the making is younger, whatever time of change it is given:
    what counts is when the system itself last noted a change of it.
    """
    swept: list[Path] = []
    entries = 0
    for root in roots:
        for folder, folders, files in os.walk(root):
            entries += len(folders) + len(files)
            if entries > MAX_SWEPT_ENTRIES:
                return swept
            left = (Path(folder, name) for name in files if _is_temporary(name))
            swept += [path for path in left if _is_swept(path, now_ms)]
    return swept


def _is_temporary(name: str) -> bool:
    return name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX)


def _is_swept(path: Path, now_ms: int) -> bool:
    try:
        status = path.lstat()
        changed_ms = max(status.st_ctime_ns, status.st_mtime_ns) // 1_000_000
        if not stat.S_ISREG(status.st_mode) or now_ms - changed_ms < LEFT_AFTER_MS:
            return False
        path.unlink()
    except OSError:
        return False
    return True


def _is_same(found: os.stat_result, before: os.stat_result) -> bool:
    keys = ("st_ino", "st_dev", "st_size", "st_mtime_ns", "st_nlink")
    return all(getattr(found, key) == getattr(before, key) for key in keys)


def _copied(source: BinaryIO, target: BinaryIO, edits: Sequence[Edit]) -> tuple[str, str]:
    old, new = blake2b(digest_size=HASH_BYTES), blake2b(digest_size=HASH_BYTES)

    def copy(end: int | None) -> None:
        while block := source.read(BLOCK_BYTES if end is None else min(BLOCK_BYTES, end - source.tell())):
            old.update(block)
            new.update(block)
            target.write(block)

    for edit in edits:
        copy(edit.at)
        old.update(read_at(source, edit.at, edit.length))
        new.update(edit.data)
        target.write(edit.data)
    copy(None)
    return old.hexdigest(), new.hexdigest()


def _keep_status(path: Path, temporary: Path, status: os.stat_result) -> None:
    fresh = temporary.stat()
    try:
        if (fresh.st_uid, fresh.st_gid) != (status.st_uid, status.st_gid):
            os.chown(temporary, status.st_uid, status.st_gid)
    except OSError:
        raise CannotWrite("a new file could not be given its owner") from None
    os.chmod(temporary, stat.S_IMODE(status.st_mode))
    if not hasattr(os, "listxattr"):
        return
    for name in _attributes(path):
        try:
            os.setxattr(temporary, name, os.getxattr(path, name))
        except OSError:
            if name.startswith("user."):
                raise CannotWrite(f"a new file could not be given its attribute {name}") from None


def _attributes(path: Path) -> list[str]:
    try:
        return os.listxattr(path)
    except OSError:  # a file system without any
        return []


def _sync_folder(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # not every system opens folders
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
