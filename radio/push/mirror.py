"""The edge's side: a hub whose channels are those of a source in another process, with its epochs and its numbers.

So a subscriber that comes from the source or from another edge goes on exactly where it stood. What comes in is an
update that is the next, or a snapshot; anything else is passed over, and where something is missing the source is
asked. A channel is at every moment one that its source had, never a mixture.

No loop, no socket: calls are made on the event loop's thread, and :meth:`Mirror.tick` from time to time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import msgspec
import structlog

from radio.clock import Clock
from radio.errors import RadioError
from radio.push.bus import Bus, Subscription
from radio.push.channel import ChannelBaton
from radio.push.hub import Hub
from radio.push.messages import Update, decode_message
from radio.push.news import ASK, STATE, SnapshotNews, UpdateNews, decode_state, station_of
from radio.push.patch import prune
from radio.push.relay import SNAPSHOT_EVERY_S

_journal = structlog.get_logger(__name__)

SILENT_S: Final = 3 * SNAPSHOT_EVERY_S
"""A source that was not heard for so long may be followed by one with a lower term: its clock may have been set."""

ASK_EVERY_S: Final = 0.5
ASK_ALL_EVERY_S: Final = 2.0

STATIONS_LIMIT: Final = 200


class MirrorCounts(msgspec.Struct, frozen=True):
    """What came in since the mirror was made; for metrics.

    ``gaps`` counts updates that came without the one before, ``stale`` what came from a source that is followed no
    more, ``faults`` what was not understood.
    """

    updates: int = 0
    snapshots: int = 0
    duplicates: int = 0
    gaps: int = 0
    stale: int = 0
    faults: int = 0


class _Source:
    __slots__ = ("asked_s", "epoch", "heard_s", "is_behind", "term")

    def __init__(self, term: int, epoch: str, heard_s: float) -> None:
        self.term = term
        self.epoch = epoch
        self.heard_s = heard_s
        self.is_behind = False

    @property
    def rank(self) -> tuple[int, str]:
        return self.term, self.epoch


class Mirror:
    """Keeps ``hub``'s channels as their sources have them, from :meth:`begin` until :meth:`close`.

    ``stations`` are those to follow; None follows up to 200 of those that are heard of.
    """

    def __init__(
        self,
        hub: Hub,
        bus: Bus,
        clock: Clock,
        *,
        stations: Collection[str] | None = None,
        silent_s: float = SILENT_S,
    ) -> None:
        self._hub = hub
        self._bus = bus
        self._clock = clock
        self._wanted = None if stations is None else frozenset(stations)
        self._silent_s = silent_s
        self._sources: dict[str, _Source] = {}
        self._asked_s: dict[str, float] = {}
        self._asked_all_s = 0.0
        self._subscription: Subscription | None = None
        self._counts = dict.fromkeys(MirrorCounts.__struct_fields__, 0)

    @property
    def counts(self) -> MirrorCounts:
        """What came in so far."""
        return MirrorCounts(**self._counts)

    def begin(self) -> None:
        """Follow from now on, and ask for everything."""
        self._subscription = self._bus.subscribe(f"{STATE}.*", self._on_news)
        self.ask()

    def close(self) -> None:
        """Follow no more; the hub keeps what it has."""
        if self._subscription is not None:
            self._subscription.close()

    def ask(self) -> None:
        """Ask for every station's state: at the start, and whenever the bus has come back."""
        self._asked_all_s = self._clock.monotonic_s()
        self._bus.publish(ASK, b"")

    def is_current(self, station: str) -> bool:
        """Whether nothing is known to be missing, and the source was heard a short while ago."""
        source = self._sources.get(station)
        return source is not None and not source.is_behind and not self._is_silent(source)

    def silent(self) -> Iterable[str]:
        """The stations whose source is not heard any more, or was not heard yet."""
        known = [id_ for id_, source in self._sources.items() if self._is_silent(source)]
        return [*known, *sorted((self._wanted or frozenset()) - self._sources.keys())]

    def tick(self) -> None:
        """Ask again for what did not come; called about each tenth of a second."""
        for station, source in self._sources.items():
            if source.is_behind:
                self._ask_for(station)
        missing = not self._sources if self._wanted is None else bool(self._wanted - self._sources.keys())
        if missing and self._clock.monotonic_s() - self._asked_all_s >= ASK_ALL_EVERY_S:
            self.ask()

    def _on_news(self, subject: str, payload: bytes) -> None:
        station = station_of(subject)
        if self._wanted is not None and station not in self._wanted:
            return
        if station not in self._sources and len(self._sources) >= STATIONS_LIMIT:
            return
        try:
            self._take(station, decode_state(payload))
        except (RadioError, msgspec.MsgspecError, ValueError, TypeError) as fault:
            self._counts["faults"] += 1
            _journal.warning("mirror.news_not_understood", station=station, reason=str(fault))

    def _take(self, station: str, news: UpdateNews | SnapshotNews) -> None:
        source = self._sources.get(station)
        rank = news.term, news.epoch
        if source is not None and rank < source.rank and not self._is_silent(source):
            self._counts["stale"] += 1
            return
        if source is None or rank < source.rank or news.epoch != source.epoch:
            self._take_from_new_source(station, news)
            return
        source.term, source.heard_s = news.term, self._clock.monotonic_s()
        if isinstance(news, UpdateNews):
            self._take_update(station, source, news)
        else:
            self._take_snapshot(station, source, news)

    def _take_from_new_source(self, station: str, news: UpdateNews | SnapshotNews) -> None:
        if isinstance(news, UpdateNews):
            self._counts["gaps"] += 1
            if (known := self._sources.get(station)) is not None:
                known.is_behind = True
            self._ask_for(station)
            return
        self._replace(station, news)
        self._sources[station] = _Source(news.term, news.epoch, self._clock.monotonic_s())
        _journal.info("mirror.source", station=station, epoch=news.epoch, seq=news.seq)

    def _take_update(self, station: str, source: _Source, news: UpdateNews) -> None:
        behind = news.seq - self._hub.position(station).seq
        if behind <= 0:
            self._counts["duplicates"] += 1
        elif behind == 1:
            self._hub.follow(_update(station, news.seq, news.update), news.update)
            self._counts["updates"] += 1
        else:
            self._counts["gaps"] += 1
            source.is_behind = True
            self._ask_for(station)

    def _take_snapshot(self, station: str, source: _Source, news: SnapshotNews) -> None:
        behind = news.seq - self._hub.position(station).seq
        if behind < 0:
            self._counts["duplicates"] += 1
            return
        if not (self._catch_up(station, news, behind) and self._agrees(station, news)):
            self._replace(station, news)
        source.is_behind = False

    def _catch_up(self, station: str, news: SnapshotNews, behind: int) -> bool:
        """Take the updates that were missed from the snapshot's history, where it has all of them."""
        if behind > len(news.history):
            return False
        missed = news.history[len(news.history) - behind :]
        try:
            updates = [_update(station, seq, text) for seq, text in enumerate(missed, news.seq - behind + 1)]
        except (RadioError, ValueError):
            return False
        for update, text in zip(updates, missed, strict=True):
            self._hub.follow(update, text)
        self._counts["updates"] += behind
        return True

    def _agrees(self, station: str, news: SnapshotNews) -> bool:
        return bool(prune(self._hub.state(station)) == prune(msgspec.json.decode(news.state)))

    def _replace(self, station: str, news: SnapshotNews) -> None:
        history = news.history[max(0, len(news.history) - news.seq) :]
        self._hub.replace(
            ChannelBaton(station=station, epoch=news.epoch, seq=news.seq, state=news.state, history=history)
        )
        self._counts["snapshots"] += 1

    def _ask_for(self, station: str) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._asked_s.get(station, -ASK_EVERY_S) < ASK_EVERY_S:
            return
        if len(self._asked_s) >= STATIONS_LIMIT:
            self._asked_s.clear()
        self._asked_s[station] = now_s
        self._bus.publish(f"{ASK}.{station}", b"")

    def _is_silent(self, source: _Source) -> bool:
        return self._clock.monotonic_s() - source.heard_s > self._silent_s


def _update(station: str, seq: int, text: bytes) -> Update:
    update = decode_message(text)
    if not isinstance(update, Update) or (update.station, update.seq) != (station, seq):
        raise ValueError(f"this is no update {seq}")
    return update
