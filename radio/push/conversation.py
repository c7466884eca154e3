"""What one client says and what comes of it, on any transport that carries messages both ways."""

from __future__ import annotations

from typing import Final

from radio.clock import Clock
from radio.errors import UnknownStation
from radio.push.hub import Hub
from radio.push.messages import (
    HEARTBEAT_S,
    PROTOCOL_VERSION,
    BadFrame,
    ClientMessage,
    Error,
    ErrorCode,
    Listen,
    Ping,
    Pong,
    Subscribe,
    Unsubscribe,
    Welcome,
    decode_request,
)
from radio.push.sessions import Subscriber

SUBSCRIPTIONS_LIMIT: Final = 200
FAULTS_LIMIT: Final = 8
"""How many bad requests one connection may send before it is closed."""


class Conversation:
    """One subscriber's side of the hub: takes request texts, acts on them, answers through the subscriber.

    ``faults`` counts the requests that could not be understood or named what is not there.
    """

    __slots__ = ("_clock", "_hub", "_subscriber", "_subscriptions_limit", "faults")

    def __init__(
        self,
        hub: Hub,
        clock: Clock,
        subscriber: Subscriber,
        *,
        subscriptions_limit: int = SUBSCRIPTIONS_LIMIT,
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._subscriber = subscriber
        self._subscriptions_limit = subscriptions_limit
        self.faults = 0

    @property
    def abused(self) -> bool:
        """Whether the client has sent so much nonsense that its connection should be closed."""
        return self.faults >= FAULTS_LIMIT

    def welcome(self, *, heartbeat_s: float = HEARTBEAT_S) -> Welcome:
        """The first frame."""
        return Welcome(
            protocol=PROTOCOL_VERSION,
            epoch=self._hub.epoch,
            server_time_ms=self._clock.now_ms(),
            heartbeat_s=heartbeat_s,
        )

    def receive(self, text: bytes) -> None:
        """Act on one request; what is wrong with it is answered with an error frame, never raised."""
        try:
            self._act(decode_request(text))
        except BadFrame as fault:
            self.refuse(fault.answer)

    def refuse(self, answer: Error) -> None:
        """Count a fault and answer with it."""
        self.faults += 1
        self._subscriber.tell(answer)

    def _act(self, request: ClientMessage) -> None:
        match request:
            case Subscribe():
                self._subscribe(request)
            case Unsubscribe():
                for station in request.stations:
                    self._hub.unsubscribe(self._subscriber, station)
            case Listen():
                self._listen(request)
            case Ping():
                self._subscriber.tell(Pong(id=request.id, server_time_ms=self._clock.now_ms()))

    def _subscribe(self, request: Subscribe) -> None:
        unknown = False
        for station in dict.fromkeys(request.stations):
            held = self._hub.subscriptions(self._subscriber)
            if station not in held and len(held) >= self._subscriptions_limit:
                allowed = f"A connection may follow {self._subscriptions_limit} stations at once."
                self._subscriber.tell(Error(id=request.id, code=ErrorCode.LIMIT_REACHED, message=allowed))
                break
            try:
                self._hub.subscribe(self._subscriber, station, request.since.get(station), request.id)
            except UnknownStation as fault:
                unknown = True
                self._subscriber.tell(_unknown_station(request.id, fault))
        self.faults += unknown

    def _listen(self, request: Listen) -> None:
        try:
            self._hub.listen(self._subscriber, request.station, str(request.session), request.id)
        except UnknownStation as fault:
            self.refuse(_unknown_station(request.id, fault))


def _unknown_station(request_id: int | None, fault: UnknownStation) -> Error:
    return Error(id=request_id, code=ErrorCode.UNKNOWN_STATION, message=fault.message)
