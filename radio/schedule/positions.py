"""What a clock's positions become: an item, the items of a category, the sponsors and promos of a break."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from radio.library.items import Item
from radio.log import ItemKind, LogRow
from radio.schedule.clocks import Span
from radio.schedule.drafts import Draft
from radio.schedule.model import HourClock, Position, Schedule
from radio.schedule.playbook import Play
from radio.schedule.recordings import Recordings
from radio.schedule.rotation import RELAXATIONS
from radio.schedule.shelves import EVERYTHING, Shelves
from radio.schedule.wallclock import local_time
from radio.sponsors.breaks import Deliveries, Spot, fill_break, resolve
from radio.sponsors.campaigns import Campaign, SponsorBook

BREAK_CATEGORIES = ("promos", "fill")
"""What takes the time of a break that sponsors leave, in this order."""

MOST_INSTEAD: Final = 200
"""Rows that stand in for one recording or stream."""


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
        *,
        schedule: Schedule,
    ) -> None:
        self._shelves = shelves
        self.recordings = Recordings(shelves, zone, dict(schedule.by_id()))
        self._schedule = schedule
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
        if position.stream is not None:
            reason = f"stream {position.stream}: it is not connected to this station"
            return self._instead(position, span, at_ms, room_ms, reason)
        if position.episode is not None:
            return self._episode(position, span, at_ms, room_ms)
        if position.item is not None:
            item = self._shelves.find(position.item)
            if item is None or (room_ms is not None and item.air_ms > room_ms):
                return []
            if self._shelves.why_not(item, at_ms):
                return []
            reason = f"the clock {span.clock.name} names it"
            return [self._draft(item, item.category, span, at_ms, reason, position)]
        if position.category is None:
            return []
        choice = self._shelves.choose(position.category, at_ms, max_ms=room_ms)
        if choice is None:
            return []
        return [self._draft(choice.item, position.category, span, at_ms, choice.reason, position)]

    def why_not(self, position: Position, at_ms: int, room_ms: int | None) -> str | None:
        """What a position would have aired and why it does not, in words; None for a break, which may be empty."""
        if position.item is not None:
            item = self._shelves.find(position.item)
            if item is None:
                return f"{position.item}, which the library does not have"
            if reason := self._shelves.why_not(item, at_ms):
                return f"{position.item}, which may not air ({reason})"
            return (
                f"{position.item}, which is too long for the {max(0, room_ms or 0) // 1000} s that are left"
            )
        if position.category is not None:
            items = self._shelves.rotation(position.category).items
            return f"{position.category}, which has {'nothing that suits' if items else 'no items'}"
        return None

    def _episode(self, position: Position, span: Span, at_ms: int, room_ms: int | None) -> list[Draft]:
        found = self.recordings.find(position, span, at_ms)
        if found.item is None:
            return self._instead(position, span, at_ms, room_ms, found.reason)
        draft = self._draft(found.item, f"episode:{position.episode}", span, at_ms, found.reason, position)
        draft.kind = self._shelves.kind(found.item.category, found.item)
        draft.skip_ms, draft.air_ms = found.skip_ms, found.item.air_ms - found.skip_ms
        return [draft]

    def _instead(
        self, position: Position, span: Span, at_ms: int, room_ms: int | None, reason: str
    ) -> list[Draft]:
        """Fill for as long as a stream would last; one row that says why where it has no length of its own."""
        names = self.recordings.fill_names(span, closing(self._shelves, span.clock))
        names = self._shelves.stocked(names) or self._shelves.stocked((EVERYTHING,))
        least_ms = max(0, position.length_ms - span.joined_ms)
        if room_ms is not None:
            least_ms = min(least_ms, room_ms)
        drafts: list[Draft] = []
        while names and len(drafts) < MOST_INSTEAD:
            used_ms = sum(draft.air_ms for draft in drafts)
            if drafts and used_ms >= least_ms:
                break
            most_ms = None if room_ms is None else room_ms - used_ms
            picked = self._shelves.choose_in_turn(names, at_ms + used_ms, max_ms=most_ms)
            if picked is None:
                break
            name, choice = picked
            drafts.append(self._draft(choice.item, name, span, at_ms + used_ms, f"{reason}; {choice.reason}"))
        for draft in drafts:
            draft.category = (
                f"{'stream' if position.stream else 'episode'}:{position.stream or position.episode}"
            )
        return drafts

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


def closing(shelves: Shelves, clock: HourClock) -> tuple[str, ...]:
    """The categories that fill a span in which nothing rotates: the clock's own, else everything."""
    if clock.fill:
        return clock.fill
    rotated = dict.fromkeys(name for position in clock.positions for name in position.rotate)
    counted = dict.fromkeys(position.category for position in clock.positions if position.category)
    carrying = [name for name in counted if shelves.leading_kind(name) in (ItemKind.MUSIC, ItemKind.SPEECH)]
    return tuple(rotated) or tuple(carrying) or (EVERYTHING,)


def pending(
    span: Span, kept: Sequence[LogRow], from_ms: int, find: Callable[[str], Item | None] | None = None
) -> list[Position]:
    """The positions of a span that are still to come at ``from_ms``, given the rows that were kept before it.

    ``find`` gives the item at a path. On a station that starts in the middle of a span its anchored position is
    past and is left out.
    """
    mine = [row for row in kept if row.starts_at_ms >= span.starts_at_ms - span.window_ms]
    starts_here = from_ms == span.starts_at_ms or bool(
        kept and kept[-1].starts_at_ms < span.starts_at_ms and not mine
    )
    todo = [span.head] if span.head and (starts_here or not _is_done(span, kept, mine)) else []
    rows = [row for row in mine if row.starts_at_ms >= span.starts_at_ms]
    for position in span.positions:
        left = 0 if position.rotate else position.count
        while left and rows and (match := _first_match(position, span, rows, find)) is not None:
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


def _first_match(
    position: Position, span: Span, rows: Sequence[LogRow], find: Callable[[str], Item | None] | None
) -> int | None:
    named = find(position.item) if find is not None and position.item is not None else None
    aside = position.stream and f"stream:{position.stream}"
    aside = aside or (position.episode and f"episode:{position.episode}")
    for index, row in enumerate(rows):
        if position.break_name is not None:
            if row.break_id == break_id(row.station, span, position):
                return index
        elif named is not None:
            if row.item == named.id and row.break_id is None:
                return index
        elif aside:
            if row.category == aside:
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
