"""What a station's schedule says, as frozen values: categories, clocks and programmes.

The text form is read by :mod:`radio.schedule.files`; here every time is a number and every name is known.
Wall times are nominal milliseconds from local midnight and become instants only in
:mod:`radio.schedule.occurrences`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from radio.log import Anchor, ItemKind
from radio.schedule.recurrence import Rule
from radio.sponsors.weektime import HOUR_MS, MINUTE_MS
from radio.units import DurationMs, UtcMs

MAX_PROGRAMMES: Final = 500
MAX_CLOCKS: Final = 200
MAX_POSITIONS: Final = 200
MAX_DATES: Final = 1_000
"""Dates in one ``except``, ``also`` or ``dates``, and changes of one programme."""

MAX_ITEM_RULES: Final = 500
WEEK_HOURS: Final = 168

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
    """Which programme wins where two want the air: the higher one.

    The fallback is the default clock and the grid the clocks of the week: neither holds programmes. A single
    airing that was moved or put in goes to ``ONE_OFF`` where its programme is not higher already.
    """

    FALLBACK = 0
    GRID = 10
    PROGRAMME = 20
    SPECIAL = 30
    ONE_OFF = 40
    LIVE = 50
    EMERGENCY = 60


class OnRepeat(StrEnum):
    """What a programme does with an hour that the clocks repeat."""

    EXTEND = "extend"
    REPEAT = "repeat"
    FALLBACK = "fallback"


class OnGap(StrEnum):
    """What a programme does when the clocks skip a part of it."""

    TRUNCATE_END = "truncate_end"
    JOIN = "join"
    DROP = "drop"


class OnReturn(StrEnum):
    """What a programme does when something that went before it ends while it still has time."""

    JOIN = "join"
    RESUME = "resume"
    RESTART = "restart"
    SLIDE = "slide"
    DROP = "drop"


class OnOverrun(StrEnum):
    """What happens to an item that is still on the air when the programme's time is over."""

    CUT = "cut"
    FINISH = "finish"
    EXTEND = "extend"
    OPERATOR = "operator"


class Rules(StrEnum):
    """Rotation's rules, by the names that operators use in ``hard``."""

    TITLE = "title"
    ARTIST = "artist"
    ALBUM = "album"
    SAME_HOUR = "same-hour"
    PER_DAY = "per-day"
    DAYPART = "daypart"


class Daypart(msgspec.Struct, frozen=True, kw_only=True):
    """A named part of the week, ``[from_ms, to_ms)`` from local midnight of its start days (Monday is 0).

    An end above 24 h lies on the day after, which still belongs to the day on which it starts. Dayparts may
    overlap and need not cover the week.
    """

    name: str
    days: tuple[int, ...]
    from_ms: DurationMs
    to_ms: DurationMs

    def holds(self, local: datetime) -> bool:
        """Whether a local time lies in it."""
        at_ms = ((local.hour * 60 + local.minute) * 60 + local.second) * 1000
        if local.weekday() in self.days and self.from_ms <= at_ms < self.to_ms:
            return True
        return (local.weekday() - 1) % 7 in self.days and at_ms < self.to_ms - 24 * HOUR_MS


class ItemRule(msgspec.Struct, frozen=True, kw_only=True):
    """When some items may air: those named by path, and those that a search finds.

    ``first`` and ``last`` are local dates, both included. It is never relaxed.
    """

    items: tuple[str, ...] = ()
    where: str | None = None
    first: date | None = None
    last: date | None = None
    dayparts: tuple[str, ...] = ()
    do_not_play: bool = False


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A pool of library items: those of some folders and some by path, and how far apart their plays must be.

    With ``where``, a search in the language of :mod:`radio.library.query`, only what it finds of these folders,
    or of all where none is named. Paths may leave out the extension. ``kind`` None takes each item's kind from
    its folder. ``weights`` maps a path to how often an item comes up compared with the others.

    ``same_hour_days`` keeps an item out of the local hour in which it played on that many days before;
    ``max_per_day`` bounds its plays of a local day; ``dayparts`` says when the category is preferred to air.
    Rules in ``hard`` are never relaxed, and separations never below their floor. ``otherwise`` is the category
    that is taken before titles come closer than they should.
    """

    name: str
    folders: tuple[str, ...]
    items: tuple[str, ...] = ()
    where: str | None = None
    kind: ItemKind | None = None
    separation_ms: DurationMs
    artist_separation_ms: DurationMs
    album_separation_ms: DurationMs = DurationMs(0)
    title_floor_ms: DurationMs = DurationMs(0)
    artist_floor_ms: DurationMs = DurationMs(0)
    same_hour_days: int = 0
    max_per_day: int = 0
    dayparts: tuple[str, ...] = ()
    hard: tuple[Rules, ...] = ()
    otherwise: str | None = None
    weights: dict[str, float] = {}


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """One position of a clock. Exactly one of ``item``, ``category``, ``rotate``, ``break_name``, ``episode`` and
    ``stream`` is set.

    ``at_ms`` counts from the start of the hour and is set for anchored positions. ``length_ms`` and
    ``max_units`` bound a break; ``length_ms`` is also how long a stream is taken, where it is not 0. ``rotate``
    fills the time until the next anchored position. ``episode`` is a folder of recordings that are named
    by their date; ``stream`` is a network's or another server's programme.
    """

    at_ms: DurationMs | None = None
    anchor: Anchor = Anchor.FLOAT
    window_ms: DurationMs = DurationMs(0)
    item: str | None = None
    category: str | None = None
    count: int = 1
    rotate: tuple[str, ...] = ()
    break_name: str | None = None
    episode: str | None = None
    stream: str | None = None
    length_ms: DurationMs = DurationMs(0)
    max_units: int = 0
    legal_id: bool = False


class HourClock(msgspec.Struct, frozen=True, kw_only=True):
    """The template of one hour. ``fill`` names the categories that close what the positions leave open."""

    name: str
    positions: tuple[Position, ...]
    fill: tuple[str, ...] = ()


class Airs(msgspec.Struct, frozen=True, kw_only=True):
    """One slot: the local dates on which it starts, its nominal start, and its nominal end.

    The dates are those of ``days`` (Monday is 0) or of ``rule``, from ``first`` to ``last``, without those in
    ``without`` and with those in ``also``. An end above 24 h lies on the day after; it is never more than 24 h
    after the start.
    """

    days: tuple[int, ...]
    from_ms: DurationMs
    to_ms: DurationMs
    rule: Rule | None = None
    first: date | None = None
    last: date | None = None
    without: tuple[date, ...] = ()
    also: tuple[date, ...] = ()

    @property
    def is_weekly(self) -> bool:
        """Whether it airs on the same days of every week without end and without exception."""
        return not (self.rule or self.first or self.last or self.without or self.also)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One airing that differs from its series. ``starts`` is the planned local start, which stays its identity.

    Cancelled, or with other times (``from_ms`` and ``to_ms`` from midnight of ``day``), words or clock. ``ends_at_ms``
    is the very moment of its end, which goes before all times on the wall: these come twice when an hour is repeated.
    """

    starts: datetime
    cancelled: bool = False
    day: date | None = None
    from_ms: DurationMs | None = None
    to_ms: DurationMs | None = None
    ends_at_ms: UtcMs | None = None
    title: str | None = None
    host: str | None = None
    description: str | None = None
    clock: str | None = None
    why: str | None = None


class Programme(msgspec.Struct, frozen=True, kw_only=True):
    """An editorial unit with its slots. ``clocks`` (by local hour) goes before ``clock``.

    ``early_end`` names the categories that fill what a recording or a stream leaves of its time. A remainder
    shorter than ``min_remainder_ms`` does not come back after what went before it.
    """

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
    changes: tuple[Change, ...] = ()
    layer: Layer = Layer.PROGRAMME
    on_repeat: OnRepeat = OnRepeat.EXTEND
    on_gap: OnGap = OnGap.TRUNCATE_END
    on_return: OnReturn = OnReturn.JOIN
    slide_max_ms: DurationMs = DurationMs(10 * MINUTE_MS)
    min_remainder_ms: DurationMs = DurationMs(0)
    on_overrun: OnOverrun = OnOverrun.CUT
    overrun_max_ms: DurationMs = DurationMs(5 * MINUTE_MS)
    early_end: tuple[str, ...] = ()


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """All of a station's schedule. Without anything in it, everything in the library is in rotation.

    ``grid`` is empty or names a clock, or none, for each of the 168 hours of the week from Monday 00:00 on.
    """

    categories: dict[str, Category] = {}
    clocks: dict[str, HourClock] = {}
    programmes: tuple[Programme, ...] = ()
    default_clock: str | None = None
    grid: tuple[str | None, ...] = ()
    dayparts: dict[str, Daypart] = {}
    item_rules: tuple[ItemRule, ...] = ()

    def category(self, name: str) -> Category:
        """The declared category, or the one that a folder of that name means by itself."""
        return self.categories.get(name) or default_category(name)

    def programme(self, id_: str) -> Programme | None:
        """The programme with that id, if there is one."""
        return next((programme for programme in self.programmes if programme.id == id_), None)

    def by_id(self) -> Mapping[str, Programme]:
        """All programmes by their ids."""
        return {programme.id: programme for programme in self.programmes}

    def clock_name(self, programme: Programme | None, local: datetime) -> str | None:
        """The clock of a local hour: the programme's own, else the grid's, else the default one."""
        if programme and (own := programme.clocks.get(local.hour) or programme.clock):
            return own
        of_grid = self.grid[local.weekday() * 24 + local.hour] if self.grid else None
        return of_grid or self.default_clock


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
