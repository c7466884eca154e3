"""Centrifugo's client protocol in JSON, as far as AzuraCast's push needs it (pure).

*Unidirectional* (centrifugal.dev, "Unidirectional client protocol"): the client says once what it wants, as
``{"subs": {"station:wxyz": {"recover": true}}}``, and is sent pushes: ``connect`` first, then ``pub``. *Bidirectional*
("Client protocol"): commands with an ``id``, several to a frame, one to a line, and pushes inside ``push``. The first
frame tells which is spoken. An empty object is a ping, and in the second the answer to one.

A channel is ``station:`` and a station's id. Recovery is of the newest state: a subscription that asks to recover
is sent it, unless it has it already.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta

from radio import __version__
from radio.push.messages import HEARTBEAT_S, Position
from radio.units import UtcMs

PREFIX: Final = "station:"
MESSAGE_LIMIT_BYTES: Final = 16_384
CHANNELS_LIMIT: Final = 200
PING: Final = b"{}"


class Code(IntEnum):
    """Why a connection ends: 3000 to 3499 come back later, 3500 to 3999 do not (centrifugal.dev, "Codes")."""

    SHUTDOWN = 3001
    SLOW = 3008
    NO_PONG = 3012
    TOO_MANY_REQUESTS = 3013
    BAD_REQUEST = 3501
    STALE = 3502
    CHANNEL_LIMIT = 3505


class Fault(IntEnum):
    """What is wrong with one command."""

    UNKNOWN_CHANNEL = 102
    METHOD_NOT_FOUND = 104
    ALREADY_SUBSCRIBED = 105
    LIMIT_EXCEEDED = 106


class Refused(Exception):
    """What a client said cannot be answered: the connection ends with ``code``."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Wish(msgspec.Struct, frozen=True):
    """How a client wants a channel; what it says beside this has no meaning here."""

    recover: bool = False
    offset: Annotated[int, Meta(ge=0, le=(1 << 63) - 1)] = 0
    epoch: str = ""


class Connect(msgspec.Struct, frozen=True):
    """What a client says first; names, versions and tokens are passed over."""

    subs: dict[str, Wish] = {}


class Subscribe(Wish, frozen=True, kw_only=True):
    """A command to follow a channel."""

    channel: str


class Unsubscribe(msgspec.Struct, frozen=True):
    """A command to follow a channel no more."""

    channel: str


class Command(msgspec.Struct, frozen=True):
    """One line of a client: a command with its ``id``, or the one message of the unidirectional protocol."""

    id: Annotated[int, Meta(ge=0, le=(1 << 32) - 1)] = 0
    connect: Connect | None = None
    subscribe: Subscribe | None = None
    unsubscribe: Unsubscribe | None = None
    subs: dict[str, Wish] | None = None


class _Pub(msgspec.Struct, frozen=True):
    data: msgspec.Raw
    offset: int


class _Sub(msgspec.Struct, frozen=True, kw_only=True):
    recoverable: bool = True
    epoch: str
    positioned: bool = True
    offset: int
    recovered: bool | msgspec.UnsetType = msgspec.UNSET
    was_recovering: bool | msgspec.UnsetType = msgspec.UNSET
    publications: list[_Pub] | msgspec.UnsetType = msgspec.UNSET


class _Connected(msgspec.Struct, frozen=True, kw_only=True):
    client: str
    version: str = __version__
    subs: dict[str, _Sub]
    ping: int = HEARTBEAT_S
    pong: bool | msgspec.UnsetType = msgspec.UNSET
    session: str
    time: UtcMs


class _Error(msgspec.Struct, frozen=True):
    code: int
    message: str


class _Reply(msgspec.Struct, frozen=True, kw_only=True):
    id: int | msgspec.UnsetType = msgspec.UNSET
    error: _Error | msgspec.UnsetType = msgspec.UNSET
    connect: _Connected | msgspec.UnsetType = msgspec.UNSET
    subscribe: _Sub | msgspec.UnsetType = msgspec.UNSET
    unsubscribe: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class Source(Protocol):
    """What a connection may follow."""

    def station_of(self, channel: str) -> str | None:
        """The station behind a channel; None for one that is not known."""

    def newest(self, station: str) -> tuple[Position, bytes]:
        """The station's newest position, and its data as JSON."""

    def now_ms(self) -> UtcMs:
        """The present moment."""


_command_decoder: Final = msgspec.json.Decoder(Command)
_connect_decoder: Final = msgspec.json.Decoder(Connect)
_encoder: Final = msgspec.json.Encoder()


def read_connect(text: str | bytes) -> Connect:
    """What ``cf_connect`` asks for. Raises :class:`Refused`."""
    try:
        connect = _connect_decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Refused(Code.BAD_REQUEST, "bad request") from None
    if len(connect.subs) > CHANNELS_LIMIT:
        raise Refused(Code.CHANNEL_LIMIT, "channel limit")
    return connect


def pushed(channel: str, data: bytes, offset: int) -> bytes:
    """A publication as the unidirectional protocol has it; ``data`` is JSON."""
    name = _encoder.encode(channel)
    return b'{"channel":%b,"pub":{"data":%b,"offset":%d}}' % (name, data, offset)


def within_push(push: bytes) -> bytes:
    """The same for the bidirectional protocol."""
    return b'{"push":%b}' % push


def disconnect(code: int, reason: str) -> bytes:
    """The last push of a connection that is told why it ends."""
    return _encoder.encode({"disconnect": {"code": int(code), "reason": reason}})


class Talk:
    """One connection's side of the protocol: what it follows, and the answers to what it says."""

    __slots__ = ("_client", "_session", "_source", "channels", "is_connected", "is_two_way")

    def __init__(self, source: Source, *, client: str, session: str) -> None:
        self._source = source
        self._client = client
        self._session = session
        self.channels: dict[str, str] = {}
        self.is_connected = False
        self.is_two_way = False

    def connect(self, connect: Connect, *, id_: int | None = None) -> bytes:
        """The first answer, with the state of every channel that asks to recover. Raises :class:`Refused`.

        Channels that are not known are left out; where that leaves nothing at all, there is no connection to be
        had: the original would be silent for ever.
        """
        known = {name: station for name in connect.subs if (station := self._source.station_of(name))}
        if not known and (connect.subs or id_ is None):
            raise Refused(Code.BAD_REQUEST, "unknown channel" if connect.subs else "no channels")
        self._check_room(known)
        self.channels |= {station: name for name, station in known.items()}
        self.is_connected = True
        connected = _Connected(
            client=self._client,
            subs={name: self._subscribed(station, connect.subs[name]) for name, station in known.items()},
            pong=msgspec.UNSET if id_ is None else True,
            session=self._session,
            time=self._source.now_ms(),
        )
        return _encoder.encode(_Reply(id=msgspec.UNSET if id_ is None else id_, connect=connected))

    def receive(self, frame: bytes) -> Iterable[bytes]:
        """The answers to a text frame, one by one. Raises :class:`Refused`."""
        for text in frame.split(b"\n"):
            if text.strip():
                yield from self._receive(text)

    def _receive(self, text: bytes) -> Iterable[bytes]:
        if self.is_connected and not self.is_two_way:
            return
        try:
            command = _command_decoder.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            raise Refused(Code.BAD_REQUEST, "bad request") from None
        if not self.is_connected:
            yield self._first(command)
        elif command.id > 0:
            yield self._answer(command)
        elif text.strip() != PING:
            raise Refused(Code.BAD_REQUEST, "bad request")

    def _first(self, command: Command) -> bytes:
        if command.connect is not None and command.id > 0:
            self._check_room(command.connect.subs)
            self.is_two_way = True
            return self.connect(command.connect, id_=command.id)
        if command.id or command.subs is None:
            raise Refused(Code.BAD_REQUEST, "bad request")
        self._check_room(command.subs)
        return self.connect(Connect(command.subs))

    def _answer(self, command: Command) -> bytes:
        if command.connect is not None:
            raise Refused(Code.BAD_REQUEST, "bad request")
        if command.subscribe is not None:
            return self._subscribe(command.id, command.subscribe)
        if command.unsubscribe is not None:
            station = self._source.station_of(command.unsubscribe.channel)
            self.channels.pop(station or "", None)
            return _encoder.encode(_Reply(id=command.id, unsubscribe={}))
        return _fault(command.id, Fault.METHOD_NOT_FOUND, "method not found")

    def _subscribe(self, id_: int, wish: Subscribe) -> bytes:
        station = self._source.station_of(wish.channel)
        if station is None:
            return _fault(id_, Fault.UNKNOWN_CHANNEL, "unknown channel")
        if station in self.channels:
            return _fault(id_, Fault.ALREADY_SUBSCRIBED, "already subscribed")
        if len(self.channels) >= CHANNELS_LIMIT:
            return _fault(id_, Fault.LIMIT_EXCEEDED, "limit exceeded")
        self.channels[station] = wish.channel
        return _encoder.encode(_Reply(id=id_, subscribe=self._subscribed(station, wish)))

    def _subscribed(self, station: str, wish: Wish) -> _Sub:
        position, data = self._source.newest(station)
        if not wish.recover:
            return _Sub(epoch=position.epoch, offset=position.seq)
        has_it = wish.epoch == position.epoch and wish.offset == position.seq
        return _Sub(
            epoch=position.epoch,
            offset=position.seq,
            recovered=True,
            was_recovering=True,
            publications=msgspec.UNSET if has_it else [_Pub(msgspec.Raw(data), position.seq)],
        )

    def _check_room(self, subs: object) -> None:
        if isinstance(subs, dict) and len(subs) > CHANNELS_LIMIT:
            raise Refused(Code.CHANNEL_LIMIT, "channel limit")


def _fault(id_: int, code: Fault, message: str) -> bytes:
    return _encoder.encode(_Reply(id=id_, error=_Error(code, message)))
