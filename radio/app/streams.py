"""The streams' side of the service: mounts and their listeners, and the hub that follows the same sessions."""

from __future__ import annotations

import asyncio
from math import ceil

from radio.audio.encode import MIME_TYPES, chunk_bytes_of
from radio.clock import Clock
from radio.config import Config, StationConfig
from radio.push.hub import Hub
from radio.streaming.mount import Mount, burst_ms_of
from radio.streaming.mounts import ListenerLimits, Mounts
from radio.streaming.session_log import SessionLog
from radio.streaming.sessions import Session, Sessions
from radio.streaming.stream_heads import StationFace
from radio.units import UtcMs


def streams_and_push(
    config: Config, clock: Clock, session_log: SessionLog, *, epoch: str | None = None
) -> tuple[Mounts, Hub]:
    """Every station's mounts, and a hub that knows when their sessions began; ``epoch`` is that of its channels."""
    sessions = Sessions(clock)
    limits = ListenerLimits(
        total=config.server.max_listeners, per_address=config.server.max_listeners_per_address
    )
    mounts = Mounts(clock, sessions, limits, session_log)

    def start_of(session: str, station: str) -> UtcMs | None:
        found = sessions.find(session)
        return found.stream_time_ms if found and found.station == station else None

    hub = Hub(epoch=epoch, session_lookup=start_of, soon=asyncio.get_running_loop().call_soon)

    def started(session: Session) -> None:
        hub.session_started(session.station, session.id, session.stream_time_ms)

    sessions.on_started = started
    for station in config.stations:
        _add_mounts(mounts, station, config.server.public_url)
    return mounts, hub


def _add_mounts(mounts: Mounts, station: StationConfig, public_url: str) -> None:
    loop = asyncio.get_running_loop()
    face = StationFace(
        id=station.id,
        name=station.name,
        description=station.description,
        genre=station.genre,
        url=public_url,
    )
    for mount in station.mounts:
        burst_ms = burst_ms_of(mount.bitrate_kbps)
        made = Mount(
            station.id,
            mount.name,
            mime=MIME_TYPES[mount.format],
            bitrate_kbps=mount.bitrate_kbps,
            chunk_bytes=chunk_bytes_of(mount.format, mount.bitrate_kbps),
            later=loop.call_later,
            now=loop.time,
            ring_chunks=ceil(max(station.sound.lead_s, burst_ms / 1_000)) + 6,
            burst_ms=burst_ms,
        )
        mounts.add(face, made)
