"""The push protocol as an AsyncAPI 3.0 document, made of the types of its frames (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args
from urllib.parse import urlsplit

import msgspec

from radio.api import desk_contract as desk
from radio.api.openapi import About
from radio.api.schemas import REF, Schemas
from radio.push.messages import (
    HEARTBEAT_S,
    PROTOCOL_VERSION,
    REQUEST_LIMIT_BYTES,
    ClientMessage,
    CloseCode,
    ErrorCode,
    Listen,
    Listening,
    Ping,
    Pong,
    ServerMessage,
    Snapshot,
    Subscribe,
    Unsubscribe,
    Update,
    Welcome,
    may_come_back,
)
from radio.push.messages import Error as Refusal
from radio.stations.shapes import StationState

VERSION: Final = "3.0.0"

CLOSE_CODES: Final[Mapping[int, str]] = {
    1002: "Broken framing.",
    1003: "A binary message, which nobody here takes.",
    1007: "Text that is no UTF-8.",
    1009: f"A message over {REQUEST_LIMIT_BYTES} bytes.",
    CloseCode.SERVER_RESTARTS: "The server stops or hands over; come back after a random pause.",
    CloseCode.SILENT: "Nothing was heard from the client for two heartbeats.",
    CloseCode.TOO_SLOW: "The client stayed behind, with its backlog dropped, for too long.",
    CloseCode.TOO_FAST: "The client sent frames faster than is allowed.",
    CloseCode.BAD_REQUESTS: "The client went on sending requests that cannot be understood.",
}

ERROR_CODES: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.INVALID_JSON: "The frame is no JSON text.",
    ErrorCode.INVALID_REQUEST: "A member is missing or of the wrong kind.",
    ErrorCode.UNKNOWN_TYPE: "There is no such request.",
    ErrorCode.TEXT_ONLY: "The frame is not a text frame.",
    ErrorCode.UNKNOWN_STATION: "There is no such station.",
    ErrorCode.LIMIT_REACHED: "The connection follows as many stations as it may.",
}

INTRODUCTION: Final = f"""\
JSON text frames, told apart by `type`. The server greets with `welcome`; the client subscribes and gets a snapshot of
each station, then each change as a merge patch (RFC 7396) on the state: a member that is null is gone, and an absent
member counts as null. A client keeps `epoch` and `seq`; sent as `since` they bring every missed update in order, or a
snapshot.

The server pings a silent WebSocket and sends a comment on a silent event stream each {HEARTBEAT_S} s; a client that
hears nothing for two heartbeats connects anew. Close codes 4000 to 4499 mean: come back later; 4500 to 4999: do not.
Unknown types and members are passed over."""

_ANSWERS: Final[Mapping[type, tuple[type, ...]]] = {
    Subscribe: (Snapshot, Update, Refusal),
    Unsubscribe: (),
    Listen: (Listening, Refusal),
    Ping: (Pong, Refusal),
}
_STREAMED: Final = (Welcome, Snapshot, Update, Listening)
_SOCKET: Final = "socket"
_EVENTS: Final = "events"
_DESK: Final = "desk"


def asyncapi(about: About) -> dict[str, Any]:
    """The document. ``about.server`` is where clients connect; without a host, this machine."""
    schemas = _schemas()
    return {
        "asyncapi": VERSION,
        "info": {
            "title": f"{about.title}: push",
            "version": about.version,
            "description": INTRODUCTION,
            "license": {"name": about.licence},
        },
        "defaultContentType": "application/json",
        "servers": _servers(about.server),
        "channels": {_SOCKET: _socket_channel(), _EVENTS: _events_channel(), _DESK: _desk_channel()},
        "operations": _operations(),
        "components": {
            "messages": {_name(one): _message(one) for one in _everything()},
            "schemas": schemas.components,
            "correlationIds": {
                "request": {
                    "location": "$message.payload#/id",
                    "description": "An answer bears the `id` of its request, where that had one.",
                }
            },
        },
        "x-protocol": PROTOCOL_VERSION,
        "x-heartbeat-s": HEARTBEAT_S,
    }


def _requests() -> tuple[type, ...]:
    return get_args(ClientMessage)


def _frames() -> tuple[type, ...]:
    return get_args(ServerMessage)


def _everything() -> tuple[type, ...]:
    return (*_requests(), *_frames(), *desk.REQUESTS, *desk.FRAMES)


def _schemas() -> Schemas:
    schemas = Schemas(taken=[*_requests(), *desk.REQUESTS], given=[*_frames(), StationState, *desk.FRAMES])
    snapshot, update = schemas.components["Snapshot"], schemas.components["Update"]
    snapshot["properties"]["state"] = {"$ref": f"{REF}StationState"}
    update["properties"]["patch"]["description"] = "RFC 7396 on the state; only members that changed."
    schemas.components["Error"]["properties"]["code"]["examples"] = [str(code) for code in ErrorCode]
    return schemas


def _servers(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    host, secure = parts.netloc or "localhost:8000", parts.scheme == "https"
    return {
        _SOCKET: {"host": host, "protocol": "wss" if secure else "ws"},
        _EVENTS: {"host": host, "protocol": "https" if secure else "http"},
    }


def _socket_channel() -> dict[str, Any]:
    return {
        "address": "/api/ws",
        "title": "WebSocket",
        "description": f"Both ways. A client's message has at most {REQUEST_LIMIT_BYTES} bytes; nothing is compressed.",
        "servers": [{"$ref": f"#/servers/{_SOCKET}"}],
        "messages": _messages((*_requests(), *_frames())),
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
        "x-close-codes": [
            {"code": int(code), "meaning": text, "come_back": may_come_back(code)}
            for code, text in CLOSE_CODES.items()
        ],
        "x-error-codes": [{"code": str(code), "meaning": text} for code, text in ERROR_CODES.items()],
    }


def _events_channel() -> dict[str, Any]:
    return {
        "address": "/api/events",
        "title": "Server-sent events",
        "description": "The same frames as `data`, one way. An event's `id` is the place to go on from after a break: "
        "browsers send it as `Last-Event-ID`.",
        "servers": [{"$ref": f"#/servers/{_EVENTS}"}],
        "messages": _messages(_STREAMED),
    }


def _desk_channel() -> dict[str, Any]:
    return {
        "address": "/api/console/ws",
        "title": desk.TITLE,
        "description": desk.DESCRIPTION,
        "servers": [{"$ref": f"#/servers/{_SOCKET}"}],
        "messages": _messages((*desk.REQUESTS, *desk.FRAMES)),
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
        "x-close-codes": [
            {"code": int(code), "meaning": text, "come_back": may_come_back(code)}
            for code, text in desk.CLOSE_CODES.items()
        ],
        "x-error-codes": [{"code": str(code), "meaning": text} for code, text in desk.ERROR_CODES.items()],
    }


def _operations() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for channel, answers in ((_SOCKET, _ANSWERS), (_DESK, desk.ANSWERS)):
        for request, replies in answers.items():
            made[f"receive{request.__name__}"] = {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": _channel_refs(channel, (request,)),
                **({"reply": _reply(channel, replies)} if replies else {}),
                "summary": _first_line(request, _name(request)),
            }
    made["sendFrames"] = _sending(_SOCKET, _frames(), "What the server says on a WebSocket.")
    made["sendDeskFrames"] = _sending(_DESK, desk.FRAMES, "What the server says to a desk.")
    made["sendEvents"] = _sending(_EVENTS, _STREAMED, "What the server says on an event stream.")
    made["sendEvents"]["bindings"] = {"http": _events_query()}
    return made


def _sending(channel: str, frames: Iterable[type], summary: str) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": _channel_refs(channel, frames),
        "summary": summary,
    }


def _events_query() -> dict[str, Any]:
    words = {
        "stations": "Ids, joined by commas; at most 200.",
        "since": "The id of the last event, for who cannot send `Last-Event-ID`.",
        "listen": "`station:UUID`, joined by commas: sessions for which `listening` is told.",
    }
    members = {name: {"type": "string", "description": text} for name, text in words.items()}
    query = {"type": "object", "required": ["stations"], "properties": members}
    return {"method": "GET", "query": query, "bindingVersion": "0.3.0"}


def _reply(channel: str, frames: Iterable[type]) -> dict[str, Any]:
    return {"channel": {"$ref": f"#/channels/{channel}"}, "messages": _channel_refs(channel, frames)}


def _messages(frames: Iterable[type]) -> dict[str, Any]:
    return {_name(one): {"$ref": f"#/components/messages/{_name(one)}"} for one in frames}


def _channel_refs(channel: str, frames: Iterable[type]) -> list[dict[str, str]]:
    return [{"$ref": f"#/channels/{channel}/messages/{_name(one)}"} for one in frames]


def _message(frame: type) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": _name(frame),
        "summary": _first_line(frame, _name(frame)),
        "payload": {"$ref": f"{REF}{frame.__name__}"},
    }
    if any(field.encode_name == "id" for field in msgspec.structs.fields(frame)):
        made["correlationId"] = {"$ref": "#/components/correlationIds/request"}
    return made


def _name(frame: type) -> str:
    """The type that it bears; those of desks have their own room, as some are called the same."""
    if frame in desk.REQUESTS or frame in desk.FRAMES:
        return f"{_DESK}.{msgspec.inspect.type_info(frame).tag}"  # type: ignore[attr-defined]
    return frame.__name__.lower()


def _first_line(frame: type, otherwise: str) -> str:
    return (frame.__doc__ or otherwise).split("\n", 1)[0].replace("``", "`")
