"""The state of a station as a type: what is fetched, what snapshots carry and updates patch (pure).

This shape is released: a member may be added, and none may go, change its name or its type.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from radio.events import Availability
from radio.log import ItemKind
from radio.units import DurationMs, UtcMs

Source = Literal["schedule", "live", "followed", "fallback"]

Picture = Annotated[str, Meta(description="An address, relative to this service unless it begins with http.")]


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One mount: an encoded form of the station's output."""

    mount: str
    url: Annotated[
        str, Meta(description="Where it is heard; relative where the service has no public address.")
    ]
    format: Literal["mp3", "aac", "opus"]
    bitrate_kbps: int


class StationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a station is; this changes with the configuration alone."""

    id: str
    name: str
    tagline: str
    timezone: Annotated[str, Meta(description="The IANA name of its time zone.")]
    logo: Picture | None
    streams: list[Stream]


class AvailabilityState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the station can be heard, since when, and why where it is not simply on the air."""

    status: Availability
    since_ms: UtcMs
    reason: str | None


class ProgrammeState(msgspec.Struct, frozen=True, kw_only=True):
    """One airing of a programme."""

    id: Annotated[str, Meta(description="The programme's; all of its airings share it.")]
    title: str
    host: str | None
    description: str | None
    image: Picture | None
    starts_at_ms: UtcMs
    ends_at_ms: UtcMs


class NowState(msgspec.Struct, frozen=True, kw_only=True):
    """The item on the air. ``id`` is that of its row in the log, and the same in the history."""

    id: str
    kind: ItemKind
    title: str
    artist: str | None
    album: str | None
    artwork: Picture | None
    starts_at_ms: UtcMs
    ends_at_ms: UtcMs
    duration_ms: DurationMs


class NextState(msgspec.Struct, frozen=True, kw_only=True):
    """What comes: items, or the next programme where a station shows no titles ahead."""

    id: str
    kind: Literal["programme", "music", "speech", "sponsor", "ident", "promo", "live", "fill"]
    title: str
    artist: str | None
    starts_at_ms: UtcMs
    basis: Literal["scheduled", "predicted"]


class SupportState(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays for what is on the air, and the words to show."""

    sponsor: str
    message: str
    link: str | None
    image: Picture | None
    starts_at_ms: UtcMs
    ends_at_ms: UtcMs


class ListenerCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many listen; changes are told every few seconds at most."""

    current: int


class StationState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a station at one moment."""

    station: StationFacts
    availability: AvailabilityState
    source: Source
    programme: ProgrammeState | None
    now: NowState | None
    next: list[NextState]
    next_programme: ProgrammeState | None
    supported_by: SupportState | None
    listeners: ListenerCounts
