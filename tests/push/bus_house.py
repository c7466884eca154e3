"""Buses of one kind that reach each other, for tests that hold for every kind."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Self

from radio.push.bus import Bus
from radio.push.local import LocalBus
from radio.push.nats_bus import NatsBus


class Inbox:
    """A receiver that keeps what came."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    def __call__(self, subject: str, payload: bytes) -> None:
        self.messages.append((subject, payload))

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, payload in self.messages]


class BusHouse:
    """With a server's ``url`` each bus is a connection of its own; without one all are the same bus in memory."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self._stack = AsyncExitStack()
        self._buses: list[NatsBus] = []
        self._local: LocalBus | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    def make(self, **options: Any) -> Bus:
        """A bus that is not entered yet."""
        return LocalBus(**options) if self.url is None else NatsBus([self.url], **options)

    async def join(self, **options: Any) -> Bus:
        """A bus that is left with the house."""
        if self.url is None:
            if self._local is None:
                self._local = await self._stack.enter_async_context(LocalBus(**options))
            return self._local
        bus = await self._stack.enter_async_context(NatsBus([self.url], **options))
        assert bus.link.connected
        self._buses.append(bus)
        return bus

    async def settle(self) -> None:
        """Until all that was published has come where it goes."""
        for bus in [*self._buses, *self._buses]:
            assert await bus.flush(10)
        for _ in range(10):
            await asyncio.sleep(0)
