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
    """The hub's side of what subscribers say: takes request texts, acts on them, answers through the subscriber.

    One serves any number of subscribers.
    """

    __slots__ = ("_clock", "_hub", "_subscriptions_limit")

    def __init__(self, hub: Hub, clock: Clock, *, subscriptions_limit: int = SUBSCRIPTIONS_LIMIT) -> None:
        self._hub = hub
        self._clock = clock
        self._subscriptions_limit = subscriptions_limit

    def welcome(self, *, heartbeat_s: float = HEARTBEAT_S) -> Welcome:
        """The first frame."""
        return Welcome(
            protocol=PROTOCOL_VERSION,
            epoch=self._hub.epoch,
            server_time_ms=self._clock.now_ms(),
            heartbeat_s=heartbeat_s,
        )

    def receive(self, subscriber: Subscriber, text: bytes) -> bool:
        """Act on one request of ``subscriber``; what is wrong with it is answered with an error frame.

        False where the request could not be understood or named what is not there.
        """
        try:
            return self._act(subscriber, decode_request(text))
        except BadFrame as fault:
            subscriber.tell(fault.answer)
        return False

    def _act(self, subscriber: Subscriber, request: ClientMessage) -> bool:
        match request:
            case Subscribe():
                return self._subscribe(subscriber, request)
            case Unsubscribe():
                for station in request.stations:
                    self._hub.unsubscribe(subscriber, station)
            case Listen():
                return self._listen(subscriber, request)
            case Ping():
                subscriber.tell(Pong(id=request.id, server_time_ms=self._clock.now_ms()))
        return True

    def _subscribe(self, subscriber: Subscriber, request: Subscribe) -> bool:
        known = True
        for station in dict.fromkeys(request.stations):
            held = self._hub.subscriptions(subscriber)
            if station not in held and len(held) >= self._subscriptions_limit:
                allowed = f"A connection may follow {self._subscriptions_limit} stations at once."
                subscriber.tell(Error(id=request.id, code=ErrorCode.LIMIT_REACHED, message=allowed))
                break
            try:
                self._hub.subscribe(subscriber, station, request.since.get(station), request.id)
            except UnknownStation as fault:
                known = False
                subscriber.tell(_unknown_station(request.id, fault))
        return known

    def _listen(self, subscriber: Subscriber, request: Listen) -> bool:
        try:
            self._hub.listen(subscriber, request.station, str(request.session), request.id)
        except UnknownStation as fault:
            subscriber.tell(_unknown_station(request.id, fault))
            return False
        return True


def _unknown_station(request_id: int | None, fault: UnknownStation) -> Error:
    return Error(id=request_id, code=ErrorCode.UNKNOWN_STATION, message=fault.message)
