"""The operators' push in words: what its frames, close codes and error codes mean (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from radio.api.desk_messages import (
    REQUEST_LIMIT_BYTES,
    AsRun,
    Desk,
    DeskCloseCode,
    DeskError,
    DeskErrorCode,
    DeskMessage,
    DeskPing,
    DeskPong,
    DeskRequest,
    DeskUpdate,
    DeskWelcome,
    Levels,
    Lost,
    Revised,
    SignIn,
    Watch,
)

TITLE: Final = "WebSocket of operators"
DESCRIPTION: Final = f"""\
For studio desks. An operator's token comes as `Authorization: Bearer nu_…` or, where a browser cannot send that, as
the first frame within 5 s: `{{"type": "sign_in", "token": "nu_…"}}`; never in the address. Pages must be of the
service's own origin. A client's message has at most {REQUEST_LIMIT_BYTES} bytes; nothing is compressed.

`watch` says which stations are watched from then on. Each begins with its whole state (`desk`), and every change is
a merge patch on it (`desk_update`). A client that is slow is given the whole state anew in the place of updates;
levels are dropped for the next."""

CLOSE_CODES: Final[Mapping[int, str]] = {
    1002: "Broken framing.",
    1003: "A binary message, which nobody here takes.",
    1007: "Text that is no UTF-8.",
    1009: f"A message over {REQUEST_LIMIT_BYTES} bytes.",
    1011: "A ping was not answered, or something went wrong here.",
    DeskCloseCode.SERVER_RESTARTS: "The server stops or hands over; come back after a random pause.",
    DeskCloseCode.SIGN_IN_LATE: "Nobody signed in within 5 s.",
    DeskCloseCode.RIGHTS_CHANGED: "The token has another role or other stations now; come back with it.",
    DeskCloseCode.TOO_SLOW: "The client has not taken what it was sent for 30 s.",
    DeskCloseCode.FULL: "All places at the desks are taken.",
    DeskCloseCode.TOO_FAST: "The client sent frames faster than is allowed.",
    DeskCloseCode.BAD_REQUESTS: "The client went on sending requests that cannot be understood.",
    DeskCloseCode.NOT_SIGNED_IN: "The token is not known, was revoked or has expired, or came too late in the talk.",
}

ERROR_CODES: Final[Mapping[DeskErrorCode, str]] = {
    DeskErrorCode.INVALID_JSON: "The frame is no JSON text.",
    DeskErrorCode.INVALID_REQUEST: "A member is missing or of the wrong kind.",
    DeskErrorCode.UNKNOWN_TYPE: "There is no such request.",
    DeskErrorCode.UNKNOWN_STATION: "There is no such station.",
    DeskErrorCode.FORBIDDEN: "The token does not cover the station.",
}

ANSWERS: Final[Mapping[type, tuple[type, ...]]] = {
    SignIn: (DeskWelcome,),
    Watch: (Desk, DeskUpdate, Levels, AsRun, Revised, Lost, DeskError),
    DeskPing: (DeskPong, DeskError),
}

REQUESTS: Final[tuple[type, ...]] = get_args(DeskRequest)
FRAMES: Final[tuple[type, ...]] = get_args(DeskMessage)
