"""Parked sockets that are sent the same again and again, kept as bare descriptors next to each other.

What a socket costs beside the system's ``write`` is mostly memory that has to be fetched: the objects that stand for
it. A :class:`Bay` touches none of them, as long as the socket takes everything.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from typing import Final, Protocol

from radio.ways import Member

LOST: Final = -1
"""In place of a number of bytes: the connection is broken."""


class Tenant(Protocol):
    """A socket that can stand in bays. It tells each of ``bays`` when it becomes busy or free, and leaves them before
    it is closed."""

    fd: int
    member: Member
    bays: tuple[Bay, ...]

    @property
    def busy(self) -> bool:
        """Whether it keeps something unsent, so that nothing may be written to its descriptor."""

    def count(self, taken: int) -> None:
        """So many bytes more have gone to the system; fewer, where it is negative."""

    def took(self, taken: int, buffer: bytes) -> None:
        """Only ``taken`` bytes of ``buffer`` were taken, or :data:`LOST`."""


class Bay:
    """Sockets that are sent the same. Adding and removing one costs time in proportion to their number.

    ``sent`` is how many bytes went to each of those that were free all the time since the bay was made.
    """

    __slots__ = ("_busy", "_fds", "_free", "sent")

    def __init__(self) -> None:
        self._fds = array("i")
        # in the order of their descriptors in _fds
        self._free: list[Tenant] = []
        self._busy: dict[Tenant, None] = {}
        self.sent = 0

    def __len__(self) -> int:
        return len(self._free) + len(self._busy)

    def __iter__(self) -> Iterator[Tenant]:
        return iter([*self._free, *self._busy])

    def add(self, tenant: Tenant) -> None:
        """Send to ``tenant``, too, which is not here yet."""
        tenant.bays = (*tenant.bays, self)
        self._busy[tenant] = None
        if not tenant.busy:
            self.freed(tenant)

    def discard(self, tenant: Tenant) -> None:
        """Send to ``tenant`` no more; nothing where it is not here."""
        if self in tenant.bays:
            self.held(tenant)
            del self._busy[tenant]
            tenant.bays = tuple(bay for bay in tenant.bays if bay is not self)

    def held(self, tenant: Tenant) -> None:
        """``tenant`` is busy."""
        if tenant not in self._busy:
            place = self._free.index(tenant)
            fd, last = self._fds.pop(), self._free.pop()
            if last is not tenant:
                self._fds[place], self._free[place] = fd, last
            self._busy[tenant] = None
            tenant.count(self.sent)

    def freed(self, tenant: Tenant) -> None:
        """``tenant`` is busy no more."""
        del self._busy[tenant]
        self._fds.append(tenant.fd)
        self._free.append(tenant)
        tenant.count(-self.sent)

    def send(self, buffer: bytes) -> list[Tenant]:
        """Write ``buffer`` to each that is free; the others are returned."""
        size, write, busy = len(buffer), os.write, list(self._busy)
        short: list[tuple[int, int]] = []
        for fd in self._fds:
            try:
                taken = write(fd, buffer)
            except BlockingIOError:
                taken = 0
            except OSError:
                taken = LOST
            if taken != size:
                short.append((fd, taken))
        self.sent += size
        if short:
            self._look(short, buffer)
        return busy

    def _look(self, short: list[tuple[int, int]], buffer: bytes) -> None:
        # all are looked up first: what one does now may take others out
        for tenant, taken in [(self._free[self._fds.index(fd)], taken) for fd, taken in short]:
            tenant.count(-len(buffer))
            tenant.took(taken, buffer)
