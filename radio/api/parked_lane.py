"""How parked subscribers of one transport are sent the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from radio.parking import Spot, send_idle
from radio.push.channel import Publication
from radio.push.sessions import Together


class ParkedLane:
    """The same bytes to each, in a tight loop.

    Subscribers have a parked ``way`` whose member they are, and ``deliver_all`` for what cannot be sent to them at
    once. ``build`` frames a publication for the transport.
    """

    def __init__(self, build: Callable[[Publication], bytes], limit_bytes: int) -> None:
        self._build = build
        self._limit_bytes = limit_bytes

    def send(self, subscribers: Sequence[Any], together: Together) -> None:
        buffer = together.form(self._build)
        if len(buffer) > self._limit_bytes:
            # more than may lie unsent: it must be possible to drop it for a snapshot
            for subscriber in subscribers:
                subscriber.deliver_all(together.publications)
            return
        for spot in send_idle([subscriber.way for subscriber in subscribers], buffer):
            cast(Any, spot.member).deliver_all(together.publications)


def lane_of(way: object, lane: ParkedLane) -> ParkedLane | None:
    """The lane of a subscriber by its way: None for one that stays with a transport."""
    return lane if isinstance(way, Spot) else None
