"""Puts a station on the air: its playout thread, and what becomes of the sound and the news from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from radio.app.desk import ToldRecorder
from radio.app.parts import Parts
from radio.audio.bed import Bed
from radio.audio.pcm import PcmSource
from radio.audio.standby import StandbySound
from radio.config import Config, StationConfig
from radio.errors import AudioError, ConfigurationError
from radio.events import FallbackStarted, PlayoutEvent
from radio.log import LogRow
from radio.playout import Output, Pulse, RunBaton, StationPlayout, ThreadLoader
from radio.stations import ServiceBaton, StationService
from radio.streaming.chunks import Chunk
from radio.units import UtcMs


def service_of(parts: Parts, station: StationConfig, baton: ServiceBaton | None = None) -> StationService:
    """A station's state, published to the hub; with a ``baton`` that of another process goes on."""
    return StationService(
        station,
        clock=parts.clock,
        log=parts.planner.log(station.id),
        recorder=ToldRecorder(parts.recorder, parts.desk),
        publish=partial(_publish, parts),
        listeners=lambda: parts.mounts.listeners(station.id) + parts.listeners_elsewhere(station.id),
        metrics=parts.metrics,
        public_url=parts.config.server.public_url,
        baton=baton,
    )


async def go_on_air(
    parts: Parts,
    stack: AsyncExitStack,
    station: StationConfig,
    *,
    send: Callable[[Chunk], None] | None = None,
    baton: RunBaton | None = None,
) -> None:
    """Start the station's state and, where it is enabled, its sound; both stop with the stack.

    ``send`` takes the chunks in the event loop, in the place of the mounts.
    """
    service = parts.services[station.id]
    bed = await asyncio.to_thread(_fallback, parts.config, station)
    await stack.enter_async_context(service.running())
    if not station.enabled:
        return
    loop = asyncio.get_running_loop()
    deliver = send or partial(send_chunk, parts)
    playout = StationPlayout(
        station=station.id,
        name=station.name,
        outputs=tuple(
            Output(mount=mount.name, format=mount.format, bitrate_kbps=mount.bitrate_kbps)
            for mount in station.mounts
        ),
        lead_s=station.sound.lead_s,
        log=parts.planner.log(station.id),
        loader=lambda: ThreadLoader(partial(_file_of, parts), station.id),
        clock=parts.clock,
        on_event=lambda event: _in_loop(loop, partial(_heard, parts, service), event),
        on_chunk=lambda chunk: _in_loop(loop, deliver, chunk),
        on_pulse=lambda pulse: _in_loop(loop, partial(_pulsed, parts, service), pulse),
        silence_after_s=station.sound.silence_after_s,
        bed=bed,
        baton=baton,
    )
    parts.playouts[station.id] = playout
    playout.start()
    stack.push_async_callback(asyncio.to_thread, playout.stop)


def _fallback(config: Config, station: StationConfig) -> Callable[[], PcmSource]:
    """What is heard when an item cannot be played. Raises ConfigurationError where the station's file is no use."""
    *files, _ = station.sound.fallback
    for name in files:
        try:
            return StandbySound(config.path(name), target_lufs=station.sound.target_lufs)
        except AudioError as fault:
            raise ConfigurationError(
                fault.reason,
                file=str(config.path(name)),
                key=f"stations.{station.id}.sound.fallback",
                allowed="a sound file of 5 to 120 s",
            ) from fault
    return Bed


def send_chunk(parts: Parts, chunk: Chunk) -> None:
    """A chunk goes to its mount's listeners."""
    _, mount = parts.mounts.find(chunk.station, chunk.mount)
    mount.publish(chunk)
    parts.metrics.stream_bytes.labels(chunk.station, chunk.mount).inc(len(chunk.data))


def _publish(parts: Parts, station: str, state: dict[str, Any], at_ms: UtcMs) -> None:
    if station in parts.hub.stations:
        parts.hub.publish_state(station, state, at_ms)
    else:
        parts.hub.open(station, state)
    parts.desk.touch(station)


def _pulsed(parts: Parts, service: StationService, pulse: Pulse) -> None:
    service.on_pulse(pulse)
    parts.desk.pulse(service.station.id, pulse)


def _heard(parts: Parts, service: StationService, event: PlayoutEvent) -> None:
    service.on_event(event)
    if isinstance(event, FallbackStarted) and event.row.item is not None:
        parts.library.set_aside(event.row.item, event.reason)


def _file_of(parts: Parts, row: LogRow) -> Path | None:
    item_id = row.item or ""
    item = parts.library.current.by_id.get(item_id) or parts.first_items.get(item_id)
    return item.file if item else None


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[Any], None], value: Any) -> None:
    """Hand ``value`` over from a playout thread; the loop may be closing, and then nobody is there to hear."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, value)
