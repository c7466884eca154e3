"""The dialects of other systems, made of the service's parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Self

from aiohttp import web

from radio.api.dialects.board import Board
from radio.api.dialects.live_push import LivePush
from radio.api.dialects.live_socket import LiveSockets
from radio.api.dialects.live_stream import LiveStreams
from radio.api.dialects.recent import Heard
from radio.api.dialects.routes import Dialects
from radio.app.parts import Parts
from radio.log import LogRow
from radio.push.heartbeat import Heartbeat
from radio.push.limits import Admission
from radio.schedule import ProgrammeAiring
from radio.stations.state import artwork_url
from radio.store import as_run
from radio.store.as_run import Aired


class DialectParts:
    """An async context manager: follows the stations while it is entered. :meth:`push` is left before the port is
    closed, so that clients are told."""

    def __init__(self, parts: Parts, heartbeat: Heartbeat, admission: Admission) -> None:
        config, clock = parts.config, parts.clock
        public_url = config.server.public_url
        self._connected = parts.metrics.subscribers.labels("azuracast")
        self._board = Board(config.stations, _Known(parts), parts.hub, clock, heartbeat)
        self._dialects = Dialects(self._board, network=config.network.name, public_url=public_url)
        live = LivePush(self._board, public_url=public_url)
        self._sockets = LiveSockets(live, clock, heartbeat, admission=admission)
        self._streams = LiveStreams(live, clock, heartbeat, admission=admission)

    async def __aenter__(self) -> Self:
        await self._board.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._board.__aexit__(*exc_info)

    def routes(self) -> list[web.RouteDef]:
        """Every route of the dialects."""
        return self._dialects.routes(self._sockets, self._streams)

    @asynccontextmanager
    async def push(self) -> AsyncIterator[None]:
        """The push of the dialects, for as long as the context is open."""
        self._connected.set_function(lambda: len(self._sockets) + len(self._streams))
        async with self._streams, self._sockets:
            yield


class _Known:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._mounts = {
            station.id: [mount.name for mount in station.mounts] for station in parts.config.stations
        }

    def coming(self, station: str, after_ms: int, limit: int) -> Sequence[LogRow]:
        return self._parts.planner.log(station).coming(after_ms, limit)

    def airings(self, station: str) -> Sequence[ProgrammeAiring]:
        return self._parts.planner.log(station).airings

    def listeners(self, station: str) -> Mapping[str, int]:
        mounts = self._parts.mounts
        return {name: mounts.find(station, name)[1].listeners for name in self._mounts[station]}

    async def heard(self, station: str, limit: int) -> list[Heard]:
        aired = await self._parts.store.read(as_run.history, station, limit=limit, started_only=True)
        programmes = self._parts.planner.schedule(station).by_id()
        titles = {id_: programme.title for id_, programme in programmes.items()}
        return [_heard(entry, titles) for entry in aired]


def _heard(entry: Aired, titles: Mapping[str, str]) -> Heard:
    row = entry.row
    return Heard(
        id=row.id,
        kind=row.kind,
        title=row.title,
        artist=row.artist,
        album=row.album,
        artwork=artwork_url(row),
        programme=titles.get(row.programme or ""),
        starts_at_ms=entry.at_ms,
        duration_ms=entry.played_ms,
    )
