"""Finds the picture that belongs to a file: embedded in its tags, or lying beside it in its folder."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from mutagen.flac import Picture

from radio.library.artwork import FOLDER_NAMES, MAX_BYTES, Artwork, artwork_of
from radio.library.tagged import Family, Tagged, open_tagged

MAX_PICTURES: Final = 16
"""Embedded pictures that are looked at in one file."""

_SAFE_FLAGS: Final = sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC")
)
_FRONT_COVER: Final = 3
_picture_block: Final[Callable[[bytes], Any]] = Picture


def picture(path: Path, tagged: Tagged | None = None) -> Artwork | None:
    """The picture of the file at ``path``: embedded, else of its folder, else None.

    ``tagged`` saves opening the tags twice. Pictures over 2 MB or 25 megapixels, of other formats than JPEG,
    PNG and WebP, or with a broken header are passed over.
    """
    tagged = tagged or open_tagged(path)
    return (_embedded(tagged) if tagged else None) or _beside(path.parent)


def _embedded(tagged: Tagged) -> Artwork | None:
    candidates: list[tuple[bool, bytes]] = []
    try:
        for kind, data in _pictures(tagged):
            candidates.append((kind != _FRONT_COVER, data))
            if len(candidates) == MAX_PICTURES:
                break
    except Exception:  # what was found before the broken one still counts
        pass
    candidates.sort(key=lambda candidate: candidate[0])
    return next((art for _, data in candidates if (art := artwork_of(data))), None)


def _pictures(tagged: Tagged) -> Iterator[tuple[int, bytes]]:
    entries = tagged.entries
    if tagged.family is Family.ID3:
        yield from ((int(frame.type), frame.data) for frame in entries.getall("APIC"))
    elif tagged.family is Family.MP4:
        yield from ((_FRONT_COVER, bytes(cover)) for cover in entries.get("covr") or ())
    elif tagged.family is Family.VORBIS:
        yield from ((int(pic.type), pic.data) for pic in getattr(tagged.media, "pictures", ()))
        for text in entries.get("metadata_block_picture") or ():
            block = _picture_block(base64.b64decode(text))
            yield int(block.type), block.data
    elif tagged.family is Family.APE:
        for name in ("Cover Art (Front)", "Cover Art (Back)"):
            if name in entries:
                yield _FRONT_COVER, bytes(entries[name].value).partition(b"\0")[2]


def _beside(folder: Path) -> Artwork | None:
    for name in FOLDER_NAMES:
        if (data := _read_small(folder / name)) and (found := artwork_of(data)):
            return found
    return None


def _read_small(path: Path) -> bytes | None:
    # A link could lead out of the root, and opening a FIFO without O_NONBLOCK would wait for a writer.
    try:
        handle = os.open(path, os.O_RDONLY | _SAFE_FLAGS)
    except OSError:
        return None
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return None
        return file.read(MAX_BYTES + 1)
