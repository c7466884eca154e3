"""How parked subscribers of one transport are sent the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from radio.parking import Spot, send_idle
from radio.push.channel import Publication
from radio.push.sessions import Subscriber, Together


class ParkedLane:
    """The same bytes to each, in a tight loop.

    Subscribers have a parked ``way`` whose member they are; what cannot be sent to them at once is delivered one by
    one. ``build`` frames a publication for the transport.
    """

    def __init__(self, build: Callable[[Publication], bytes], limit_bytes: int) -> None:
        self._build = build
        self._limit_bytes = limit_bytes

    def send(self, subscribers: Sequence[Any], together: Together) -> None:
        buffer = together.form(self._build)
        if len(buffer) > self._limit_bytes:
            # more than may lie unsent: it must be possible to drop it for a snapshot
            for subscriber in subscribers:
                _deliver(subscriber, together)
            return
        for spot in send_idle([subscriber.way for subscriber in subscribers], buffer):
            _deliver(cast(Subscriber, spot.member), together)


def _deliver(subscriber: Subscriber, together: Together) -> None:
    for publication in together.publications:
        subscriber.deliver(publication)


def lane_of(way: object, lane: ParkedLane) -> ParkedLane | None:
    """The lane of a subscriber by its way: None for one that stays with a transport."""
    return lane if isinstance(way, Spot) else None
