"""The hub: each station's state, and everyone who follows it. It knows no transport, no socket and no loop.

All calls are made on one thread (the event loop's). A publication is encoded once; a subscriber gets the
whole state first and then every change in order, or a fresh snapshot, never a part of what it missed.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
import structlog

from radio.errors import UnknownStation
from radio.push.audience import LOG_BYTES, Audience
from radio.push.channel import Channel, ChannelBaton, Publication, plain
from radio.push.messages import Listening, Position, Update
from radio.push.sessions import SessionLookup, Sessions, Subscriber
from radio.units import DurationMs, UtcMs

_journal = structlog.get_logger(__name__)

COALESCE_MS: Final = DurationMs(5_000)
"""The shortest time between two publications that only count (listeners)."""

_SETS: Final = 1024


class HubCounts(msgspec.Struct, frozen=True):
    """What the hub has and did since it was made; for metrics."""

    stations: int
    subscribers: int
    subscriptions: int
    sessions: int
    published: int
    encoded: int
    delivered: int
    snapshots: int
    recovered: int
    faults: int


Soon = Callable[[Callable[[], None]], object]
"""Runs a function when others have had their turn: ``loop.call_soon``."""


class _Topic:
    def __init__(self, channel: Channel, on_fault: Callable[[Subscriber], None], log_bytes: int) -> None:
        self.channel = channel
        self.audience = Audience(lambda: self.channel.snapshot(), on_fault, log_bytes=log_bytes)
        self.coalesced_at_ms: UtcMs | None = None
        self.pending: tuple[dict[str, Any], UtcMs] | None = None


class Hub:
    """Channels, one per station.

    With ``soon`` a publication is sent to some hundred subscribers at a time, and everything else in the process has
    its turn in between; without it everyone has it when :meth:`publish_state` returns.

    Of more than ``on_its_way_bytes`` of one station, those who have not had it get a snapshot instead.

    ``epoch`` names this run of the hub (by default a random word); positions of another epoch are never
    trusted. ``session_lookup`` answers ``listen`` for sessions whose stream has started already.
    """

    def __init__(
        self,
        *,
        epoch: str | None = None,
        session_lookup: SessionLookup | None = None,
        history_length: int = 256,
        history_bytes: int = 1 << 18,
        coalesce_ms: DurationMs = COALESCE_MS,
        soon: Soon | None = None,
        on_its_way_bytes: int = LOG_BYTES,
    ) -> None:
        self.epoch = epoch or secrets.token_urlsafe(9)
        self._lookup: SessionLookup = session_lookup or (lambda session, station: None)
        self._history = {"history_length": history_length, "history_bytes": history_bytes}
        self._coalesce_ms = coalesce_ms
        self._topics: dict[str, _Topic] = {}
        # Sets that are equal are one object: most subscribers follow one station.
        self._subscriptions: dict[Subscriber, frozenset[str]] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}
        self._soon = soon
        self._on_its_way_bytes = on_its_way_bytes
        self._unserved: deque[_Topic] = deque()
        self._scheduled = False
        self._sessions = Sessions()
        self._published = self._delivered = self._snapshots = self._recovered = self._faults = 0
        self._encoded_before = 0
        self.on_publication: Callable[[Publication], None] | None = None
        """Told of what is published here, and of each channel that begins; it must not raise."""

    @property
    def stations(self) -> tuple[str, ...]:
        """The ids of all stations, in the order in which they were opened."""
        return tuple(self._topics)

    def open(self, station: str, state: Any, *, epoch: str | None = None) -> None:
        """Start ``station``'s channel with ``state``, or start it anew in another epoch.

        ``state`` is a JSON object, or a struct that msgspec makes one of. Whoever follows the station already
        gets a snapshot.
        """
        channel = Channel(station, epoch or self._fresh_epoch(station), state, **self._history)
        topic = self._topics.get(station)
        if topic is None:
            self._topics[station] = self._new_topic(channel)
        else:
            self._put(topic, channel)
        if self.on_publication is not None:
            self.on_publication(channel.snapshot())

    def hand_over(self) -> list[ChannelBaton]:
        """Every channel as it is now, for another process; nothing should be published here afterwards."""
        return [topic.channel.baton() for topic in self._topics.values()]

    def adopt(self, batons: Iterable[ChannelBaton], epoch: str) -> None:
        """Go on with the hub of another process, of that ``epoch``, in the place of channels of that name."""
        self.epoch = epoch
        for baton in batons:
            self._topics[baton.station] = self._new_topic(Channel.of(baton, **self._history))

    def baton(self, station: str) -> ChannelBaton:
        """The channel of ``station`` as it is now. Raises :class:`UnknownStation`."""
        return self._topic(station).channel.baton()

    def follow(self, update: Update, payload: bytes) -> None:
        """Publish the next update of a channel whose source is another process, in the form that it has already.

        Raises :class:`UnknownStation`, and ValueError where the update is not the next.
        """
        topic = self._topic(update.station)
        publication = topic.channel.follow(update, payload)
        self._published += 1
        self._fan_out(topic, publication)

    def replace(self, baton: ChannelBaton) -> None:
        """Go on with a channel as its source in another process has it; who follows the station gets a snapshot."""
        channel = Channel.of(baton, **self._history)
        topic = self._topics.get(baton.station)
        if topic is None:
            self._topics[baton.station] = self._new_topic(channel)
            return
        self._put(topic, channel)

    def state(self, station: str) -> dict[str, Any]:
        """The newest state of ``station``, not to be changed. Raises :class:`UnknownStation`."""
        return self._topic(station).channel.state

    def text(self, station: str) -> bytes:
        """The newest state of ``station`` as JSON. Raises :class:`UnknownStation`."""
        return self._topic(station).channel.text()

    def position(self, station: str) -> Position:
        """The newest position of ``station``. Raises :class:`UnknownStation`."""
        return self._topic(station).channel.position

    def publish_state(self, station: str, state: Any, at_ms: UtcMs) -> Publication | None:
        """Tell everyone what changed between the last state and ``state``; None where nothing did.

        ``at_ms`` is the moment from which ``state`` holds. Raises :class:`UnknownStation`.
        """
        topic = self._topic(station)
        topic.pending = None
        publication = topic.channel.publish(state, at_ms)
        if publication is not None:
            self._published += 1
            self._fan_out(topic, publication)
            if self.on_publication is not None:
                self.on_publication(publication)
        return publication

    def publish_coalesced(self, station: str, state: Any, at_ms: UtcMs) -> Publication | None:
        """As :meth:`publish_state`, but not oftener than the hub's ``coalesce_ms``.

        A state that comes too soon waits for :meth:`flush`; a later state of the station takes its place.
        """
        topic = self._topic(station)
        if self._due_ms(topic, at_ms) > at_ms:
            topic.pending = plain(state), at_ms
            return None
        publication = self.publish_state(station, state, at_ms)
        if publication is not None:
            topic.coalesced_at_ms = at_ms
        return publication

    def flush(self, now_ms: UtcMs) -> None:
        """Publish the coalesced states whose time has come; called by who owns a clock, about each second."""
        for station, topic in self._topics.items():
            if topic.pending is not None and self._due_ms(topic, now_ms) <= now_ms:
                self.publish_coalesced(station, topic.pending[0], now_ms)

    def subscribe(
        self,
        subscriber: Subscriber,
        station: str,
        since: Position | None = None,
        request_id: int | None = None,
    ) -> bool:
        """Deliver to ``subscriber`` what it missed since ``since``, or a snapshot, and every change from now
        on.

        True where the missed updates (perhaps none) were delivered, False for a snapshot, which alone carries
        ``request_id``. Raises :class:`UnknownStation`.
        """
        topic = self._topic(station)
        missed = None if since is None else topic.channel.missed(since)
        topic.audience.add(subscriber)
        self._subscriptions[subscriber] = self._one(self.subscriptions(subscriber) | {station})
        if missed is None:
            self._snapshots += 1
            subscriber.deliver(topic.channel.snapshot(request_id))
            return False
        self._recovered += 1
        for publication in missed:
            subscriber.deliver(publication)
        return True

    def unsubscribe(self, subscriber: Subscriber, station: str) -> None:
        """Deliver no more of ``station``; nothing where there was no subscription."""
        if station in self.subscriptions(subscriber):
            self._subscriptions[subscriber] = self._one(self.subscriptions(subscriber) - {station})
            self._topics[station].audience.discard(subscriber)

    def drop(self, subscriber: Subscriber) -> None:
        """Forget ``subscriber``: its connection is gone. May be called again."""
        for station in self._subscriptions.pop(subscriber, ()):
            self._topics[station].audience.discard(subscriber)
        self._sessions.drop(subscriber)

    def subscriptions(self, subscriber: Subscriber) -> frozenset[str]:
        """The stations that ``subscriber`` follows."""
        return self._subscriptions.get(subscriber, frozenset())

    def fresh(
        self, subscriber: Subscriber, station: str, request_id: int | None = None
    ) -> Publication | None:
        """A snapshot for a subscriber that fell behind; None where it follows ``station`` no more."""
        if station not in self._subscriptions.get(subscriber, ()):
            return None
        self._snapshots += 1
        topic = self._topics[station]
        topic.audience.add(subscriber)
        return topic.channel.snapshot(request_id)

    def finish(self) -> None:
        """Send everyone what is on its way, at once."""
        while self._unserved:
            self._turn()

    def listen(
        self, subscriber: Subscriber, station: str, session: str, request_id: int | None = None
    ) -> None:
        """Tell ``subscriber`` T0 of ``session``: now if it is known, and whenever the session (re)starts.

        ``session`` is a UUID in its canonical form (lower case). Raises :class:`UnknownStation`.
        """
        self._topic(station)
        self._sessions.add(subscriber, station, session, request_id)
        stream_time_ms = self._lookup(session, station)
        if stream_time_ms is not None:
            _tell_listening(subscriber, station, session, request_id, stream_time_ms)

    def session_started(self, station: str, session: str, stream_time_ms: UtcMs) -> None:
        """The stream side sent ``session`` its first sound, of ``stream_time_ms``: tell its listeners."""
        for subscriber, request_id in self._sessions.listeners(station, session):
            _tell_listening(subscriber, station, session, request_id, stream_time_ms)

    def counts(self) -> HubCounts:
        """What there is and what was done."""
        return HubCounts(
            stations=len(self._topics),
            subscribers=len(self._subscriptions),
            subscriptions=sum(len(topic.audience) for topic in self._topics.values()),
            sessions=len(self._sessions),
            published=self._published,
            encoded=self._encoded_before + sum(topic.channel.encoded for topic in self._topics.values()),
            delivered=self._delivered,
            snapshots=self._snapshots,
            recovered=self._recovered,
            faults=self._faults,
        )

    def _new_topic(self, channel: Channel) -> _Topic:
        return _Topic(channel, self._on_fault, self._on_its_way_bytes)

    def _put(self, topic: _Topic, channel: Channel) -> None:
        self._encoded_before += topic.channel.encoded
        topic.channel, topic.pending = channel, None
        if len(topic.audience):
            self._fan_out(topic, channel.snapshot())

    def _topic(self, station: str) -> _Topic:
        try:
            return self._topics[station]
        except KeyError:
            raise UnknownStation(station, self._topics) from None

    def _fresh_epoch(self, station: str) -> str:
        return secrets.token_urlsafe(9) if station in self._topics else self.epoch

    def _due_ms(self, topic: _Topic, now_ms: UtcMs) -> UtcMs:
        last_ms = topic.coalesced_at_ms
        # A wall clock that was set back must not hold the counts for as long as it jumped.
        if last_ms is None or last_ms > now_ms:
            return now_ms
        return UtcMs(last_ms + self._coalesce_ms)

    def _one(self, stations: frozenset[str]) -> frozenset[str]:
        if len(self._sets) > _SETS:
            self._sets.clear()
        return self._sets.setdefault(stations, stations)

    def _fan_out(self, topic: _Topic, publication: Publication) -> None:
        at_rest = topic.audience.is_served
        topic.audience.publish(publication)
        if at_rest and not topic.audience.is_served:
            self._unserved.append(topic)
        if self._soon is None:
            self.finish()
        else:
            self._schedule(self._soon)

    def _schedule(self, soon: Soon) -> None:
        if self._unserved and not self._scheduled:
            self._scheduled = True
            soon(self._take_turn)

    def _take_turn(self) -> None:
        self._scheduled = False
        self._turn()
        if self._soon is not None:
            self._schedule(self._soon)

    def _turn(self) -> None:
        if self._unserved:
            topic = self._unserved.popleft()
            self._delivered += topic.audience.turn()
            if not topic.audience.is_served:
                self._unserved.append(topic)

    def _on_fault(self, subscriber: Subscriber) -> None:
        self._faults += 1
        self.drop(subscriber)
        _journal.exception("push.subscriber_failed")


def _tell_listening(
    subscriber: Subscriber, station: str, session: str, request_id: int | None, stream_time_ms: UtcMs
) -> None:
    subscriber.tell(Listening(id=request_id, session=session, station=station, stream_time_ms=stream_time_ms))
