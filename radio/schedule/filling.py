"""Fills the open time of a span: rotation first, then fit to time as its end comes near.

Before a soft anchor, and at an hour that nothing anchors, the filling ends with the item that ends nearest.
Before a hard anchor it ends exactly: by a set of items that fits, else by music or fill that is faded out,
else by a short bed; speech is cut only where more than a minute of bed would be needed instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from radio.library.items import Item
from radio.log import Anchor, ItemKind
from radio.schedule.clocks import Span
from radio.schedule.drafts import LONG_MS, Batch, Draft, Edge, joint_of, segue_of
from radio.schedule.rotation import Choice
from radio.schedule.shelves import EVERYTHING, Shelves
from radio.schedule.wallclock import local_time
from radio.sponsors.weektime import MINUTE_MS

FIT_WITHIN_MS: Final = 6 * MINUTE_MS
LONGEST_FIT_MS: Final = 20 * MINUTE_MS
REST_MS: Final = 5 * MINUTE_MS
LONGEST_BED_MS: Final = MINUTE_MS
SHORTEST_MUSIC_MS: Final = 20_000
MAX_ITEMS: Final = 4_000
MOST_LONGER: Final = 64
ORDERED_GIVE_MS: Final = (300, 300)

SHORT_KINDS: Final = (ItemKind.IDENT, ItemKind.PROMO)

BED_ROW_MS: Final = 30_000
"""The longest row of the built-in bed."""

_PROBE_MS: Final = 60_000
_MARGIN_MS: Final = 300

CLOSERS: Final[tuple[tuple[str, ...], ...]] = ((), ("promos", "idents"), ("promos", "idents", "fill"))
"""What may help to meet a time beside the rotation itself, tried one after the other."""


class Filler:
    """Appends to a batch what fills a span's open time; mutable through the shelves only."""

    def __init__(self, shelves: Shelves, zone: ZoneInfo, station_name: str, crossfade_ms: int) -> None:
        self._shelves = shelves
        self._zone = zone
        self._station_name = station_name
        self._crossfade_ms = crossfade_ms
        self._lost: dict[tuple[ItemKind, str], int] = {}

    def fill(
        self,
        batch: Batch,
        names: tuple[str, ...],
        span: Span,
        following: Span,
        *,
        tail: Sequence[Draft],
        next_kind: ItemKind | None,
    ) -> None:
        """Fill up to the start of ``following``, with ``tail`` as the last rows before it."""
        stocked = self._shelves.stocked(names) or self._shelves.stocked((EVERYTHING,))
        room = _Room(batch, span, following, list(tail), next_kind)
        if not stocked:
            room.bed(self._station_name)
        elif following.anchor is Anchor.HARD:
            self._to_the_millisecond(room, stocked)
        else:
            self._to_the_nearest(room, stocked)
        for draft in room.tail:
            batch.append(draft)

    def in_order(
        self, batch: Batch, names: Sequence[str], span: Span, following: Span, next_kind: ItemKind | None
    ) -> bool:
        """Fill up to a hard anchor with one item of each category in turn; False where that does not meet it."""
        room = _Room(batch, span, following, [], next_kind)
        kinds = [self._shelves.leading_kind(name) for name in names]
        if following.anchor is not Anchor.HARD or None in kinds or not names:
            return False
        behind = [*kinds[1:], next_kind]

        def lost_ms(index: int, item: Item) -> int:
            kind = self._shelves.kind(names[index], item)
            joint = joint_of(kind, item.air_ms, behind[index], LONG_MS, self._crossfade_ms, segue_of(item))
            return joint.usual_ms

        target_ms = following.starts_at_ms - batch.ends_at_ms(kinds[0])
        found = self._shelves.ordered(names, room.at_ms(), target_ms, ORDERED_GIVE_MS, lost_ms)
        if found is None:
            return False
        drafts = [self._draft(room, *one) for one in found]
        if not room.takes(drafts):
            return False
        for draft in drafts:
            self._append_draft(room, draft)
        return True

    def _to_the_nearest(self, room: _Room, names: tuple[str, ...]) -> None:
        window_ms = room.following.window_ms
        for _ in range(MAX_ITEMS):
            left_ms = room.left_ms()
            if left_ms <= 0:
                return
            picked = self._shelves.choose_in_turn(names, room.at_ms())
            if picked is None:
                self._stop_gap(room)
                continue
            over_ms = picked[1].item.air_ms - left_ms
            if over_ms > left_ms and left_ms <= window_ms:
                return
            if over_ms > window_ms > 0 and (better := self._nearer(room, names, min(over_ms, left_ms))):
                self._append(room, *better)
                continue
            if over_ms > left_ms:
                return
            self._append(room, *picked)

    def _nearer(self, room: _Room, names: tuple[str, ...], miss_ms: int) -> tuple[str, Choice] | None:
        """An item that ends nearer to the soft anchor than ``miss_ms``, rested enough not to be noticed."""
        most_ms = room.left_ms() + min(room.following.window_ms, max(0, miss_ms - 1))
        return self._shelves.choose_in_turn(names, room.at_ms(), max_ms=most_ms, rest_ms=REST_MS)

    def _to_the_millisecond(self, room: _Room, names: tuple[str, ...]) -> None:
        within_ms, usual_rest_ms = self._fit_within_ms(names), self._rest_ms(names)
        for _ in range(MAX_ITEMS):
            if room.is_met() or room.left_ms() <= 0:
                return
            left_ms = room.left_ms()
            if left_ms <= within_ms and self._fit(room, names):
                return
            is_closing = left_ms <= within_ms + BED_ROW_MS
            picked = self._shelves.choose_in_turn(
                names,
                room.at_ms(),
                max_ms=left_ms + room.give_ms()[1],
                rest_ms=usual_rest_ms if is_closing else 0,
            )
            if picked is None and not is_closing:
                self._stop_gap(room)
            elif picked is None or (is_closing and self._piles_up(room, names, *picked)):
                if self._close(room, names):
                    return
            else:
                self._append(room, *picked)

    def _stop_gap(self, room: _Room) -> None:
        """Nothing may be played now: fill, or some bed, until a rule that is never relaxed gives way."""
        left_ms = room.left_ms()
        short = [
            item
            for item in self._shelves.of_kind(ItemKind.FILL)
            if item.air_ms <= left_ms and not self._shelves.why_not(item, room.at_ms())
        ]
        if short:
            reason = f"{short[0].category}: fills, because no rule lets anything else be played"
            self._append(room, short[0].category, Choice(item=short[0], reason=reason))
            return
        room.bed(self._station_name, reason="bed: no rule lets anything be played", most_ms=BED_ROW_MS)

    def _rest_ms(self, names: tuple[str, ...]) -> int:
        """How long what closes a span must have rested: less where all there is comes round sooner than that."""
        rotations = [self._shelves.rotation(name) for name in sorted(set(names))]
        return min(REST_MS, sum(rotation.mean_ms * len(rotation.items) for rotation in rotations) // 2)

    def _piles_up(self, room: _Room, names: tuple[str, ...], name: str, choice: Choice) -> bool:
        """Whether only another ident or promo is short enough, behind one that was taken for the same reason."""
        if all(self._shelves.leading_kind(each) in SHORT_KINDS for each in names):
            return False
        before = room.batch.drafts[-1].kind if room.batch.drafts else None
        return before in SHORT_KINDS and self._shelves.kind(name, choice.item) in SHORT_KINDS

    def _fit_within_ms(self, names: tuple[str, ...]) -> int:
        rotations = [self._shelves.rotation(name) for name in sorted(set(names))]
        count = sum(len(rotation.items) for rotation in rotations)
        mean_ms = sum(rotation.mean_ms * len(rotation.items) for rotation in rotations) // count
        return min(LONGEST_FIT_MS, max(FIT_WITHIN_MS, 3 * mean_ms))

    def _fit(self, room: _Room, names: tuple[str, ...]) -> bool:
        kind = self._shelves.leading_kind(names[0])
        target_ms = room.target_ms(kind, self._lost_ms(kind) if kind else 0)
        for more in dict.fromkeys((*names, *self._shelves.stocked(extra)) for extra in CLOSERS):
            for found in self._shelves.fitting(more, room.at_ms(), target_ms, room.give_ms(), self._lost_ms):
                drafts = next(filter(room.takes, self._orders(room, found)), None)
                if drafts is not None:
                    for draft in drafts:
                        self._append_draft(room, draft)
                    return True
        return False

    def _lost_ms(self, kind: ItemKind, item: Item | None = None) -> int:
        """What an item loses to its usual joint with another of its kind."""
        if item is None:
            return joint_of(kind, LONG_MS, kind, LONG_MS, self._crossfade_ms).usual_ms
        known = self._lost.get((kind, item.id))
        if known is None:
            known = self._lost[kind, item.id] = self._lost_by(kind, item)
        return known

    def _lost_by(self, kind: ItemKind, item: Item) -> int:
        air_ms, segue_ms = item.air_ms, segue_of(item)
        return joint_of(kind, air_ms, kind, LONG_MS, self._crossfade_ms, segue_ms).usual_ms

    def _orders(self, room: _Room, found: Sequence[tuple[str, Choice]]) -> Iterator[list[Draft]]:
        """Neighbours of different categories where that can be; else all music first, as it was reckoned."""
        drafts = [self._draft(room, *one) for one in found]
        waiting = list(drafts)
        mixed: list[Draft] = []
        before = room.batch.drafts[-1].category if room.batch.drafts else None
        while waiting:
            index = next((index for index, one in enumerate(waiting) if one.category != before), 0)
            mixed.append(waiting.pop(index))
            before = mixed[-1].category
        yield mixed
        yield sorted(drafts, key=lambda draft: draft.kind is not ItemKind.MUSIC)

    def _close(self, room: _Room, names: tuple[str, ...]) -> bool:
        """Nothing that is left fits whole. True where the room is closed, False where there is still some."""
        left_ms = room.left_ms()
        if left_ms <= room.SLIVER_MS:
            return True
        beds = [
            item
            for item in self._shelves.of_kind(ItemKind.FILL)
            if not self._shelves.why_not(item, room.at_ms())
        ]
        music = [] if left_ms < SHORTEST_MUSIC_MS else self._longer(names, ItemKind.MUSIC, room)
        long_beds = [item for item in beds if item.air_ms >= left_ms]
        for items in (music[: len(music) // 2 + 1], long_beds[:1]):
            if items:
                self._append_to_cut(room, min(items, key=lambda item: item.air_ms))
                return True
        if beds:
            self._append_to_cut(room, max(beds, key=lambda item: item.air_ms))
            return False
        if left_ms > LONGEST_BED_MS and (speech := self._longer(names, None, room)):
            self._append_to_cut(room, min(speech, key=lambda item: item.air_ms))
        return True

    def _longer(self, names: tuple[str, ...], kind: ItemKind | None, room: _Room) -> list[Item]:
        """Some items at least as long as what is left, those heard longest ago first."""
        left_ms, at_ms = room.left_ms(), room.at_ms()
        found: list[Item] = []
        for name in dict.fromkeys(names):
            rotation = self._shelves.rotation(name)
            longer = (
                item
                for item in rotation.in_order()
                if item.air_ms >= left_ms
                and kind in (None, self._shelves.kind(name, item))
                and rotation.may_air(item, at_ms)
            )
            found.extend(islice(longer, MOST_LONGER))
        return self._shelves.rested_first(found)

    def _append_to_cut(self, room: _Room, item: Item) -> None:
        until = local_time(room.following.starts_at_ms, self._zone).strftime("%H:%M:%S")
        reason = f"{item.category}: fills the rest before {until}; nothing that is left fits whole"
        self._append(room, item.category, Choice(item=item, reason=reason))

    def _append(self, room: _Room, name: str, choice: Choice) -> None:
        self._append_draft(room, self._draft(room, name, choice))

    def _append_draft(self, room: _Room, draft: Draft) -> None:
        if draft.item is not None:
            self._shelves.note(
                draft.item, room.batch.edge.ends_at_ms(draft.kind, draft.air_ms, draft.intro_ms)
            )
        room.batch.append(draft)

    def _draft(self, room: _Room, name: str, choice: Choice) -> Draft:
        item = choice.item
        return Draft(
            kind=self._shelves.kind(name, item),
            title=item.title,
            air_ms=item.air_ms,
            reason=choice.reason,
            span=room.span,
            item=item,
            category=name,
        )


class _Room:
    """The open time before the next span, with the rows that must still stand at its end."""

    SLIVER_MS = 3_000

    def __init__(
        self, batch: Batch, span: Span, following: Span, tail: list[Draft], next_kind: ItemKind | None
    ) -> None:
        self.batch = batch
        self.span = span
        self.following = following
        self.tail = tail
        self._next_kind = next_kind

    def _edge(self, more: Sequence[Draft] = ()) -> Edge:
        return self.batch.edge.beyond((*more, *self.tail))

    def at_ms(self) -> int:
        """When the next item would start."""
        return self.batch.ends_at_ms()

    def left_ms(self) -> int:
        """The time that is still open."""
        return self.following.starts_at_ms - self._edge().ends_at_ms(self._next_kind)

    def give_ms(self) -> tuple[int, int]:
        """How much longer and shorter the joints of the rows so far can make them, less a margin."""
        longer_ms, shorter_ms = self._edge().give_ms(self._next_kind)
        return max(0, longer_ms - _MARGIN_MS), max(0, shorter_ms - _MARGIN_MS)

    def target_ms(self, kind: ItemKind | None, lost_ms: int) -> int:
        """What items of ``kind``, each less its joint with another of its kind, must add up to."""
        more = [_probe(kind, self.span)] if kind else []
        gap_ms = self._edge(more).ends_at_ms(self._next_kind)
        return self.following.starts_at_ms - gap_ms + (_PROBE_MS - lost_ms if kind else 0)

    def is_met(self) -> bool:
        """Whether joints alone bring the rows so far to the anchor."""
        return self._edge().meets(self.following.starts_at_ms, self._next_kind)

    def takes(self, drafts: Sequence[Draft]) -> bool:
        """Whether these drafts and the tail meet the anchor."""
        return self._edge(drafts).meets(self.following.starts_at_ms, self._next_kind)

    def bed(
        self, title: str, reason: str = "bed: the library has nothing for this clock", most_ms: int = 1 << 62
    ) -> None:
        """Nothing can be played: the built-in bed sounds for as long as there is room, or for ``most_ms``."""
        left_ms = min(self.left_ms(), most_ms)
        while left_ms > 0:
            # in short rows: playout takes rows whole, and what is put into the library shall be heard soon
            air_ms = min(left_ms, BED_ROW_MS)
            self.batch.append(
                Draft(kind=ItemKind.FILL, title=title, air_ms=air_ms, reason=reason, span=self.span)
            )
            left_ms -= air_ms


def _probe(kind: ItemKind, span: Span) -> Draft:
    return Draft(kind=kind, title="", air_ms=_PROBE_MS, reason="", span=span)
