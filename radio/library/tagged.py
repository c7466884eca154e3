"""Opens the tags of a file with mutagen, chosen by the file's first bytes and never by its name.

Every failure of mutagen ends here: a broken or hostile tag is no tag. The time and memory that a bomb may
cost are bounded by the guards that run before and by the worker process around.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.monkeysaudio import MonkeysAudio
from mutagen.mp4 import MP4
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE
from mutagen.wavpack import WavPack

from radio.audio.guard import MAX_TAG_BYTES
from radio.audio.tag_entries import id3_bytes

HEAD_BYTES: Final = 128


class Family(StrEnum):
    """The tag systems; each has its own names for the same things."""

    ID3 = "id3"
    VORBIS = "vorbis"
    MP4 = "mp4"
    APE = "ape"
    ASF = "asf"


class Tagged(msgspec.Struct, frozen=True):
    """An opened tag: ``entries`` is mutagen's mapping, ``media`` the mutagen object that it came from."""

    family: Family
    entries: Any
    media: Any


_Opener = Callable[[str], Any]

_MAGIC: Final[tuple[tuple[int, bytes, Family, _Opener], ...]] = (
    (0, b"fLaC", Family.VORBIS, FLAC),
    (8, b"WAVE", Family.ID3, WAVE),
    (8, b"AIFF", Family.ID3, AIFF),
    (8, b"AIFC", Family.ID3, AIFF),
    (4, b"ftyp", Family.MP4, MP4),
    (0, b"wvpk", Family.APE, WavPack),
    (0, b"MAC ", Family.APE, MonkeysAudio),
    (0, bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), Family.ASF, ASF),
)

_OGG: Final[Mapping[bytes, _Opener]] = {
    b"\x01vorbis": OggVorbis,
    b"OpusHead": OggOpus,
    b"\x7fFLAC": OggFLAC,
    b"Speex   ": OggSpeex,
}


def open_tagged(path: Path) -> Tagged | None:
    """The tags of the file, or None where it has none that can be read.

    A regular file that has passed the guards is expected. Never raises for what the file holds; OSError for a
    file that cannot be opened.
    """
    tag, head = _head(path)
    if tag and has_compressed_frames(tag):
        return None
    for offset, magic, family, opener in _MAGIC:
        if head.startswith(magic, offset):
            return _open(family, opener, path)
    if head.startswith(b"OggS"):
        codec = next((opener for name, opener in _OGG.items() if name in head), OggVorbis)
        return _open(Family.VORBIS, codec, path)
    return _open_bare(Family.ID3, ID3, path) or _open_bare(Family.APE, APEv2, path)


def has_compressed_frames(tag: bytes) -> bool:
    """Whether an ID3v2 tag holds a compressed frame (ID3v2.3 section 3.3.1, ID3v2.4 section 4.1.2).

    Such frames are next to unknown in the field, and 200 kB of them can unpack to more than memory holds.
    """
    version, place = tag[3], 10
    if version == 2:
        return b"CDM" in tag
    mask = 0x80 if version == 3 else 0x08
    while place + 10 <= len(tag) and tag[place]:
        if tag[place + 9] & mask:
            return True
        size = tag[place + 4 : place + 8]
        place += 10 + (int.from_bytes(size, "big") if version == 3 else _synchsafe(size))
    return False


def _synchsafe(four: bytes) -> int:
    return sum((byte & 0x7F) << shift for byte, shift in zip(four, (21, 14, 7, 0), strict=True))


def _head(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        length = min(id3_bytes(file, 0), MAX_TAG_BYTES)
        file.seek(0)
        tag = file.read(length)
        return tag, file.read(HEAD_BYTES)


def _open(family: Family, opener: _Opener, path: Path) -> Tagged | None:
    try:
        media = opener(str(path))
        return None if media.tags is None else Tagged(family, media.tags, media)
    except (Exception, RecursionError):
        return None


def _open_bare(family: Family, opener: _Opener, path: Path) -> Tagged | None:
    try:
        entries = opener(str(path))
    except (Exception, RecursionError):
        return None
    return Tagged(family, entries, entries)
