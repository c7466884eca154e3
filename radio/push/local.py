"""The bus within one process: the reference for every other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

import structlog

from radio.push.bus import Receive, check_payload, check_subject, matcher

_journal = structlog.get_logger(__name__)


class LocalBus:
    """A :class:`radio.push.bus.Bus` whose messages wait in memory for the loop's next turn.

    Each subscription holds at most ``pending_messages`` that its receiver has not taken yet.
    """

    def __init__(self, *, pending_messages: int = 1024) -> None:
        self._pending_messages = pending_messages
        self._subscriptions: list[_LocalSubscription] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.close()

    def publish(self, subject: str, payload: bytes) -> None:
        check_subject(subject)
        check_payload(payload)
        for subscription in self._subscriptions:
            if subscription.fits(subject):
                subscription.put(subject, payload)

    def subscribe(self, pattern: str, receive: Receive) -> _LocalSubscription:
        subscription = _LocalSubscription(self, matcher(pattern), receive, self._pending_messages)
        self._subscriptions.append(subscription)
        return subscription

    def forget(self, subscription: _LocalSubscription) -> None:
        """Take ``subscription`` out; called by its ``close``."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)


class _LocalSubscription:
    def __init__(self, bus: LocalBus, fits: Callable[[str], bool], receive: Receive, limit: int) -> None:
        self.fits = fits
        self.dropped = 0
        self._bus = bus
        self._receive = receive
        self._limit = limit
        self._pending: deque[tuple[str, bytes]] = deque()
        self._scheduled = False

    def put(self, subject: str, payload: bytes) -> None:
        if len(self._pending) >= self._limit:
            self.dropped += 1
            return
        self._pending.append((subject, payload))
        self._schedule()

    def close(self) -> None:
        self._pending.clear()
        self._bus.forget(self)

    def _drain(self) -> None:
        # Only what waits now: a receiver that publishes to itself must not hold the loop for ever.
        self._scheduled = False
        for _ in range(len(self._pending)):
            if not self._pending:
                return
            subject, payload = self._pending.popleft()
            try:
                self._receive(subject, payload)
            except Exception:
                _journal.exception("push.receiver_failed", subject=subject)
        if self._pending:
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._drain)
