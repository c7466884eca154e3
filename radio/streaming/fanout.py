"""One buffer to many connections: shared by all, written to a slice of them per turn of the loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

Write = Callable[[bytes], object]
Later = Callable[[Callable[[], None]], object]

TURN: Final = 250
"""Members written to in one turn; 20 to 35 us each, so that a turn stays below 10 ms."""

_MAX_WAITING_SENDS: Final = 4


class FanOut:
    """The members of one kind (with or without ICY metadata) and what is on its way to them.

    ``later`` runs a callable on the next turn of the loop (``loop.call_soon``). Every member gets the buffers
    in the order sent, beginning with the first one sent after it was added. At most four sends wait for their
    turns; with one more, the oldest is finished at once.
    """

    def __init__(self, later: Later, turn: int = TURN) -> None:
        self._later = later
        self._turn = turn
        self._writes: dict[object, Write] = {}
        self._sends: deque[tuple[bytes, list[tuple[object, Write]]]] = deque()

    def __len__(self) -> int:
        return len(self._writes)

    def add(self, member: object, write: Write) -> None:
        """Let ``member`` have what is sent from now on."""
        self._writes[member] = write

    def discard(self, member: object) -> bool:
        """Write no more to ``member``; True if it was one."""
        return self._writes.pop(member, None) is not None

    def send(self, buffer: bytes) -> int:
        """Write ``buffer`` to every member, the first slice at once; the number of members."""
        if len(self._writes) <= self._turn and not self._sends:
            _write_all(list(self._writes.values()), buffer)
            return len(self._writes)
        idle = not self._sends
        self._sends.append((buffer, list(self._writes.items())))
        while len(self._sends) > _MAX_WAITING_SENDS:
            self._take_slice(len(self._sends[0][1]))
        if idle:
            self._take_turn()
        return len(self._writes)

    def _take_turn(self) -> None:
        if self._sends:
            self._take_slice(self._turn)
        if self._sends:
            self._later(self._take_turn)

    def _take_slice(self, size: int) -> None:
        buffer, waiting = self._sends[0]
        still_here = self._writes
        _write_all([write for member, write in waiting[-size:] if member in still_here], buffer)
        del waiting[-size:]
        if not waiting:
            self._sends.popleft()


def _write_all(writes: list[Write], buffer: bytes) -> None:
    for write in writes:
        try:
            write(buffer)
        except RuntimeError:
            # uvloop says so of a transport that is closed already; its connection_lost takes the member out.
            continue
