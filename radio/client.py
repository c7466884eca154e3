"""A client of the push protocol: follow stations from Python, through breaks of the connection.

::

    async with PushClient("http://127.0.0.1:8000", ["wxyz"]) as client:
        async for change in client:
            print(change.station, change.state["now"])

After a break it comes back by itself, after a random pause that grows (full jitter), and asks for what it
missed; a change is never seen twice, and where updates were lost a whole state comes instead.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing, suppress
from typing import Any, Self
from uuid import UUID

import aiohttp
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from radio.clock import Clock, SystemClock
from radio.errors import ConnectionFailed, InvalidRequest, NotFound
from radio.push.messages import (
    Error,
    ErrorCode,
    Listen,
    Listening,
    Ping,
    Pong,
    Position,
    ServerMessage,
    Snapshot,
    Subscribe,
    Unsubscribe,
    Update,
    Welcome,
    decode_message,
    encode,
    may_come_back,
)
from radio.push.patch import apply, prune
from radio.units import DurationMs, UtcMs

_MESSAGE_LIMIT_BYTES = 1 << 20
_LIST_LIMIT_BYTES = 1 << 23
_CLOCK_SAMPLES = 8
_STEP_MS = 1000
_MEASURE_EVERY_S = 60.0
_STEADY_S = 10.0
"""A connection that lasted this long was a good one: the pauses begin small again."""
_STATIONS_PER_REQUEST = 16
"""As many as fit into a request of 4096 bytes whatever their names and positions."""
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A station's state after a change, or as it was when the client came.

    ``changed`` names the top-level keys that the change touched; it is empty for a whole state, whose
    ``at_ms`` is None too. A member of ``state`` that is null is missing: read it with ``get``.
    """

    station: str
    state: dict[str, Any]
    epoch: str
    seq: int
    at_ms: UtcMs | None = None
    changed: tuple[str, ...] = ()

    @property
    def is_snapshot(self) -> bool:
        """Whether a whole state came, and not an update."""
        return self.at_ms is None


class Backoff:
    """Pauses between attempts: random between 0 and a bound that doubles from ``base_s`` up to ``cap_s``."""

    def __init__(self, *, base_s: float = 1.0, cap_s: float = 60.0, rng: random.Random | None = None) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._rng = rng or random.Random()
        self.attempts = 0

    def reset(self) -> None:
        """The last attempt worked."""
        self.attempts = 0

    def next_s(self, at_least_s: float = 0.0) -> float:
        """How long to wait before the next attempt; where a server asked for it, so much more, up to the cap."""
        bound_s = min(self._cap_s, self._base_s * 2 ** min(self.attempts, 16))
        self.attempts += 1
        return min(self._cap_s, at_least_s + self._rng.uniform(0, bound_s))


class ClockOffset:
    """How far the server's wall clock is ahead of ours, from the shortest exchange (RFC 5905, 8)."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=_CLOCK_SAMPLES)

    def add(self, sent_ms: UtcMs, received_ms: UtcMs, server_ms: UtcMs) -> None:
        """Take in one exchange: our times of sending and receiving, and the server's time between them."""
        lasted_ms, offset_ms = received_ms - sent_ms, server_ms - (sent_ms + received_ms) / 2
        if abs(offset_ms - self.offset_ms) > _STEP_MS + lasted_ms:
            self._samples.clear()  # one of the clocks was set: what was measured before says nothing
        self._samples.append((lasted_ms, offset_ms))

    @property
    def offset_ms(self) -> DurationMs:
        """To be added to our time to get the server's; 0 before the first exchange."""
        return DurationMs(round(min(self._samples)[1])) if self._samples else DurationMs(0)


class PushClient:
    """Follows ``stations`` at ``base_url``: an async context manager, an async iterator of :class:`Change`.

    ``attempts`` bounds how often in a row a connection is tried (None: without end). Raises :class:`NotFound`
    for an unknown station, :class:`ConnectionFailed` where it gives up.
    """

    def __init__(
        self,
        base_url: str,
        stations: Iterable[str] = (),
        *,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        attempts: int | None = None,
        open_timeout_s: float = 10.0,
    ) -> None:
        scheme, _, rest = base_url.rstrip("/").partition("://")
        if scheme not in ("http", "https") or not rest:
            raise InvalidRequest(
                f"{base_url!r} is no server.", field="base_url", allowed="http://host:port or https://host"
            )
        self._base_url = f"{scheme}://{rest}"
        self._socket_url = f"{'wss' if scheme == 'https' else 'ws'}://{rest}/api/ws"
        self._wanted = dict.fromkeys(stations)
        self._clock: Clock = clock or SystemClock()
        self._backoff = backoff or Backoff()
        self._attempts = attempts
        self._open_timeout_s = open_timeout_s
        self._offset = ClockOffset()
        self._followed: dict[str, Change] = {}
        self._sessions: dict[str, UUID] = {}
        self._stream_times: dict[tuple[str, str], UtcMs] = {}
        self._connection: ClientConnection | None = None
        self._pings: dict[int, UtcMs] = {}
        self._last_id = 0
        self._failures = 0
        self._connected_s = self._measured_s = 0.0
        self._changes: AsyncGenerator[Change, None] | None = None
        self._behind: set[str] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._closed = True
        if self._connection is not None:
            await self._connection.close()
        if self._changes is not None:
            with suppress(RuntimeError):  # another task still waits in it, and is about to see the end
                await self._changes.aclose()

    def __aiter__(self) -> AsyncIterator[Change]:
        if self._changes is None:
            self._changes = self._run()
        return self._changes

    @property
    def offset_ms(self) -> DurationMs:
        """How far the server's clock is ahead of ours."""
        return self._offset.offset_ms

    def server_now_ms(self) -> UtcMs:
        """The present moment by the server's clock."""
        return UtcMs(self._clock.now_ms() + self.offset_ms)

    def states(self) -> dict[str, Change]:
        """What is known of each station."""
        return dict(self._followed)

    def stream_time_ms(self, station: str, session: UUID) -> UtcMs | None:
        """T0 of a listening session, once the server has told it."""
        return self._stream_times.get((station, str(session)))

    async def stations(self) -> list[dict[str, Any]]:
        """The states of all stations, by one ordinary request. Raises :class:`ConnectionFailed`."""
        timeout = aiohttp.ClientTimeout(total=self._open_timeout_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"{self._base_url}/api/stations") as response,
            ):
                response.raise_for_status()
                body = await _bounded(response.content)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionFailed(f"{self._base_url}: {error or type(error).__name__}.") from error
        return _station_list(body)

    async def follow(self, *stations: str) -> None:
        """Follow ``stations`` too."""
        self._wanted.update(dict.fromkeys(stations))
        if self._connection is not None and stations:
            await self._subscribe(stations)

    async def leave(self, *stations: str) -> None:
        """Follow ``stations`` no more."""
        for station in stations:
            self._wanted.pop(station, None)
            self._followed.pop(station, None)
        if self._connection is not None and stations:
            await self._send(Unsubscribe(id=self._next_id(), stations=stations))

    async def listen(self, station: str, session: UUID) -> None:
        """Ask for T0 of the session under which a player listens; see :meth:`stream_time_ms`."""
        self._sessions[station] = session
        if self._connection is not None:
            await self._send(Listen(id=self._next_id(), station=station, session=session))

    async def _run(self) -> AsyncGenerator[Change, None]:
        while not self._closed:
            asked_s = 0.0
            try:
                async with self._connect() as connection, aclosing(self._follow(connection)) as changes:
                    async for change in changes:
                        yield change
            except (OSError, WebSocketException) as error:
                self._raise_if_final(error)
                asked_s = _retry_after_s(error)
            finally:
                self._let_go()
            if not self._closed:
                await self._clock.sleep(self._backoff.next_s(asked_s))

    def _let_go(self) -> None:
        if self._connection is not None and self._clock.monotonic_s() - self._connected_s >= _STEADY_S:
            self._backoff.reset()
        self._connection = None

    def _connect(self) -> connect:
        return connect(
            self._socket_url,
            compression=None,
            open_timeout=self._open_timeout_s,
            max_size=_MESSAGE_LIMIT_BYTES,
        )

    async def _follow(self, connection: ClientConnection) -> AsyncGenerator[Change, None]:
        self._connection = connection
        self._connected_s = self._clock.monotonic_s()
        self._pings.clear()
        self._behind.clear()
        await self._greet()
        async for text in connection:
            received = decode_message(text)
            if received is not None and (change := await self._take(received)) is not None:
                yield change
            if self._clock.monotonic_s() - self._measured_s >= _MEASURE_EVERY_S and not self._pings:
                await self._measure()

    async def _greet(self) -> None:
        await self._subscribe(tuple(self._wanted))
        for station, session in self._sessions.items():
            await self._send(Listen(id=self._next_id(), station=station, session=session))
        await self._measure()

    async def _take(self, message: ServerMessage) -> Change | None:
        match message:
            case Snapshot() if message.station in self._wanted:
                return self._keep(
                    Change(
                        station=message.station,
                        state=prune(message.state),
                        epoch=message.epoch,
                        seq=message.seq,
                    )
                )
            case Update():
                return await self._update(message)
            case Listening():
                self._stream_times[message.station, message.session] = message.stream_time_ms
            case Pong():
                self._failures = 0
                self._note_time(message)
            case Error():
                _raise_error(message)
            case Welcome() | Snapshot():
                pass
        return None

    async def _update(self, update: Update) -> Change | None:
        known = self._followed.get(update.station)
        if known is None or update.seq <= known.seq:
            return None
        if update.seq > known.seq + 1:
            if update.station not in self._behind:
                self._behind.add(update.station)
                await self._subscribe([update.station])
            return None
        return self._keep(
            Change(
                station=update.station,
                state=apply(known.state, update.patch),
                epoch=known.epoch,
                seq=update.seq,
                at_ms=update.at_ms,
                changed=update.changed,
            )
        )

    def _keep(self, change: Change) -> Change:
        self._followed[change.station] = change
        self._behind.discard(change.station)
        return change

    async def _subscribe(self, stations: Sequence[str]) -> None:
        for first in range(0, len(stations), _STATIONS_PER_REQUEST):
            some = tuple(stations[first : first + _STATIONS_PER_REQUEST])
            since = {
                station: Position(known.epoch, known.seq)
                for station in some
                if (known := self._followed.get(station)) is not None
            }
            await self._send(Subscribe(id=self._next_id(), stations=some, since=since))

    async def _measure(self) -> None:
        ping_id = self._next_id()
        self._measured_s = self._clock.monotonic_s()
        self._pings[ping_id] = self._clock.now_ms()
        await self._send(Ping(id=ping_id))

    def _note_time(self, pong: Pong) -> None:
        sent_ms = self._pings.pop(pong.id, None) if pong.id is not None else None
        if sent_ms is not None:
            self._offset.add(sent_ms, self._clock.now_ms(), pong.server_time_ms)

    async def _send(self, message: Subscribe | Unsubscribe | Listen | Ping) -> None:
        if self._connection is not None:
            await self._connection.send(encode(message), text=True)

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _raise_if_final(self, error: Exception) -> None:
        if isinstance(error, ConnectionClosed) and error.rcvd is not None:
            if may_come_back(error.rcvd.code):
                return
            raise ConnectionFailed(f"{self._base_url} closed the connection: {error.rcvd}.") from error
        if isinstance(error, InvalidStatus) and error.response.status_code not in _RETRYABLE:
            raise ConnectionFailed(f"{self._base_url} refuses the connection: {error}.") from error
        self._failures += 1
        if self._attempts is not None and self._failures >= self._attempts:
            raise ConnectionFailed(f"{self._base_url} cannot be reached: {error}.") from error


def _retry_after_s(error: Exception) -> float:
    """How long a server that refused the handshake asks to be left alone (RFC 9110, section 10.2.3), in seconds."""
    said = error.response.headers.get("Retry-After", "") if isinstance(error, InvalidStatus) else ""
    return float(said) if said.isascii() and said.isdigit() and len(said) <= 9 else 0.0


def _raise_error(error: Error) -> None:
    if error.code == ErrorCode.UNKNOWN_STATION:
        raise NotFound(error.message)
    if error.code != ErrorCode.LIMIT_REACHED:
        raise InvalidRequest(error.message)


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for part in content.iter_any():
        body += part
        if len(body) > _LIST_LIMIT_BYTES:
            raise ConnectionFailed("The list of stations does not end.")
    return bytes(body)


def _station_list(body: bytes) -> list[dict[str, Any]]:
    try:
        answer = msgspec.json.decode(body)
        stations = answer["stations"] if isinstance(answer, dict) else answer
        return msgspec.convert(stations, list[dict[str, Any]])
    except (msgspec.DecodeError, KeyError) as error:
        raise ConnectionFailed(f"The list of stations is not understood: {error}.") from error
