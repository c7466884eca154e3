"""How long a file says that it is: read from its headers by mutagen, nothing is decoded.

A claim is good enough to list a file by; what is aired is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from mutagen.aac import AACInfo
from mutagen.aiff import AIFFInfo
from mutagen.monkeysaudio import MonkeysAudioInfo
from mutagen.mp3 import MPEGInfo
from mutagen.musepack import MusepackInfo
from mutagen.wave import WaveStreamInfo
from mutagen.wavpack import WavPackInfo

from radio.audio.tag_entries import id3_bytes
from radio.library.riff import read_at
from radio.library.tagged import Container, Tagged
from radio.units import DurationMs

LONGEST_S: Final = 24 * 3_600.0
"""A longer claim is not believed."""

_Info = Callable[[BinaryIO], Any]

_AROUND: Final[tuple[tuple[bytes, _Info], ...]] = (
    (b"wvpk", WavPackInfo),
    (b"MAC ", MonkeysAudioInfo),
    (b"MPCK", MusepackInfo),
    (b"MP+", MusepackInfo),
    (b"ADIF", AACInfo),
)
_mpeg_info: Final[Callable[[BinaryIO, int], Any]] = MPEGInfo


def claimed_ms(file: BinaryIO, tagged: Tagged) -> DurationMs:
    """The length that the open file claims, 0 where it makes no claim or one that cannot be.

    ``tagged`` are the file's opened tags. Never raises.
    """
    if (info := getattr(tagged.media, "info", None)) is not None:
        return _sane_ms(info)
    try:
        return _sane_ms(_info(file, tagged.container))
    except Exception:  # a header that mutagen cannot read claims nothing
        return DurationMs(0)


def _info(file: BinaryIO, container: Container) -> Any:
    if container in (Container.RIFF, Container.AIFF):
        file.seek(0)
        info: _Info = WaveStreamInfo if container is Container.RIFF else AIFFInfo
        return info(file)
    sound_at = id3_bytes(file, 0)
    head = read_at(file, sound_at, 4)
    for magic, info in _AROUND:
        if head.startswith(magic):
            file.seek(0 if info in (MusepackInfo, AACInfo) else sound_at)
            return info(file)
    # two bits of the layer are clear in ADTS alone (ISO/IEC 13818-7, 6.2.1)
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        file.seek(0)
        return AACInfo(file)
    return _mpeg_info(file, sound_at)


def _sane_ms(info: Any) -> DurationMs:
    length_s = getattr(info, "length", None)
    if not isinstance(length_s, int | float) or not math.isfinite(length_s):
        return DurationMs(0)
    return DurationMs(round(length_s * 1000)) if 0 < length_s <= LONGEST_S else DurationMs(0)
