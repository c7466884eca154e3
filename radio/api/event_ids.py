"""What the address and the header of an event stream say: where a client stands, and which sessions it hears."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from radio.errors import InvalidRequest
from radio.push.messages import Position

_ID_LIMIT: Final = 8192


def event_id(held: Iterable[Position]) -> str:
    """The id of an event after which a client stands at ``held``."""
    return ",".join(f"{position.epoch}:{position.seq}" for position in held)


def positions(last_event_id: str, stations: Sequence[str]) -> dict[str, Position]:
    """What ``Last-Event-ID`` says of each of ``stations``; empty where it was made for others or is no such id.

    A part that is no position, such as an empty one, says nothing of its station.
    """
    parts = last_event_id.split(",") if len(last_event_id) <= _ID_LIMIT else []
    if len(parts) != len(stations):
        return {}
    found = {}
    for station, part in zip(stations, parts, strict=True):
        epoch, _, seq = part.strip().rpartition(":")
        if epoch and seq.isascii() and seq.isdigit() and len(seq) <= 18:
            found[station] = Position(epoch, int(seq))
    return found


def sessions(listen: str, stations: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of station and session from ``station:UUID,station:UUID``; at most one for each of ``stations``.

    Raises InvalidRequest for anything else.
    """
    parts = listen.split(",") if listen else []
    found = dict(_session(part, stations) for part in parts[: len(stations)])
    if len(parts) != len(found):
        raise InvalidRequest(
            "More sessions than stations.", field="listen", allowed="one session per station"
        )
    return tuple(found.items())


def _session(part: str, stations: Sequence[str]) -> tuple[str, str]:
    station, _, session = part.partition(":")
    try:
        if station in stations and len(session) == 36:
            return station, str(UUID(session))
    except ValueError:
        pass
    allowed = "station:UUID, of a station that is among `stations`"
    raise InvalidRequest(f"`listen` has {part[:80]!r}.", field="listen", allowed=allowed)
