"""How commands talk to a running service over HTTP: one way to ask it, and what some of them ask.

A token goes to the address that it was given for and follows no redirect.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec

from radio.errors import (
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    NotFound,
    RadioError,
    UnknownMount,
    UnknownStation,
)

LOCAL: Final = "http://127.0.0.1:8000"
TIMEOUT_S: Final = 10.0
ANSWER_LIMIT_BYTES: Final = 1 << 22

_OWN_BYTES: Final = (".mp3", ".aac", ".opus")


def address_of(server: str) -> str:
    """``server`` without a slash at its end. Raises InvalidRequest where it is no address of a service."""
    try:
        parts = urlsplit(server)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        allowed = "http://host:port or https://host"
        raise InvalidRequest(f"{server!r} is no server.", field="--server", allowed=allowed)
    return server.rstrip("/")


def ask(server: str, path: str, *, token: str = "", body: Any = None) -> bytes:
    """What the service answers to a GET, or to a POST of ``body`` as JSON where there is one; 4 MiB at most.

    Raises InvalidRequest, Forbidden and NotFound with what the service says, ConnectionFailed for all else.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None
    if body is not None:
        data, headers["Content-Type"] = msgspec.json.encode(body), "application/json"
    request = Request(f"{address_of(server)}{path}", data=data, headers=headers)
    try:
        with build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as answer:
            found: bytes = answer.read(ANSWER_LIMIT_BYTES)
            return found
    except HTTPError as refusal:
        with refusal:
            raise _refused(refusal.code, refusal.read(ANSWER_LIMIT_BYTES)) from refusal
    except (URLError, OSError, ValueError) as fault:
        raise ConnectionFailed(f"No service answers at {server}. Start it with: radio run") from fault


def ask_json(server: str, path: str, *, token: str = "", body: Any = None) -> Any:
    """As :func:`ask`, decoded. Raises ConnectionFailed as well where the answer is no JSON."""
    try:
        return msgspec.json.decode(ask(server, path, token=token, body=body))
    except msgspec.DecodeError as fault:
        raise ConnectionFailed(f"No service answers at {server}. Start it with: radio run") from fault


def state_of(server: str, station: str) -> dict[str, Any]:
    """The present state of a station of a running service. Raises ConnectionFailed, UnknownStation."""
    try:
        found: dict[str, Any] = ask_json(server, f"/api/stations/{quote(station, safe='')}")
    except NotFound as fault:
        raise UnknownStation(station, ()) from fault
    return found


def stream_of(server: str, station: str, mount: str | None, suffix: str = "") -> str:
    """The address of a station's stream: the mount named, or the first whose name ends in ``suffix``, or the first.

    Raises ConnectionFailed, UnknownStation, UnknownMount.
    """
    streams = state_of(server, station)["station"]["streams"]
    names = [stream["mount"] for stream in streams]
    fitting = [name for name in names if name.endswith(suffix)] if suffix in _OWN_BYTES else names
    wanted = mount or next(iter(fitting), None)
    if wanted not in names:
        asked = mount or f"*{suffix}"
        raise UnknownMount(f"The station {station!r} has no mount {asked!r}. It has: {', '.join(names)}.")
    return f"{address_of(server)}/listen/{quote(station, safe='')}/{wanted}"


def lead_of(server: str, station: str) -> float | None:
    """How far the station's stream is ahead of the clock, in seconds; None where the service does not say."""
    try:
        text = ask(server, "/metrics").decode("utf-8", "replace")
    except RadioError:
        return None
    found = re.search(rf'^nextup_lead_seconds{{station="{re.escape(station)}"}} (\S+)$', text, re.MULTILINE)
    return float(found[1]) if found else None


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class _Problem(msgspec.Struct):
    detail: str = ""


def _refused(status: int, data: bytes) -> RadioError:
    text = f"The service answers {status}."
    with suppress(msgspec.DecodeError):
        text = msgspec.json.decode(data, type=_Problem).detail or text
    if status in (401, 403):
        return Forbidden(text)
    if status == 404:
        return NotFound(text)
    return InvalidRequest(text) if status in (400, 412, 422) else ConnectionFailed(text)
