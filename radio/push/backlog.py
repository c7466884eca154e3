"""What waits for one slow subscriber: bounded, and given up for fresh snapshots when it grows too long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from radio.push.channel import Kind, Publication


class Backlog:
    """Publications that a transport cannot take yet, at most ``limit_bytes`` of them.

    Past the bound all of it is dropped and the stations concerned are *behind*: nothing more is kept for
    anybody until the transport drains, and then each station behind is met with one fresh snapshot. So a
    subscriber sees every update in order, or a snapshot that stands for those it lost; never a part.
    ``behind_since_s`` is the monotonic moment since which it has been behind, None where it is not.
    """

    __slots__ = ("_behind", "_limit_bytes", "_queue", "_size", "behind_since_s")

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._queue: deque[Publication] = deque()
        self._size = 0
        self._behind: dict[str, int | None] = {}
        self.behind_since_s: float | None = None

    def __bool__(self) -> bool:
        return bool(self._queue or self._behind)

    @property
    def size_bytes(self) -> int:
        """The length of what waits; the bytes themselves are shared with all other subscribers."""
        return self._size

    def put(self, publication: Publication, now_s: float) -> bool:
        """Keep ``publication`` for later. True where this made the subscriber fall behind."""
        if self._behind:
            self._fall_behind(publication)
            return False
        self._queue.append(publication)
        self._size += len(publication.payload)
        if self._size <= self._limit_bytes:
            return False
        for waiting in self._queue:
            self._fall_behind(waiting)
        self._queue.clear()
        self._size = 0
        self.behind_since_s = now_s
        return True

    def take(self, snapshot: Callable[[str, int | None], Publication | None]) -> Publication | None:
        """What to send next, or None where the subscriber has caught up.

        ``snapshot(station, request_id)`` gives a station's state as it is now; None for a station that the
        subscriber no longer wants.
        """
        if self._queue:
            publication = self._queue.popleft()
            self._size -= len(publication.payload)
            return publication
        while self._behind:
            station, request_id = next(iter(self._behind.items()))
            del self._behind[station]
            if (fresh := snapshot(station, request_id)) is not None:
                return fresh
        self.behind_since_s = None
        return None

    def _fall_behind(self, publication: Publication) -> None:
        # The answer to a request must carry its id, even if the answer itself was dropped.
        if publication.kind is Kind.SNAPSHOT and publication.request_id is not None:
            self._behind[publication.station] = publication.request_id
        else:
            self._behind.setdefault(publication.station, None)
