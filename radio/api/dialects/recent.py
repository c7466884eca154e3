"""What was heard lately, as every dialect lists it: each item once, newest first (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from radio.log import ItemKind
from radio.stations.shapes import StationState
from radio.units import DurationMs, UtcMs

KEPT: Final = 40
UNLISTED: Final = frozenset({ItemKind.IDENT, ItemKind.FILL, ItemKind.PROMO, ItemKind.SPONSOR})
"""Kinds that nobody looks for in a list of what was played."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was on the air. ``id`` is its row's, ``artwork`` a relative or a whole address."""

    id: str
    kind: ItemKind
    title: str
    starts_at_ms: UtcMs
    duration_ms: DurationMs
    artist: str | None = None
    album: str | None = None
    artwork: str | None = None
    programme: str | None = None


class Recent:
    """The newest items that are over, at most :data:`KEPT`; follows the states as they are published."""

    def __init__(self) -> None:
        self._heard: list[Heard] = []
        self._now: Heard | None = None

    @property
    def heard(self) -> tuple[Heard, ...]:
        """What is over, newest first; never what is on the air."""
        return tuple(self._heard)

    def follow(self, state: StationState, at_ms: UtcMs) -> None:
        """Take the newest state, which holds from ``at_ms`` on: an item that is no longer its ``now`` is over."""
        before, self._now = self._now, None if state.now is None else _heard(state)
        over = [] if before is None else [_ended(before, at_ms)]
        self._keep([*self._heard, *over])

    def seed(self, earlier: Iterable[Heard]) -> None:
        """Add what was played before, or is known better: with the programme that it was part of."""
        known = {one.id for one in self._heard}
        self._keep([*self._heard, *(one for one in earlier if one.programme or one.id not in known)])

    def _keep(self, heard: Iterable[Heard]) -> None:
        on_air = self._now.id if self._now else None
        last = {one.id: one for one in heard if one.kind not in UNLISTED and one.id != on_air}
        self._heard = sorted(last.values(), key=lambda one: one.starts_at_ms, reverse=True)[:KEPT]


def _ended(heard: Heard, at_ms: UtcMs) -> Heard:
    since_ms = at_ms - heard.starts_at_ms
    played_ms = max(0, min(heard.duration_ms or since_ms, since_ms))
    return msgspec.structs.replace(heard, duration_ms=DurationMs(played_ms))


def _heard(state: StationState) -> Heard:
    now = state.now
    assert now is not None
    return Heard(
        id=now.id,
        kind=now.kind,
        title=now.title,
        artist=now.artist,
        album=now.album,
        artwork=now.artwork,
        programme=state.programme.title if state.programme else None,
        starts_at_ms=now.starts_at_ms,
        duration_ms=now.duration_ms,
    )
