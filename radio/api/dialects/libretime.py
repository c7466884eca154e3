"""LibreTime's ``/api/live-info-v2`` made of a station's state and programmes (pure).

The shape is that of LibreTime 4 (``ApiController``, ``Schedule``): moments are local times without a zone, and texts
are HTML-escaped, as its widgets put them into pages as they come. Unlike there, ``current`` is what is heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from radio.api.dialects.recent import Heard
from radio.api.dialects.sight import Sight, line, number_of
from radio.log import LogRow
from radio.schedule.airings import ProgrammeAiring
from radio.stations.state import picture_url
from radio.units import UtcMs

DAY_MS: Final = 86_400_000


class StationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The station, and what it is fed by: ``Scheduled`` or ``Live``."""

    env: str
    scheduler_time: str = msgspec.field(name="schedulerTime")
    source_enabled: str
    timezone: str
    api_version: str = msgspec.field(name="AIRTIME_API_VERSION")


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """An item's tags, by the names of LibreTime's files."""

    id: int
    track_title: str
    artist_name: str
    album_title: str
    genre: str
    length: str


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """An item with its local times; ``type`` is ``track`` or ``livestream``."""

    starts: str
    ends: str
    type: str
    name: str
    media_item_played: bool
    metadata: Metadata
    record: str = "0"


class Tracks(msgspec.Struct, frozen=True, kw_only=True):
    """What was, is and will be played; null where that is not known or not shown."""

    previous: Track | None
    current: Track | None
    next: Track | None


class Show(msgspec.Struct, frozen=True, kw_only=True):
    """One airing of a programme."""

    name: str
    id: int
    instance_id: int
    record: int
    url: str
    image_path: str
    starts: str
    ends: str
    start_timestamp: str
    end_timestamp: str


class Shows(msgspec.Struct, frozen=True, kw_only=True):
    """Programmes; ``current`` is an empty list where there is none."""

    previous: list[Show]
    current: Show | list[Show]
    next: list[Show]


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """Which inputs are on the air."""

    livedj: str
    masterdj: str
    scheduledplay: str


class LiveInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer."""

    station: StationInfo
    tracks: Tracks
    shows: Shows
    sources: Inputs


def live_info(
    sight: Sight, airings: Sequence[ProgrammeAiring], *, zone: ZoneInfo, days: int, shows: int
) -> LiveInfo:
    """What is on; programmes of ``days`` days either way, ``shows`` before and after the one on the air at most."""
    at_ms = sight.at_ms
    near = [one for one in airings if at_ms - days * DAY_MS < one.starts_at_ms < at_ms + days * DAY_MS]
    now = [one for one in near if one.starts_at_ms <= at_ms < one.ends_at_ms]
    past = [one for one in near if one.ends_at_ms <= at_ms]
    return LiveInfo(
        station=StationInfo(
            env="production",
            scheduler_time=_local(at_ms, zone),
            source_enabled="Live" if sight.is_live else "Scheduled",
            timezone=zone.key,
            api_version="1.1",
        ),
        tracks=Tracks(
            previous=_past(sight, sight.heard[0], zone) if sight.heard else None,
            current=_current(sight, zone),
            next=_next(sight, zone),
        ),
        shows=Shows(
            previous=[_show(sight, one, zone) for one in past[max(0, len(past) - shows) :]],
            current=_show(sight, now[0], zone) if now else [],
            next=[_show(sight, one, zone) for one in near if one.starts_at_ms > at_ms][:shows],
        ),
        sources=Inputs(livedj="on" if sight.is_live else "off", masterdj="off", scheduledplay="on"),
    )


def _current(sight: Sight, zone: ZoneInfo) -> Track | None:
    now, programme = sight.state.now, sight.state.programme
    if now is None or not sight.is_online:
        return None
    artist, title = sight.headline()
    if sight.is_live and programme is not None:
        artist, title = "", programme.title
    return _track(
        sight,
        now.id,
        artist,
        title,
        now.album,
        (now.starts_at_ms, now.ends_at_ms),
        zone,
        is_live=sight.is_live,
    )


def _past(sight: Sight, heard: Heard, zone: ZoneInfo) -> Track:
    span = heard.starts_at_ms, UtcMs(heard.starts_at_ms + heard.duration_ms)
    return _track(sight, heard.id, heard.artist or "", heard.title, heard.album, span, zone)


def _next(sight: Sight, zone: ZoneInfo) -> Track | None:
    shown = sight.state.next[0] if sight.state.next else None
    row: LogRow | None = sight.row(shown.id) if shown else None
    if row is None:
        return None
    span = row.starts_at_ms, row.ends_at_ms
    return _track(sight, row.id, row.artist or "", row.title, row.album, span, zone, is_over=False)


def _track(
    sight: Sight,
    id_: str,
    artist: str,
    title: str,
    album: str | None,
    span: tuple[UtcMs, UtcMs],
    zone: ZoneInfo,
    *,
    is_live: bool = False,
    is_over: bool = True,
) -> Track:
    return Track(
        starts=_local(span[0], zone),
        ends=_local(span[1], zone),
        type="livestream" if is_live else "track",
        name=escape(line(artist, title)),
        media_item_played=is_over,
        metadata=Metadata(
            id=number_of(f"{sight.config.id} {id_}"),
            track_title=escape(title),
            artist_name=escape(artist),
            album_title=escape(album or ""),
            genre=escape(sight.config.genre),
            length=_length(span[1] - span[0]),
        ),
    )


def _show(sight: Sight, airing: ProgrammeAiring, zone: ZoneInfo) -> Show:
    starts, ends = _local(airing.starts_at_ms, zone), _local(airing.ends_at_ms, zone)
    return Show(
        name=escape(airing.title),
        id=number_of(f"{sight.config.id} {airing.id}"),
        instance_id=number_of(f"{sight.config.id} {airing.occurrence} {airing.starts_at_ms}"),
        record=0,
        url=escape(airing.link or ""),
        image_path=escape(sight.address(picture_url(airing.image)) or ""),
        starts=starts,
        ends=ends,
        start_timestamp=starts,
        end_timestamp=ends,
    )


def _local(at_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _length(length_ms: int) -> str:
    seconds, ms = divmod(max(0, length_ms), 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"
