"""From chosen items to exact times: joints between rows, and a batch that must end on a hard anchor (pure).

Each joint between two rows may give a little: music overlaps music by more or less, other rows by a few
hundred milliseconds. Where an item's ending is known, the next music comes in where it starts. Music with an intro
begins beneath the last words of the ident before it. What a choice of
items lacks or has too much is spread over all joints of the batch, so that a time is met without a cut. Only
where that is not enough is the last row faded out inside, or a short stretch of bed put before the anchor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final, NamedTuple

from radio.library.items import Item
from radio.log import Anchor, ItemKind, SponsorMessage
from radio.schedule.clocks import Span

SPEECH_JOINT_MS: Final = (0, 100, 300)
LONG_MS: Final = 60_000
LONGEST_SEGUE_MS: Final = 8_000
"""A longer ending is a part of the music, which nothing is laid over."""

SHORTEST_SEGUE_MS: Final = 250
LONGEST_OVER_INTRO_MS: Final = 3_000
INTRO_LEFT_MS: Final = 500
"""So much of an intro is heard alone, before its voice begins."""

MAX_GIVE_MS: Final = 3_000
MIN_CUT_MS: Final = 1_500
FADE_MS: Final = 3_000
SPEECH_FADE_MS: Final = 400


class Joint(NamedTuple):
    """How long a row goes on beneath the next: at least, usually, at most."""

    low_ms: int
    usual_ms: int
    high_ms: int


@dataclass(slots=True)
class Draft:
    """A row before its times are settled. ``air_ms`` is how long it sounds when nothing cuts it, from
    ``skip_ms`` after its item's first sound on."""

    kind: ItemKind
    title: str
    air_ms: int
    reason: str
    span: Span
    item: Item | None = None
    category: str | None = None
    sponsor: SponsorMessage | None = None
    break_id: str | None = None
    legal_id: bool = False
    anchor: Anchor = Anchor.FLOAT
    window_ms: int = 0
    skip_ms: int = 0

    @property
    def segue_ms(self) -> int | None:
        """How long before its end the item can be joined by music; None where that is not known."""
        return segue_of(self.item) if self.item else None

    @property
    def intro_ms(self) -> int:
        """How long the row sounds before its voice; 0 where that is not known."""
        return intro_of(self.item, self.skip_ms) if self.item else 0


class Placed(NamedTuple):
    """A draft with its times."""

    draft: Draft
    starts_at_ms: int
    ends_at_ms: int
    overlap_ms: int
    fade_out_ms: int
    note: str


class Edge(NamedTuple):
    """Where rows have come to: the last one, when it starts, and what the joints before it can give."""

    last: Draft | None
    starts_at_ms: int
    crossfade_ms: int
    longer_ms: int = 0
    shorter_ms: int = 0

    def joint(self, next_kind: ItemKind | None, next_air_ms: int = LONG_MS, next_intro_ms: int = 0) -> Joint:
        """The joint of the last row with a row of ``next_kind``."""
        if self.last is None:
            return Joint(0, 0, 0)
        last, crossfade_ms = self.last, self.crossfade_ms
        return joint_of(
            last.kind, last.air_ms, next_kind, next_air_ms, crossfade_ms, last.segue_ms, next_intro_ms
        )

    def ends_at_ms(
        self, next_kind: ItemKind | None = None, next_air_ms: int = LONG_MS, next_intro_ms: int = 0
    ) -> int:
        """When a row of ``next_kind`` would start, with usual joints."""
        air_ms = self.last.air_ms if self.last else 0
        return self.starts_at_ms + air_ms - self.joint(next_kind, next_air_ms, next_intro_ms).usual_ms

    def after(self, draft: Draft) -> Edge:
        """The edge with one more row."""
        longer_ms, shorter_ms = self._with(self.joint(draft.kind, draft.air_ms, draft.intro_ms))
        starts_at_ms = self.ends_at_ms(draft.kind, draft.air_ms, draft.intro_ms)
        return Edge(draft, starts_at_ms, self.crossfade_ms, longer_ms, shorter_ms)

    def beyond(self, drafts: Iterable[Draft]) -> Edge:
        """The edge with more rows."""
        return reduce(Edge.after, drafts, self)

    def give_ms(self, next_kind: ItemKind | None = None) -> tuple[int, int]:
        """How much longer and how much shorter the joints together can make the rows; 3 s each at most."""
        longer_ms, shorter_ms = self._with(self.joint(next_kind))
        return min(longer_ms, MAX_GIVE_MS), min(shorter_ms, MAX_GIVE_MS)

    def meets(self, ends_at_ms: int, next_kind: ItemKind | None) -> bool:
        """Whether the rows can end exactly then by their joints alone."""
        excess_ms = self.ends_at_ms(next_kind) - ends_at_ms
        longer_ms, shorter_ms = self.give_ms(next_kind)
        return -longer_ms <= excess_ms <= shorter_ms

    def _with(self, joint: Joint) -> tuple[int, int]:
        return (
            self.longer_ms + joint.usual_ms - joint.low_ms,
            self.shorter_ms + joint.high_ms - joint.usual_ms,
        )


class Batch:
    """Drafts that follow each other from ``starts_at_ms`` on, up to the next hard anchor."""

    def __init__(self, starts_at_ms: int, crossfade_ms: int) -> None:
        self.starts_at_ms = starts_at_ms
        self.drafts: list[Draft] = []
        self.edge = Edge(None, starts_at_ms, crossfade_ms)

    def append(self, draft: Draft) -> None:
        """Put a draft behind the last one."""
        self.edge = self.edge.after(draft)
        self.drafts.append(draft)

    def ends_at_ms(self, next_kind: ItemKind | None = None) -> int:
        """When a row of ``next_kind`` would start behind the last one, with usual joints."""
        return self.edge.ends_at_ms(next_kind)

    def joints(self, next_kind: ItemKind | None = None) -> list[Joint]:
        """One joint for each draft: with the one behind it, and for the last with a row of ``next_kind``."""
        following = [(draft.kind, draft.air_ms, draft.intro_ms) for draft in self.drafts[1:]]
        ends: list[tuple[ItemKind | None, int, int]] = [*following, (next_kind, LONG_MS, 0)]
        return [
            joint_of(draft.kind, draft.air_ms, kind, air_ms, self.edge.crossfade_ms, draft.segue_ms, intro_ms)
            for draft, (kind, air_ms, intro_ms) in zip(self.drafts, ends, strict=False)
        ]


def segue_of(item: Item) -> int | None:
    """How long before an item's end its ending starts; None where that is not known or it is a long one."""
    if item.outro_ms is None:
        return None
    left_ms = item.cue_out_ms - item.outro_ms
    return max(SHORTEST_SEGUE_MS, left_ms) if 0 <= left_ms <= LONGEST_SEGUE_MS else None


def intro_of(item: Item, skip_ms: int = 0) -> int:
    """How long the item sounds on the air before its voice; 0 where that is not known."""
    return max(0, item.intro_ms - item.cue_in_ms - skip_ms) if item.intro_ms is not None else 0


def joint_of(
    kind: ItemKind,
    air_ms: int,
    next_kind: ItemKind | None,
    next_air_ms: int,
    crossfade_ms: int,
    segue_ms: int | None = None,
    next_intro_ms: int = 0,
) -> Joint:
    """The joint between two rows: from music to music a crossfade, from an ident into music the music's intro, else
    close to nothing.

    A crossfade is as long as the first one's ending, ``segue_ms``, where that is known, and gives less then. With
    a ``crossfade_ms`` of 0 there is none. Of an ident at most the last half is heard over an intro, and never the
    intro's last half second; where a time must be met the two need not overlap.
    """
    over_ms = min(next_intro_ms - INTRO_LEFT_MS, LONGEST_OVER_INTRO_MS, air_ms // 2, next_air_ms // 4)
    if kind is ItemKind.IDENT and next_kind is ItemKind.MUSIC and over_ms > SPEECH_JOINT_MS[-1]:
        return Joint(SPEECH_JOINT_MS[0], over_ms, over_ms)
    if kind is ItemKind.MUSIC and next_kind is ItemKind.MUSIC:
        wanted = Joint(crossfade_ms // 4, crossfade_ms, crossfade_ms * 2)
        if segue_ms is not None and crossfade_ms:
            wanted = Joint(segue_ms // 2, segue_ms, segue_ms * 3 // 2)
    else:
        wanted = Joint(*SPEECH_JOINT_MS)
    limit_ms = min(air_ms, next_air_ms) // 4
    return Joint(*(min(length_ms, limit_ms) for length_ms in wanted))


def settle(batch: Batch, ends_at_ms: int | None, next_kind: ItemKind | None, *, until: str) -> list[Placed]:
    """Exact times for every draft. With ``ends_at_ms`` the last row ends then, to the millisecond.

    Where the drafts are too short for it, the last :class:`Placed` ends early and the caller fills the rest;
    that is never so where ``batch.edge.meets`` holds. ``until`` names the anchor in notes.
    """
    joints = batch.joints(next_kind)
    overlaps = [joint.usual_ms for joint in joints]
    if ends_at_ms is not None and batch.drafts:
        excess_ms = batch.ends_at_ms(next_kind) - ends_at_ms
        longer_ms, shorter_ms = batch.edge.give_ms(next_kind)
        if excess_ms > shorter_ms:
            return _cut(batch, ends_at_ms, until)
        overlaps = _spread(joints, max(-longer_ms, excess_ms))
    return _placed(batch, overlaps)


def _spread(joints: Sequence[Joint], excess_ms: int) -> list[int]:
    overlaps = []
    room_ms = [
        joint.high_ms - joint.usual_ms if excess_ms > 0 else joint.low_ms - joint.usual_ms for joint in joints
    ]
    left_ms, left_room_ms = excess_ms, sum(room_ms)
    for joint, room in zip(joints, room_ms, strict=True):
        change_ms = round(left_ms * room / left_room_ms) if left_room_ms else 0
        overlaps.append(joint.usual_ms + change_ms)
        left_ms, left_room_ms = left_ms - change_ms, left_room_ms - room
    return overlaps


def _placed(batch: Batch, overlaps: Sequence[int]) -> list[Placed]:
    placed = []
    at_ms = batch.starts_at_ms
    for draft, overlap_ms in zip(batch.drafts, overlaps, strict=True):
        end_ms = at_ms + draft.air_ms - overlap_ms
        placed.append(Placed(draft, at_ms, end_ms, overlap_ms, 0, ""))
        at_ms = end_ms
    return placed


def _cut(batch: Batch, ends_at_ms: int, until: str) -> list[Placed]:
    whole = _placed(batch, [joint.usual_ms for joint in batch.joints()])
    kept = [placed for placed in whole if placed.starts_at_ms <= ends_at_ms - MIN_CUT_MS]
    if not kept:
        return []
    draft, starts_at_ms, end_ms, _, _, _ = kept[-1]
    if end_ms <= ends_at_ms:
        return kept
    longest_ms = SPEECH_FADE_MS if draft.kind is ItemKind.SPEECH else FADE_MS
    fade_ms = min(longest_ms, (ends_at_ms - starts_at_ms) // 2)
    short_s = (end_ms - ends_at_ms) / 1000
    note = f"faded out {short_s:.1f} s before its end to meet {until}"
    return [*kept[:-1], Placed(draft, starts_at_ms, ends_at_ms, 0, fade_ms, note)]
