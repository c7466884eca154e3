"""AzuraCast's push: every change of a station as its now-playing object, to whoever follows it.

Made of the board's sights, which ride on the hub. A publication is encoded once for all that follow it (once for
each address at which the service is called, where no public one is configured), and framed once for each transport.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec
import structlog

from radio.api.dialects.azuracast import now_playing
from radio.api.dialects.azuracast_shapes import NowPlaying
from radio.api.dialects.board import Board
from radio.api.dialects.centrifugo import PREFIX, pushed
from radio.api.dialects.sight import Sight
from radio.push.messages import Position
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)

COHORT: Final = 100
"""So many are served before the loop gets its turn: about two milliseconds."""
BASES_LIMIT: Final = 32


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a publication carries; ``current_time`` is Unix seconds."""

    np: NowPlaying
    triggers: list[str]
    current_time: int


class Publication:
    """A station's newest state, as one moment's publication; its forms are made when they are first wanted."""

    __slots__ = ("_forms", "_sight", "_triggers", "offset", "station")

    def __init__(self, sight: Sight, triggers: list[str], position: Position) -> None:
        self._sight = sight
        self._triggers = triggers
        self._forms: dict[tuple[str, Callable[[bytes], bytes] | None], bytes] = {}
        self.station = sight.config.id
        self.offset = position.seq

    def form(self, base: str, build: Callable[[bytes], bytes]) -> bytes:
        """``build(push)`` with the addresses of ``base``; ``build`` is a module's function and also the key."""
        if (base, build) not in self._forms:
            self._forms[base, build] = build(self._push(base))
        return self._forms[base, build]

    def _push(self, base: str) -> bytes:
        if (base, None) not in self._forms:
            data = data_of(msgspec.structs.replace(self._sight, base=base), self._triggers)
            self._forms[base, None] = pushed(PREFIX + self.station, data, self.offset)
        return self._forms[base, None]


class Follower(Protocol):
    """One connection, hashable; ``deliver`` must not block."""

    def deliver(self, publication: Publication) -> None:
        """Send ``publication``, or keep it until it can be sent or a newer one of its station takes its place."""


def data_of(sight: Sight, triggers: list[str]) -> bytes:
    """The data of a publication as JSON."""
    told = Told(np=now_playing(sight), triggers=triggers, current_time=sight.at_ms // 1000)
    return msgspec.json.encode(told)


class LivePush:
    """All who follow AzuraCast's push, by station. Used on the loop's thread."""

    def __init__(self, board: Board, *, public_url: str = "") -> None:
        self.board = board
        self.encoded = 0
        self._public = public_url.rstrip("/")
        self._followers: dict[str, dict[Follower, None]] = {id_: {} for id_ in board.stations}
        self._bases: Counter[str] = Counter()
        self._newest: dict[tuple[str, str], tuple[int, Position, bytes]] = {}
        board.on_change = self._changed

    def __len__(self) -> int:
        return sum(map(len, self._followers.values()))

    def enter(self, base: str) -> str:
        """Take a connection in that called the service by ``base``; the address that it is told. See :meth:`leave`.

        Only so many different ones are told at a time, as each costs an encoding of every publication. Past that
        addresses are relative: nobody may be told an address that somebody else made up.
        """
        told = self._public or base
        if told not in self._bases and len(self._bases) >= BASES_LIMIT:
            told = ""
        self._bases[told] += 1
        return told

    def leave(self, base: str) -> None:
        """A connection is gone that was told ``base``."""
        self._bases[base] -= 1
        if self._bases[base] <= 0:
            del self._bases[base]
            self._newest = {key: kept for key, kept in self._newest.items() if key[1] != base}

    def follow(self, follower: Follower, channels: Mapping[str, str]) -> None:
        """Deliver to ``follower`` the changes of the stations in ``channels``, and of no others."""
        for station, followers in self._followers.items():
            if station in channels:
                followers[follower] = None
            else:
                followers.pop(follower, None)

    def station_of(self, channel: str) -> str | None:
        """The station behind a channel's name; None for one that is not known or has no state yet."""
        station = channel.removeprefix(PREFIX)
        known = channel.startswith(PREFIX) and station in self._followers
        return station if known and self.board.position(station).epoch else None

    def newest(self, station: str, base: str) -> tuple[Position, bytes]:
        """What a connection is sent first; made once a second and state, however many come."""
        position = self.board.position(station)
        second = self.board.clock.now_ms() // 1000
        kept = self._newest.get((station, base))
        if kept is None or kept[:2] != (second, position):
            data = data_of(self.board.sight(station, base), [])
            kept = self._newest[station, base] = second, position, data
        return position, kept[2]

    def _changed(self, station: str, triggers: list[str]) -> None:
        followers = tuple(self._followers[station])
        if followers:
            self.encoded += 1
            sight = self.board.sight(station, "")
            publication = Publication(sight, triggers, self.board.position(station))
            self._fan_out(publication, followers, 0)

    def _fan_out(self, publication: Publication, followers: tuple[Follower, ...], start: int) -> None:
        for follower in followers[start : start + COHORT]:
            if follower not in self._followers[publication.station]:
                continue
            try:
                follower.deliver(publication)
            except Exception:
                self.follow(follower, {})
                _journal.exception("dialects.follower_failed", station=publication.station)
        if start + COHORT < len(followers):
            loop = asyncio.get_running_loop()
            loop.call_soon(self._fan_out, publication, followers, start + COHORT)


class Window:
    """The push as one connection sees it, with the address that it is told: a source for its talk."""

    __slots__ = ("_live", "base")

    def __init__(self, live: LivePush, base: str) -> None:
        self._live = live
        self.base = base

    def station_of(self, channel: str) -> str | None:
        return self._live.station_of(channel)

    def newest(self, station: str) -> tuple[Position, bytes]:
        return self._live.newest(station, self.base)

    def now_ms(self) -> UtcMs:
        return self._live.board.clock.now_ms()
