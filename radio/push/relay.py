"""The source's side of a hub that other processes mirror: everything that it publishes goes out on the bus.

No loop, no socket: calls are made on the event loop's thread, and :meth:`Relay.tick` from time to time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from radio.clock import Clock
from radio.errors import RadioError
from radio.push.bus import PAYLOAD_LIMIT_BYTES, Bus, Subscription
from radio.push.channel import Kind, Publication
from radio.push.hub import Hub
from radio.push.news import ASK, STATE, SnapshotNews, StateNews, UpdateNews, encode_news, station_of

_journal = structlog.get_logger(__name__)

SNAPSHOT_EVERY_S: Final = 5.0
"""How often each station's whole state goes out unasked; who hears nothing for three of these knows why."""

ANSWER_EVERY_S: Final = 0.25
"""The shortest time between two answers for one station: what many mirrors ask at once is answered once."""

TICK_S: Final = 0.1

RECENT_BYTES: Final = 16_384
"""How much of a channel's history goes along unasked; an answer has all that a payload can hold."""

_ENVELOPE_BYTES: Final = 1_024


class Relay:
    """Publishes every publication of ``hub`` on ``bus``, from :meth:`begin` until :meth:`close`.

    Each payload is the text that subscribers are sent, not encoded anew. ``faults`` counts what the bus did not take.
    """

    def __init__(self, hub: Hub, bus: Bus, clock: Clock, *, every_s: float = SNAPSHOT_EVERY_S) -> None:
        self.faults = 0
        self._hub = hub
        self._bus = bus
        self._clock = clock
        self._every_s = every_s
        self._terms: dict[str, tuple[str, int]] = {}
        self._told_s: dict[str, float] = {}
        self._answered_s: dict[str, float] = {}
        self._asked: dict[str, None] = {}
        self._subscriptions: list[Subscription] = []

    def begin(self) -> None:
        """Tell of every station there is, and of each change from now on."""
        self._hub.on_publication = self._published
        asks = (ASK, lambda subject, payload: self._on_ask(None)), (f"{ASK}.*", self._on_named_ask)
        self._subscriptions = [self._bus.subscribe(pattern, receive) for pattern, receive in asks]
        for station in self._hub.stations:
            self._tell_state(station, PAYLOAD_LIMIT_BYTES)

    def close(self) -> None:
        """Tell no more."""
        self._hub.on_publication = None
        for subscription in self._subscriptions:
            subscription.close()

    def tick(self) -> None:
        """Do what is due; called about each :data:`TICK_S`."""
        now_s = self._clock.monotonic_s()
        for station in tuple(self._asked):
            self._answer(station, now_s)
        for station in self._hub.stations:
            if now_s - self._told_s.get(station, -self._every_s) >= self._every_s:
                self._tell_state(station, RECENT_BYTES)

    def _published(self, publication: Publication) -> None:
        station, epoch = publication.station, publication.epoch
        if publication.kind is Kind.SNAPSHOT:
            self._tell_state(station, RECENT_BYTES)
            return
        term = self._term(station, epoch)
        self._send(
            station, UpdateNews(term=term, epoch=epoch, seq=publication.seq, update=publication.payload)
        )

    def _on_named_ask(self, subject: str, payload: bytes) -> None:
        self._on_ask(station_of(subject))

    def _on_ask(self, station: str | None) -> None:
        now_s = self._clock.monotonic_s()
        for asked in self._hub.stations if station is None else (station,):
            if asked in self._hub.stations:
                self._asked[asked] = None
                self._answer(asked, now_s)

    def _answer(self, station: str, now_s: float) -> None:
        if now_s - self._answered_s.get(station, -ANSWER_EVERY_S) < ANSWER_EVERY_S:
            return
        self._asked.pop(station, None)
        self._answered_s[station] = now_s
        self._tell_state(station, PAYLOAD_LIMIT_BYTES)

    def _tell_state(self, station: str, history_bytes: int) -> None:
        self._told_s[station] = self._clock.monotonic_s()
        baton = self._hub.baton(station)
        room = min(history_bytes, PAYLOAD_LIMIT_BYTES - len(baton.state) - _ENVELOPE_BYTES)
        news = SnapshotNews(
            term=self._term(station, baton.epoch),
            epoch=baton.epoch,
            seq=baton.seq,
            state=baton.state,
            history=_newest(baton.history, room),
        )
        self._send(station, news)

    def _term(self, station: str, epoch: str) -> int:
        known, term = self._terms.get(station, ("", 0))
        if known != epoch:
            term = max(term + 1, self._clock.now_ms())
            self._terms[station] = epoch, term
        return term

    def _send(self, station: str, news: StateNews) -> None:
        try:
            self._bus.publish(f"{STATE}.{station}", encode_news(news))
        except RadioError as fault:
            self.faults += 1
            _journal.warning("relay.not_told", station=station, reason=fault.message)


async def tick_on(clock: Clock, *ticks: Callable[[], None]) -> None:
    """Call each of ``ticks`` about every :data:`TICK_S`, until cancelled."""
    while True:
        await clock.sleep(TICK_S)
        for tick in ticks:
            try:
                tick()
            except Exception:
                _journal.exception("relay.tick_failed")


def _newest(history: list[bytes], room: int) -> list[bytes]:
    first = len(history)
    while first and (room := room - len(history[first - 1]) - 8) >= 0:
        first -= 1
    return history[first:]
