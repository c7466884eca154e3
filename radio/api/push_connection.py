"""One public WebSocket that is open: a parked socket at one end, a subscriber of the hub at the other.

A connection that is idle is its socket, its place in the hub and a few numbers: there is no task, no transport, no
timer and no parser. Plain frames of the client are read by :mod:`radio.push.frames`; for all else the connection gets a
:class:`~radio.push.wire.Wire`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from websockets.frames import CloseCode as RfcCloseCode
from websockets.frames import Frame
from websockets.frames import Opcode as RfcOpcode

from radio.api.parked_lane import ParkedLane, lane_of
from radio.clock import Clock
from radio.push.backlog import Backlog
from radio.push.channel import Publication
from radio.push.conversation import FAULTS_LIMIT, SUBSCRIPTIONS_LIMIT, Conversation
from radio.push.frames import PING, ClientFrame, Opcode, pong_frame, read_frame, text_frame
from radio.push.hub import Hub
from radio.push.limits import Admission, Rate
from radio.push.messages import (
    REQUEST_LIMIT_BYTES,
    CloseCode,
    Error,
    ErrorCode,
    ServerMessage,
    encode,
)
from radio.push.wire import Wire, is_utf8
from radio.ways import Way


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one connection may take; lengths in bytes, times in seconds."""

    head_bytes: int = 16_384
    request_bytes: int = REQUEST_LIMIT_BYTES
    frames_burst: int = 20
    frames_period_s: float = 10.0
    subscriptions: int = SUBSCRIPTIONS_LIMIT
    kernel_buffer_bytes: int = 65_536
    write_buffer_bytes: int = 32_768
    backlog_bytes: int = 65_536
    patience_s: float = 30.0
    handshake_s: float = 10.0
    close_s: float = 5.0


def framed(publication: Publication) -> bytes:
    """A publication as one text frame."""
    return text_frame(publication.payload)


class House(Protocol):
    """What a connection needs of who took it in (:class:`radio.api.push_socket.PushSockets`)."""

    hub: Hub
    clock: Clock
    admission: Admission
    limits: SocketLimits
    conversation: Conversation
    rate: Rate
    lane: ParkedLane
    heartbeat_s: float

    def watch(self, connection: PushSocket) -> None:
        """Look at ``connection`` each second."""

    def unwatch(self, connection: PushSocket) -> None:
        """Look at ``connection`` no more."""

    def leave(self, connection: PushSocket) -> None:
        """Forget a connection that is gone."""


class PushSocket:
    """One open connection: a parked socket at one end, a subscriber of the hub at the other."""

    __slots__ = (
        "_address",
        "_backlog",
        "_deadline_s",
        "_ends",
        "_even_s",
        "_faults",
        "_heard_s",
        "_owner",
        "_pinged_s",
        "way",
        "_wire",
    )

    def __init__(self, owner: House, address: str) -> None:
        self._owner = owner
        self._address = address
        self.way: Way | None = None
        self._wire: Wire | None = None
        self._backlog: Backlog | None = None
        self._heard_s = owner.clock.monotonic_s()
        self._pinged_s: float | None = None
        self._even_s = 0.0
        self._faults = 0
        # Set while the closing handshake is under way, None before.
        self._deadline_s: float | None = None
        self._ends = False

    def begin(self, way: Way, response: bytes) -> None:
        """Answer the handshake and welcome the client."""
        self.way = way
        welcome = self._owner.conversation.welcome(heartbeat_s=self._owner.heartbeat_s)
        way.write_all((response, text_frame(encode(welcome))))

    # The socket's side

    def heard(self, data: bytes) -> None:
        """The client said something."""
        self._heard_s = self._owner.clock.monotonic_s()
        start, limit = 0, self._owner.limits.request_bytes
        while start < len(data) and self._wire is None and self._is_open:
            frame = read_frame(data, start, text_bytes=limit)
            if frame is None:
                self._wire = Wire(message_bytes=limit)
            else:
                start = frame.end
                self._on_plain(frame)
        if start < len(data) and self.way is not None and self._wire is not None:
            self._ask_wire(self._wire, data[start:])

    def gone(self, *, behind: bool) -> None:
        """The connection has ended."""
        self._leave()

    def room(self) -> None:
        """The client reads again: send it what waited."""
        while self._backlog is not None and self.way is not None and not self.way.busy:
            publication = self._backlog.take(self._fresh)
            if publication is not None:
                self.way(publication.form(framed))
                continue
            self._backlog = None
            if self._deadline_s is None:
                self._owner.unwatch(self)
        if self._ends and self.way is not None and not self.way.busy:
            self.way.end()

    # The hub's side

    @property
    def lane(self) -> ParkedLane | None:
        """All that are parked are sent to together."""
        return lane_of(self.way, self._owner.lane)

    def deliver(self, publication: Publication) -> None:
        """Send a publication, or keep it while the client is slow."""
        way = self.way
        if way is None or self._deadline_s is not None:
            return
        if not way.busy:
            way(publication.form(framed))
            return
        if self._backlog is None:
            self._backlog = Backlog(self._owner.limits.backlog_bytes)
        if self._backlog.put(publication, self._owner.clock.monotonic_s()):
            self._owner.watch(self)

    def tell(self, message: ServerMessage) -> None:
        """Send a message that is for this connection alone."""
        if self.way is not None and self._is_open:
            self.way(text_frame(encode(message)))

    # The clock's side

    def look(self, now_s: float) -> None:
        """End the connection where it takes too long to close, or stays behind."""
        if self._deadline_s is not None:
            if now_s >= self._deadline_s:
                self.abort()
        elif self._stays_behind(now_s):
            self.close(CloseCode.TOO_SLOW, "the connection is too slow")

    def beat(self, now_s: float) -> bool:
        """Ask the client for a sign of life, or end the connection; False where it is not open any more."""
        if self.way is None or not self._is_open:
            return False
        # Silence counts only after a ping: if this process stood still, the client is not to blame.
        unanswered = self._pinged_s is not None and self._pinged_s > self._heard_s
        if unanswered and now_s - self._heard_s >= 2 * self._owner.heartbeat_s:
            self.close(CloseCode.SILENT, "nothing was heard for two heartbeats")
            return False
        self._pinged_s = now_s
        self.way(PING)
        return True

    def close(self, code: int, reason: str, *, at_once: bool = False) -> None:
        """Start the closing handshake; the connection is cut if it takes longer than ``limits.close_s``.

        With ``at_once`` nothing more is read from the client.
        """
        if self._is_open:
            wire = self._wire = self._wire or Wire(message_bytes=self._owner.limits.request_bytes)
            wire.close(code, reason, at_once=at_once)
            self._flush(wire)
            self._begin_closing()

    def abort(self) -> None:
        """Cut the connection."""
        if self.way is not None:
            self.way.close()
        self._leave()

    @property
    def waiting_bytes(self) -> int:
        """What this connection was sent and the system has not taken, and what is in its backlog."""
        backlog = 0 if self._backlog is None else self._backlog.size_bytes
        return backlog + (0 if self.way is None else self.way.unsent_bytes)

    @property
    def is_behind(self) -> bool:
        """Whether its backlog was dropped, and it waits for a fresh snapshot."""
        return self._backlog is not None and self._backlog.behind_since_s is not None

    # Inside

    @property
    def _is_open(self) -> bool:
        return (
            self._deadline_s is None and self.way is not None and (self._wire is None or self._wire.is_open)
        )

    def _on_plain(self, frame: ClientFrame) -> None:
        if self._spend():
            if frame.opcode is Opcode.PING and self.way is not None:
                self.way(pong_frame(frame.payload))
            elif frame.opcode is Opcode.TEXT:
                self._on_message(RfcOpcode.TEXT, frame.payload)

    def _ask_wire(self, wire: Wire, data: bytes) -> None:
        for frame in wire.receive(data):
            self._flush(wire)
            if self._deadline_s is None:
                self._on_frame(wire, frame)
        if self.way is None:
            return
        self._flush(wire)
        if wire.is_closing:
            self._begin_closing()

    def _on_frame(self, wire: Wire, frame: Frame) -> None:
        spent = self._spend()
        message = wire.message(frame)
        if spent and message is not None and wire.is_open:
            self._on_message(*message)

    def _spend(self) -> bool:
        rate = self._owner.rate
        self._even_s = rate.spend(self._even_s, self._heard_s)
        if rate.abused(self._even_s, self._heard_s):
            self.close(CloseCode.TOO_FAST, "too many messages", at_once=True)
            return False
        return True

    def _on_message(self, opcode: RfcOpcode, message: bytes) -> None:
        binary = opcode is RfcOpcode.BINARY
        if binary:
            self.tell(Error(code=ErrorCode.TEXT_ONLY, message="Send JSON text."))
            self._faults += 1
        elif not is_utf8(message):
            self.close(RfcCloseCode.INVALID_DATA, "a text message must be UTF-8", at_once=True)
        elif not self._owner.rate.allows(self._even_s, self._heard_s):
            self.tell(Error(code=ErrorCode.LIMIT_REACHED, message="Too many messages; slow down."))
        else:
            self._faults += not self._owner.conversation.receive(self, message)
        if self._faults >= FAULTS_LIMIT:
            code = RfcCloseCode.UNSUPPORTED_DATA if binary else CloseCode.BAD_REQUESTS
            self.close(code, "too many bad requests", at_once=True)

    def _stays_behind(self, now_s: float) -> bool:
        since_s = None if self._backlog is None else self._backlog.behind_since_s
        return since_s is not None and now_s - since_s >= self._owner.limits.patience_s

    def _fresh(self, station: str, request_id: int | None) -> Publication | None:
        return self._owner.hub.fresh(self, station, request_id)

    def _begin_closing(self) -> None:
        self._backlog = None
        if self._deadline_s is None and self.way is not None:
            self._deadline_s = self._owner.clock.monotonic_s() + self._owner.limits.close_s
            self._owner.watch(self)
            self._owner.hub.drop(self)

    def _flush(self, wire: Wire) -> None:
        output, ends = wire.take_output()
        if output and self.way is not None:
            self.way(output)
        # Writing may have found out that the connection is gone.
        if ends and self.way is not None:
            self._ends = True
            if not self.way.busy:
                self.way.end()

    def _leave(self) -> None:
        way, self.way = self.way, None
        if way is None:
            return
        self._backlog = None
        self._owner.hub.drop(self)
        self._owner.admission.leave(self._address)
        self._owner.leave(self)
        if self._wire is not None:
            self._wire.dispose()
