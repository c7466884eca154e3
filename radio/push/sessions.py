"""Which subscriber's player listens under which session, so that each can be told its own stream time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from radio.push.channel import Publication
from radio.push.messages import ServerMessage
from radio.units import UtcMs

SessionLookup = Callable[[str, str], UtcMs | None]
"""(session, station) -> T0, the stream time of the first sound that was sent; None before that."""


class Together(Protocol):
    """Consecutive publications of one station, for many subscribers."""

    @property
    def publications(self) -> Sequence[Publication]:
        """Each by itself, in order."""

    def form(self, build: Callable[[Publication], bytes]) -> bytes:
        """All of them in the form that ``build`` gives (:meth:`Publication.form`), as one shared buffer."""


class Group(Protocol):
    """Subscribers of one lane that are sent the same again and again. Must not block or raise."""

    def add(self, subscriber: Any) -> None:
        """Send to ``subscriber``, too, which is not here yet."""

    def discard(self, subscriber: Any) -> None:
        """Send to ``subscriber`` no more; it may be gone already."""

    def send(self, together: Together) -> None:
        """Send to each, or have it keep within a bound what it cannot be sent."""


class Lane(Protocol):
    """How many subscribers of one transport are sent the same in a tight loop. Must not block or raise."""

    def group(self) -> Group:
        """A new group, without anyone."""

    def send(self, subscribers: Sequence[Any], together: Together) -> None:
        """As :meth:`Group.send`, to some of a group."""


class Subscriber(Protocol):
    """One connection, whatever its transport. It must be hashable, and neither method may block or raise."""

    @property
    def lane(self) -> Lane | None:
        """The way of sending that it shares with others; None where each publication is to be delivered to it."""

    def deliver(self, publication: Publication) -> None:
        """Send ``publication``, or keep it within a bound (see :class:`radio.push.backlog.Backlog`)."""

    def tell(self, message: ServerMessage) -> None:
        """Send ``message``, which is for this subscriber alone."""


class Sessions:
    """The listening sessions that subscribers named: at most one per subscriber and station."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[str, str], dict[Subscriber, int | None]] = {}
        self._sessions: dict[Subscriber, dict[str, str]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._listeners.values()))

    def add(self, subscriber: Subscriber, station: str, session: str, request_id: int | None) -> None:
        """``subscriber`` listens to ``station`` under ``session`` from now on, and under no other."""
        self.remove(subscriber, station)
        self._sessions.setdefault(subscriber, {})[station] = session
        self._listeners.setdefault((station, session), {})[subscriber] = request_id

    def remove(self, subscriber: Subscriber, station: str) -> None:
        """``subscriber`` no longer listens to ``station``."""
        sessions = self._sessions.get(subscriber, {})
        session = sessions.pop(station, None)
        if session is None:
            return
        if not sessions:
            del self._sessions[subscriber]
        listeners = self._listeners[station, session]
        del listeners[subscriber]
        if not listeners:
            del self._listeners[station, session]

    def drop(self, subscriber: Subscriber) -> None:
        """Forget all about ``subscriber``."""
        for station in tuple(self._sessions.get(subscriber, ())):
            self.remove(subscriber, station)

    def listeners(self, station: str, session: str) -> Iterable[tuple[Subscriber, int | None]]:
        """Who listens under ``session``, each with the id of its request."""
        return tuple(self._listeners.get((station, session), {}).items())
