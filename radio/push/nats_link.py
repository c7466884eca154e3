"""One connection to one NATS server, from its first byte to its end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from nats import errors as nats_errors
from nats.aio.client import Client
from nats.aio.subscription import Subscription

from radio.errors import ConfigurationError
from radio.push.nats_login import Login

CONNECT_S: Final = 2
"""How long one step of connecting may take."""

PING_S: Final = 5.0
"""How often the server is asked for a sign of life, and how long it has to answer."""

CLOSE_S: Final = 0.5
"""How long a connection may take to end in good order."""

UNSENT_BYTES: Final = 4 << 20
"""What may lie in the client for the server, or for one subscription's receiver."""


class Connection:
    """One client and its end. ``reason`` is what was wrong last."""

    def __init__(self, on_dropped: Callable[[Subscription], None]) -> None:
        self.client = Client()
        self.lost = asyncio.Event()
        self.reason = ""
        self._on_dropped = on_dropped

    async def open(self, server: str, login: Login, name: str) -> None:
        """Raises ConfigurationError where the server refuses us, OSError where it cannot be reached."""
        try:
            async with asyncio.timeout(2 * CONNECT_S):
                await self.client.connect(
                    [server],
                    name=name,
                    error_cb=self._on_error,
                    closed_cb=self._on_closed,
                    allow_reconnect=False,
                    connect_timeout=CONNECT_S,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    pending_size=UNSENT_BYTES,
                    user=login.user,
                    password=login.password,
                    token=login.token,
                    user_credentials=login.creds,
                )
        except ssl.SSLCertVerificationError as fault:
            problem = f"the certificate of {shown(server)} is not good: {fault.verify_message}"
            raise ConfigurationError(problem, key="bus.url") from fault
        except nats_errors.Error as fault:
            said = str(fault)
            if "authorization" in said.lower() or "authentication" in said.lower():
                problem = f"the NATS server at {shown(server)} refuses the service's login"
                raise ConfigurationError(problem, key="bus.credentials") from fault
            raise OSError(self.reason or said) from fault
        except TimeoutError as fault:
            raise OSError("no NATS server answers there") from fault

    async def until_lost(self) -> None:
        """Return when the connection has ended, or the server gives no sign of life.

        The client would wait for ever for a server that is frozen with unread data: it wants to write before it closes.
        """
        while not self.lost.is_set():
            try:
                async with asyncio.timeout(PING_S):
                    await self.lost.wait()
            except TimeoutError:
                pass
            else:
                return
            try:
                async with asyncio.timeout(PING_S):
                    await self.client.flush()
            except (TimeoutError, nats_errors.Error):
                self.reason = self.reason or "the server does not answer any more"
                return

    async def close(self) -> None:
        """End the connection, whatever it is still doing."""
        transport = self.client._transport
        with suppress(Exception):
            async with asyncio.timeout(CLOSE_S):
                await self.client.close()
        writer = getattr(transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()

    async def _on_error(self, fault: Exception) -> None:
        if isinstance(fault, nats_errors.SlowConsumerError):
            self._on_dropped(fault.sub)
        else:
            self.reason = str(fault) or type(fault).__name__

    async def _on_closed(self) -> None:
        if self.client.last_error is not None:
            self.reason = str(self.client.last_error)
        self.lost.set()


def shown(server: str) -> str:
    """The host and port of a server's address."""
    return server.rpartition("://")[2].rpartition("@")[2]
