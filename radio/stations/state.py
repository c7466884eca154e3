"""The state of a station as everyone sees it: the object that is fetched, and that updates patch (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from radio.config import StationConfig
from radio.log import ItemKind, LogRow, SponsorMessage
from radio.schedule.airings import ProgrammeAiring
from radio.stations.availability import Status
from radio.units import UtcMs

NEXT_ROWS: Final = 5
QUIET_KINDS: Final = (ItemKind.IDENT, ItemKind.FILL, ItemKind.PROMO, ItemKind.SPONSOR)
"""Kinds that "Next Up" passes over: what a listener waits for is a programme, speech or music."""


class OnAir(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a station's state is made of, at one moment."""

    status: Status
    source: str
    row: LogRow | None
    coming: Sequence[LogRow]
    programme: ProgrammeAiring | None
    next_programme: ProgrammeAiring | None
    listeners: int


def state_of(station: StationConfig, seen: OnAir, public_url: str = "") -> dict[str, Any]:
    """The state object of design version 1; every moment in it is UTC milliseconds."""
    return {
        "station": _station(station, public_url),
        "availability": {
            "status": str(seen.status.status),
            "since_ms": seen.status.since_ms,
            "reason": seen.status.reason,
        },
        "source": seen.source,
        "programme": programme_view(seen.programme) if seen.programme else None,
        "now": _now(seen.row),
        "next": _next(station, seen),
        "next_programme": programme_view(seen.next_programme) if seen.next_programme else None,
        "supported_by": _supported_by(seen),
        "listeners": {"current": seen.listeners},
    }


def picture_url(name: str | None) -> str | None:
    """A picture's address: as written where it is one already, else in the station's picture folder."""
    if not name or name.startswith(("/", "http://", "https://")):
        return name or None
    return f"/media/artwork/{name}"


def _station(station: StationConfig, public_url: str) -> dict[str, Any]:
    return {
        "id": station.id,
        "name": station.name,
        "tagline": station.tagline,
        "timezone": station.timezone,
        "logo": picture_url(station.logo),
        "streams": [
            {
                "mount": mount.name,
                "url": f"{public_url.rstrip('/')}/listen/{station.id}/{mount.name}",
                "format": mount.format,
                "bitrate_kbps": mount.bitrate_kbps,
            }
            for mount in station.mounts
        ],
    }


def programme_view(airing: ProgrammeAiring) -> dict[str, Any]:
    """An airing as the public sees it, in the state and in the schedule."""
    return {
        "id": airing.id,
        "title": airing.title,
        "host": airing.host,
        "description": airing.description,
        "image": picture_url(airing.image),
        "starts_at_ms": airing.starts_at_ms,
        "ends_at_ms": airing.ends_at_ms,
    }


def _now(row: LogRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "id": row.id,
        "kind": str(row.kind),
        "title": row.title,
        "artist": row.artist,
        "album": row.album,
        "artwork": f"/api/stations/{row.station}/artwork/{row.artwork}" if row.artwork else None,
        "starts_at_ms": row.starts_at_ms,
        "ends_at_ms": row.ends_at_ms,
        "duration_ms": row.duration_ms,
    }


def _next(station: StationConfig, seen: OnAir) -> list[dict[str, Any]]:
    if station.next_shows == "programme":
        airing = seen.next_programme
        if airing is None:
            return []
        return [_coming(airing.id, "programme", airing.title, airing.host, airing.starts_at_ms, "scheduled")]
    rows = [row for row in seen.coming if row.kind not in QUIET_KINDS][:NEXT_ROWS]
    return [
        _coming(row.id, str(row.kind), row.title, row.artist, row.starts_at_ms, "scheduled") for row in rows
    ]


def _coming(
    id_: str, kind: str, title: str, artist: str | None, starts_at_ms: UtcMs, basis: str
) -> dict[str, Any]:
    return {
        "id": id_,
        "kind": kind,
        "title": title,
        "artist": artist,
        "starts_at_ms": starts_at_ms,
        "basis": basis,
    }


def _supported_by(seen: OnAir) -> dict[str, Any] | None:
    """The sponsor whose message is on the air, else the one that supports the programme."""
    if seen.row is not None and seen.row.sponsor is not None:
        return _sponsor(seen.row.sponsor, seen.row.starts_at_ms, seen.row.ends_at_ms)
    airing = seen.programme
    if airing is not None and airing.supported_by is not None:
        return _sponsor(airing.supported_by, airing.starts_at_ms, airing.ends_at_ms)
    return None


def _sponsor(sponsor: SponsorMessage, starts_at_ms: UtcMs, ends_at_ms: UtcMs) -> dict[str, Any]:
    return {
        "sponsor": sponsor.name,
        "message": sponsor.message,
        "link": sponsor.link,
        "image": picture_url(sponsor.image),
        "starts_at_ms": starts_at_ms,
        "ends_at_ms": ends_at_ms,
    }
