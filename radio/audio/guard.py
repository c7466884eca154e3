"""What is checked of a file by hand before FFmpeg may see it.

FFmpeg reads tags into a list that it searches from the start for every entry, in C and before any time-out
can act: a file of half a megabyte with 20,000 tag entries holds a thread for seconds. A FIFO holds it for
ever. The checks here read a few kilobytes and have a bound on everything.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from radio.audio.tag_entries import TooManyEntries, count_entries, id3_bytes
from radio.errors import AudioError

MAX_FILE_BYTES: Final = 4 * 1024**3
MAX_TAG_BYTES: Final = 16 * 1024**2
MAX_TAG_ENTRIES: Final = 2000
MAX_TAGS: Final = 8


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that may be opened: its size, its time of change, and the bytes of ID3v2 tags before its
    sound."""

    path: Path
    size_bytes: int
    mtime_ns: int
    sound_offset: int


def check_file(path: Path) -> CheckedFile:
    """Refuse what must not be opened as sound.

    Allowed are regular files of 1 byte to 4 GiB whose leading ID3v2 tags have at most 16 MiB each and whose
    tags of any kind (ID3v2 frames, Vorbis comments, APE items, RIFF and AIFF chunks, MP4 and ASF items) hold at most
    :data:`MAX_TAG_ENTRIES` entries. :raises AudioError: with the reason.
    """
    try:
        status = path.stat()
        _check_status(path, status)
        with path.open("rb") as file:
            return check_open(path, status, file)
    except (OSError, ValueError) as error:
        raise AudioError(path, getattr(error, "strerror", None) or str(error)) from None


def check_open(path: Path, status: os.stat_result, file: BinaryIO) -> CheckedFile:
    """The same for a file that is open, or whose bytes are at hand, with its status."""
    try:
        _check_status(path, status)
        sound_offset = _skip_id3(path, file)
        count_entries(file, sound_offset, MAX_TAG_ENTRIES)
    except TooManyEntries as error:
        raise AudioError(path, str(error)) from None
    except (OSError, ValueError) as error:
        raise AudioError(path, getattr(error, "strerror", None) or str(error)) from None
    return CheckedFile(path, status.st_size, status.st_mtime_ns, sound_offset)


def _check_status(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise AudioError(path, "not a regular file")
    if status.st_size == 0:
        raise AudioError(path, "the file is empty")
    if status.st_size > MAX_FILE_BYTES:
        raise AudioError(path, f"{status.st_size} bytes; at most {MAX_FILE_BYTES} are allowed")


def _skip_id3(path: Path, file: BinaryIO) -> int:
    start = 0
    for _ in range(MAX_TAGS):
        size = id3_bytes(file, start)
        if not size:
            return start
        if size > MAX_TAG_BYTES:
            raise AudioError(path, f"an ID3v2 tag of {size} bytes; at most {MAX_TAG_BYTES} are allowed")
        count_entries(file, start, MAX_TAG_ENTRIES)
        start += size
    raise AudioError(path, f"more than {MAX_TAGS} ID3v2 tags")
