"""A log row for an item that an operator puts in by hand."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from radio.errors import UnknownItem
from radio.library.items import Item
from radio.log import ItemKind, LogRow, SponsorMessage
from radio.schedule.builder import Inputs
from radio.schedule.model import kind_of
from radio.schedule.playbook import Play
from radio.units import DurationMs, UtcMs

JOINT_MS: Final = 100
"""How far the item goes on beneath what follows it."""


def row_of(item_id: str, inputs: Inputs, now_ms: UtcMs) -> LogRow:
    """A row from 0 on that plays the item whole, by the rules of the station's schedule.

    It has no category: it stands for no position of a clock. A sponsor's item carries its campaign's message.
    Raises UnknownItem where the station's library has no such item.
    """
    item = inputs.pool.by_id.get(item_id)
    if item is None:
        raise UnknownItem(f"The library of {inputs.station.id} has no item {item_id!r} that can be aired.")
    message = _message(item, inputs)
    kind = kind_of(inputs.schedule.category(item.category), item.category)
    return LogRow(
        id=f"{inputs.station.id}-{now_ms}-{uuid4().hex[:8]}",
        station=inputs.station.id,
        starts_at_ms=UtcMs(0),
        ends_at_ms=UtcMs(item.air_ms - JOINT_MS),
        kind=ItemKind.SPONSOR if message else kind,
        title=item.title,
        reason="",
        item=item.id,
        artist=item.artist,
        album=item.album,
        artwork=item.artwork,
        cue_in_ms=item.cue_in_ms,
        overlap_ms=DurationMs(JOINT_MS),
        gain_db=item.gain_db(inputs.station.target_lufs),
        sponsor=message,
    )


def _message(item: Item, inputs: Inputs) -> SponsorMessage | None:
    for campaign in inputs.sponsors.campaigns:
        if inputs.pool.find(campaign.audio) is item:
            return inputs.sponsors.message(campaign)
    return None


def play_of(row: LogRow) -> Play:
    """A planned row as rotation counts it once it has aired."""
    return Play(
        item=row.item or "",
        started_ms=row.starts_at_ms,
        title=row.title,
        artist=row.artist,
        category=row.category,
    )
