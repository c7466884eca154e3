"""One buffer to many connections: shared by all, written to a few of them at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from radio.parking import NO_FILE, Spot, send_all
from radio.streaming.system_copy import system_copy

Write = Callable[[bytes], object]
"""What takes a member's bytes: a :class:`radio.parking.Way`, or in tests any function."""

Later = Callable[[float, Callable[[], None]], object]
"""Runs a function after so many seconds: ``loop.call_later``."""

Now = Callable[[], float]
"""Seconds on the same clock: ``loop.time``."""

TURN: Final = 200
"""Members written to in one turn; 9 to 25 us each, so that a turn takes 2 to 5 ms."""

WORTH_A_COPY: Final = 50
"""Members from which on a buffer is given to the system once, and not by each write: that spares 2 us each."""

_MOST_AT_ONCE: Final = 300

_MAX_WAITING_SENDS: Final = 16


class _Send:
    __slots__ = ("began_s", "buffer", "copy", "done", "others", "over_s", "parked", "size")

    def __init__(self, buffer: bytes, parked: list[Spot], others: list[Write], over_s: float) -> None:
        self.buffer = buffer
        self.copy = system_copy(buffer) if len(parked) >= WORTH_A_COPY else None
        self.parked = parked
        self.others = others
        self.size = len(parked) + len(others)
        self.over_s = over_s
        self.began_s = 0.0
        self.done = 0

    def due(self, at_s: float) -> int:
        """How many members should have it at ``at_s``."""
        gone = (at_s - self.began_s) / self.over_s if self.over_s > 0 else 1.0
        return int(self.size * min(1.0, gone))


class FanOut:
    """The members of one kind (with or without ICY metadata) and what is on its way to them.

    A send reaches members in the order in which they came, ``turn`` at a time, the turns spread evenly over the
    time that the sender allows. So each member has its own place within the second, and the loop is free in
    between. Every member gets the buffers in the order sent, beginning with the first one sent after it was
    added. What is late by ``now`` (the loop was busy, or an earlier send is not done) goes out without a pause and up
    to 300 members in a turn; of more than 16 sends that wait, the oldest is finished at once.
    """

    def __init__(self, later: Later, now: Now | None = None, turn: int = TURN) -> None:
        self._later = later
        self._now = now
        self._turn = turn
        self._parked: dict[object, Spot] = {}
        self._others: dict[object, Write] = {}
        self._sends: deque[_Send] = deque()
        self._left: set[Write] = set()
        self._scheduled = False

    def __len__(self) -> int:
        return len(self._parked) + len(self._others)

    def add(self, member: object, way: Write) -> None:
        """Let ``member`` have what is sent from now on. A ``way`` serves one member, once."""
        if isinstance(way, Spot):
            self._parked[member] = way
        else:
            self._others[member] = way

    def discard(self, member: object) -> bool:
        """Write no more to ``member``; True if it was one."""
        way = self._parked.pop(member, None) or self._others.pop(member, None)
        if way is not None and self._sends:
            self._left.add(way)
        return way is not None

    def send(self, buffer: bytes, *, over_s: float = 0.0) -> int:
        """Write ``buffer`` to every member, to the first few at once, to all within about ``over_s`` seconds.

        Returns the number of members.
        """
        send = _Send(buffer, list(self._parked.values()), list(self._others.values()), over_s)
        if send.size:
            send.began_s = self._now() if self._now is not None else 0.0
            idle = not self._sends
            self._sends.append(send)
            while len(self._sends) > _MAX_WAITING_SENDS:
                self._deliver(self._sends[0].size)
            if idle:
                self._deliver(self._turn)
                self._schedule()
        return send.size

    def finish(self) -> None:
        """Write everything that is on its way now."""
        while self._sends:
            self._deliver(self._sends[0].size)

    def _schedule(self) -> None:
        if self._sends and not self._scheduled:
            self._scheduled = True
            first = self._sends[0]
            pause_s = first.over_s / -(-first.size // self._turn)
            behind = len(self._sends) > 1 or not first.done or self._overdue(first) > 0
            self._later(0.0 if behind else pause_s, self._take_turn)

    def _take_turn(self) -> None:
        self._scheduled = False
        if self._sends:
            late = min(self._overdue(self._sends[0]), _MOST_AT_ONCE)
            self._deliver(max(self._turn, late))
            self._schedule()

    def _overdue(self, send: _Send) -> int:
        return 0 if self._now is None else send.due(self._now()) - send.done

    def _deliver(self, count: int) -> None:
        send = self._sends[0]
        start, send.done = send.done, send.done + count
        parked = send.parked[start : send.done]
        first = len(send.parked)
        others = send.others[max(0, start - first) : max(0, send.done - first)]
        if send.done >= send.size:
            self._sends.popleft()
        if self._left:
            parked = [way for way in parked if way not in self._left]
            others = [way for way in others if way not in self._left]
            if not self._sends:
                self._left.clear()
        send_all(parked, send.buffer, send.copy.fd if send.copy else NO_FILE)
        for way in others:
            way(send.buffer)
