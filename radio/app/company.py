"""The service in company: where a bus is configured, edges elsewhere have its stations' states and tell who listens."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from radio.app.parts import Parts
from radio.push.bus import Link
from radio.push.edge_counts import EdgeCounts
from radio.push.relay import Relay, tick_on

if TYPE_CHECKING:
    from radio.push.nats_bus import NatsBus


async def join_company(parts: Parts, stack: AsyncExitStack) -> Company | None:
    """Enter the configured bus; None where there is none.

    A server that is away is no fault, the service goes on alone. Raises ConfigurationError for an address that is none,
    a login that cannot be read and one that the server refuses.
    """
    servers = parts.config.bus.servers
    if not servers:
        return None
    # The library takes time and memory that a service alone does not need.
    from radio.push.nats_bus import NatsBus
    from radio.push.nats_login import ANONYMOUS, read_login

    credentials = parts.config.bus.credentials
    login = read_login(parts.config.path(credentials)) if credentials else ANONYMOUS
    name = f"nextup {parts.config.stations[0].id}"
    bus = NatsBus(servers, login=login, name=name, on_link=partial(_linked, parts), clock=parts.clock)
    await stack.enter_async_context(bus)
    return Company(parts, bus, stack)


class Company:
    """Everything that goes over the bus while the service runs."""

    def __init__(self, parts: Parts, bus: NatsBus, stack: AsyncExitStack) -> None:
        self._parts = parts
        self._bus = bus
        self._relay = Relay(parts.hub, bus, parts.clock)
        self._edges = EdgeCounts(bus, parts.clock)
        stack.callback(self._close)

    async def keep(self) -> None:
        """Tell every state there is and each change, and count who listens elsewhere, until cancelled."""
        self._edges.begin()
        self._parts.listeners_elsewhere = self._edges.listeners
        self._relay.begin()
        await tick_on(self._parts.clock, self._relay.tick, self._measure)

    def _measure(self) -> None:
        metrics = self._parts.metrics
        metrics.bus_lost.set(self._bus.lost)
        metrics.bus_edges.set(self._edges.edges)

    def _close(self) -> None:
        self._relay.close()
        self._edges.close()


def _linked(parts: Parts, link: Link) -> None:
    parts.bus_link = link
    parts.metrics.bus_connected.set(link.connected)
