"""A schedule file on the disk: its text, and a new one put in its place, whole or not at all.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from radio.errors import ChangedMeanwhile, NotWritten, ScheduleError
from radio.schedule.texts import version_of
from radio.toml_source import LIMIT_BYTES, TomlDocument

MARK: Final = b"\xef\xbb\xbf"
"""The byte order mark with which some editors begin a file; it is no part of the text and stays where it was."""


class Source(NamedTuple):
    """The text of a schedule file, empty where there is none, and its version."""

    text: str
    version: str
    exists: bool


def read_source(path: Path) -> Source:
    """What stands in the file. Raises ScheduleError where it cannot be read or is not UTF-8."""
    if TomlDocument.is_missing(path):
        return Source("", version_of(""), False)
    try:
        with path.open("rb") as file:
            raw = file.read(LIMIT_BYTES + len(MARK) + 1)
    except OSError as fault:
        raise ScheduleError(f"cannot be read: {fault.strerror or fault}", file=path) from fault
    if len(raw) > LIMIT_BYTES:
        raise ScheduleError("is too large", file=path, allowed="1 MB of TOML")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw[: fault.start].count(b"\n") + 1
        raise ScheduleError("is not UTF-8 text", file=path, line=line) from fault
    return Source(text, version_of(text), True)


def write_source(path: Path, text: str, *, instead_of: Source | None = None) -> None:
    """Put ``text`` in the place of the file, in one step, with its mode and owner; a link goes on to lead to it.

    The new file is on the disk before it takes the name. Raises ScheduleError over 1 MB, ChangedMeanwhile where the
    file does not say ``instead_of`` any more, NotWritten where the disk or the folder refuses; the old file is then
    as it was.
    """
    data = text.encode()
    if len(data) > LIMIT_BYTES:
        raise ScheduleError("would be too large", file=path, allowed="1 MB of TOML")
    try:
        target = path.resolve()
        if target.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, data, instead_of)
    except (OSError, RuntimeError) as fault:  # RuntimeError: a circle of links, before 3.13
        reason = fault.strerror if isinstance(fault, OSError) else None
        raise NotWritten(path, reason or str(fault)) from fault


def _replace(target: Path, data: bytes, instead_of: Source | None) -> None:
    status = target.stat() if target.exists() else None
    if status and not os.access(target, os.W_OK):
        raise PermissionError(13, "it is read-only")
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write((MARK if status and _has_mark(target) else b"") + data)
            file.flush()
            os.chmod(temporary, status.st_mode & 0o7777 if status else 0o644)
            if status and (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                _keep_owner(temporary, status)
            os.fsync(file.fileno())
        if instead_of is not None and read_source(target) != instead_of:
            raise ChangedMeanwhile("The file was written meanwhile; try again.", field="If-Match")
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(target.parent)


def _keep_owner(temporary: Path, status: os.stat_result) -> None:
    if hasattr(os, "chown"):
        try:
            os.chown(temporary, status.st_uid, status.st_gid)
        except PermissionError:
            return  # only the superuser may; the content matters more


def _has_mark(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK


def _sync(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        return  # some file systems cannot; the file itself is safe
    finally:
        os.close(handle)


def remove_source(path: Path) -> None:
    """Take a file away that was not there before. Raises NotWritten."""
    try:
        path.unlink(missing_ok=True)
    except OSError as fault:
        raise NotWritten(path, fault.strerror or str(fault)) from fault
