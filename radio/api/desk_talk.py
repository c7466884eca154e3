"""One operator at a desk: signs in, watches stations, is told of them, and leaves. It knows a connection of
``websockets`` and nothing of how that came to be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection
from typing import Final, NoReturn, Protocol

import msgspec
import structlog
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from radio.api.desk_feed import DeskFeed
from radio.api.desk_messages import (
    DESK_PROTOCOL,
    DeskCloseCode,
    DeskError,
    DeskErrorCode,
    DeskMessage,
    DeskPing,
    DeskPong,
    DeskRequest,
    DeskWelcome,
    SignIn,
    decode_desk_request,
    encode_frame,
)
from radio.api.desk_outbox import Note, Outbox
from radio.clock import Clock
from radio.errors import Forbidden, LimitReached, RadioError, StoreError, UnknownStation
from radio.push.limits import Rate
from radio.push.messages import BadFrame
from radio.store.operators import Operator

_journal = structlog.get_logger(__name__)

_UNSUPPORTED: Final = 1003
_BROKEN: Final = 1011


class DeskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on the desks of a service. ``desks`` are signed in, ``waiting`` have not said yet who they are.

    A desk signs in within ``sign_in_s``, takes what it is sent within ``patience_s``, and is asked for a sign of life
    each ``ping_s``. Its token is looked at again each ``recheck_s``.
    """

    desks: int = 50
    waiting: int = 50
    sign_in_s: float = 5.0
    patience_s: float = 30.0
    recheck_s: float = 20.0
    ping_s: float = 25.0
    close_s: float = 2.0
    bad_requests: int = 10
    frames_burst: int = 60
    frames_period_s: float = 30.0
    write_buffer_bytes: int = 32 * 1024
    kernel_buffer_bytes: int = 64 * 1024


class Desks(Protocol):
    """What a talk needs of the service."""

    feed: DeskFeed
    clock: Clock
    limits: DeskLimits
    rate: Rate
    stations: Collection[str]

    async def operator_of(self, token: str) -> Operator | None:
        """Whose token it is. Raises StoreError."""

    def seat(self, talk: DeskTalk) -> None:
        """Give an operator a place. Raises LimitReached."""

    async def prepare(self, stations: Collection[str]) -> None:
        """Learn what must be known of stations before they are looked at."""

    def watching_changed(self) -> None:
        """Somebody watches other stations than before."""


class Over(Exception):
    """The talk ends with this close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class DeskTalk:
    """Runs from the end of the handshake to that of the connection. ``token`` came with the handshake, if any did."""

    def __init__(self, desks: Desks, connection: ServerConnection, token: str | None) -> None:
        self._desks = desks
        self.connection = connection
        self._token = token or ""
        self._stirred = asyncio.Event()
        self._outbox = Outbox(desks.feed.snapshot, self._stirred.set)
        self._bad = 0
        self._even_s = 0.0
        self.operator: Operator | None = None

    @property
    def waiting(self) -> int:
        """How many frames wait until the desk takes what it was sent."""
        return len(self._outbox)

    def tell(self, note: Note) -> None:
        """Keep ``note`` for the desk; the feed's side."""
        self._outbox.tell(note)

    async def run(self) -> None:
        """Talk until one side has had enough; the connection is closed then."""
        try:
            await self._sign_in()
            await self._together(self._listen(), self._write(), self._recheck())
        except Over as over:
            await self._close(over.code, over.reason)
        except ConnectionClosed:
            pass
        except Exception:
            _journal.exception("desk_failed")
            await self._close(_BROKEN, "something went wrong here")
        finally:
            self._desks.feed.leave(self)
            self._desks.watching_changed()
            self.connection.transport.abort()

    async def _together(self, *parts: Awaitable[None]) -> None:
        """Run all parts until the first of them ends, and raise what it raised."""
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(self._desks.limits.close_s):
                await self.connection.close(code, reason)
        except TimeoutError:
            pass

    # Signing in

    async def _sign_in(self) -> None:
        token = self._token
        if not token:
            try:
                async with asyncio.timeout(self._desks.limits.sign_in_s):
                    token = await self._token_said()
            except TimeoutError:
                raise Over(DeskCloseCode.SIGN_IN_LATE, "nobody signed in") from None
        operator = await self._operator_of(token)
        if operator is None:
            _refuse("the token is not known")
        self._token, self.operator = token, operator
        try:
            self._desks.seat(self)
        except LimitReached as limit:
            raise Over(DeskCloseCode.FULL, limit.message) from None
        _journal.info("desk_signed_in", operator=operator.name)
        await self._say(self._welcome(operator))

    async def _token_said(self) -> str:
        try:
            said = decode_desk_request(await self._heard())
        except BadFrame:
            _refuse("sign in first")
        if not isinstance(said, SignIn):
            _refuse("sign in first")
        return said.token

    async def _operator_of(self, token: str) -> Operator | None:
        try:
            return await self._desks.operator_of(token)
        except StoreError:
            raise Over(DeskCloseCode.SIGN_IN_LATE, "the database cannot be asked; come back") from None

    def _welcome(self, operator: Operator) -> DeskWelcome:
        stations = [station for station in sorted(self._desks.stations) if operator.covers(station)]
        return DeskWelcome(
            protocol=DESK_PROTOCOL,
            server_time_ms=self._desks.clock.now_ms(),
            heartbeat_s=self._desks.limits.ping_s,
            name=operator.name,
            role=operator.role.value,
            stations=stations,
        )

    async def _recheck(self) -> None:
        """A token that was revoked, or has other rights now, ends the talk. A database that is away ends nothing."""
        while True:
            await self._desks.clock.sleep(self._desks.limits.recheck_s)
            try:
                operator = await self._desks.operator_of(self._token)
            except StoreError:
                continue
            if operator is None:
                _refuse("the token is no longer valid")
            if operator != self.operator:
                raise Over(DeskCloseCode.RIGHTS_CHANGED, "the rights of this token have changed")

    # What the desk says

    async def _listen(self) -> None:
        while True:
            text = await self._heard()
            self._check_rate()
            try:
                answer = await self._answer(decode_desk_request(text))
            except BadFrame as bad:
                self._bad += 1
                if self._bad >= self._desks.limits.bad_requests:
                    raise Over(DeskCloseCode.BAD_REQUESTS, "these requests cannot be understood") from None
                error = bad.answer
                answer = DeskError(id=error.id, code=error.code, message=error.message)
            if answer is not None:
                await self._say(answer)

    async def _heard(self) -> str:
        message = await self.connection.recv()
        if isinstance(message, str):
            return message
        raise Over(_UNSUPPORTED, "send JSON text")

    def _check_rate(self) -> None:
        now_s, rate = self._desks.clock.monotonic_s(), self._desks.rate
        self._even_s = rate.spend(self._even_s, now_s)
        if not rate.allows(self._even_s, now_s):
            raise Over(DeskCloseCode.TOO_FAST, "too many frames")

    async def _answer(self, request: DeskRequest) -> DeskMessage | None:
        if isinstance(request, DeskPing):
            return DeskPong(id=request.id, server_time_ms=self._desks.clock.now_ms())
        if isinstance(request, SignIn):
            return DeskError(code=DeskErrorCode.INVALID_REQUEST, message="You are signed in already.")
        try:
            self._check_stations(request.stations)
        except RadioError as fault:
            return DeskError(id=request.id, code=fault.code, message=fault.message)
        await self._desks.prepare(request.stations)
        self._desks.feed.watch(self, request.stations)
        self._outbox.watch(frozenset(request.stations), levels=request.levels, request_id=request.id)
        self._desks.watching_changed()
        return None

    def _check_stations(self, stations: Collection[str]) -> None:
        assert self.operator is not None
        for station in stations:
            if station not in self._desks.stations:
                raise UnknownStation(station, filter(self.operator.covers, self._desks.stations))
            if not self.operator.covers(station):
                raise Forbidden(f"This token does not cover the station {station!r}.")

    # What the desk is told

    async def _write(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            while (frame := self._outbox.take()) is not None:
                await self._send(frame)

    async def _say(self, message: DeskMessage) -> None:
        await self._send(encode_frame(message))

    async def _send(self, frame: bytes) -> None:
        try:
            async with asyncio.timeout(self._desks.limits.patience_s):
                await self.connection.send(frame, text=True)
        except TimeoutError:
            raise Over(DeskCloseCode.TOO_SLOW, "what was sent was not taken") from None


def _refuse(reason: str) -> NoReturn:
    raise Over(DeskCloseCode.NOT_SIGNED_IN, reason)
