"""The service's face: every route, the push, and the one port they share."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import lru_cache
from socket import socket
from typing import Any

from aiohttp import web

from radio.api.alarms import alarm_routes
from radio.api.artwork import artwork_routes
from radio.api.commands import OnAirDesk, command_routes
from radio.api.console import Actions, console_routes
from radio.api.contract_routes import ContractApi
from radio.api.events_stream import EventStreams
from radio.api.handover import handover_routes
from radio.api.health import health_routes
from radio.api.interchange import InterchangeApi, Outside
from radio.api.library_api import LibraryApi, Stations
from radio.api.long_poll import LongPoll
from radio.api.playlists import playlist_routes
from radio.api.public import PublicApi
from radio.api.push_socket import PushSockets
from radio.api.server import Serving, http_application, serving
from radio.api.sign_in import sign_in
from radio.api.site import site_routes
from radio.app.desk import DeskParts
from radio.app.dialects import DialectParts
from radio.app.editing import editing_routes
from radio.app.parts import Parts
from radio.audio.encode import MIME_TYPES
from radio.events import Availability
from radio.interchange.face import faces
from radio.library.shrinker import Shrinker
from radio.push.heartbeat import Heartbeat
from radio.push.limits import Admission
from radio.sponsors import read_sponsors
from radio.streaming.listener import Listener


async def serve(parts: Parts, stack: AsyncExitStack, *, sockets: Sequence[socket] = ()) -> Serving:
    """Serve everything until the stack is closed, at the configured address or on ``sockets`` that listen already.

    Raises AddressInUse.
    """
    server = parts.config.server
    heartbeat = await stack.enter_async_context(Heartbeat(parts.clock))
    admission = Admission(total=server.max_subscribers, per_address=server.max_subscribers_per_address)
    push = PushSockets(parts.hub, parts.clock, heartbeat, admission=admission)
    events = EventStreams(parts.hub, parts.clock, heartbeat, admission=admission)
    long_poll = LongPoll(parts.hub, admission=admission)
    dialects = await stack.enter_async_context(DialectParts(parts, heartbeat, admission))
    desk = await stack.enter_async_context(DeskParts(parts, heartbeat))
    pictures = await stack.enter_async_context(Shrinker(parts.store))

    def streams() -> Listener:
        return Listener(parts.mounts)

    interchange = _interchange_api(parts)
    routes = [
        *artwork_routes(pictures, frozenset(parts.services)),
        *_library_api(parts).routes(),
        *interchange.routes(),
        *_routes(parts, interchange, long_poll),
        *dialects.routes(),
        *editing_routes(parts),
        web.get("/api/events", events.handle),
        *handover_routes(streams=streams, sockets=push.protocol, desk=desk.protocol),
    ]
    made = await stack.enter_async_context(
        serving(
            http_application(routes, sign_in(parts.store, parts.clock)),
            streams=streams,
            sockets=push.protocol,
            host=server.host,
            port=server.port,
            listening=sockets,
            quick=push,
            desk=desk.protocol,
        )
    )
    await stack.enter_async_context(push)
    await stack.enter_async_context(events)
    stack.callback(long_poll.close)
    await stack.enter_async_context(dialects.push())
    await stack.enter_async_context(desk.push())
    stack.callback(parts.mounts.close)
    return made


def _library_api(parts: Parts) -> LibraryApi:
    config = parts.config
    roots = {station.id: [str(root) for root in config.roots_of(station)] for station in config.stations}
    sponsors = config.path(config.sponsors)
    stations = Stations(
        roots=roots,
        schedule=parts.planner.schedule,
        sponsors=lambda: read_sponsors(sponsors, stations=tuple(roots)),
    )
    return LibraryApi(parts.store, parts.library, stations, parts.clock)


def _interchange_api(parts: Parts) -> InterchangeApi:
    config = parts.config
    ids = tuple(parts.station_ids)
    sponsors = config.path(config.sponsors)
    outside = Outside(
        network=config.network.name,
        stations=ids,
        public_url=config.server.public_url,
        faces=lru_cache(maxsize=16)(lambda base: faces(config, base, MIME_TYPES)),
        schedule=parts.planner.schedule,
        sponsors=lambda: read_sponsors(sponsors, stations=ids),
        rows=lambda station, from_ms, to_ms: parts.planner.log(station).between(from_ms, to_ms),
        item=lambda id_: parts.library.current.by_id.get(id_),
    )
    return InterchangeApi(outside, parts.clock)


def _routes(parts: Parts, interchange: InterchangeApi, long_poll: LongPoll) -> list[Any]:
    config = parts.config
    stations = {station.id: station for station in config.stations}
    pictures = config.path(config.network.pictures) if config.network.pictures else None
    public = PublicApi(
        parts.services, parts.store, lambda *span: _airings(parts, *span), parts.clock, long_poll
    )
    actions = Actions(
        scan=lambda: _scan(parts),
        reload=lambda station: _reload(parts, station),
        stations=frozenset(stations),
    )
    return [
        *public.routes(),
        *console_routes(actions),
        *command_routes(
            OnAirDesk(frozenset(stations), parts.playouts, parts.planner.item_row, parts.planner.rows)
        ),
        *playlist_routes(stations, config.server.public_url),
        *health_routes(lambda: _off_air(parts), parts.metrics, lambda: parts.alarms),
        *alarm_routes(parts.alarms),
        *ContractApi(config.server.public_url).routes(),
        *site_routes(config.network, pictures, frozenset(stations), interchange.head_element),
    ]


def _airings(parts: Parts, station: str, from_ms: int, to_ms: int) -> list[Any]:
    return [
        airing
        for airing in parts.planner.log(station).airings
        if airing.ends_at_ms > from_ms and airing.starts_at_ms < to_ms
    ]


def _off_air(parts: Parts) -> dict[str, str]:
    silent = (Availability.STARTING, Availability.OFF_AIR)
    return {
        station.id: parts.services[station.id].status.reason or "starting"
        for station in parts.config.stations
        if station.enabled and parts.services[station.id].status.status in silent
    }


async def _scan(parts: Parts) -> dict[str, int]:
    report = await parts.library.scan()
    return {name: getattr(report, name) for name in ("added", "changed", "moved", "removed", "rejected")}


async def _reload(parts: Parts, station: str) -> str | None:
    await parts.planner.reload(station)
    problem = parts.planner.problem(station)
    return problem.message if problem else None
