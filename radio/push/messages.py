"""The frames of push protocol version 1: JSON text, one object each, told apart by ``type``.

Close codes (WebSocket): 4000-4499 say *come back later*, 4500-4999 say *do not*. Those in use:

====  ===================  ==========================================================================
4001  ``SERVER_RESTARTS``  the server stops or hands over; come back after a random pause
4002  ``SILENT``           nothing was heard from the client for two heartbeats
4008  ``TOO_SLOW``         the client stayed behind, with its backlog dropped, for too long
4029  ``TOO_FAST``         the client sent frames faster than is allowed
4500  ``BAD_REQUESTS``     the client went on sending requests that cannot be understood
====  ===================  ==========================================================================

Beside them RFC 6455 section 7.4.1 has its own: 1002 (broken framing), 1003 (binary messages, which nobody
here takes), 1007 (text that is no UTF-8), 1009 (a message over :data:`REQUEST_LIMIT_BYTES`).

Error codes are stable; see :class:`ErrorCode`. An error frame answers one request and leaves the connection
open.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

import msgspec

from radio.errors import InvalidRequest
from radio.units import UtcMs

PROTOCOL_VERSION: Final = 1

HEARTBEAT_S: Final = 25
"""Seconds between two signs of life from the server; proxies commonly forget a connection after 60."""

REQUEST_LIMIT_BYTES: Final = 4096
"""The longest message a client may send."""


class CloseCode(IntEnum):
    """Why the server ends a connection; see the module's table."""

    SERVER_RESTARTS = 4001
    SILENT = 4002
    TOO_SLOW = 4008
    TOO_FAST = 4029
    BAD_REQUESTS = 4500


class ErrorCode(StrEnum):
    """What is wrong with a request."""

    INVALID_JSON = "invalid_json"
    INVALID_REQUEST = "invalid_request"
    UNKNOWN_TYPE = "unknown_type"
    TEXT_ONLY = "text_only"
    UNKNOWN_STATION = "unknown_station"
    LIMIT_REACHED = "limit_reached"


def may_come_back(close_code: int) -> bool:
    """Whether a client that was closed with ``close_code`` may connect again without a change of its own."""
    return not (4500 <= close_code <= 4999 or close_code in (1003, 1008))


RequestId = Annotated[int, msgspec.Meta(ge=0, le=(1 << 53) - 1)]
StationId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
StationIds = Annotated[tuple[StationId, ...], msgspec.Meta(min_length=1, max_length=200)]


class Position(msgspec.Struct, frozen=True):
    """How far a subscriber has followed a station: the run of the hub, and the last update in it."""

    epoch: Annotated[str, msgspec.Meta(max_length=64)]
    seq: Annotated[int, msgspec.Meta(ge=0)]


class _Frame(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower, omit_defaults=True):
    pass


class Subscribe(_Frame, frozen=True, kw_only=True):
    """A client wants the state of ``stations`` and every change; ``since`` says what it has already."""

    id: RequestId | None = None
    stations: StationIds
    since: dict[StationId, Position] = msgspec.field(default_factory=dict)


class Unsubscribe(_Frame, frozen=True, kw_only=True):
    """A client wants no more of ``stations``; there is no answer."""

    id: RequestId | None = None
    stations: StationIds


class Listen(_Frame, frozen=True, kw_only=True):
    """A client's player listens to ``station`` under ``session``; a later one for the station replaces it."""

    id: RequestId | None = None
    station: StationId
    session: UUID


class Ping(_Frame, frozen=True, kw_only=True):
    """A client asks for the server's time."""

    id: RequestId | None = None


class Welcome(_Frame, frozen=True, kw_only=True):
    """The first frame of a connection."""

    protocol: int
    epoch: str
    server_time_ms: UtcMs
    heartbeat_s: float


class Snapshot(_Frame, frozen=True, kw_only=True):
    """A station's whole state as of ``seq``; without ``id`` after a backlog was dropped."""

    id: int | None = None
    station: str
    epoch: str
    seq: int
    state: dict[str, Any]


class Update(_Frame, frozen=True, kw_only=True):
    """One change: ``patch`` turns the state of ``seq - 1`` into that of ``seq``."""

    station: str
    seq: int
    at_ms: UtcMs
    changed: tuple[str, ...]
    patch: dict[str, Any]


class Listening(_Frame, frozen=True, kw_only=True):
    """T0: the stream time of the first sound that the session was sent; repeated when it reconnects."""

    id: int | None = None
    session: str
    station: str
    stream_time_ms: UtcMs


class Pong(_Frame, frozen=True, kw_only=True):
    """The server's time, for a client's ping."""

    id: int | None = None
    server_time_ms: UtcMs


class Error(_Frame, frozen=True, kw_only=True):
    """A request was not met."""

    id: int | None = None
    code: str
    message: str


class _EncodedSnapshot(_Frame, frozen=True, kw_only=True, tag="snapshot"):
    id: int | None = None
    station: str
    epoch: str
    seq: int
    state: msgspec.Raw


ClientMessage = Subscribe | Unsubscribe | Listen | Ping
ServerMessage = Welcome | Snapshot | Update | Listening | Pong | Error


class BadFrame(InvalidRequest):
    """A client's frame cannot be taken; ``answer`` is the error frame that says so."""

    code: ClassVar[str] = "invalid_request"

    def __init__(self, error_code: ErrorCode, problem: str, *, request_id: int | None = None) -> None:
        super().__init__(problem)
        self.answer = Error(id=request_id, code=error_code, message=problem)


_encoder = msgspec.json.Encoder()
_request_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_message_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
_NO_JSON: Final = "The frame is no JSON text."
_TYPES: Final = ("subscribe", "unsubscribe", "listen", "ping")


def encode(message: ServerMessage | ClientMessage | dict[str, Any]) -> bytes:
    """The compact JSON text of a frame (or of a state): UTF-8 without line breaks."""
    return _encoder.encode(message)


def encode_snapshot(
    station: str, epoch: str, seq: int, state_json: bytes, *, request_id: int | None = None
) -> bytes:
    """The text of a snapshot frame around a state that is encoded already."""
    state = msgspec.Raw(state_json)
    frame = _EncodedSnapshot(id=request_id, station=station, epoch=epoch, seq=seq, state=state)
    return _encoder.encode(frame)


def decode_request(text: bytes) -> ClientMessage:
    """What a client says. Raises :class:`BadFrame` with the error frame to answer with.

    ``text`` is bounded by the transport (:data:`REQUEST_LIMIT_BYTES`).
    """
    try:
        return _request_decoder.decode(text)
    except msgspec.ValidationError as error:
        raise _explained(text, str(error)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadFrame(ErrorCode.INVALID_JSON, _NO_JSON) from None


def decode_message(text: bytes | str) -> ServerMessage | None:
    """What a server says; None for a type that this release does not know, which a client passes over.

    Raises :class:`InvalidRequest` for text that is no frame of the protocol.
    """
    try:
        return _message_decoder.decode(text)
    except msgspec.DecodeError as error:
        if "Invalid value" in str(error) and "$.type" in str(error):
            return None
        raise InvalidRequest(f"The server sent a frame that is not understood: {error}.") from None


def _explained(text: bytes, problem: str) -> BadFrame:
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return BadFrame(ErrorCode.INVALID_JSON, _NO_JSON)
    frame = decoded if isinstance(decoded, dict) else {}
    name, given_id = frame.get("type"), frame.get("id")
    is_id = isinstance(given_id, int) and not isinstance(given_id, bool) and 0 <= given_id < 1 << 53
    request_id = given_id if is_id else None
    if name in _TYPES:
        return BadFrame(ErrorCode.INVALID_REQUEST, f"{problem}.", request_id=request_id)
    allowed = ", ".join(_TYPES)
    return BadFrame(ErrorCode.UNKNOWN_TYPE, f"`type` must be one of {allowed}.", request_id=request_id)
