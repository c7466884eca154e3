"""The frames of the operators' push, version 1: JSON text, one object each, told apart by ``type`` (pure).

It has the manners of the public push (:mod:`radio.push.messages`) and a station's state as a studio desk needs it.
Close codes (WebSocket): 4000-4499 say *come back later*, 4500-4999 say *do not*. Those in use:

====  ===================  ==========================================================================
4001  ``SERVER_RESTARTS``  the server stops or hands over; come back after a random pause
4003  ``SIGN_IN_LATE``     nobody signed in within 5 s
4004  ``RIGHTS_CHANGED``   the token has another role, name or stations now; come back with it
4008  ``TOO_SLOW``         the client has not taken what it was sent for 30 s
4013  ``FULL``             all places at the desks are taken
4029  ``TOO_FAST``         the client sent frames faster than is allowed
4500  ``BAD_REQUESTS``     the client went on sending requests that cannot be understood
4501  ``NOT_SIGNED_IN``    the token is not known, was revoked or has expired, or something else was said first
====  ===================  ==========================================================================

Beside them RFC 6455 section 7.4.1 has its own: 1002 (broken framing), 1003 (binary messages), 1007 (text that is no
UTF-8), 1009 (a message over :data:`REQUEST_LIMIT_BYTES`), 1011 (no answer to a ping).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from radio.alarms import Alarm
from radio.api.command_shapes import ComingRow, RowView
from radio.log import Outcome
from radio.push.messages import BadFrame, ErrorCode, RequestId, StationId
from radio.stations.shapes import AvailabilityState, ProgrammeState, Source
from radio.units import DurationMs, UtcMs

DESK_PROTOCOL: Final = 1
REQUEST_LIMIT_BYTES: Final = 16_384
NEXT_ROWS: Final = 8
LONGEST_TOKEN: Final = 200

RoleName = Literal["admin", "operator", "traffic", "viewer"]
"""The roles of operators (:class:`radio.store.operators.Role`)."""


class DeskCloseCode(IntEnum):
    """Why the server ends a desk's connection; see the module's table."""

    SERVER_RESTARTS = 4001
    SIGN_IN_LATE = 4003
    RIGHTS_CHANGED = 4004
    TOO_SLOW = 4008
    FULL = 4013
    TOO_FAST = 4029
    BAD_REQUESTS = 4500
    NOT_SIGNED_IN = 4501


class DeskErrorCode(StrEnum):
    """What is wrong with a desk's request; the connection stays open."""

    INVALID_JSON = ErrorCode.INVALID_JSON
    INVALID_REQUEST = ErrorCode.INVALID_REQUEST
    UNKNOWN_TYPE = ErrorCode.UNKNOWN_TYPE
    UNKNOWN_STATION = ErrorCode.UNKNOWN_STATION
    FORBIDDEN = "forbidden"


# What a desk is shown


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold or an emergency; ``is_on_air`` is false for a hold that comes after the row on the air."""

    kind: Literal["hold", "emergency"]
    is_on_air: bool
    row: str
    starts_at_ms: UtcMs
    ends_at_ms: UtcMs
    reason: str


class MountState(msgspec.Struct, frozen=True, kw_only=True):
    """A mount, and who listens to it now."""

    format: Literal["mp3", "aac", "opus"]
    bitrate_kbps: int
    listeners: int


class SavedBy(msgspec.Struct, frozen=True, kw_only=True):
    """The newest revision of a schedule: who saved it, when, how and why."""

    number: int
    operator: str
    at_ms: UtcMs
    action: str
    why: str


class ScheduleState(msgspec.Struct, frozen=True, kw_only=True):
    """The schedule in force. ``problem`` says why the file on disk is not, where it is faulty."""

    version: str | None
    saved: SavedBy | None
    problem: str | None


class DeskState(msgspec.Struct, frozen=True, kw_only=True):
    """A station as its desk sees it; ``desk`` frames carry it whole and ``desk_update`` frames patch it.

    ``on_air`` is what is heard now. Playout is ``lead_s`` ahead of that and stands in the row ``stream_row``: commands
    act there. ``next`` are the eight rows behind ``on_air``.
    """

    availability: AvailabilityState
    source: Source
    programme: ProgrammeState | None
    next_programme: ProgrammeState | None
    on_air: ComingRow | None
    stream_row: str | None
    next: list[ComingRow]
    hold: Hold | None
    lead_s: float | None
    mounts: dict[str, MountState]
    alarms: list[Alarm]
    schedule: ScheduleState


class _Frame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    pass


# What a desk says


class SignIn(_Frame, frozen=True, kw_only=True, tag="sign_in"):
    """The first frame of a client that cannot send the header ``Authorization``."""

    token: Annotated[str, Meta(max_length=LONGEST_TOKEN)]


class Watch(_Frame, frozen=True, kw_only=True, tag="watch"):
    """The stations that are watched from now on, and no others; ``levels`` false leaves their levels out."""

    id: RequestId | None = None
    stations: Annotated[tuple[StationId, ...], Meta(max_length=200)]
    levels: bool = True


class DeskPing(_Frame, frozen=True, kw_only=True, tag="ping"):
    """A desk asks for the server's time."""

    id: RequestId | None = None


# What a desk is told


class DeskWelcome(_Frame, frozen=True, kw_only=True, tag="welcome"):
    """The operator is signed in: whose token it is and which stations it opens."""

    protocol: int
    server_time_ms: UtcMs
    heartbeat_s: float
    name: str
    role: RoleName
    stations: list[str]


class Desk(_Frame, frozen=True, kw_only=True, tag="desk"):
    """A station's whole state as of ``seq``; without ``id`` where the client was too slow for the updates."""

    id: int | None = None
    station: str
    seq: int
    state: DeskState


class DeskUpdate(_Frame, frozen=True, kw_only=True, tag="desk_update"):
    """One change: ``patch`` turns the state of ``seq - 1`` into that of ``seq``."""

    station: str
    seq: int
    at_ms: UtcMs
    changed: tuple[str, ...]
    patch: dict[str, Any]


class Levels(_Frame, frozen=True, kw_only=True, tag="levels"):
    """What the output measures up to ``at_ms``, the moment at which it will be heard.

    ``true_peak_db`` is the highest since the last (dBTP), loudness that of 400 ms and of 3 s (LUFS), absent below
    -70. One that a slow client cannot take is dropped for the next.
    """

    station: str
    at_ms: UtcMs
    rms_db: float
    true_peak_db: float
    momentary_lufs: float | None = None
    short_term_lufs: float | None = None
    silent_ms: int
    lead_s: float


class AsRun(_Frame, frozen=True, kw_only=True, tag="as_run"):
    """A row ended at ``at_ms``: how much of it was heard, what became of it, and why."""

    station: str
    at_ms: UtcMs
    row: RowView
    played_ms: DurationMs
    outcome: Outcome
    cause: str


class Revised(_Frame, frozen=True, kw_only=True, tag="revision"):
    """The schedule was saved: revision ``number``, by whom (``file``: with another program), when and why."""

    station: str
    number: int
    operator: str
    at_ms: UtcMs
    action: str
    why: str
    version: str


class Lost(_Frame, frozen=True, kw_only=True, tag="lost"):
    """So many ``as_run`` and ``revision`` frames of a station were dropped, because the client was too slow."""

    station: str
    count: int


class DeskPong(_Frame, frozen=True, kw_only=True, tag="pong"):
    """The server's time, for a desk's ping."""

    id: int | None = None
    server_time_ms: UtcMs


class DeskError(_Frame, frozen=True, kw_only=True, tag="error"):
    """A request was not met."""

    id: int | None = None
    code: str
    message: str


class _EncodedDesk(_Frame, frozen=True, kw_only=True, tag="desk"):
    id: int | None = None
    station: str
    seq: int
    state: msgspec.Raw


DeskRequest = SignIn | Watch | DeskPing
DeskMessage = DeskWelcome | Desk | DeskUpdate | Levels | AsRun | Revised | Lost | DeskPong | DeskError

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final[msgspec.json.Decoder[DeskRequest]] = msgspec.json.Decoder(DeskRequest)
_TYPES: Final = ("sign_in", "watch", "ping")


def encode_frame(frame: DeskMessage | DeskRequest) -> bytes:
    """The compact JSON text of a frame."""
    return _ENCODER.encode(frame)


def encode_desk(station: str, seq: int, state_json: bytes, *, request_id: int | None = None) -> bytes:
    """The text of a ``desk`` frame around a state that is encoded already."""
    frame = _EncodedDesk(id=request_id, station=station, seq=seq, state=msgspec.Raw(state_json))
    return _ENCODER.encode(frame)


def decode_desk_request(text: bytes | str) -> DeskRequest:
    """What a desk says. Raises :class:`radio.push.messages.BadFrame`."""
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError as error:
        raise _explained(text, str(error)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise BadFrame(ErrorCode.INVALID_JSON, "The frame is no JSON text.") from None


def _explained(text: bytes | str, problem: str) -> BadFrame:
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return BadFrame(ErrorCode.INVALID_JSON, "The frame is no JSON text.")
    frame = decoded if isinstance(decoded, dict) else {}
    given_id = frame.get("id")
    is_id = isinstance(given_id, int) and not isinstance(given_id, bool) and 0 <= given_id < 1 << 53
    request_id = given_id if is_id else None
    if frame.get("type") in _TYPES:
        return BadFrame(ErrorCode.INVALID_REQUEST, f"{problem}.", request_id=request_id)
    allowed = ", ".join(_TYPES)
    return BadFrame(ErrorCode.UNKNOWN_TYPE, f"`type` must be one of {allowed}.", request_id=request_id)
