"""What a clock's positions become: an item, the items of a category, the sponsors and promos of a break."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from radio.library.items import Item
from radio.log import ItemKind, LogRow
from radio.schedule.clocks import Span
from radio.schedule.drafts import Draft
from radio.schedule.model import Position
from radio.schedule.rotation import RELAXATIONS, Play
from radio.schedule.shelves import Shelves
from radio.schedule.wallclock import local_time
from radio.sponsors.breaks import Deliveries, Spot, fill_break, resolve
from radio.sponsors.campaigns import Campaign, SponsorBook

BREAK_CATEGORIES = ("promos", "fill")
"""What takes the time of a break that sponsors leave, in this order."""


class Placer:
    """Makes drafts of positions; mutable, for one compilation."""

    def __init__(
        self,
        shelves: Shelves,
        sponsors: SponsorBook,
        station: str,
        zone: ZoneInfo,
        plays: Sequence[Play],
        seed: str,
    ) -> None:
        self._shelves = shelves
        self._sponsors = sponsors
        self._station = station
        self._zone = zone
        self._seed = seed
        found = {
            campaign.id: item for campaign in sponsors.campaigns if (item := shelves.find(campaign.audio))
        }
        self._creatives, self.without_audio = resolve(sponsors.campaigns, found)
        self._deliveries = _deliveries(self._creatives, plays)

    def place(self, position: Position, span: Span, at_ms: int, room_ms: int | None) -> list[Draft]:
        """One use of a position at about ``at_ms``, of at most ``room_ms``; empty where nothing suits."""
        if position.break_name is not None:
            return self._break(position, span, at_ms, room_ms)
        if position.item is not None:
            item = self._shelves.find(position.item)
            if item is None or (room_ms is not None and item.air_ms > room_ms):
                return []
            return [
                self._draft(
                    item, item.category, span, at_ms, f"the clock {span.clock.name} names it", position
                )
            ]
        if position.category is None:
            return []
        choice = self._shelves.rotation(position.category).choose(at_ms, max_ms=room_ms)
        if choice is None:
            return []
        return [self._draft(choice.item, position.category, span, at_ms, choice.reason, position)]

    def _draft(
        self, item: Item, category: str, span: Span, at_ms: int, reason: str, position: Position | None = None
    ) -> Draft:
        self._shelves.note(item, at_ms)
        return Draft(
            kind=self._shelves.kind(category, item),
            title=item.title,
            air_ms=item.air_ms,
            reason=reason,
            span=span,
            item=item,
            category=category,
            legal_id=bool(position and position.legal_id),
        )

    def _break(self, position: Position, span: Span, at_ms: int, room_ms: int | None) -> list[Draft]:
        length_ms = position.length_ms if room_ms is None else min(position.length_ms, room_ms)
        spots = fill_break(
            self._creatives,
            self._deliveries,
            station=self._station,
            local=local_time(at_ms, self._zone),
            at_ms=at_ms,
            length_ms=length_ms,
            max_units=position.max_units,
            seed=self._seed,
        )
        drafts: list[Draft] = []
        for spot in spots:
            start_ms = at_ms + sum(draft.air_ms for draft in drafts)
            drafts.append(self._spot(spot, position, span, start_ms))
        self._fill_rest(drafts, span, at_ms, length_ms)
        for draft in drafts:
            draft.break_id = break_id(self._station, span, position)
        return drafts

    def _spot(self, spot: Spot, position: Position, span: Span, at_ms: int) -> Draft:
        self._deliveries.note(spot.campaign.id, at_ms)
        reason = f"break {position.break_name}: {spot.reason}"
        draft = self._draft(spot.item, spot.item.category, span, at_ms, reason)
        draft.kind = ItemKind.SPONSOR
        draft.sponsor = self._sponsors.message(spot.campaign)
        return draft

    def _fill_rest(self, drafts: list[Draft], span: Span, at_ms: int, length_ms: int) -> None:
        names = self._shelves.stocked(BREAK_CATEGORIES)
        while names:
            used_ms = sum(draft.air_ms for draft in drafts)
            taken = {draft.item.id for draft in drafts if draft.item}
            start_ms = at_ms + used_ms
            rotation = self._shelves.rotation(names[0])
            choice = rotation.choose(
                start_ms, max_ms=length_ms - used_ms, avoid=taken, shares=RELAXATIONS[:1]
            )
            if choice is None:
                names = names[1:]
                continue
            drafts.append(
                self._draft(choice.item, names[0], span, start_ms, f"rest of the break: {choice.reason}")
            )


def break_id(station: str, span: Span, position: Position) -> str:
    """A break's identity: the station, the moment of its hour, and its name in the clock."""
    return f"{station}/{span.hour_ms}/{position.break_name}"


def pending(span: Span, kept: Sequence[LogRow], from_ms: int) -> list[Position]:
    """The positions of a span that are still to come at ``from_ms``, given the rows that were kept before it.

    On a station that starts in the middle of a span its anchored position is past and is left out.
    """
    mine = [row for row in kept if row.starts_at_ms >= span.starts_at_ms - span.window_ms]
    starts_here = from_ms == span.starts_at_ms or bool(
        kept and kept[-1].starts_at_ms < span.starts_at_ms and not mine
    )
    todo = [span.head] if span.head and (starts_here or not _is_done(span, kept, mine)) else []
    rows = [row for row in mine if row.starts_at_ms >= span.starts_at_ms]
    for position in span.positions:
        left = 0 if position.rotate else position.count
        while left and rows and (match := _first_match(position, span, rows)) is not None:
            rows = rows[match + 1 :]
            left -= 1
        if position.rotate or left:
            todo.append(_with_count(position, left))
    return todo


def _is_done(span: Span, kept: Sequence[LogRow], mine: Sequence[LogRow]) -> bool:
    if not kept:
        return True
    head = span.head
    if head is not None and head.break_name is not None:
        return any(row.break_id and row.break_id == break_id(row.station, span, head) for row in mine)
    return any(row.anchor != "float" or row.starts_at_ms >= span.starts_at_ms for row in mine)


def _first_match(position: Position, span: Span, rows: Sequence[LogRow]) -> int | None:
    for index, row in enumerate(rows):
        if position.break_name is not None:
            if row.break_id == break_id(row.station, span, position):
                return index
        elif position.category is not None and row.category == position.category and row.break_id is None:
            return index
    return None


def _with_count(position: Position, count: int) -> Position:
    return position if position.rotate else msgspec.structs.replace(position, count=count)


def _deliveries(creatives: Sequence[tuple[Campaign, Item]], plays: Sequence[Play]) -> Deliveries:
    deliveries = Deliveries()
    campaigns: dict[str, list[str]] = {}
    for campaign, item in creatives:
        campaigns.setdefault(item.id, []).append(campaign.id)
    for play in sorted(plays, key=lambda play: play.started_ms):
        for campaign_id in campaigns.get(play.item, ()):
            deliveries.note(campaign_id, play.started_ms)
    return deliveries
