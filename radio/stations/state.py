"""The state of a station as everyone sees it: the object that is fetched, and that updates patch (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from radio.config import StationConfig
from radio.log import ItemKind, LogRow, SponsorMessage
from radio.schedule.airings import ProgrammeAiring
from radio.stations.availability import Status
from radio.stations.shapes import (
    AvailabilityState,
    ListenerCounts,
    NextState,
    NowState,
    ProgrammeState,
    Source,
    StationFacts,
    StationState,
    Stream,
    SupportState,
)
from radio.units import UtcMs

NEXT_ROWS: Final = 5
QUIET_KINDS: Final = (ItemKind.IDENT, ItemKind.FILL, ItemKind.PROMO, ItemKind.SPONSOR)
"""Kinds that "Next Up" passes over: what a listener waits for is a programme, speech or music."""


class OnAir(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a station's state is made of, at one moment."""

    status: Status
    source: Source
    row: LogRow | None
    coming: Sequence[LogRow]
    programme: ProgrammeAiring | None
    next_programme: ProgrammeAiring | None
    listeners: int


def state_of(station: StationConfig, seen: OnAir, public_url: str = "") -> dict[str, Any]:
    """The state object of design version 1 as plain data; every moment in it is UTC milliseconds.

    It has the shape of :class:`radio.stations.shapes.StationState`, which is the released one.
    """
    status = seen.status
    state = StationState(
        station=_station(station, public_url),
        availability=AvailabilityState(status=status.status, since_ms=status.since_ms, reason=status.reason),
        source=seen.source,
        programme=programme_view(seen.programme) if seen.programme else None,
        now=_now(seen.row),
        next=_next(station, seen),
        next_programme=programme_view(seen.next_programme) if seen.next_programme else None,
        supported_by=_supported_by(seen),
        listeners=ListenerCounts(current=seen.listeners),
    )
    plain: dict[str, Any] = msgspec.to_builtins(state)
    return plain


def picture_url(name: str | None) -> str | None:
    """A picture's address: as written where it is one already, else in the station's picture folder."""
    if not name or name.startswith(("/", "http://", "https://")):
        return name or None
    return f"/media/artwork/{name}"


def _station(station: StationConfig, public_url: str) -> StationFacts:
    return StationFacts(
        id=station.id,
        name=station.name,
        tagline=station.tagline,
        timezone=station.timezone,
        logo=picture_url(station.logo),
        streams=[
            Stream(
                mount=mount.name,
                url=f"{public_url.rstrip('/')}/listen/{station.id}/{mount.name}",
                format=mount.format,
                bitrate_kbps=mount.bitrate_kbps,
            )
            for mount in station.mounts
        ],
    )


def programme_view(airing: ProgrammeAiring) -> ProgrammeState:
    """An airing as the public sees it, in the state and in the schedule."""
    return ProgrammeState(
        id=airing.id,
        title=airing.title,
        host=airing.host,
        description=airing.description,
        image=picture_url(airing.image),
        starts_at_ms=airing.starts_at_ms,
        ends_at_ms=airing.ends_at_ms,
    )


def artwork_url(row: LogRow) -> str | None:
    """Where the picture of a row's item is; None where it has none."""
    return f"/api/stations/{row.station}/artwork/{row.artwork}" if row.artwork else None


def _now(row: LogRow | None) -> NowState | None:
    if row is None:
        return None
    return NowState(
        id=row.id,
        kind=row.kind,
        title=row.title,
        artist=row.artist,
        album=row.album,
        artwork=artwork_url(row),
        starts_at_ms=row.starts_at_ms,
        ends_at_ms=row.ends_at_ms,
        duration_ms=row.duration_ms,
    )


def _next(station: StationConfig, seen: OnAir) -> list[NextState]:
    if station.next_shows == "programme":
        airing = seen.next_programme
        return [_coming_programme(airing)] if airing else []
    rows = [row for row in seen.coming if row.kind not in QUIET_KINDS][:NEXT_ROWS]
    return [_coming_row(row) for row in rows]


def _coming_programme(airing: ProgrammeAiring) -> NextState:
    return NextState(
        id=airing.id,
        kind="programme",
        title=airing.title,
        artist=airing.host,
        starts_at_ms=airing.starts_at_ms,
        basis="scheduled",
    )


def _coming_row(row: LogRow) -> NextState:
    return NextState(
        id=row.id,
        kind=row.kind.value,
        title=row.title,
        artist=row.artist,
        starts_at_ms=row.starts_at_ms,
        basis="scheduled",
    )


def _supported_by(seen: OnAir) -> SupportState | None:
    """The sponsor whose message is on the air, else the one that supports the programme."""
    if seen.row is not None and seen.row.sponsor is not None:
        return _sponsor(seen.row.sponsor, seen.row.starts_at_ms, seen.row.ends_at_ms)
    airing = seen.programme
    if airing is not None and airing.supported_by is not None:
        return _sponsor(airing.supported_by, airing.starts_at_ms, airing.ends_at_ms)
    return None


def _sponsor(sponsor: SponsorMessage, starts_at_ms: UtcMs, ends_at_ms: UtcMs) -> SupportState:
    return SupportState(
        sponsor=sponsor.name,
        message=sponsor.message,
        link=sponsor.link,
        image=picture_url(sponsor.image),
        starts_at_ms=starts_at_ms,
        ends_at_ms=ends_at_ms,
    )
