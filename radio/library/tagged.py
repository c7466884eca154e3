"""Opens the tags of a file with mutagen, chosen by the file's first bytes and never by its name.

Every failure of mutagen ends here: a broken or hostile tag is no tag. The time and memory that a bomb may
cost are bounded by the guards that run before and by the worker process around.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import ID3, ParseID3v1
from mutagen.mp4 import MP4
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis

from radio.audio.guard import MAX_TAG_BYTES
from radio.audio.tag_entries import id3_bytes
from radio.library.ape_tag import find_ape, find_id3v1
from radio.library.bext import Bext, read_bext
from radio.library.cart import Cart, read_cart
from radio.library.riff import Form, bare_texts, chunk_data, read_at, read_form
from radio.library.tag_names import Family
from radio.library.vorbis_comments import raw_comments

HEAD_BYTES: Final = 128

__all__ = ["Broadcast", "Container", "Family", "Tagged", "has_compressed_frames", "open_tagged", "tags_in"]


class Container(StrEnum):
    """How a file is put together, which decides where its tags stand."""

    MPEG = "mpeg"
    """Sound between an ID3v2 tag in front and APEv2 and ID3v1 tags behind."""
    APE = "ape"
    """Sound before an APEv2 tag: WavPack, Monkey's Audio, Musepack, TAK, OptimFROG."""
    FLAC = "flac"
    OGG = "ogg"
    MP4 = "mp4"
    RIFF = "riff"
    AIFF = "aiff"
    ASF = "asf"
    OTHER = "other"
    """Not known; its tags stand where MPEG's do."""


class Broadcast(msgspec.Struct, frozen=True):
    """What a WAVE file's chunks for broadcasters say; ``doubts`` names those with text of unsure encoding."""

    cart: Cart | None = None
    bext: Bext | None = None
    doubts: tuple[str, ...] = ()


class Tagged(msgspec.Struct, frozen=True):
    """An opened tag: ``entries`` is mutagen's mapping (of Family.INFO: texts by id), ``media`` the mutagen
    object that it came from, ``also`` the file's further tags, the one that counts more first."""

    family: Family
    entries: Any
    media: Any = None
    container: Container = Container.OTHER
    also: tuple[Tagged, ...] = ()
    broadcast: Broadcast = Broadcast()


_Opener = Callable[[BinaryIO], Any]

_ASF_MAGIC: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_APE_MAGIC: Final = (b"wvpk", b"MAC ", b"MPCK", b"MP+", b"tBaK", b"OFR ")

_OGG: Final[Mapping[bytes, _Opener]] = {
    b"\x01vorbis": OggVorbis,
    b"OpusHead": OggOpus,
    b"\x7fFLAC": OggFLAC,
    b"Speex   ": OggSpeex,
}
_id3_tag: Final[Callable[..., Any]] = ID3
_ape_tag: Final[Callable[..., Any]] = APEv2
_parse_id3v1: Final[Callable[[bytes], Any]] = ParseID3v1


def open_tagged(path: Path) -> Tagged | None:
    """The tags of the file; empty ones where a known format has none, None where nothing can be read.

    A regular file that has passed the guards is expected. Never raises for what the file holds; OSError for a
    file that cannot be opened.
    """
    with path.open("rb") as file:
        return tags_in(file)


def tags_in(file: BinaryIO) -> Tagged | None:
    """The same for a file that is open; it may be closed afterwards."""
    tag = read_at(file, 0, min(id3_bytes(file, 0), MAX_TAG_BYTES))
    head = read_at(file, len(tag), HEAD_BYTES)
    if tag and has_compressed_frames(tag):
        return None
    try:
        return _opened(file, tag, head)
    except OSError as fault:
        if fault.errno != errno.EINVAL:  # a place before the start of the file, which a broken tag names
            raise
        return None
    except (Exception, RecursionError):
        return None


def _opened(file: BinaryIO, tag: bytes, head: bytes) -> Tagged | None:
    if head.startswith(b"fLaC"):
        return _comments(file, FLAC, Container.FLAC)
    if head.startswith(b"OggS"):
        codec = next((opener for name, opener in _OGG.items() if name in head), OggVorbis)
        return _comments(file, codec, Container.OGG)
    if head.startswith(b"ftyp", 4):
        return _whole(file, MP4, Family.MP4, Container.MP4)
    if head.startswith(_ASF_MAGIC):
        return _whole(file, ASF, Family.ASF, Container.ASF)
    if not tag and (form := read_form(file)) is not None and form.kind in (b"WAVE", b"AIFF", b"AIFC"):
        return _chunked(file, form)
    return _around(file, tag, head)


def _whole(file: BinaryIO, opener: _Opener, family: Family, container: Container) -> Tagged:
    file.seek(0)
    media = opener(file)
    return Tagged(family, {} if media.tags is None else media.tags, media, container)


def _comments(file: BinaryIO, opener: _Opener, container: Container) -> Tagged:
    opened = _whole(file, opener, Family.VORBIS, container)
    if not any("\ufffd" in text for _, text in _pairs(opened.entries)):
        return opened
    mended = dict[str, list[str]]()
    for comment in raw_comments(file).comments:
        name, _, text = comment.partition(b"=")
        mended.setdefault(name.decode("latin-1").lower(), []).append(_decoded(text))
    return msgspec.structs.replace(opened, entries=mended)


def _pairs(entries: Any) -> Any:
    return entries if isinstance(entries, list) else ()


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _chunked(file: BinaryIO, form: Form) -> Tagged:
    container = Container.AIFF if form.order == "big" else Container.RIFF
    broadcast = _broadcast(file, form) if container is Container.RIFF else Broadcast()
    chunk = form.first(b"id3 ", b"ID3 ")
    tags = [_id3(chunk_data(file, chunk, MAX_TAG_BYTES))] if chunk else []
    tags.append(Tagged(Family.INFO, bare_texts(file, form)))
    if cart := broadcast.cart:
        said = {"INAM": cart.title, "IART": cart.artist}
        tags.append(Tagged(Family.INFO, {name: [text] for name, text in said.items() if text}))
    return _joined(tags, container, broadcast)


def _broadcast(file: BinaryIO, form: Form) -> Broadcast:
    cart_chunk, bext_chunk, format_chunk = form.first(b"cart"), form.first(b"bext"), form.first(b"fmt ")
    rate_hz = int.from_bytes(read_at(file, format_chunk.data_at + 4, 4), "little") if format_chunk else 0
    cart = read_cart(chunk_data(file, cart_chunk), rate_hz) if cart_chunk else None
    bext = read_bext(chunk_data(file, bext_chunk)) if bext_chunk else None
    doubts = [name for name, found in (("cart", cart), ("bext", bext)) if found and not found[1]]
    return Broadcast(cart and cart[0], bext and bext[0], tuple(doubts))


def _around(file: BinaryIO, tag: bytes, head: bytes) -> Tagged | None:
    container = _container_around(head)
    in_front, ape = _id3(tag) if tag else None, _ape(file)
    tags = [ape, in_front] if container is Container.APE else [in_front, ape]
    if old := find_id3v1(file):
        tags.append(_id3v1(old))
    if container is Container.OTHER and not any(tags):
        return None
    family = Family.APE if container is Container.APE else Family.ID3
    return _joined([*tags, Tagged(family, _id3_tag() if family is Family.ID3 else {})], container)


def _container_around(head: bytes) -> Container:
    if head.startswith(_APE_MAGIC):
        return Container.APE
    is_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return Container.MPEG if is_frame or head.startswith(b"TTA1") else Container.OTHER


def _joined(tags: list[Tagged | None], container: Container, broadcast: Broadcast | None = None) -> Tagged:
    found = [tag for tag in tags if tag is not None]
    return msgspec.structs.replace(
        found[0], container=container, also=tuple(found[1:]), broadcast=broadcast or Broadcast()
    )


def _id3(data: bytes) -> Tagged | None:
    if has_compressed_frames(data):
        return None
    try:
        tag = _id3_tag(BytesIO(data), load_v1=False)
    except (Exception, RecursionError):
        return None
    return Tagged(Family.ID3, tag, tag)


def _id3v1(data: bytes) -> Tagged | None:
    tag = _id3_tag()
    for frame in (_parse_id3v1(data) or {}).values():
        tag.add(frame)
    return Tagged(Family.ID3, tag, tag)


def _ape(file: BinaryIO) -> Tagged | None:
    place = find_ape(file)
    if place is None:
        return None
    try:
        tag = _ape_tag(BytesIO(read_at(file, place.at, place.end - place.at)))
    except (Exception, RecursionError):
        return None
    return Tagged(Family.APE, tag, tag)


def has_compressed_frames(tag: bytes) -> bool:
    """Whether an ID3v2 tag holds a compressed frame (ID3v2.3 section 3.3.1, ID3v2.4 section 4.1.2).

    Such frames are next to unknown in the field, and 200 kB of them can unpack to more than memory holds.
    """
    if len(tag) < 10:
        return False
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
    number = int.from_bytes(four, "big")
    return (number & 0x7F) | (number & 0x7F00) >> 1 | (number & 0x7F0000) >> 2 | (number & 0x7F000000) >> 3
