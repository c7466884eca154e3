"""One listener that has been let in, from its wait for the first chunk to the end of its connection."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

import msgspec

from radio.clock import Clock
from radio.errors import LimitReached
from radio.parking import ParkingLot, Spot, Way
from radio.store.listener_sessions import ListenerSession
from radio.streaming.mount import Mount, Start
from radio.streaming.session_log import SessionLog
from radio.streaming.sessions import Session, Sessions
from radio.streaming.stream_heads import refusal
from radio.units import UtcMs

MAX_TALK_BYTES: Final = 64 * 1024
"""What a listener may say after its request; nobody has a reason to."""


class Wish(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a request asks for, and whose it is."""

    icy: bool
    session: str | None
    agent: str
    address: str
    version: str = "HTTP/1.1"


class HandedListener(msgspec.Struct, frozen=True, kw_only=True):
    """A listener between two processes: its socket and all that is known of it.

    ``fd`` is a descriptor of the process that holds the value, which must close it or have it adopted. ``unsent``
    are the bytes that come before the next chunk.
    """

    fd: int
    station: str
    mount: str
    icy: bool
    unsent: bytes
    session: str | None
    stream_time_ms: UtcMs
    started_at_ms: UtcMs
    bytes_sent: int
    agent: str
    address: str


class House(Protocol):
    """What a listener needs of the registry that let it in (:class:`radio.streaming.mounts.Mounts`)."""

    clock: Clock
    sessions: Sessions
    session_log: SessionLog
    parking: ParkingLot

    def backlog_limit(self, mount: Mount) -> int:
        """How many bytes may lie unsent for one listener of ``mount``."""

    def exit(self, occupant: Listening) -> None:
        """Take its room back."""


class Listening:
    """A member of a mount. It has no task and, once the sound has begun, no timer and no transport."""

    __slots__ = (
        "_before",
        "_head",
        "_house",
        "_started_at_ms",
        "_stream_time_ms",
        "_talk",
        "_timer",
        "_way",
        "mount",
        "wish",
    )

    def __init__(self, house: House, mount: Mount, wish: Wish, head: bytes = b"") -> None:
        self._house = house
        self._head = head
        self._way: Way | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._started_at_ms: UtcMs | None = None
        self._stream_time_ms = UtcMs(0)
        self._talk = 0
        self._before = 0
        self.mount = mount
        self.wish = wish

    def begin(self, transport: asyncio.Transport, *, wait_s: float) -> None:
        """Take the connection over and start with the chunk that holds the present, or wait for one."""
        house = self._house
        way = self._way = house.parking.park(transport, self, limit=house.backlog_limit(self.mount))
        start = self.mount.join(self, way, icy=self.wish.icy, now_ms=house.clock.now_ms())
        if start is not None:
            self.start(start)
        else:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._give_up_waiting)

    def start(self, start: Start) -> None:
        """Send the response head and the first buffers; the mount writes all that follows."""
        self._stop_timer()
        if self._way is None:
            return
        head, self._head = self._head, b""
        self._note_start(start.stream_time_ms)
        self._way.write_all([head, *start.buffers])

    def go_on(self, handed: HandedListener) -> None:
        """Be the listener that another process has handed over. Raises OSError where its socket is none."""
        limit = self._house.backlog_limit(self.mount) + len(handed.unsent)
        way = self._way = self._house.parking.adopt(handed.fd, self, limit=limit)
        self._before = handed.bytes_sent
        self._note_start(handed.stream_time_ms)
        self._started_at_ms = handed.started_at_ms
        self.mount.admit(self, way, icy=self.wish.icy)
        way(handed.unsent)

    def handed(self) -> HandedListener | None:
        """Let go of the connection for another process; None where it has not begun or cannot be handed over."""
        way, started_at_ms = self._way, self._started_at_ms
        if not isinstance(way, Spot) or started_at_ms is None:
            return None
        self.mount.leave(self)
        fd, unsent = way.released()
        self._way = None
        self._forget()
        return HandedListener(
            fd=fd,
            station=self.mount.station,
            mount=self.mount.name,
            icy=self.wish.icy,
            unsent=unsent,
            session=self.wish.session,
            stream_time_ms=self._stream_time_ms,
            started_at_ms=started_at_ms,
            bytes_sent=self._before + way.sent,
            agent=self.wish.agent,
            address=self.wish.address,
        )

    def heard(self, data: bytes) -> None:
        """What a listener says is of no interest; one that says too much is hung up."""
        self._talk += len(data)
        if self._talk > MAX_TALK_BYTES:
            self.hang_up()

    def gone(self, *, behind: bool) -> None:
        """The connection has ended."""
        if behind:
            self.mount.dropped += 1
        self._end()

    def hang_up(self) -> None:
        """Close the connection at once; what is not with the system yet is not sent."""
        if self._way is not None:
            self._way.close()
        self._end()

    def _give_up_waiting(self) -> None:
        self._timer = None
        error = LimitReached("The stream stands still; it is expected back soon.")
        if self._way is not None:
            self._way.close(refusal(error, version=self.wish.version))
        self._end()

    def _note_start(self, stream_time_ms: UtcMs) -> None:
        self._started_at_ms = self._house.clock.now_ms()
        self._stream_time_ms = stream_time_ms
        if self.wish.session is not None:
            session = Session(
                id=self.wish.session,
                station=self.mount.station,
                mount=self.mount.name,
                stream_time_ms=stream_time_ms,
            )
            self._house.sessions.begin(session, self)

    def _end(self) -> None:
        way, self._way = self._way, None
        if way is None:
            return
        self.mount.leave(self)
        self._forget()
        if self._started_at_ms is not None:
            self._house.session_log.add(self._session(way, self._started_at_ms))

    def _forget(self) -> None:
        self._stop_timer()
        if self.wish.session is not None:
            self._house.sessions.end(self.wish.session, self)
        self._house.exit(self)

    def _session(self, way: Way, started_at_ms: UtcMs) -> ListenerSession:
        return ListenerSession(
            station=self.mount.station,
            mount=self.mount.name,
            started_at_ms=started_at_ms,
            ended_at_ms=UtcMs(max(started_at_ms, self._house.clock.now_ms())),
            bytes_sent=self._before + way.sent,
            agent=self.wish.agent,
            address=self.wish.address if self._house.session_log.keeps_addresses else None,
        )

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
