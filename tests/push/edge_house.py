"""An edge: a hub that mirrors another process's over NATS, with WebSockets of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from radio.api.push_socket import PushSockets
from radio.clock import SystemClock
from radio.push.bus import Link
from radio.push.edge_counts import CountTeller
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub
from radio.push.mirror import Mirror
from radio.push.nats_bus import NatsBus
from radio.push.relay import tick_on


class Edge(NamedTuple):
    hub: Hub
    mirror: Mirror
    bus: NatsBus
    listening: dict[str, int]
    url: str


@asynccontextmanager
async def open_edge(nats_url: str, name: str, *stations: str) -> AsyncIterator[Edge]:
    """``stations`` are mirrored; ``listening`` is what the edge tells of its listeners."""
    clock, loop = SystemClock(), asyncio.get_running_loop()
    hub = Hub(soon=loop.call_soon)
    listening: dict[str, int] = {}

    def linked(link: Link) -> None:
        if link.connected:
            mirror.ask()

    bus = NatsBus([nats_url], name=name, on_link=linked)
    mirror = Mirror(hub, bus, clock, stations=stations)
    teller = CountTeller(bus, clock, name, lambda: listening)
    async with bus, Heartbeat(clock) as heartbeat, PushSockets(hub, clock, heartbeat) as sockets:
        mirror.begin()
        ticking = asyncio.create_task(tick_on(clock, mirror.tick, teller.tick))
        server = await loop.create_server(sockets.protocol, "127.0.0.1", 0)
        try:
            port = server.sockets[0].getsockname()[1]
            yield Edge(hub, mirror, bus, listening, f"ws://127.0.0.1:{port}/api/ws")
        finally:
            server.close()
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            mirror.close()
