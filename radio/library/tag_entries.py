"""The entries of a tag with some fields changed and all others kept: the same for every tag system."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from radio.library.tag_edits import Piece
from radio.library.tag_names import NAMES, Family, new_name

FieldTexts = Mapping[str, tuple[str, ...]]
"""The new texts of each field that changes; none for one that goes."""


class Entry(msgspec.Struct, frozen=True):
    """One entry of a tag. ``name`` is as in :mod:`radio.library.tag_names`, ``spelled`` as in the file."""

    name: str
    spelled: str
    piece: Piece


Maker = Callable[[str, str, tuple[str, ...]], Sequence[bytes]]
"""Makes the entries of a field: its name here, the name in the tag as spelled, the texts."""


def with_changes(
    entries: Sequence[Entry],
    family: Family,
    changes: FieldTexts,
    make: Maker,
    superseded: Collection[str] = (),
) -> list[Piece]:
    """The pieces of the tag with ``changes``.

    Every name of a field that the tag already uses gets the new texts, at the place of its first entry; a
    field without any is added at the end under its usual name. Names in ``superseded`` only go.
    """
    fields = {name: field for field in changes for name in NAMES[family].get(field, ())}
    pieces: list[Piece] = []
    done: set[str] = set()
    for entry in entries:
        field = fields.get(entry.name)
        if field is None:
            pieces.append(entry.piece)
        elif entry.name not in done and entry.name not in superseded:
            pieces.extend(make(field, entry.spelled, changes[field]) if changes[field] else ())
            done.add(entry.name)
    placed = {fields[name] for name in done}
    for field, texts in changes.items():
        name = new_name(family, field)
        if texts and field not in placed and name is not None:
            pieces.extend(make(field, name, texts))
    return pieces


_TOTALS: Final = {"track": "track_total", "disc": "disc_total"}


def with_plain_numbers(changes: FieldTexts) -> dict[str, tuple[str, ...]]:
    """The changes for a system that keeps a number and its total apart."""
    plain = dict(changes)
    for field in _TOTALS:
        if plain.get(field):
            number = plain[field][0].partition("/")[0]
            plain[field] = (number,) if number != "0" else ()
    return plain
