"""How many listen at the edges: each tells its own numbers, the source adds them up.

No loop, no socket: calls are made on the event loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import structlog

from radio.clock import Clock
from radio.errors import RadioError
from radio.push.bus import Bus, Subscription
from radio.push.news import COUNT, CountNews, decode_count, encode_news, station_of

_journal = structlog.get_logger(__name__)

TELL_EVERY_S: Final = 5.0
"""How often an edge tells its numbers, changed or not: counts are coalesced, and silence means that it has gone."""

FORGET_AFTER_S: Final = 3 * TELL_EVERY_S
EDGES_LIMIT: Final = 256


class EdgeCounts:
    """The source's side: the listeners of up to 256 edges. One that is silent for 15 s counts no more."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self.faults = 0
        self._bus = bus
        self._clock = clock
        self._edges: dict[str, tuple[float, dict[str, int]]] = {}
        self._subscription: Subscription | None = None

    def begin(self) -> None:
        """Take in what edges tell from now on."""
        self._subscription = self._bus.subscribe(f"{COUNT}.*", self._on_count)

    def close(self) -> None:
        """Take in no more, and forget what was told."""
        if self._subscription is not None:
            self._subscription.close()
        self._edges.clear()

    @property
    def edges(self) -> int:
        """How many edges are there."""
        self._forget()
        return len(self._edges)

    def listeners(self, station: str) -> int:
        """How many listen to ``station`` at all edges together."""
        self._forget()
        return sum(counts.get(station, 0) for _, counts in self._edges.values())

    def _on_count(self, subject: str, payload: bytes) -> None:
        edge = station_of(subject)
        self._forget()
        try:
            counts = decode_count(payload).listeners
        except RadioError as fault:
            self.faults += 1
            _journal.warning("edge_count_not_understood", edge=edge, reason=fault.message)
            return
        if edge in self._edges or len(self._edges) < EDGES_LIMIT:
            self._edges[edge] = self._clock.monotonic_s(), counts

    def _forget(self) -> None:
        oldest_s = self._clock.monotonic_s() - FORGET_AFTER_S
        if any(told_s < oldest_s for told_s, _ in self._edges.values()):
            self._edges = {edge: told for edge, told in self._edges.items() if told[0] >= oldest_s}


class CountTeller:
    """An edge's side: tells what ``count`` gives, by station, under the name ``edge`` (one word)."""

    def __init__(self, bus: Bus, clock: Clock, edge: str, count: Callable[[], Mapping[str, int]]) -> None:
        self._bus = bus
        self._clock = clock
        self._edge = edge
        self._count = count
        self._told_s = -TELL_EVERY_S

    def tick(self) -> None:
        """Tell if it is time."""
        now_s = self._clock.monotonic_s()
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            self._tell(self._count())

    def leave(self) -> None:
        """Tell that nobody listens here any more."""
        self._tell({})

    def _tell(self, listeners: Mapping[str, int]) -> None:
        self._bus.publish(f"{COUNT}.{self._edge}", encode_news(CountNews(listeners=dict(listeners))))
