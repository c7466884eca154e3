"""The tables and keys of a schedule file as written; :mod:`radio.schedule.files` gives them meaning."""

from __future__ import annotations

from typing import Annotated

import msgspec

from radio.log import Anchor, ItemKind
from radio.schedule.model import OnGap, OnRepeat

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
LongText = Annotated[str, msgspec.Meta(max_length=2_000)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=10_080)]
Weight = Annotated[float, msgspec.Meta(gt=0, le=100)]
Names = Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=50)]


class CategoryTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[categories.NAME]``"""

    folders: Names | None = None
    items: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=1_000)] | None = None
    where: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    kind: ItemKind | None = None
    separation_min: Minutes | None = None
    artist_separation_min: Minutes | None = None
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
    length: str | None = None
    max_units: Annotated[int, msgspec.Meta(ge=1, le=30)] | None = None
    legal_id: bool = False


class ClockTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[clocks.NAME]``"""

    positions: tuple[PositionTable, ...]
    fill: Names | None = None


class AirsTable(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One entry of ``airs`` in ``[[programmes]]``"""

    days: str
    from_: str
    to: str


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
    layer: str = "programme"
    on_repeat: OnRepeat = OnRepeat.EXTEND
    on_gap: OnGap = OnGap.TRUNCATE_END


class ScheduleFile(msgspec.Struct, frozen=True, kw_only=True):
    """``schedules/<station>.toml``"""

    default_clock: str | None = None
    categories: dict[str, CategoryTable] = {}
    clocks: dict[str, ClockTable] = {}
    programmes: tuple[ProgrammeTable, ...] = ()
