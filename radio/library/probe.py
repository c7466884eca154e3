"""Understands one file: its hash, its sound, its words and its picture. Runs in a worker process."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from radio.audio import fingerprint
from radio.audio.guard import check_file
from radio.audio.measure import measure
from radio.errors import AudioError
from radio.library.artwork import Artwork
from radio.library.cart import Cart
from radio.library.glance import placed, said
from radio.library.hashing import hashed, is_unchanged
from radio.library.items import Item, RejectedFile
from radio.library.pictures import picture
from radio.library.sound import Sound
from radio.library.tag_reading import read_tags
from radio.library.tagged import open_tagged
from radio.library.tags import Tags
from radio.library.words import cleaned
from radio.library.worker_messages import Unsettled
from radio.units import DurationMs

__all__ = ["Probed", "Sound", "Unsettled", "probe"]


class Probed(msgspec.Struct, frozen=True):
    """A file that can be aired, with what its item was made of.

    The item's id is for the caller to decide: here it is the content's hash. ``keys`` are those of the sound's
    fingerprint.
    """

    item: Item
    artwork: Artwork | None
    sound: Sound
    tags: Tags
    keys: tuple[int, ...]


def probe(path: Path, root: Path, known: Sound | None = None) -> Probed | RejectedFile | Unsettled:
    """Probe the file at ``path`` (absolute, below ``root``).

    ``known`` is taken as the measurement where the content's hash is the same, which makes the probe of a
    renamed file cheap. Blocks for as long as decoding takes; the caller sets limits on time and memory.
    Never raises for what the file is or holds.
    """
    name = path.relative_to(root).as_posix()
    try:
        before, content_hash = hashed(path)
    except OSError as fault:
        return Unsettled(name, f"It cannot be read: {(fault.strerror or str(fault)).lower()}.")
    except AudioError as fault:
        return RejectedFile(root=str(root), path=name, reason=fault.reason, size_bytes=0, mtime_ns=0)
    outcome: Probed | RejectedFile
    try:
        outcome = _understood(path, root, name, before, content_hash, known)
    except AudioError as fault:
        outcome = _rejected(root, name, before, fault.reason)
    except MemoryError:
        outcome = _rejected(root, name, before, "needs more memory than a probe may take")
    except Exception as fault:  # a library's own surprise must not end the worker
        reason = cleaned(f"cannot be understood ({type(fault).__name__}: {fault})")
        outcome = _rejected(root, name, before, reason)
    return outcome if is_unchanged(path, before) else Unsettled(name, "It changed while it was read.")


def _understood(
    path: Path, root: Path, name: str, status: os.stat_result, content_hash: str, known: Sound | None
) -> Probed:
    check_file(path)
    if known is None or known.content_hash != content_hash:
        known = Sound.measured(content_hash, measure(path))
    tagged = open_tagged(path)
    art = picture(path, tagged)
    tags = read_tags(path, tagged)
    item = _item(root, name, status, known, tags, art)
    return Probed(item, art, known, tags, tuple(sorted(fingerprint.keys(known.fingerprint))))


def _item(
    root: Path, name: str, status: os.stat_result, sound: Sound, tags: Tags, art: Artwork | None
) -> Item:
    return Item(
        id=sound.content_hash,
        artwork=art.id if art else None,
        **placed(root, name, status),
        **said(tags),
        **sound.for_item() | _marks(tags, sound),
    )


def _marks(tags: Tags, sound: Sound) -> dict[str, DurationMs]:
    """Intro and ending as the file marks them, where they lie within what is heard; they beat our guesses."""
    cart = tags.cart or Cart()
    intro_ms = tags.intro_ms if cart.intro_ms is None else cart.intro_ms
    said = {"intro_ms": intro_ms, "outro_ms": cart.segue_ms}
    heard = range(sound.cue_in_ms, sound.cue_out_ms + 1)
    return {field: at_ms for field, at_ms in said.items() if at_ms is not None and at_ms in heard}


def _rejected(root: Path, name: str, status: os.stat_result, reason: str) -> RejectedFile:
    return RejectedFile(
        root=str(root), path=name, reason=reason, size_bytes=status.st_size, mtime_ns=status.st_mtime_ns
    )
