"""The tables and keys of a schedule file as written; :mod:`radio.schedule.files` gives them meaning."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from radio.log import Anchor, ItemKind
from radio.schedule.model import (
    MAX_DATES,
    MAX_ITEM_RULES,
    WEEK_HOURS,
    OnGap,
    OnOverrun,
    OnRepeat,
    OnReturn,
    Rules,
)

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
LongText = Annotated[str, msgspec.Meta(max_length=2_000)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=10_080)]
Weight = Annotated[float, msgspec.Meta(gt=0, le=100)]
Dates = Annotated[tuple[date, ...], msgspec.Meta(max_length=MAX_DATES)]
Names = Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=50)]


class CategoryTable(msgspec.Struct, frozen=True, kw_only=True, rename={"otherwise": "else"}):
    """``[categories.NAME]``"""

    folders: Names | None = None
    items: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=1_000)] | None = None
    where: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    kind: ItemKind | None = None
    separation_min: Minutes | None = None
    artist_separation_min: Minutes | None = None
    album_separation_min: Minutes | None = None
    title_floor_min: Minutes | None = None
    artist_floor_min: Minutes | None = None
    same_hour_days: Annotated[int, msgspec.Meta(ge=0, le=7)] = 0
    max_per_day: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 0
    dayparts: Names | None = None
    hard: Annotated[tuple[Rules, ...], msgspec.Meta(max_length=6)] = ()
    otherwise: Text | None = None
    weights: dict[str, Weight] = {}


class PositionTable(msgspec.Struct, frozen=True, kw_only=True, rename={"break_": "break"}):
    """One entry of ``positions`` in ``[clocks.NAME]``"""

    at: str | None = None
    anchor: Anchor | None = None
    window: str | None = None
    item: Text | None = None
    category: Text | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    rotate: Names | None = None
    break_: Text | None = None
    episode: Text | None = None
    stream: Text | None = None
    length: str | None = None
    max_units: Annotated[int, msgspec.Meta(ge=1, le=30)] | None = None
    legal_id: bool = False


class ClockTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[clocks.NAME]``"""

    positions: tuple[PositionTable, ...]
    fill: Names | None = None


class AirsTable(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from", "without": "except"}):
    """One entry of ``airs`` in ``[[programmes]]``"""

    days: str | None = None
    rule: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None
    dates: Annotated[tuple[date, ...], msgspec.Meta(min_length=1, max_length=MAX_DATES)] | None = None
    from_: str
    to: str
    first: date | None = None
    last: date | None = None
    without: Dates = ()
    also: Dates = ()


class ChangeTable(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One entry of ``changes`` in ``[[programmes]]``"""

    on: date
    at: str | None = None
    cancel: bool = False
    day: date | None = None
    from_: str | None = None
    to: str | None = None
    title: Text | None = None
    host: Text | None = None
    description: LongText | None = None
    clock: Text | None = None
    why: Text | None = None


class ProgrammeTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[[programmes]]``"""

    id: Text
    title: Text
    host: Text | None = None
    description: LongText | None = None
    image: Text | None = None
    link: Text | None = None
    supported_by: Text | None = None
    clock: Text | None = None
    clocks: dict[str, str] = {}
    airs: Annotated[tuple[AirsTable, ...], msgspec.Meta(min_length=1, max_length=100)]
    changes: Annotated[tuple[ChangeTable, ...], msgspec.Meta(max_length=MAX_DATES)] = ()
    layer: str = "programme"
    on_repeat: OnRepeat = OnRepeat.EXTEND
    on_gap: OnGap = OnGap.TRUNCATE_END
    on_return: OnReturn = OnReturn.JOIN
    slide_max: str | None = None
    min_remainder: str | None = None
    on_overrun: OnOverrun = OnOverrun.CUT
    overrun_max: str | None = None
    early_end: Names | None = None


class DaypartTable(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """``[dayparts.NAME]``"""

    days: str = "daily"
    from_: str
    to: str


class GridTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[[grid]]``"""

    clock: Text
    days: str | None = None
    hours: str | None = None
    daypart: Text | None = None


class ItemRuleTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[[item_rules]]``"""

    items: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=1_000)] | None = None
    where: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    first: date | None = None
    last: date | None = None
    dayparts: Names | None = None
    do_not_play: bool = False


class ScheduleFile(msgspec.Struct, frozen=True, kw_only=True):
    """``schedules/<station>.toml``"""

    default_clock: str | None = None
    categories: dict[str, CategoryTable] = {}
    clocks: dict[str, ClockTable] = {}
    dayparts: Annotated[dict[str, DaypartTable], msgspec.Meta(max_length=100)] = {}
    grid: Annotated[tuple[GridTable, ...], msgspec.Meta(max_length=WEEK_HOURS)] = ()
    item_rules: Annotated[tuple[ItemRuleTable, ...], msgspec.Meta(max_length=MAX_ITEM_RULES)] = ()
    programmes: tuple[ProgrammeTable, ...] = ()
