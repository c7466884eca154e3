"""What a station's schedule says, as frozen values: categories, clocks and programmes.

The text form is read by :mod:`radio.schedule.files`; here every time is a number and every name is known.
Wall times are nominal milliseconds from local midnight and become instants only in
:mod:`radio.schedule.occurrences`.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from radio.log import Anchor, ItemKind
from radio.sponsors.weektime import HOUR_MS, MINUTE_MS
from radio.units import DurationMs

MAX_PROGRAMMES: Final = 500
MAX_CLOCKS: Final = 200
MAX_POSITIONS: Final = 200

KIND_OF_FOLDER: Final = {
    "music": ItemKind.MUSIC,
    "news": ItemKind.SPEECH,
    "features": ItemKind.SPEECH,
    "weather": ItemKind.SPEECH,
    "talk": ItemKind.SPEECH,
    "idents": ItemKind.IDENT,
    "legal-id": ItemKind.IDENT,
    "promos": ItemKind.PROMO,
    "sponsors": ItemKind.SPONSOR,
    "fill": ItemKind.FILL,
    "beds": ItemKind.FILL,
}
"""Folders that mean a category without being declared, and the kind of what is in them."""

DEFAULT_SEPARATION_MS: Final = {
    ItemKind.MUSIC: 60 * MINUTE_MS,
    ItemKind.SPEECH: 20 * MINUTE_MS,
    ItemKind.PROMO: 10 * MINUTE_MS,
    ItemKind.IDENT: 5 * MINUTE_MS,
}
DEFAULT_ARTIST_SEPARATION_MS: Final = {ItemKind.MUSIC: 20 * MINUTE_MS}


class Layer(IntEnum):
    """Which programme wins where two want the air: the higher one."""

    FALLBACK = 0
    PROGRAMME = 20
    SPECIAL = 30


class OnRepeat(StrEnum):
    """What a programme does with an hour that the clocks repeat."""

    EXTEND = "extend"
    FALLBACK = "fallback"


class OnGap(StrEnum):
    """What a programme does when the clocks skip a part of it."""

    TRUNCATE_END = "truncate_end"
    DROP = "drop"


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A pool of library items: those of some folders and some by path, and how far apart their plays must be.

    With ``where``, a search in the language of :mod:`radio.library.query`, only what it finds of these folders,
    or of all where none is named. Paths may leave out the extension. ``kind`` None takes each item's kind from
    its folder. ``weights`` maps a path to how often an item comes up compared with the others.
    """

    name: str
    folders: tuple[str, ...]
    items: tuple[str, ...] = ()
    where: str | None = None
    kind: ItemKind | None = None
    separation_ms: DurationMs
    artist_separation_ms: DurationMs
    weights: dict[str, float] = {}


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """One position of a clock. Exactly one of ``item``, ``category``, ``rotate`` and ``break_name`` is set.

    ``at_ms`` counts from the start of the hour and is set for anchored positions. ``length_ms`` and
    ``max_units`` bound a break. ``rotate`` fills the time until the next anchored position.
    """

    at_ms: DurationMs | None = None
    anchor: Anchor = Anchor.FLOAT
    window_ms: DurationMs = DurationMs(0)
    item: str | None = None
    category: str | None = None
    count: int = 1
    rotate: tuple[str, ...] = ()
    break_name: str | None = None
    length_ms: DurationMs = DurationMs(0)
    max_units: int = 0
    legal_id: bool = False


class HourClock(msgspec.Struct, frozen=True, kw_only=True):
    """The template of one hour. ``fill`` names the categories that close what the positions leave open."""

    name: str
    positions: tuple[Position, ...]
    fill: tuple[str, ...] = ()


class Airs(msgspec.Struct, frozen=True, kw_only=True):
    """One weekly slot: start days (Monday is 0), nominal start, and nominal end.

    An end above 24 h lies on the day after; it is never more than 24 h after the start.
    """

    days: tuple[int, ...]
    from_ms: DurationMs
    to_ms: DurationMs


class Programme(msgspec.Struct, frozen=True, kw_only=True):
    """An editorial unit with its slots. ``clocks`` (by local hour) goes before ``clock``."""

    id: str
    title: str
    host: str | None = None
    description: str | None = None
    image: str | None = None
    link: str | None = None
    supported_by: str | None = None
    clock: str | None = None
    clocks: dict[int, str] = {}
    airs: tuple[Airs, ...] = ()
    layer: Layer = Layer.PROGRAMME
    on_repeat: OnRepeat = OnRepeat.EXTEND
    on_gap: OnGap = OnGap.TRUNCATE_END


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """All of a station's schedule. Without anything in it, everything in the library is in rotation."""

    categories: dict[str, Category] = {}
    clocks: dict[str, HourClock] = {}
    programmes: tuple[Programme, ...] = ()
    default_clock: str | None = None

    def category(self, name: str) -> Category:
        """The declared category, or the one that a folder of that name means by itself."""
        return self.categories.get(name) or default_category(name)

    def programme(self, id_: str) -> Programme | None:
        """The programme with that id, if there is one."""
        return next((programme for programme in self.programmes if programme.id == id_), None)


def default_category(
    name: str,
    *,
    folders: tuple[str, ...] | None = None,
    items: tuple[str, ...] = (),
    where: str | None = None,
    kind: ItemKind | None = None,
) -> Category:
    """A category with the separations that its kind has where nothing else is said.

    Without folders, items and ``where`` it is the folder of its own name.
    """
    if folders is None:
        folders = () if items or where else (name,)
    leading = folders[0] if folders else items[0].partition("/")[0] if items and not where else name
    usual = kind or KIND_OF_FOLDER.get(leading, ItemKind.MUSIC)
    return Category(
        name=name,
        folders=folders,
        items=items,
        where=where,
        kind=kind,
        separation_ms=DurationMs(DEFAULT_SEPARATION_MS.get(usual, 0)),
        artist_separation_ms=DurationMs(DEFAULT_ARTIST_SEPARATION_MS.get(usual, 0)),
    )


def kind_of(category: Category, folder: str) -> ItemKind:
    """What an item of ``folder`` is when it airs as part of ``category``."""
    return category.kind or KIND_OF_FOLDER.get(folder, ItemKind.MUSIC)


CLOCK_LENGTH_MS: Final = HOUR_MS
"""Every clock is one hour."""
