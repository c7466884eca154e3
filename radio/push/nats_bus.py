"""The bus between machines: NATS, with the contract of :mod:`radio.push.bus`.

What is published waits in an outbox until it is written; while the server is away the outbox holds the newest, and
counts what it lost. One NATS client lives as long as one connection; after it a new one is made, at growing, random
intervals, and gets every subscription again. So nothing old is sent twice, and no fault of a connection is for ever.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Self

import structlog
from nats import errors as nats_errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from radio.clock import Clock, SystemClock
from radio.errors import ConfigurationError
from radio.push.bus import Link, Receive, check_payload, check_subject, matcher
from radio.push.nats_link import UNSENT_BYTES, Connection, shown
from radio.push.nats_login import ANONYMOUS, Login
from radio.push.nats_outbox import Message, Outbox

_journal = structlog.get_logger(__name__)

LEAVE_S: Final = 2.0
"""How long leaving waits for what was published before it."""

_LONGEST_PAUSE_S: Final = 5.0
_SHORTEST_PAUSE_S: Final = 0.1


class NatsBus:
    """A :class:`radio.push.bus.Bus` over the first of ``servers`` that answers (``nats://host:port``).

    Entering waits for one attempt at most. It raises :class:`ConfigurationError` where a server refuses the login or
    its certificate is no good; a server that cannot be reached is tried again and again, and meanwhile the bus takes
    messages and delivers none. ``on_link`` is told of each change, on the loop's thread.

    Each subscription holds at most ``pending_messages`` that its receiver has not taken yet; the outbox holds
    ``outbox_messages`` of together ``outbox_bytes`` and loses the oldest first: ``lost`` counts them.
    """

    def __init__(
        self,
        servers: Sequence[str],
        *,
        login: Login = ANONYMOUS,
        name: str = "nextup",
        pending_messages: int = 1024,
        outbox_messages: int = 4096,
        outbox_bytes: int = 8 << 20,
        on_link: Callable[[Link], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.link = Link(connected=False, reason="not connected yet")
        self.lost = 0
        self.connections = 0
        self._servers = tuple(servers)
        self._login = login
        self._name = name
        self._pending_messages = pending_messages
        self._outbox = Outbox[_NatsSubscription](outbox_messages, outbox_bytes)
        self._on_link = on_link or (lambda link: None)
        self._clock = clock or SystemClock()
        self._subscriptions: list[_NatsSubscription] = []
        self._client: Client | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.create_task(self._keep_connected(first))
        try:
            await first
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.close()
        await self.flush(LEAVE_S)
        await self._stop()

    def publish(self, subject: str, payload: bytes) -> None:
        check_subject(subject)
        check_payload(payload)
        self.lost += self._outbox.put(Message(subject, payload))

    def subscribe(self, pattern: str, receive: Receive) -> _NatsSubscription:
        matcher(pattern)
        subscription = _NatsSubscription(self, pattern, receive, self._pending_messages)
        self._subscriptions.append(subscription)
        self._outbox.put(subscription)
        return subscription

    async def flush(self, timeout_s: float = LEAVE_S) -> bool:
        """Wait until the server has all that was published and subscribed; False where it has not in time."""
        if self._client is None:
            return False
        try:
            async with asyncio.timeout(timeout_s):
                await self._outbox.drained.wait()
                client = self._client
                if client is not None:
                    await client.flush()
                return client is not None and client is self._client
        except (TimeoutError, nats_errors.Error):
            return False

    def forget(self, subscription: _NatsSubscription) -> None:
        """Take ``subscription`` out; called by its ``close``."""
        self._subscriptions.remove(subscription)
        self._outbox.put(subscription)

    async def _stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper

    async def _keep_connected(self, first: asyncio.Future[None]) -> None:
        attempts, failures = 0, 0
        while True:
            server = self._servers[attempts % len(self._servers)]
            before = self.connections
            try:
                reason = await self._one_connection(server, first)
            except ConfigurationError as fault:
                if not first.done():
                    first.set_exception(fault)
                    return
                reason = fault.problem
            attempts += 1
            failures = failures + 1 if self.connections == before else 0
            self._tell(Link(connected=False, reason=f"{shown(server)}: {reason}"))
            if not first.done() and attempts >= len(self._servers):
                first.set_result(None)
            await self._clock.sleep(_pause_s(failures))

    async def _one_connection(self, server: str, first: asyncio.Future[None]) -> str:
        """Serve over one connection until it ends; why it did. Raises ConfigurationError where we are refused."""
        connection = Connection(self._on_dropped)
        try:
            await connection.open(server, self._login, self._name)
            await self._serve(connection, server, first)
        except ConfigurationError:
            raise
        except OSError as fault:
            return str(fault)
        except Exception as fault:
            _journal.exception("bus.connection_failed", server=shown(server))
            return str(fault) or type(fault).__name__
        finally:
            self._client = None
            await connection.close()
        return connection.reason or "the connection was lost"

    async def _serve(self, connection: Connection, server: str, first: asyncio.Future[None]) -> None:
        """Write what is to be sent until the connection is lost."""
        client = connection.client
        for subscription in tuple(self._subscriptions):
            await subscription.attach(client)
        self._client = client
        self.connections += 1
        self._tell(Link(connected=True, server=shown(server)))
        if not first.done():
            first.set_result(None)
        writer = asyncio.create_task(self._write(client))
        lost = asyncio.create_task(connection.until_lost())
        try:
            await asyncio.wait({writer, lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._client = None
            for task in (writer, lost):
                task.cancel()
            await asyncio.gather(writer, lost, return_exceptions=True)

    async def _write(self, client: Client) -> None:
        # The client keeps a cancellation to itself while it waits for room.
        while self._client is client:
            entry = await self._outbox.take()
            try:
                if isinstance(entry, Message):
                    await client.publish(entry.subject, entry.payload)
                else:
                    await entry.attach(client)
            except nats_errors.MaxPayloadError:
                self.lost += 1
                _journal.warning(
                    "bus.message_too_long", subject=_subject_of(entry), allowed=client.max_payload
                )
            except nats_errors.Error:
                self._outbox.put_back(entry)
                return
            finally:
                self._outbox.written()

    def _on_dropped(self, made: Subscription) -> None:
        for subscription in self._subscriptions:
            if subscription.made is made:
                subscription.dropped += 1

    def _tell(self, link: Link) -> None:
        if link == self.link:
            return
        self.link = link
        if link.connected:
            _journal.info("bus.connected", server=link.server)
        else:
            _journal.warning("bus.away", reason=link.reason)
        try:
            self._on_link(link)
        except Exception:
            _journal.exception("bus.link_not_told")


class _NatsSubscription:
    def __init__(self, bus: NatsBus, pattern: str, receive: Receive, limit: int) -> None:
        self.dropped = 0
        self.made: Subscription | None = None
        self._bus = bus
        self._pattern = pattern
        self._receive = receive
        self._limit = limit
        self._client: Client | None = None
        self._closed = False

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._bus.forget(self)

    async def attach(self, client: Client) -> None:
        """Let ``client`` have the subscription as it is now: wanted, or no more."""
        if self._closed:
            made, self.made = self.made, None
            if made is not None and self._client is client:
                await made.unsubscribe()
        elif self._client is not client:
            self._client = client
            self.made = await client.subscribe(
                self._pattern,
                cb=self._take,
                pending_msgs_limit=self._limit,
                pending_bytes_limit=UNSENT_BYTES,
            )

    async def _take(self, message: Msg) -> None:
        if self._closed:
            return
        try:
            self._receive(message.subject, message.data)
        except Exception:
            _journal.exception("push.receiver_failed", subject=message.subject)


def _subject_of(entry: Message | _NatsSubscription) -> str:
    return entry.subject if isinstance(entry, Message) else ""


def _pause_s(failures: int) -> float:
    """Full jitter, so that the edges of a network do not come back together."""
    return random.uniform(_SHORTEST_PAUSE_S, min(_LONGEST_PAUSE_S, 0.25 * 2.0 ** min(failures, 10)))
