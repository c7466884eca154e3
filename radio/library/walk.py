"""Lists the audio files below a root: bounded, sorted, inside the root, one stat for each file."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from radio.library.artwork import FOLDER_NAMES
from radio.library.items import RejectedFile

SUFFIXES: Final = frozenset(
    {".aac", ".aif", ".aifc", ".aiff", ".ape", ".flac", ".m4a", ".m4b", ".mp3"}
    | {".mp4", ".mpc", ".oga", ".ogg", ".opus", ".wav", ".wave", ".wma", ".wv"}
)
"""Endings of names that are taken for audio; what is inside decides later."""

_PICTURES: Final = frozenset(FOLDER_NAMES)
_SYSTEM_FOLDERS: Final = frozenset(
    {"lost+found", "System Volume Information", "$RECYCLE.BIN", "@eaDir", "#recycle"}
)


class WalkLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Folders below the root, audio files and all entries of one root, bytes of one file."""

    depth: int = 16
    files: int = 200_000
    entries: int = 2_000_000
    file_bytes: int = 4 << 30


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A place that could not be scanned as it should, and what an operator can do."""

    path: str
    problem: str
    advice: str


class Found(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An audio file as the folder lists it; ``path`` is POSIX and below ``root``, ``inode`` 0 for unknown."""

    root: str
    path: str
    size_bytes: int
    mtime_ns: int
    inode: int = 0

    @property
    def file(self) -> Path:
        """The absolute path of the file."""
        return Path(self.root) / self.path


class RootWalk(msgspec.Struct, kw_only=True):
    """One root's files in the order of their paths.

    ``refused`` need no look inside to be turned down. ``unread`` are paths of folders whose content is not
    known ("" for the whole root): a file that is missing there may still exist. ``bare`` says that the root
    holds nothing at all, as the mount point of a disk that is not mounted does. ``pictures`` are the pictures of
    folders by the folder ("" for the root itself), as marks that differ when a picture comes, changes or goes.
    """

    root: str
    found: list[Found] = msgspec.field(default_factory=list)
    refused: list[RejectedFile] = msgspec.field(default_factory=list)
    problems: list[Problem] = msgspec.field(default_factory=list)
    unread: list[str] = msgspec.field(default_factory=list)
    pictures: dict[str, str] = msgspec.field(default_factory=dict)
    bare: bool = False

    def knows(self, path: str) -> bool:
        """Whether the absence of ``path`` from the walk means that the file is gone."""
        return not any(not folder or path.startswith(folder + "/") for folder in self.unread)


class Stopped(Exception):
    """The walk was asked to end."""


def root_name(root: str | Path) -> str:
    """The form in which a root is written in items: absolute, without ``..`` and a trailing slash."""
    return os.path.abspath(root)


def walk(root: str | Path, stop: threading.Event, limits: WalkLimits | None = None) -> RootWalk:
    """List the audio files below ``root``; blocks on the disk, so call it in a thread.

    Hidden files and folders are skipped; links are followed as long as they lead to a place inside the root,
    each folder once. Whatever cannot be read is among the problems. Raises Stopped soon after ``stop`` is
    set.
    """
    return _Walker(root_name(root), stop, limits or WalkLimits()).run()


class _Overfull(Exception):
    """A bound of the walk was passed."""


class _Walker:
    def __init__(self, root: str, stop: threading.Event, limits: WalkLimits) -> None:
        self._root = root
        self._real_root = os.path.realpath(root)
        self._stop = stop
        self._limits = limits
        self._walked = RootWalk(root=root)
        self._seen: set[tuple[int, int]] = set()
        self._entries = 0

    def run(self) -> RootWalk:
        try:
            self._walk_all()
        except _Overfull as fault:
            self._walked.unread.append("")
            self._problem("", str(fault), "Split it into several roots. Only a part was scanned.")
        self._walked.found.sort(key=lambda found: found.path)
        return self._walked

    def _walk_all(self) -> None:
        if not _is_utf8(self._root):
            self._walked.unread.append("")
            self._problem("", "The folder's name is not UTF-8.", "Rename it.")
            return
        folders, links = [("", 0)], list[tuple[str, int]]()
        while folders or links:
            # Linked folders come last, so that a folder is known by its own path and not by a link to it.
            folder, depth = folders.pop() if folders else links.pop()
            for entry, path in self._list(folder):
                self._take(entry, path, depth, folders, links)

    def _list(self, folder: str) -> Iterator[tuple[os.DirEntry[str], str]]:
        place = os.path.join(self._root, folder) if folder else self._root
        try:
            if not self._is_new(os.stat(place)):
                return
            with os.scandir(place) as listing:
                entries = sorted(self._counted(listing), key=lambda entry: entry.name)
        except OSError as fault:
            self._unreadable(folder, place, fault)
            return
        if not folder and not entries:
            self._walked.bare = True
        for entry in entries:
            if not entry.name.startswith(".") and entry.name not in _SYSTEM_FOLDERS:
                yield entry, f"{folder}/{entry.name}" if folder else entry.name

    def _counted(self, listing: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        for entry in listing:
            if self._stop.is_set():
                raise Stopped
            self._entries += 1
            if self._entries > self._limits.entries:
                raise _Overfull(f"It holds more than {self._limits.entries} entries.")
            yield entry

    def _is_new(self, status: os.stat_result) -> bool:
        key = (status.st_dev, status.st_ino)
        new = key not in self._seen
        self._seen.add(key)
        return new

    def _take(
        self,
        entry: os.DirEntry[str],
        path: str,
        depth: int,
        folders: list[tuple[str, int]],
        links: list[tuple[str, int]],
    ) -> None:
        if self._stop.is_set():
            raise Stopped
        if entry.name in _PICTURES:
            self._picture(entry, path)
        audio = os.path.splitext(entry.name)[1].lower() in SUFFIXES
        try:
            linked = entry.is_symlink()
            if linked and not self._is_inside(entry.path):
                if audio:
                    self._refuse(path, None, "It is a link that leads out of the library's folder.")
                return
            if entry.is_dir():
                self._descend(path, depth, links if linked else folders)
            elif audio:
                self._file(path, entry.stat())
        except OSError as fault:
            if audio:
                self._refuse(path, None, f"It cannot be read: {_why(fault)}.")

    def _picture(self, entry: os.DirEntry[str], path: str) -> None:
        try:
            if not entry.is_file(follow_symlinks=False):
                return
            status = entry.stat(follow_symlinks=False)
        except OSError:
            return
        folder = path.rpartition("/")[0]
        if not _is_utf8(folder):
            return
        said = (
            f"{self._walked.pictures.get(folder, '')}\0{entry.name}\0{status.st_size}\0{status.st_mtime_ns}"
        )
        mark = blake2b(f"{said}\0{inode_of(status)}".encode(), digest_size=16)
        self._walked.pictures[folder] = mark.hexdigest()

    def _is_inside(self, place: str) -> bool:
        real = os.path.realpath(place)
        return real == self._real_root or real.startswith(os.path.join(self._real_root, ""))

    def _descend(self, path: str, depth: int, waiting: list[tuple[str, int]]) -> None:
        if depth < self._limits.depth:
            waiting.append((path, depth + 1))
            return
        self._walked.unread.append(path)
        self._problem(
            path, f"It lies deeper than {self._limits.depth} folders.", "Move it nearer to the root."
        )

    def _file(self, path: str, status: os.stat_result) -> None:
        if len(self._walked.found) + len(self._walked.refused) >= self._limits.files:
            raise _Overfull(f"It holds more than {self._limits.files} audio files.")
        if not stat.S_ISREG(status.st_mode):
            self._refuse(path, status, "It is not a regular file.")
        elif not _is_utf8(path):
            self._refuse(path, status, "Its name is not UTF-8. Rename it.")
        elif status.st_size == 0:
            self._refuse(path, status, "It is empty.")
        elif status.st_size > self._limits.file_bytes:
            self._refuse(path, status, f"It is larger than {self._limits.file_bytes} bytes.")
        else:
            self._walked.found.append(
                Found(
                    root=self._root,
                    path=path,
                    size_bytes=status.st_size,
                    mtime_ns=status.st_mtime_ns,
                    inode=inode_of(status),
                )
            )

    def _refuse(self, path: str, status: os.stat_result | None, reason: str) -> None:
        self._walked.refused.append(
            RejectedFile(
                root=self._root,
                path=storable(path),
                reason=reason,
                size_bytes=status.st_size if status else 0,
                mtime_ns=status.st_mtime_ns if status else 0,
            )
        )

    def _unreadable(self, folder: str, place: str, fault: OSError) -> None:
        self._walked.unread.append(folder)
        advice = "Let the service's user read it." if isinstance(fault, PermissionError) else _ABSENT
        self._problem(folder, f"The folder cannot be read: {_why(fault)}.", advice)

    def _problem(self, path: str, problem: str, advice: str) -> None:
        place = storable(os.path.join(self._root, path) if path else self._root)
        self._walked.problems.append(Problem(path=place, problem=problem, advice=advice))


_ABSENT: Final = "Make the folder, mount its disk, or change the library's folders in the configuration."


def inode_of(status: os.stat_result) -> int:
    """The file's number in its file system, as every database can keep it."""
    return status.st_ino & 0x7FFF_FFFF_FFFF_FFFF


def storable(path: str) -> str:
    """``path`` as text that any database takes: bytes that are not UTF-8 become ``\\xNN``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _why(fault: OSError) -> str:
    return (fault.strerror or type(fault).__name__).lower()
