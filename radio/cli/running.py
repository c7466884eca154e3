"""What commands ask a running service over HTTP: a station's state, and where its streams are."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import urlopen

from radio.errors import ConnectionFailed, UnknownMount, UnknownStation

_TIMEOUT_S = 10.0
_OWN_BYTES = (".mp3", ".aac", ".opus")


def state_of(server: str, station: str) -> dict[str, Any]:
    """The present state of a station of a running service. Raises ConnectionFailed, UnknownStation."""
    url = f"{server.rstrip('/')}/api/stations/{quote(station, safe='')}"
    try:
        with urlopen(url, timeout=_TIMEOUT_S) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except HTTPError as fault:
        if fault.code == 404:
            raise UnknownStation(station, ()) from fault
        raise ConnectionFailed(f"{url} answers {fault.code}.") from fault
    except (URLError, OSError, ValueError) as fault:
        raise ConnectionFailed(f"No service answers at {server}. Start it with: radio run") from fault


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
    return f"{server.rstrip('/')}/listen/{quote(station, safe='')}/{wanted}"


def lead_of(server: str, station: str) -> float | None:
    """How far the station's stream is ahead of the clock, in seconds; None where the service does not say."""
    try:
        with urlopen(f"{server.rstrip('/')}/metrics", timeout=_TIMEOUT_S) as answer:
            text = answer.read(1_000_000).decode("utf-8", "replace")
    except (URLError, OSError):
        return None
    found = re.search(rf'^nextup_lead_seconds{{station="{re.escape(station)}"}} (\S+)$', text, re.MULTILINE)
    return float(found[1]) if found else None
