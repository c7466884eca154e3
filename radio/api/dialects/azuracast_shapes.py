"""AzuraCast's now-playing object, as the classes of its public API describe it (``Entity/Api/NowPlaying``).

Its names are kept, and its units: moments are Unix seconds, lengths are seconds.
"""

from __future__ import annotations

import msgspec


class Listeners(msgspec.Struct, frozen=True, kw_only=True):
    """``current`` is the same as ``total``; it is there for older clients."""

    total: int
    unique: int
    current: int


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """A stream of the station's on another server; there are none."""

    id: int
    name: str
    url: str
    bitrate: int | None
    format: str | None
    listeners: Listeners


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """One mount of the station."""

    path: str
    is_default: bool
    id: int
    name: str
    url: str
    bitrate: int | None
    format: str | None
    listeners: Listeners


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """What a station is."""

    id: int
    name: str
    shortcode: str
    description: str
    frontend: str
    backend: str
    timezone: str
    listen_url: str | None
    url: str | None
    public_player_url: str
    playlist_pls_url: str
    playlist_m3u_url: str
    is_public: bool
    requests_enabled: bool
    mounts: list[Mount]
    remotes: list[Remote]
    hls_enabled: bool
    hls_is_default: bool
    hls_url: str | None
    hls_listeners: int


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """The presenter who is live."""

    is_live: bool
    streamer_name: str
    broadcast_start: int | None
    art: str | None


class Song(msgspec.Struct, frozen=True, kw_only=True):
    """What is played; ``id`` is the same whenever artist and title are. ``custom_fields`` is a list while empty."""

    id: str
    art: str
    custom_fields: list[str]
    text: str
    artist: str
    title: str
    album: str
    genre: str
    isrc: str
    lyrics: str


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """One airing of a song that is over; ``duration`` 0 is unknown."""

    sh_id: int
    played_at: int
    duration: int
    playlist: str | None
    streamer: str
    is_request: bool
    song: Song


class Current(msgspec.Struct, frozen=True, kw_only=True):
    """The song on the air."""

    sh_id: int
    played_at: int
    duration: int
    playlist: str | None
    streamer: str
    is_request: bool
    song: Song
    elapsed: int
    remaining: int


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """The song after that; its ``duration`` has a fraction, as the original's has."""

    cued_at: int
    played_at: int | None
    duration: float
    playlist: str | None
    is_request: bool
    song: Song


class NowPlaying(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a station, as ``/api/nowplaying/{station}`` gives it and the push carries it."""

    station: Station
    listeners: Listeners
    live: Live
    now_playing: Current | None
    playing_next: Coming | None
    song_history: list[Past]
    is_online: bool
    cache: str
