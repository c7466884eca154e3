"""AzuraCast's now-playing object made of a station's state (pure).

Shape and quirks are those of its public API (``/api/nowplaying``, ``Entity/Api/NowPlaying``). Mended: an empty
queue gives no next song instead of the last one, ``elapsed`` is that of the sound and not five seconds more.
"""

from __future__ import annotations

from typing import Final

from radio.api.dialects.azuracast_shapes import (
    Coming,
    Current,
    Listeners,
    Live,
    Mount,
    NowPlaying,
    Past,
    Song,
    Station,
)
from radio.api.dialects.recent import Heard
from radio.api.dialects.sight import Sight, hex_of, line, number_of
from radio.config import MountConfig
from radio.stations.shapes import NextState, StationState
from radio.stations.state import artwork_url

HISTORY: Final = 10
OFFLINE: Final = "Station Offline"


def now_playing(sight: Sight, *, cache: str = "event") -> NowPlaying:
    """The whole object; ``cache`` says where it comes from: ``event``, ``station``, ``database`` or ``hit``."""
    return NowPlaying(
        station=_station(sight),
        listeners=_listeners(sight.state.listeners.current),
        live=_live(sight),
        now_playing=_current(sight),
        playing_next=_coming(sight, sight.state.next[0]) if sight.state.next else None,
        song_history=[_past(sight, heard) for heard in sight.heard[:HISTORY]],
        is_online=sight.is_online,
        cache=cache,
    )


def triggers(before: StationState | None, after: StationState) -> list[str]:
    """What happened between two states, in AzuraCast's words; nothing where there is no state before."""
    if before is None:
        return []
    was_on, is_on = (state.availability.status not in ("off_air", "starting") for state in (before, after))
    was_live, is_live = before.source == "live", after.source == "live"
    had, has = before.listeners.current, after.listeners.current
    is_new = (before.now and before.now.id) != (after.now and after.now.id)
    told = {
        "song_changed": is_new,
        "song_changed_live": is_new and is_live,
        "listener_gained": has > had,
        "listener_lost": has < had,
        "live_connect": is_live and not was_live,
        "live_disconnect": was_live and not is_live,
        "station_offline": was_on and not is_on,
        "station_online": is_on and not was_on,
    }
    return [name for name, happened in told.items() if happened]


def artwork(sight: Sight) -> str | None:
    """The address of the picture of what is on the air: its own, the programme's or the station's."""
    state = sight.state
    own = state.now.artwork if state.now else None
    return sight.address(own or (state.programme.image if state.programme else None) or state.station.logo)


def _station(sight: Sight) -> Station:
    config, id_ = sight.config, sight.config.id
    first = config.mounts[0].name
    return Station(
        id=sight.number,
        name=config.name,
        shortcode=id_,
        description=config.description,
        frontend="icecast",
        backend="none",
        timezone=config.timezone,
        listen_url=sight.stream(first),
        url=f"{sight.base}/",
        public_player_url=f"{sight.base}/embed/{id_}",
        playlist_pls_url=f"{sight.stream(first)}.pls",
        playlist_m3u_url=f"{sight.stream(first)}.m3u",
        is_public=True,
        requests_enabled=False,
        mounts=[_mount(sight, number, mount) for number, mount in enumerate(config.mounts, 1)],
        remotes=[],
        hls_enabled=False,
        hls_is_default=False,
        hls_url=None,
        hls_listeners=0,
    )


def _mount(sight: Sight, number: int, mount: MountConfig) -> Mount:
    return Mount(
        path=f"/{mount.name}",
        is_default=number == 1,
        id=number,
        name=f"/{mount.name} ({mount.bitrate_kbps}kbps {mount.format.upper()})",
        url=sight.stream(mount.name),
        bitrate=mount.bitrate_kbps,
        format=mount.format,
        listeners=_listeners(sight.listeners.get(mount.name, 0)),
    )


def _listeners(current: int) -> Listeners:
    return Listeners(total=current, unique=current, current=current)


def _live(sight: Sight) -> Live:
    state = sight.state
    if not sight.is_live:
        return Live(is_live=False, streamer_name="", broadcast_start=None, art=None)
    start_ms = state.now.starts_at_ms if state.now else state.availability.since_ms
    return Live(
        is_live=True, streamer_name=_presenter(sight), broadcast_start=start_ms // 1000, art=artwork(sight)
    )


def _presenter(sight: Sight) -> str:
    programme = sight.state.programme
    return ((programme.host or programme.title) if programme else None) or sight.config.name


def _current(sight: Sight) -> Current:
    if not sight.is_online:
        song = _song(sight, OFFLINE)
        return Current(
            sh_id=0, played_at=0, duration=0, playlist=None, streamer="", is_request=False, song=song,
            elapsed=0, remaining=0,
        )  # fmt: skip
    state, now = sight.state, sight.state.now
    artist, title = sight.headline()
    duration = round(now.duration_ms / 1000) if now else 0
    started_ms = now.starts_at_ms if now else state.availability.since_ms
    elapsed = min(max(0, (sight.at_ms - started_ms) // 1000), duration)
    return Current(
        sh_id=number_of(f"{sight.config.id} {now.id}" if now else f"{sight.config.id} {started_ms}"),
        played_at=started_ms // 1000,
        duration=duration,
        playlist=state.programme.title if state.programme else None,
        streamer=_presenter(sight) if sight.is_live else "",
        is_request=False,
        song=_song(sight, title, artist, now.album if now else None, artwork(sight)),
        elapsed=elapsed,
        remaining=duration - elapsed,
    )


def _coming(sight: Sight, coming: NextState) -> Coming:
    row, programme = sight.row(coming.id), sight.state.next_programme
    duration_ms, album, picture = 0, None, None
    if row is not None:
        duration_ms, album = row.duration_ms, row.album
        picture = artwork_url(row)
    elif programme is not None and coming.kind == "programme":
        duration_ms, picture = programme.ends_at_ms - programme.starts_at_ms, programme.image
    picture = picture or sight.state.station.logo
    return Coming(
        cued_at=coming.starts_at_ms // 1000,
        played_at=coming.starts_at_ms // 1000,
        duration=duration_ms / 1000,
        playlist=programme.title if programme and coming.kind == "programme" else None,
        is_request=False,
        song=_song(sight, coming.title, coming.artist or "", album, sight.address(picture)),
    )


def _past(sight: Sight, heard: Heard) -> Past:
    picture = sight.address(heard.artwork or sight.state.station.logo)
    return Past(
        sh_id=number_of(f"{sight.config.id} {heard.id}"),
        played_at=heard.starts_at_ms // 1000,
        duration=round(heard.duration_ms / 1000),
        playlist=heard.programme,
        streamer="",
        is_request=False,
        song=_song(sight, heard.title, heard.artist or "", heard.album, picture),
    )


def _song(
    sight: Sight, title: str, artist: str = "", album: str | None = None, art: str | None = None
) -> Song:
    text = line(artist, title)
    return Song(
        id=hex_of(text.casefold(), 32),
        art=art or sight.address(sight.state.station.logo) or "",
        custom_fields=[],
        text=text,
        artist=artist,
        title=title,
        album=album or "",
        genre=sight.config.genre,
        isrc="",
        lyrics="",
    )
