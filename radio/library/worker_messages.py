"""What the service and the process that probes files say to each other.

A frame is four bytes of length, big endian, then MessagePack. Nothing here loads what opens a file.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import msgspec

from radio.library.artwork import Artwork
from radio.library.items import Item, RejectedFile
from radio.library.sound import Sound
from radio.library.tags import Tags

HEADER: Final = struct.Struct(">I")
MAX_FRAME: Final = 8_000_000
MAX_GLANCED_BYTES: Final = 1_000_000
"""The words of one job's files, so that reading the reply does not hold the service's loop."""

WORDS: Final = "--words"
"""As an argument: only words will be asked for, and what measuring needs is not loaded."""


class Glanced(msgspec.Struct, frozen=True):
    """A file of which only the words were read: an item that is not measured, and its tags.

    The item's id is for the caller to decide: here it is the content's hash. ``tags`` are a
    :class:`radio.library.tags.Tags` where they were read, and plain data on the other side of a pipe.
    """

    item: Item
    tags: Any


class Unsettled(msgspec.Struct, frozen=True):
    """A file that changed while it was read or could not be read now; a later scan looks at it again."""

    path: str
    reason: str


class Job(msgspec.Struct, frozen=True, tag=True):
    """A file to probe; ``limit_s`` bounds the processor's time, and a little more the time on the wall."""

    root: str
    path: str
    limit_s: float
    known: Sound | None = None


class Glance(msgspec.Struct, frozen=True, tag=True):
    """Files of one root whose words are wanted; ``limit_s`` is for all of them."""

    root: str
    paths: tuple[str, ...]
    limit_s: float


class Shrink(msgspec.Struct, frozen=True, tag=True):
    """A picture to make anew, as :func:`radio.library.thumbnails.shrunk` does; limits as for a job."""

    data: bytes
    size: int
    mime: str
    limit_s: float


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a job: an item with all that belongs to it, or one of the other two; or a picture.

    A reply with none of them is the worker's greeting.
    """

    item: Item | None = None
    artwork: Artwork | None = None
    sound: Sound | None = None
    tags: Tags | None = None
    keys: tuple[int, ...] = ()
    rejected: RejectedFile | None = None
    unsettled: Unsettled | None = None
    picture: bytes | None = None
    glanced: tuple[Glanced, ...] = ()
