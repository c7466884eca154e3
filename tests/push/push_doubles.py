"""Subscribers with state, for tests of the hub."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from radio.push.backlog import Backlog
from radio.push.channel import Publication
from radio.push.hub import Hub
from radio.push.messages import Position, ServerMessage, Snapshot, Update, decode_message
from radio.push.patch import apply


class Follower:
    """A client that follows stations as the protocol says, and fails on the first thing out of order."""

    lane = None

    def __init__(self, hub: Hub, *, backlog_bytes: int = 1 << 20) -> None:
        self.hub = hub
        self.backlog = Backlog(backlog_bytes)
        self.paused = False
        self.received: list[Publication] = []
        self.told: list[ServerMessage] = []
        self.states: dict[str, dict[str, Any]] = {}
        self.positions: dict[str, Position] = {}

    def deliver(self, publication: Publication) -> None:
        if self.paused:
            self.backlog.put(publication, 0.0)
        else:
            self._take(publication)

    def tell(self, message: ServerMessage) -> None:
        self.told.append(message)

    def resume(self) -> None:
        self.paused = False
        while (publication := self.backlog.take(self._fresh)) is not None:
            self._take(publication)

    def _fresh(self, station: str, request_id: int | None) -> Publication | None:
        return self.hub.fresh(self, station, request_id)

    def _take(self, publication: Publication) -> None:
        self.received.append(publication)
        frame = decode_message(publication.payload)
        station = publication.station
        if isinstance(frame, Snapshot):
            self.states[station] = frame.state
            self.positions[station] = Position(frame.epoch, frame.seq)
        else:
            assert isinstance(frame, Update)
            known = self.positions[station]
            assert frame.seq == known.seq + 1
            self.states[station] = apply(self.states[station], frame.patch)
            self.positions[station] = Position(known.epoch, frame.seq)


def frames(publications: Iterable[Publication]) -> list[dict[str, Any]]:
    """The JSON objects of publications."""
    return [msgspec.json.decode(publication.payload) for publication in publications]
