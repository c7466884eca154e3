"""Icecast's ``/status-json.xsl`` (the form of 2.4.4) and SHOUTcast's ``/7.html``, made of the stations' states (pure).

Unlike the original's, the JSON is always valid and a title always a string (Icecast-Server issues 12, 34, 38, 43).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final
from urllib.parse import urlsplit

import msgspec

from radio import __version__
from radio.api.dialects.sight import Sight, line
from radio.config import MountConfig
from radio.units import CHANNELS, SAMPLE_RATE_HZ

SERVER_TYPES: Final = {"mp3": "audio/mpeg", "aac": "audio/aac", "opus": "application/ogg"}


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One mount on the air. ``artist`` is there where it is known; ``dummy`` ends every source, as in the original."""

    audio_info: str
    bitrate: int
    channels: int
    genre: str
    listener_peak: int
    listeners: int
    listenurl: str
    samplerate: int
    server_description: str
    server_name: str
    server_type: str
    server_url: str
    stream_start: str
    stream_start_iso8601: str
    title: str
    artist: str | msgspec.UnsetType = msgspec.UNSET
    dummy: None = None


class IceStats(msgspec.Struct, frozen=True, kw_only=True):
    """The server. ``source`` is left out where nothing is on the air, and an object where there is one mount."""

    admin: str
    host: str
    location: str
    server_id: str
    server_start: str
    server_start_iso8601: str
    source: Source | list[Source] | msgspec.UnsetType = msgspec.UNSET


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document."""

    icestats: IceStats


def status(
    sights: Sequence[Sight], *, network: str, base: str, started_at_ms: int, mount: str | None = None
) -> Status:
    """The document; ``mount`` is a path (``/listen/wxyz/live.mp3``) that limits it to one mount."""
    sources = [
        _source(sight, config)
        for sight in sights
        if sight.is_online
        for config in sight.config.mounts
        if mount in (None, f"/listen/{sight.config.id}/{config.name}")
    ]
    stats = IceStats(
        admin="",
        host=urlsplit(base).hostname or "",
        location=network,
        server_id=f"Next Up {__version__}",
        server_start=_written(started_at_ms),
        server_start_iso8601=_iso(started_at_ms),
        source=msgspec.UNSET if not sources else sources[0] if len(sources) == 1 else sources,
    )
    return Status(icestats=stats)


def seven(sight: Sight) -> str:
    """SHOUTcast 1's page of seven values: listeners, up, peak, most allowed, unique, bit rate, title.

    Programs split it at commas, at most six times: a title may have some.
    """
    mount = sight.config.mounts[0]
    listeners = sum(sight.listeners.values())
    peak = max(sum(sight.peaks.values()), listeners)
    title = line(*sight.headline()) if sight.is_online else ""
    values = [listeners, int(sight.is_online), peak, 0, listeners, mount.bitrate_kbps, escape(title)]
    body = ",".join(str(value) for value in values)
    return f'<html><head><meta charset="utf-8"><title>7</title></head><body>{body}</body></html>'


def _source(sight: Sight, mount: MountConfig) -> Source:
    artist, title = sight.headline()
    rate = f"channels={CHANNELS};samplerate={SAMPLE_RATE_HZ};bitrate={mount.bitrate_kbps}"
    listeners = sight.listeners.get(mount.name, 0)
    since_ms = sight.state.availability.since_ms
    return Source(
        audio_info=rate,
        bitrate=mount.bitrate_kbps,
        channels=CHANNELS,
        genre=sight.config.genre,
        listener_peak=max(listeners, sight.peaks.get(mount.name, 0)),
        listeners=listeners,
        listenurl=sight.stream(mount.name),
        samplerate=SAMPLE_RATE_HZ,
        server_description=sight.config.description,
        server_name=sight.config.name,
        server_type=SERVER_TYPES[mount.format],
        server_url=f"{sight.base}/",
        stream_start=_written(since_ms),
        stream_start_iso8601=_iso(since_ms),
        title=line(artist, title),
        artist=artist or msgspec.UNSET,
    )


def _written(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%a, %d %b %Y %H:%M:%S %z")


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S%z")
