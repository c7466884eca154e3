"""Writes tags back: what changes and nothing else, in one step, and so that it can be undone.

Only the bytes of the entries that change are made anew. Every other frame, atom, comment, item and chunk and the
sound stay byte for byte; padding takes up the difference where a format has it. An undo record holds the
replaced bytes alone, which is enough to restore the old file exactly.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from radio.audio.guard import check_file
from radio.audio.tag_entries import id3_bytes
from radio.errors import AudioError, TagsNotWritten
from radio.library.ape_tag import find_ape, find_id3v1
from radio.library.ape_writing import ape_edits, id3v1_edit
from radio.library.file_replacing import replace_file, writable_status
from radio.library.id3_writing import rewritten_id3, rewritten_id3v1
from radio.library.mp4_writing import mp4_edits
from radio.library.riff import read_at
from radio.library.riff_writing import chunk_edits
from radio.library.tag_changes import Wanted, wanted
from radio.library.tag_edits import CannotWrite, Edit, edits_of, effective, growth, inverse, ordered
from radio.library.tag_entries import FieldTexts
from radio.library.tag_reading import tags_of
from radio.library.tagged import Container, open_tagged
from radio.library.tags import Tags
from radio.library.vorbis_writing import flac_edits, ogg_edits
from radio.library.words import title_from_name


class WritePlan(msgspec.Struct, frozen=True):
    """What writing would do: the places of the file that change, and the words as they will be read.

    ``size_bytes`` is the file's size afterwards. Nothing is written by planning.
    """

    path: Path
    edits: tuple[Edit, ...]
    before: Tags
    wanted: Wanted
    size_bytes: int
    status: os.stat_result


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a written file into the one that it was. Hashes are BLAKE2b (20 bytes, hex), as those of the
    library's items. ``path`` is in the bytes of the file system."""

    path: bytes
    edits: tuple[Edit, ...]
    content_hash: str
    old_content_hash: str
    old_mtime_ns: int

    def to_bytes(self) -> bytes:
        """The record as it is stored."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Undo:
        """The record that :meth:`to_bytes` made. :raises msgspec.DecodeError: it is none."""
        return _UNDO.decode(data)


_UNDO: Final = msgspec.msgpack.Decoder(Undo)


def plan_write(path: Path, changes: Mapping[str, object]) -> WritePlan:
    """Plan to write ``changes``: fields of :class:`Tags`, None or an empty value removing one.

    :raises InvalidRequest: a field or value that cannot be. :raises TagsNotWritten: the file cannot be
    changed, and why.
    """
    with _refusing(path):
        return _planned(path, changes)


def write_tags(path: Path, changes: Mapping[str, object]) -> Undo | None:
    """Write ``changes`` into the file, as :func:`plan_write` plans them; None where nothing would change.
    Blocks while the file is copied: call it in a thread.

    The new file is read before it takes the old one's place: what was asked for must be there and all else
    as before. Errors as of :func:`plan_write`; after one the file is as it was.
    """
    plan = plan_write(path, changes)
    hashes: list[str] = []

    def check(copy: Path, old: str, new: str) -> None:
        _check_words(plan, copy)
        hashes.extend((old, new))

    if not plan.edits:
        return None
    with _refusing(path):
        with path.open("rb") as file:
            undone = inverse(plan.edits, file)
        replace_file(path, plan.status, plan.edits, check)
    return Undo(
        path=os.fsencode(path),
        edits=undone,
        old_content_hash=hashes[0],
        content_hash=hashes[1],
        old_mtime_ns=plan.status.st_mtime_ns,
    )


def undo(record: Undo, path: Path | None = None) -> None:
    """Restore the exact bytes and the time of change that the file had; ``path`` where it has moved since.

    :raises TagsNotWritten: the file is not as it was written, or cannot be replaced.
    """
    path = path or Path(os.fsdecode(record.path))

    def check(_copy: Path, written: str, restored: str) -> None:
        if written != record.content_hash:
            raise CannotWrite("it was changed since its tags were written")
        if restored != record.old_content_hash:
            raise CannotWrite("the record does not lead back to the old file")

    with _refusing(path):
        status = writable_status(path)
        replace_file(path, status, ordered(record.edits), check, record.old_mtime_ns)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except (CannotWrite, ValueError, struct.error) as error:
        raise TagsNotWritten(path, str(error)) from None
    except OSError as error:
        raise TagsNotWritten(path, (error.strerror or str(error)).lower()) from None
    except AudioError as error:
        raise TagsNotWritten(path, error.reason) from None


def _planned(path: Path, changes: Mapping[str, object]) -> WritePlan:
    status = writable_status(path)
    check_file(path)
    tagged = open_tagged(path)
    if tagged is None:
        raise CannotWrite("its tags cannot be read, so nothing is sure to be kept")
    before = tags_of(tagged, path.stem)
    asked = wanted(changes, before)
    with path.open("rb") as file:
        edits = effective(_edits(file, tagged.container, asked.texts), file)
    return WritePlan(path, edits, before, asked, status.st_size + growth(edits), status)


def _edits(file: BinaryIO, container: Container, texts: FieldTexts) -> list[Edit]:
    if container is Container.ASF:
        raise CannotWrite("tags of Windows Media files are read only")
    write = _WRITERS.get(container)
    return write(file, texts) if write else _around(file, container, texts)


_WRITERS: Final[Mapping[Container, Callable[[BinaryIO, FieldTexts], list[Edit]]]] = {
    Container.FLAC: flac_edits,
    Container.OGG: ogg_edits,
    Container.MP4: mp4_edits,
    Container.RIFF: chunk_edits,
    Container.AIFF: chunk_edits,
}


def _around(file: BinaryIO, container: Container, texts: FieldTexts) -> list[Edit]:
    id3_length, has_ape, old = id3_bytes(file, 0), find_ape(file) is not None, find_id3v1(file)
    edits: list[Edit] = []
    if id3_length or (container is Container.MPEG and not has_ape):
        pieces = rewritten_id3(read_at(file, 0, id3_length), 0, texts)
        edits += edits_of(0, id3_length, pieces)
    if has_ape or container is Container.APE:
        edits += ape_edits(file, texts)
    if old is not None:
        edits.append(id3v1_edit(file, rewritten_id3v1(old, texts)))
    if not id3_length and not has_ape and container is Container.OTHER:
        raise CannotWrite("its format is not known to have a place for tags")
    return edits


def _check_words(plan: WritePlan, copy: Path) -> None:
    tagged = open_tagged(copy)
    if tagged is None:
        raise CannotWrite("its tags could not be read after writing")
    after = tags_of(tagged, plan.path.stem)
    for field in Tags.__struct_fields__:
        found = getattr(after, field)
        if field not in _UNCHECKED and found not in _expected(plan, field, after):
            raise CannotWrite(f"it cannot hold this: `{field}` would read {found!r}")


_UNCHECKED: Final = frozenset({"doubts", "cart"})


def _expected(plan: WritePlan, field: str, after: Tags) -> tuple[Any, ...]:
    value = plan.wanted.values.get(field, getattr(plan.before, field))
    if field == "title" and value is None:
        return (title_from_name(plan.path.stem),)
    if field == "date" and (value is None or "original_date" in plan.wanted.values):
        return (value, after.original_date)
    if field == "bpm" and value is not None:  # some systems hold whole numbers only
        return (value, float(round(value)))
    return (value,)
