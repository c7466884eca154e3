"""Push for clients that can only ask: ``GET /api/stations/{station}?wait=SECONDS`` is answered when there is news.

The reply's ETag is the client's position, ``"epoch:seq"``. Sent back as ``If-None-Match``, it says what the client has:
the answer comes when the state is newer, or is 304 when the time is up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from aiohttp import web

from radio.api.events_stream import peer_address
from radio.api.replies import OPEN_TO_ALL
from radio.errors import InvalidRequest
from radio.push.channel import Publication
from radio.push.hub import Hub
from radio.push.limits import Admission
from radio.push.messages import Position, ServerMessage

LONGEST_S: Final = 60
_AT_ONCE: Final = 20
_LOOK_S: Final = 1.0
"""How long a client that is gone may keep its place: the web server does not tell a handler that it is."""


class LongPoll:
    """All clients that wait. ``admission`` bounds them, per address and in all; it may be shared with other push."""

    def __init__(
        self,
        hub: Hub,
        *,
        admission: Admission | None = None,
        address_of: Callable[[web.Request], str] = peer_address,
        look_s: float = _LOOK_S,
    ) -> None:
        self._hub = hub
        self._look_s = look_s
        self._timer: asyncio.TimerHandle | None = None
        self._admission = admission or Admission(total=2_000, per_address=64)
        self._address_of = address_of
        self._waiters: set[_Waiter] = set()
        self._woken: deque[_Waiter] = deque()
        self._stopping = False

    def __len__(self) -> int:
        return len(self._waiters)

    def close(self) -> None:
        """Answer everyone now, and let nobody wait any more."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        for waiter in tuple(self._waiters):
            waiter.wake()

    async def handle(self, request: web.Request, station: str) -> web.Response:
        """The state of ``station``, when it is newer than what the request says is known.

        Raises InvalidRequest for a wait that is none, UnknownStation, and LimitReached where too many wait.
        """
        wait_s = _seconds(request.query.get("wait", ""))
        since = known_position(request.headers.get("If-None-Match", ""))
        if since is not None and since == self._hub.position(station):
            await self._wait(request, station, since, wait_s)
        return self._reply(station, since)

    async def _wait(self, request: web.Request, station: str, since: Position, wait_s: float) -> None:
        if not wait_s or self._stopping:
            return
        address = self._address_of(request)
        self._admission.enter(address)
        waiter = _Waiter(self._rouse, request)
        self._waiters.add(waiter)
        self._timer = self._timer or asyncio.get_running_loop().call_later(self._look_s, self._look)
        try:
            self._hub.subscribe(waiter, station, since)
            async with asyncio.timeout(wait_s):
                await waiter.news.wait()
        except TimeoutError:
            pass
        finally:
            self._hub.drop(waiter)
            self._waiters.discard(waiter)
            self._admission.leave(address)

    def _look(self) -> None:
        """Nobody is there to be answered: end the wait."""
        for waiter in self._waiters:
            if waiter.request.transport is None:
                waiter.wake()
        again = self._waiters and not self._stopping
        self._timer = asyncio.get_running_loop().call_later(self._look_s, self._look) if again else None

    def _reply(self, station: str, since: Position | None) -> web.Response:
        position = self._hub.position(station)
        headers = {
            **OPEN_TO_ALL,
            "ETag": f'"{position.epoch}:{position.seq}"',
            "Cache-Control": "no-cache",
            "Access-Control-Expose-Headers": "ETag",
        }
        if since == position:
            return web.Response(status=304, headers=headers)
        return web.Response(body=self._hub.text(station), content_type="application/json", headers=headers)

    def _rouse(self, waiter: _Waiter) -> None:
        """An answer takes some 0.2 ms: a thousand of them must not come in one turn of the loop."""
        self._woken.append(waiter)
        if len(self._woken) == 1:
            asyncio.get_running_loop().call_soon(self._wake_some)

    def _wake_some(self) -> None:
        for _ in range(min(_AT_ONCE, len(self._woken))):
            self._woken.popleft().wake()
        if self._woken:
            asyncio.get_running_loop().call_soon(self._wake_some)


class _Waiter:
    """A subscriber that is told once."""

    lane: Final = None

    def __init__(self, rouse: Callable[[_Waiter], None], request: web.Request) -> None:
        self.request = request
        self.news = asyncio.Event()
        self._rouse: Callable[[_Waiter], None] | None = rouse

    def deliver(self, publication: Publication) -> None:
        """There is news; what it is does not matter, for the answer has the whole state."""
        rouse, self._rouse = self._rouse, None
        if rouse is not None:
            rouse(self)

    def tell(self, message: ServerMessage) -> None:
        """Never called: nothing is said to one waiter alone."""
        raise AssertionError(message)

    def wake(self) -> None:
        """Let it be answered."""
        self.news.set()


def known_position(if_none_match: str) -> Position | None:
    """The position in an ``If-None-Match`` field; None where there is not exactly one that could be ours."""
    tag = if_none_match.strip().removeprefix("W/")
    if len(tag) > 100 or len(tag) < 5 or not (tag[0] == tag[-1] == '"'):
        return None
    epoch, _, seq = tag[1:-1].rpartition(":")
    if not epoch or len(epoch) > 64 or not (seq.isascii() and seq.isdigit() and len(seq) <= 18):
        return None
    return Position(epoch, int(seq))


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= LONGEST_S):
        raise InvalidRequest(
            f"`wait` is {text[:40]!r}.", field="wait", allowed=f"a whole number of seconds, 0 to {LONGEST_S}"
        )
    return int(text)
