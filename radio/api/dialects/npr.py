"""NPR Composer's ``now`` (version 1 of its widgets) made of a station's state and programmes (pure).

Composer has no public specification; the shape is that of its answers. Its dates are kept as they are: ISO 8601 in
UTC with ``_utc``, else local ones as ``MM-DD-YYYY`` or ``MM/DD/YYYY``; ``_duration`` is milliseconds, 0 unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from radio.api.dialects.recent import Heard
from radio.api.dialects.sight import Sight, hex_of
from radio.log import ItemKind
from radio.schedule.airings import ProgrammeAiring

EASTERN: Final = ZoneInfo("America/New_York")
NEXT_UP: Final = 3


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """Who presents a programme."""

    name: str


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A programme."""

    program_id: str
    parent_id: str | None = msgspec.field(default=None, name="parentID")
    national_program_id: str = "0"
    is_parent: bool = msgspec.field(default=False, name="isParent")
    name: str
    program_desc: str
    program_format: str
    program_link: str
    twitter: str | None = None
    facebook: str | None = None
    station_id: str
    ucs: str
    hosts: list[Host]


class Song(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a playlist."""

    start: str = msgspec.field(name="_start")
    date: str = msgspec.field(name="_date")
    duration: int = msgspec.field(name="_duration")
    track_name: str = msgspec.field(name="trackName")
    artist_name: str = msgspec.field(name="artistName")
    composer_name: str = msgspec.field(default="", name="composerName")
    collection_name: str = msgspec.field(name="collectionName")
    conductor: str = ""
    soloists: str = ""
    ensembles: str = ""
    catalog_number: str = msgspec.field(default="", name="catalogNumber")
    copyright: str = ""
    upc: str = ""
    image_url: str = msgspec.field(name="imageURL")
    start_time: str = msgspec.field(name="_start_time")
    end_time: str = msgspec.field(name="_end_time")
    buy: dict[str, str] = {}


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A song in its programme."""

    song: Song
    song_start_time: str
    episode_id: str
    song_id: str
    program_id: str
    program_name: str
    ucs: str


class OnNow(msgspec.Struct, frozen=True, kw_only=True):
    """The programme on the air; ``playlist`` is what of it was heard, the newest first."""

    id: str = msgspec.field(name="_id")
    event_id: str
    program_id: str
    date: str
    start_utc: str
    end_utc: str
    start_time: str
    end_time: str
    day: str
    program: Program
    widget_config: dict[str, str] = {}
    episode_notes: str = ""
    episode_title: str = ""
    playlist: list[Song]
    has_playlist: bool
    song: Song | None


class NextUp(msgspec.Struct, frozen=True, kw_only=True):
    """A programme to come."""

    program: Program
    start_utc: str


class TrackList(msgspec.Struct, frozen=True, kw_only=True):
    """What of the programme was heard; ``status`` False where nothing was."""

    status: bool
    results: list[Played]


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    ucs: str
    format: str = "json"


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer; ``onNow`` is null where no programme is on."""

    show_now: bool = msgspec.field(name="showNow")
    on_now: OnNow | None = msgspec.field(name="onNow")
    next_up: list[NextUp] = msgspec.field(name="nextUp")
    tracklist: TrackList
    est_relative_offset: float = msgspec.field(name="ESTrelativeOffset")
    params: Params
    status: bool = True


def ucs_of(station: str) -> str:
    """The 24 hexadecimal digits by which Composer's clients know a station."""
    return hex_of(f"station {station}", 24)


def now(sight: Sight, airings: Sequence[ProgrammeAiring]) -> Now:
    """What is on and what comes, as Composer's ``now`` says it."""
    zone, at_ms = sight.config.zone, sight.at_ms
    on_now = next((one for one in airings if one.starts_at_ms <= at_ms < one.ends_at_ms), None)
    coming = [one for one in airings if one.starts_at_ms > at_ms][:NEXT_UP]
    songs = [(heard, _song(sight, heard)) for heard in _songs(sight, on_now)] if on_now else []
    return Now(
        show_now=on_now is not None,
        on_now=_on_now(sight, on_now, songs) if on_now else None,
        next_up=[NextUp(program=_program(sight, one), start_utc=_utc(one.starts_at_ms)) for one in coming],
        tracklist=TrackList(
            status=bool(songs),
            results=[_played(sight, on_now, *each) for each in songs] if on_now else [],
        ),
        est_relative_offset=_hours_from_eastern(at_ms, zone),
        params=Params(ucs=ucs_of(sight.config.id)),
    )


def _songs(sight: Sight, airing: ProgrammeAiring) -> list[Heard]:
    """Music of the airing, the newest first, with what is on the air."""
    on_air = sight.state.now
    heard = [one for one in sight.heard if one.starts_at_ms >= airing.starts_at_ms]
    if on_air is not None:
        names = ("id", "kind", "title", "artist", "album", "artwork", "starts_at_ms", "duration_ms")
        heard.insert(0, Heard(**{name: getattr(on_air, name) for name in names}))
    return [one for one in heard if one.kind is ItemKind.MUSIC]


def _on_now(sight: Sight, airing: ProgrammeAiring, songs: Sequence[tuple[Heard, Song]]) -> OnNow:
    zone = sight.config.zone
    event = _event_id(sight, airing)
    on_air = sight.state.now
    current = [song for heard, song in songs if on_air is not None and heard.id == on_air.id]
    starts = _at(airing.starts_at_ms, zone)
    return OnNow(
        id=event,
        event_id=event,
        program_id=_program_id(sight, airing),
        date=starts.strftime("%Y-%m-%d"),
        start_utc=_utc(airing.starts_at_ms),
        end_utc=_utc(airing.ends_at_ms),
        start_time=starts.strftime("%H:%M"),
        end_time=_at(airing.ends_at_ms, zone).strftime("%H:%M"),
        day=starts.strftime("%a"),
        program=_program(sight, airing),
        playlist=[song for _, song in songs],
        has_playlist=bool(songs),
        song=current[0] if current else None,
    )


def _program(sight: Sight, airing: ProgrammeAiring) -> Program:
    return Program(
        program_id=_program_id(sight, airing),
        name=airing.title,
        program_desc=airing.description or "",
        program_format=sight.config.genre,
        program_link=airing.link or "",
        station_id=sight.config.id,
        ucs=ucs_of(sight.config.id),
        hosts=[Host(name=airing.host)] if airing.host else [],
    )


def _played(sight: Sight, airing: ProgrammeAiring, heard: Heard, song: Song) -> Played:
    return Played(
        song=song,
        song_start_time=f"{song.date} {song.start}",
        episode_id=_event_id(sight, airing),
        song_id=hex_of(f"{sight.config.id} {heard.id}", 24),
        program_id=_program_id(sight, airing),
        program_name=airing.title,
        ucs=ucs_of(sight.config.id),
    )


def _song(sight: Sight, heard: Heard) -> Song:
    zone = sight.config.zone
    starts = _at(heard.starts_at_ms, zone).strftime("%m-%d-%Y %H:%M:%S")
    ends = _at(heard.starts_at_ms + heard.duration_ms, zone).strftime("%m/%d/%Y %H:%M:%S")
    date, _, time = starts.partition(" ")
    return Song(
        start=time,
        date=date,
        duration=heard.duration_ms,
        track_name=heard.title,
        artist_name=heard.artist or "",
        collection_name=heard.album or "",
        image_url=sight.address(heard.artwork) or "",
        start_time=starts.replace("-", "/"),
        end_time=ends,
    )


def _program_id(sight: Sight, airing: ProgrammeAiring) -> str:
    return hex_of(f"{sight.config.id} {airing.id}", 24)


def _event_id(sight: Sight, airing: ProgrammeAiring) -> str:
    return hex_of(f"{sight.config.id} {airing.occurrence} {airing.starts_at_ms}", 24)


def _hours_from_eastern(at_ms: int, zone: ZoneInfo) -> float:
    here, there = (_at(at_ms, one).replace(tzinfo=UTC) for one in (zone, EASTERN))
    hours = (here - there).total_seconds() / 3600
    return int(hours) if hours.is_integer() else hours


def _at(at_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone)


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"
