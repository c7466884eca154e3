"""Who follows one station, in cohorts, and what each cohort has not been sent yet.

A publication goes round all cohorts, one after the other, so that the event loop is never held for long. Whatever is
published while it goes round is joined to it for the cohorts that are still to come: one send of several frames. So
a burst costs little more than a single publication, and nothing ever waits for company.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from radio.push.channel import Publication
from radio.push.sessions import Group, Lane, Subscriber

COHORT: Final = 400
"""Subscribers that are written to without a break: about four milliseconds."""

LOG_BYTES: Final = 1 << 20


class Batch:
    """Consecutive publications of one station, sent in one piece."""

    __slots__ = ("_forms", "publications")

    def __init__(self, publications: Sequence[Publication]) -> None:
        self.publications = publications
        self._forms: dict[Callable[[Publication], bytes], bytes] = {}

    def form(self, build: Callable[[Publication], bytes]) -> bytes:
        """The forms of all publications (:meth:`Publication.form`) as one buffer, joined once."""
        if len(self.publications) == 1:
            return self.publications[0].form(build)
        if build not in self._forms:
            self._forms[build] = b"".join(publication.form(build) for publication in self.publications)
        return self._forms[build]


class _Cohort:
    __slots__ = ("cursor", "group", "joined", "lane", "members", "roomy", "waits")

    def __init__(self, lane: Lane | None, cursor: int) -> None:
        self.lane = lane
        self.group: Group | None = None if lane is None else lane.group()
        self.members: list[Subscriber] = []
        self.cursor = cursor
        # Members that have had more than the cohort, and up to where.
        self.joined: dict[Subscriber, int] | None = None
        self.roomy = True
        self.waits = False

    def add(self, subscriber: Subscriber) -> None:
        self.members.append(subscriber)
        if self.group is not None:
            self.group.add(subscriber)

    def discard(self, subscriber: Subscriber) -> None:
        self.members.remove(subscriber)
        if self.group is not None:
            self.group.discard(subscriber)
        if self.joined is not None:
            self.joined.pop(subscriber, None)


class Audience:
    """The subscribers of one station.

    ``snapshot`` gives the station's state now: it takes the place of everything that some have not been sent once
    that is more than ``log_bytes``. ``on_fault`` is told of a subscriber that raised, within the ``except`` block.
    """

    def __init__(
        self,
        snapshot: Callable[[], Publication],
        on_fault: Callable[[Subscriber], None],
        *,
        log_bytes: int = LOG_BYTES,
    ) -> None:
        self._snapshot = snapshot
        self._on_fault = on_fault
        self._log_limit = log_bytes
        self._log: deque[Publication] = deque()
        self._log_size = 0
        self._first = 0
        self._places: dict[Subscriber, _Cohort] = {}
        self._cohorts: dict[_Cohort, None] = {}
        self._roomy: dict[Lane | None, list[_Cohort]] = {}
        # In the order of their cursors, because all that are not in it have had everything.
        self._lagging: deque[_Cohort] = deque()
        self._batches: dict[int, Batch] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, subscriber: Subscriber) -> bool:
        return subscriber in self._places

    @property
    def is_served(self) -> bool:
        """Whether everyone was sent everything."""
        return not self._lagging

    def add(self, subscriber: Subscriber) -> None:
        """``subscriber`` gets what is published from now on; one that is here already loses what was on its way."""
        cohort = self._places.get(subscriber)
        if cohort is None:
            cohort = self._places[subscriber] = self._roomy_cohort(subscriber.lane)
            cohort.add(subscriber)
            self._cohorts[cohort] = None
        if cohort.cursor < self._head:
            cohort.joined = cohort.joined or {}
            cohort.joined[subscriber] = self._head

    def discard(self, subscriber: Subscriber) -> None:
        """Send nothing more to ``subscriber``; nothing where it is unknown."""
        cohort = self._places.pop(subscriber, None)
        if cohort is None:
            return
        cohort.discard(subscriber)
        if not cohort.members:
            del self._cohorts[cohort]
        if not cohort.roomy:
            cohort.roomy = True
            self._roomy.setdefault(cohort.lane, []).append(cohort)

    def publish(self, publication: Publication) -> None:
        """Let ``publication``, which the station's state holds already, go round."""
        if not self._places:
            return
        if self._log_size + len(publication.payload) > self._log_limit and self._log:
            self._first = self._head
            self._log.clear()
            self._log_size = 0
            publication = self._snapshot()
        at_rest = self._head
        self._log.append(publication)
        self._log_size += len(publication.payload)
        self._batches.clear()
        for cohort in self._cohorts:
            if not cohort.waits:
                cohort.waits, cohort.cursor = True, at_rest
                self._lagging.append(cohort)

    def turn(self) -> int:
        """Serve a cohort, or several that are not more than :data:`COHORT` subscribers; how much was delivered."""
        left, delivered = COHORT, 0
        while self._lagging and (left == COHORT or len(self._lagging[0].members) <= left):
            cohort = self._lagging.popleft()
            left -= max(1, len(cohort.members))
            delivered += self._serve(cohort)
        self._trim()
        return delivered

    @property
    def _head(self) -> int:
        return self._first + len(self._log)

    def _roomy_cohort(self, lane: Lane | None) -> _Cohort:
        roomy = self._roomy.setdefault(lane, [])
        while roomy:
            cohort = roomy[-1]
            if len(cohort.members) < COHORT:
                cohort.cursor = cohort.cursor if cohort.waits else self._head
                return cohort
            roomy.pop().roomy = False
        cohort = _Cohort(lane, self._head)
        roomy.append(cohort)
        return cohort

    def _serve(self, cohort: _Cohort) -> int:
        cohort.waits = False
        cursor, cohort.cursor = max(cohort.cursor, self._first), self._head
        joined, cohort.joined = cohort.joined, None
        batch = self._batch(cursor)
        if not joined:
            number = len(cohort.members)
            if cohort.group is not None:
                cohort.group.send(batch)
            else:
                self._send(None, tuple(cohort.members), batch)
            return number * len(batch.publications)
        old = tuple(member for member in cohort.members if member not in joined)
        self._send(cohort.lane, old, batch)
        delivered = len(old) * len(batch.publications)
        for member, since in joined.items():
            late = self._batch(max(since, self._first))
            if late.publications and member in self._places:
                self._send(cohort.lane, (member,), late)
                delivered += len(late.publications)
        return delivered

    def _batch(self, cursor: int) -> Batch:
        if cursor not in self._batches:
            start = cursor - self._first
            self._batches[cursor] = Batch([p for number, p in enumerate(self._log) if number >= start])
        return self._batches[cursor]

    def _send(self, lane: Lane | None, members: tuple[Subscriber, ...], batch: Batch) -> None:
        if lane is not None:
            lane.send(members, batch)
            return
        for member in members:
            try:
                for publication in batch.publications:
                    member.deliver(publication)
            except Exception:
                self._on_fault(member)

    def _trim(self) -> None:
        needed = self._lagging[0].cursor if self._lagging else self._head
        while self._first < needed and self._log:
            self._log_size -= len(self._log.popleft().payload)
            self._first += 1
        if not self._log:
            self._batches.clear()
