"""What anyone may ask and is answered, as types: these shapes are released.

A member may be added; none may go, change its name or its type.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from radio.alarms import Severity
from radio.events import Availability
from radio.log import ItemKind, Outcome
from radio.stations.shapes import (
    AvailabilityState,
    ListenerCounts,
    NextState,
    NowState,
    Picture,
    ProgrammeState,
    StationFacts,
    StationState,
    Stream,
    SupportState,
)
from radio.store.as_run import HISTORY_LIMIT
from radio.units import DurationMs, UtcMs

HISTORY_DEFAULT: Final = 50

AskedMoment = Annotated[int, Meta(ge=0, le=1 << 53, description="Unix milliseconds.")]


class StationList(msgspec.Struct, frozen=True, kw_only=True):
    """The state of every station, in the order of the configuration."""

    stations: list[StationState]


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A row as it aired. While it is on the air it has no end and no outcome."""

    id: str
    kind: ItemKind
    title: str
    artist: str | None
    album: str | None
    artwork: Picture | None
    programme: str | None
    sponsor: str | None
    starts_at_ms: UtcMs
    ends_at_ms: UtcMs | None
    duration_ms: DurationMs
    outcome: Outcome | None


class StationHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What aired, newest first."""

    station: str
    history: list[HistoryEntry]


class StationSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """The programmes that touch a span, in their order; those at its ends are given whole."""

    station: str
    programmes: list[ProgrammeState]


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the history; the next one has ``before_ms`` as the last row's ``starts_at_ms``."""

    limit: Annotated[int, Meta(ge=1, le=HISTORY_LIMIT)] = HISTORY_DEFAULT
    before_ms: AskedMoment | UnsetType = UNSET


class WaitQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How long the answer may wait for news, in seconds; without it the answer comes at once."""

    wait: Annotated[int, Meta(ge=0, le=60)] | UnsetType = UNSET


class SpanQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A span of at most 15 days; without it a day from now on."""

    from_ms: AskedMoment | UnsetType = msgspec.field(default=UNSET, name="from")
    to_ms: AskedMoment | UnsetType = msgspec.field(default=UNSET, name="to")


class ArtworkQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How large a picture is wanted."""

    size: Annotated[Literal[96, 300, 600], Meta(description="The longer side in pixels.")] = 600


class KnownHeaders(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader has already."""

    etag: Annotated[str, Meta(description="The ETag of the reply that the reader has.")] | UnsetType = (
        msgspec.field(default=UNSET, name="If-None-Match")
    )


class StreamQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Who listens."""

    session: (
        Annotated[UUID, Meta(description="The listener's own; push tells its moment of sound.")] | UnsetType
    ) = UNSET


class StreamHeaders(msgspec.Struct, frozen=True, kw_only=True):
    """What the player can take."""

    icy: Annotated[Literal[1], Meta(description="Titles between the sound (MP3 and AAC).")] | UnsetType = (
        msgspec.field(default=UNSET, name="Icy-MetaData")
    )


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Whose changes are told."""

    stations: Annotated[
        list[str],
        Meta(
            min_length=1,
            max_length=200,
            description="Ids, joined by commas.",
            extra_json_schema={"x-commas": True},
        ),
    ]
    since: (
        Annotated[str, Meta(description="As `Last-Event-ID`, for who cannot send that header.")] | UnsetType
    ) = UNSET
    listen: (
        Annotated[
            str,
            Meta(description="`station:UUID`, joined by commas: sessions whose T0 is to be told."),
        ]
        | UnsetType
    ) = UNSET


class EventsHeaders(msgspec.Struct, frozen=True, kw_only=True):
    """Where a client stopped."""

    last: (
        Annotated[str, Meta(description="The id of the last event that came; browsers send it.")] | UnsetType
    ) = msgspec.field(default=UNSET, name="Last-Event-ID")


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: Literal["alive"] = "alive"


class AlarmTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is wrong, since when, and what to do; operators are told more at `/api/console/alarms`."""

    code: str
    severity: Severity
    message: str
    advice: str
    since_ms: UtcMs
    station: str | None = None


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Every enabled station sends bytes. What is wrong all the same stands in ``alarms``."""

    status: Literal["ready"] = "ready"
    alarms: list[AlarmTold] | UnsetType = UNSET


class NotReady(msgspec.Struct, frozen=True, kw_only=True):
    """Stations that send no bytes, with the reason."""

    status: Literal["not_ready"] = "not_ready"
    stations: dict[str, str]
    alarms: list[AlarmTold] | UnsetType = UNSET


NOON_MS: Final = UtcMs(1_795_453_200_000)
HOUR_MS: Final = 3_600_000

STATION_EXAMPLE: Final = StationState(
    station=StationFacts(
        id="harbor",
        name="Harbor Public Radio",
        tagline="News and music from the harbour",
        timezone="America/New_York",
        logo="/media/artwork/harbor.png",
        streams=[Stream(mount="live.mp3", url="/listen/harbor/live.mp3", format="mp3", bitrate_kbps=128)],
    ),
    availability=AvailabilityState(
        status=Availability.ON_AIR, since_ms=UtcMs(NOON_MS - HOUR_MS), reason=None
    ),
    source="schedule",
    programme=ProgrammeState(
        id="midday-tide",
        title="Midday Tide",
        host="The Harbor news desk",
        description="An hour of chamber music, with the weather for small boats.",
        image=None,
        starts_at_ms=NOON_MS,
        ends_at_ms=UtcMs(NOON_MS + HOUR_MS),
    ),
    now=NowState(
        id="harbor-1795454400000",
        kind=ItemKind.MUSIC,
        title="Quartet for a Low Tide",
        artist="The Breakwater Quartet",
        album="Slack Water",
        artwork="/api/stations/harbor/artwork/5f2a9c",
        starts_at_ms=UtcMs(NOON_MS + 1_200_000),
        ends_at_ms=UtcMs(NOON_MS + 1_412_000),
        duration_ms=DurationMs(212_000),
    ),
    next=[
        NextState(
            id="evening-edition",
            kind="programme",
            title="Evening Edition",
            artist="The Harbor news desk",
            starts_at_ms=UtcMs(NOON_MS + HOUR_MS),
            basis="scheduled",
        )
    ],
    next_programme=ProgrammeState(
        id="evening-edition",
        title="Evening Edition",
        host="The Harbor news desk",
        description=None,
        image=None,
        starts_at_ms=UtcMs(NOON_MS + HOUR_MS),
        ends_at_ms=UtcMs(NOON_MS + 2 * HOUR_MS),
    ),
    supported_by=SupportState(
        sponsor="Lantern & Oar Books",
        message="Lantern & Oar Books, on Chandler Street.",
        link="https://lantern-and-oar.example",
        image=None,
        starts_at_ms=NOON_MS,
        ends_at_ms=UtcMs(NOON_MS + HOUR_MS),
    ),
    listeners=ListenerCounts(current=418),
)
"""A station at noon, for documents."""
