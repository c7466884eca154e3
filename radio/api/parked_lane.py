"""How parked subscribers of one transport are sent the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from radio.bay import Bay
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

    def group(self) -> ParkedGroup:
        """Subscribers whose descriptors stand next to each other (:class:`~radio.bay.Bay`)."""
        return ParkedGroup(self)

    def send(self, subscribers: Sequence[Any], together: Together) -> None:
        """Send to some subscribers."""
        buffer = self.buffer(together)
        if buffer is None:
            for subscriber in subscribers:
                _deliver(subscriber, together)
            return
        for spot in send_idle([subscriber.way for subscriber in subscribers], buffer):
            _deliver(cast(Subscriber, spot.member), together)

    def buffer(self, together: Together) -> bytes | None:
        """What is sent in one piece; None for more than may lie unsent, which it must be possible to drop for a
        snapshot."""
        buffer = together.form(self._build)
        return buffer if len(buffer) <= self._limit_bytes else None


class ParkedGroup:
    """Subscribers of a parked lane that are sent the same again and again."""

    __slots__ = ("_bay", "_lane")

    def __init__(self, lane: ParkedLane) -> None:
        self._lane = lane
        self._bay = Bay()

    def add(self, subscriber: Any) -> None:
        """Send to ``subscriber``, too."""
        self._bay.add(subscriber.way)

    def discard(self, subscriber: Any) -> None:
        """Send to ``subscriber`` no more. One whose way is closed has left its bays already."""
        if subscriber.way is not None:
            self._bay.discard(subscriber.way)

    def send(self, together: Together) -> None:
        """Send to each."""
        buffer = self._lane.buffer(together)
        for spot in self._bay if buffer is None else self._bay.send(buffer):
            _deliver(cast(Subscriber, spot.member), together)


def _deliver(subscriber: Subscriber, together: Together) -> None:
    for publication in together.publications:
        subscriber.deliver(publication)


def lane_of(way: object, lane: ParkedLane) -> ParkedLane | None:
    """The lane of a subscriber by its way: None for one that stays with a transport."""
    return lane if isinstance(way, Spot) else None
