"""One station's state as subscribers follow it: numbered changes, a bounded history, and how to catch up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

import msgspec

from radio.push.messages import Position, Update, encode, encode_snapshot
from radio.push.patch import apply, diff
from radio.units import UtcMs


class Kind(Enum):
    """What a publication is."""

    SNAPSHOT = auto()
    UPDATE = auto()


class Publication:
    """What subscribers are sent of a station: encoded once, whatever their number.

    ``payload`` is the frame's JSON text. ``seq`` is the position that a subscriber has reached with it.
    ``request_id`` is set on a snapshot that answers a request.
    """

    __slots__ = ("_forms", "epoch", "kind", "payload", "request_id", "seq", "station")

    def __init__(
        self, kind: Kind, station: str, epoch: str, seq: int, payload: bytes, request_id: int | None = None
    ) -> None:
        self.kind = kind
        self.station = station
        self.epoch = epoch
        self.seq = seq
        self.payload = payload
        self.request_id = request_id
        self._forms: dict[Callable[[Publication], bytes], bytes] = {}

    @property
    def position(self) -> Position:
        """Where a subscriber stands that has this publication."""
        return Position(self.epoch, self.seq)

    def form(self, build: Callable[[Publication], bytes]) -> bytes:
        """``build(self)``, built for the first subscriber and kept for all others.

        ``build`` is a module-level function of a transport (its framing); it is also the key.
        """
        try:
            return self._forms[build]
        except KeyError:
            return self._forms.setdefault(build, build(self))


class ChannelBaton(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as another process goes on with it: subscribers that come back find their place."""

    station: str
    epoch: str
    seq: int
    state: bytes
    history: list[bytes]


class Channel:
    """The state of ``station`` in one ``epoch``, from ``seq`` 0 on.

    At most ``history_length`` updates and ``history_bytes`` of their text are kept for subscribers that
    return. ``encoded`` counts the updates and states that were made into JSON.
    """

    def __init__(
        self, station: str, epoch: str, state: Any, *, history_length: int = 256, history_bytes: int = 1 << 18
    ) -> None:
        self.station = station
        self.epoch = epoch
        self.seq = 0
        self.state: dict[str, Any] = plain(state)
        self.encoded = 0
        self._history: deque[Publication] = deque()
        self._history_length = history_length
        self._history_limit = history_bytes
        self._history_size = 0
        self._state_json: bytes | None = None

    @classmethod
    def of(cls, baton: ChannelBaton, **limits: int) -> Channel:
        """The channel of another process, in the same epoch; ``limits`` as for a new one."""
        channel = cls(baton.station, baton.epoch, msgspec.json.decode(baton.state), **limits)
        channel.seq = baton.seq
        first = baton.seq - len(baton.history) + 1
        for seq, payload in enumerate(baton.history, first):
            channel._remember(Publication(Kind.UPDATE, baton.station, baton.epoch, seq, payload))
        return channel

    def baton(self) -> ChannelBaton:
        """All that another process needs to go on with the channel."""
        history = [publication.payload for publication in self._history]
        return ChannelBaton(
            station=self.station, epoch=self.epoch, seq=self.seq, state=encode(self.state), history=history
        )

    @property
    def position(self) -> Position:
        """The newest position."""
        return Position(self.epoch, self.seq)

    def publish(self, state: Any, at_ms: UtcMs) -> Publication | None:
        """Take ``state`` as the newest; the update that leads to it, or None where nothing changed.

        ``state`` is anything that msgspec can turn into a JSON object; a copy is kept. ``at_ms`` is the
        moment from which it holds.
        """
        newest = plain(state)
        patch, changed = diff(self.state, newest)
        if not patch:
            return None
        self.state, self._state_json = newest, None
        self.seq += 1
        self.encoded += 1
        update = Update(station=self.station, seq=self.seq, at_ms=at_ms, changed=changed, patch=patch)
        publication = Publication(Kind.UPDATE, self.station, self.epoch, self.seq, encode(update))
        self._remember(publication)
        return publication

    def follow(self, update: Update, payload: bytes) -> Publication:
        """Take the next update of this channel as another process made it; ``payload`` is its text, sent on as it is.

        Raises ValueError where it is not the next.
        """
        if update.seq != self.seq + 1:
            raise ValueError(f"update {update.seq} does not follow {self.seq}")
        self.state, self._state_json = apply(self.state, update.patch), None
        self.seq = update.seq
        publication = Publication(Kind.UPDATE, self.station, self.epoch, self.seq, payload)
        self._remember(publication)
        return publication

    def snapshot(self, request_id: int | None = None) -> Publication:
        """The whole state as it is now; the state itself is encoded once per change."""
        text = encode_snapshot(self.station, self.epoch, self.seq, self.text(), request_id=request_id)
        return Publication(Kind.SNAPSHOT, self.station, self.epoch, self.seq, text, request_id)

    def text(self) -> bytes:
        """The state as JSON, encoded once per change."""
        if self._state_json is None:
            self._state_json = encode(self.state)
            self.encoded += 1
        return self._state_json

    def missed(self, since: Position) -> tuple[Publication, ...] | None:
        """Every update after ``since`` in order (none where it is the newest); None where one is lost."""
        behind = self.seq - since.seq
        if since.epoch != self.epoch or not 0 <= behind <= len(self._history):
            return None
        start = len(self._history) - behind
        return tuple(publication for index, publication in enumerate(self._history) if index >= start)

    def _remember(self, publication: Publication) -> None:
        self._history.append(publication)
        self._history_size += len(publication.payload)
        while len(self._history) > self._history_length or self._history_size > self._history_limit:
            self._history_size -= len(self._history.popleft().payload)


def plain(state: Any) -> dict[str, Any]:
    """A copy of ``state`` made of plain JSON values; raises :class:`TypeError` for what is no object."""
    copy = msgspec.to_builtins(state, str_keys=True)
    if not isinstance(copy, dict):
        raise TypeError(f"a state is a JSON object, not {type(state).__name__}")
    return copy
