"""Listening sessions: which moment of the stream a player's connection started with.

A player makes up a UUID, opens the stream with it and names it on its push connection. ``stream_time_ms``
(T0) of the session plus the player's own ``audio.currentTime`` is then the stream time of what is heard.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from radio.clock import Clock
from radio.errors import InvalidRequest
from radio.units import DurationMs, UtcMs

_journal = structlog.get_logger(__name__)

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One listening session as of its newest connection; ``stream_time_ms`` is T0."""

    id: str
    station: str
    mount: str
    stream_time_ms: UtcMs


def session_id(text: str) -> str:
    """``text`` as a session's id: a UUID of 36 characters. Raises InvalidRequest for anything else."""
    lowered = text.lower()
    if not _UUID.fullmatch(lowered):
        raise InvalidRequest("The session is no UUID.", field="session", allowed="36 characters, 8-4-4-4-12")
    return lowered


class Sessions:
    """The table of sessions, changed and read on the loop's thread.

    A session without a connection is forgotten after ``keep_s`` seconds, sooner when the table holds
    ``limit``. ``on_started`` is told of every session that starts, starts again, or gets another T0.
    """

    def __init__(self, clock: Clock, *, keep_s: float = 300.0, limit: int = 50_000) -> None:
        self._clock = clock
        self._keep_s = keep_s
        self._limit = limit
        self._live: dict[str, tuple[Session, object]] = {}
        self._ended: OrderedDict[str, tuple[Session, float]] = OrderedDict()
        self.on_started: Callable[[Session], None] | None = None

    def __len__(self) -> int:
        return len(self._live) + len(self._ended)

    def find(self, id: str) -> Session | None:
        """The session, connected now or a short while ago; None where it is unknown or forgotten."""
        if id in self._live:
            return self._live[id][0]
        self._forget_old()
        return self._ended[id][0] if id in self._ended else None

    def begin(self, session: Session, connection: object) -> None:
        """A connection of the session starts; the newest one counts. A full table takes no new session."""
        self._forget_old()
        self._ended.pop(session.id, None)
        if session.id not in self._live and not self._has_room():
            return
        self._live[session.id] = (session, connection)
        self._tell(session)

    def end(self, id: str, connection: object) -> None:
        """A connection is gone; the session ends with it unless a newer one has taken its place."""
        session, newest = self._live.get(id, (None, None))
        if session is None or newest is not connection:
            return
        del self._live[id]
        self._ended[id] = (session, self._clock.monotonic_s() + self._keep_s)

    def shift(self, station: str, mount: str, by_ms: DurationMs) -> None:
        """The mount's stream time made a jump: what its connections hear from now on is ``by_ms`` later."""
        for session, connection in list(self._live.values()):
            if (session.station, session.mount) == (station, mount):
                moved = msgspec.structs.replace(session, stream_time_ms=session.stream_time_ms + by_ms)
                self._live[session.id] = (moved, connection)
                self._tell(moved)

    def _has_room(self) -> bool:
        while len(self) >= self._limit and self._ended:
            self._ended.popitem(last=False)
        return len(self) < self._limit

    def _forget_old(self) -> None:
        now_s = self._clock.monotonic_s()
        while self._ended and next(iter(self._ended.values()))[1] <= now_s:
            self._ended.popitem(last=False)

    def _tell(self, session: Session) -> None:
        if self.on_started is None:
            return
        try:
            self.on_started(session)
        except Exception:
            # The sound must go on whatever becomes of the news about it.
            _journal.exception("session_news_failed", station=session.station, mount=session.mount)
