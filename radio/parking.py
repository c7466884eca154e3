"""Parked sockets: connections that are mostly written to, kept without a transport of the event loop.

A parked socket is a bare descriptor in one epoll set, which the loop watches as a single reader (epoll(7)). One
buffer goes to many of them by :func:`send_all`, a tight loop of ``write(2)``. Nothing is copied and nothing queued
unless the system takes less than the whole; only then is there a backlog, of references to the shared buffers.

Where there is no epoll, for TLS, and while something of an earlier answer is unsent, the connection stays with its
transport and goes by :class:`~radio.carrier.Carrier`: the same interface, :class:`~radio.ways.Way`.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final

from radio.bay import LOST, Bay
from radio.carrier import Carrier as Carrier
from radio.ways import Member as Member
from radio.ways import PatientMember
from radio.ways import Way as Way

HAS_EPOLL: Final = hasattr(select, "epoll")

_READ_BYTES: Final = 16 * 1024
_EVENTS: Final = 64  # read in one turn of the loop; what is left comes in the next
_BUFFERS_PER_WRITE: Final = 64
_CLOSED: Final = -1
NO_FILE: Final = -1

_IDLE: Final = select.EPOLLIN | select.EPOLLRDHUP if HAS_EPOLL else 0
_BUSY: Final = _IDLE | select.EPOLLOUT if HAS_EPOLL else 0


class Spot:
    """One parked socket, the faster :class:`Way`. Made by :class:`ParkingLot`."""

    __slots__ = ("_lot", "_sent", "_unsent", "_unsent_bytes", "bays", "fd", "limit", "member")

    def __init__(self, lot: ParkingLot, fd: int, member: Member, limit: int) -> None:
        self._lot = lot
        self.member = member
        self.limit = limit
        self._unsent: deque[bytes | memoryview] | None = None
        self._unsent_bytes = 0
        self.fd = fd
        self._sent = 0
        self.bays: tuple[Bay, ...] = ()

    def __call__(self, buffer: bytes) -> None:
        send_all((self,), buffer)

    @property
    def sent(self) -> int:
        return self._sent + sum(bay.sent for bay in self.bays if not self.busy)

    @property
    def unsent_bytes(self) -> int:
        return self._unsent_bytes

    @property
    def busy(self) -> bool:
        return self._unsent is not None

    def count(self, taken: int) -> None:
        """A bay's side: so many bytes more are sent."""
        self._sent += taken

    def took(self, taken: int, buffer: bytes) -> None:
        """A bay's side: only ``taken`` bytes of ``buffer`` went out, or the connection is lost."""
        if taken == LOST:
            self._lose()
        else:
            self._sent += taken
            self._keep(memoryview(buffer)[taken:] if taken else buffer)

    def end(self) -> None:
        self._with_socket(lambda connection: connection.shutdown(socket.SHUT_WR))

    def hold_at_most(self, kernel_bytes: int) -> None:
        """Bound what the system holds for a peer that does not read (socket(7), SO_SNDBUF)."""
        self._with_socket(lambda each: each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, kernel_bytes))

    def _with_socket(self, act: Callable[[socket.socket], object]) -> None:
        if self.fd == _CLOSED:
            return
        # family and kind are given so that the system is not asked; what is done here does not depend on them
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=self.fd)
        with suppress(OSError):
            act(connection)
        connection.detach()

    def write_all(self, buffers: Sequence[bytes]) -> None:
        if self._unsent is not None or len(buffers) > _BUFFERS_PER_WRITE:
            for buffer in buffers:
                self(buffer)
            return
        taken = self._written(buffers)
        for buffer in buffers:
            if taken < len(buffer):
                self._keep(memoryview(buffer)[taken:] if taken else buffer)
            taken = max(0, taken - len(buffer))

    def close(self, last: bytes = b"") -> None:
        if last and self._unsent is None:
            self._written([last])
        self._lot.leave(self)

    def _written(self, buffers: Sequence[bytes | memoryview]) -> int:
        try:
            taken = os.writev(self.fd, buffers)
        except BlockingIOError:
            return 0
        except OSError:
            self._lose()
            return 0
        self._sent += taken
        return taken

    def _keep(self, rest: bytes | memoryview) -> None:
        if self.fd == _CLOSED:
            return
        if self._unsent is None:
            for bay in self.bays:
                bay.held(self)
            self._unsent = deque()
            self._lot.watch(self, _BUSY)
        self._unsent.append(rest)
        self._unsent_bytes += len(rest)
        if self._unsent_bytes > self.limit:
            self._lose(behind=True)

    def _flush(self) -> None:
        unsent = self._unsent
        if unsent is None:
            return
        taken = self._written(list(islice(unsent, _BUFFERS_PER_WRITE)))
        self._unsent_bytes -= taken
        while taken:
            first = unsent.popleft()
            if len(first) > taken:
                unsent.appendleft(memoryview(first)[taken:])
            taken = max(0, taken - len(first))
        if not unsent and self.fd != _CLOSED:
            self._unsent = None
            for bay in self.bays:
                bay.freed(self)
            self._lot.watch(self, _IDLE)
            if isinstance(self.member, PatientMember):
                self.member.room()

    def _read(self) -> None:
        try:
            data = os.read(self.fd, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.member.heard(data)
        else:
            self._lose()

    def _lose(self, *, behind: bool = False) -> None:
        if self.fd != _CLOSED:
            self._lot.leave(self)
            self.member.gone(behind=behind)

    def released(self) -> tuple[int, bytes]:
        """Take the socket out, open: its descriptor, now the caller's, and a copy of what is unsent."""
        fd, unsent = self.fd, b"".join(self._unsent or ())
        self._lot.leave(self, close=False)
        return fd, unsent

    def happened(self, events: int) -> None:
        """What epoll says of the socket. Anything but room to write is found out by reading."""
        if events & select.EPOLLOUT:
            self._flush()
        if events & ~select.EPOLLOUT and self.fd != _CLOSED:
            self._read()

    def forget(self) -> None:
        """The lot has let go of it: nothing is written to its descriptor, which may soon be another's."""
        for bay in self.bays:
            bay.discard(self)
        self.fd = _CLOSED
        self._unsent = None
        self._unsent_bytes = 0


def send_all(spots: Iterable[Spot], buffer: bytes, file: int = NO_FILE) -> None:
    """Write one shared buffer to many parked sockets; those that do not take it whole keep the rest.

    ``file`` is a descriptor of a file that holds the same bytes; sockets are then sent that (sendfile(2)).
    """
    for spot in send_idle(spots, buffer, file):
        spot._keep(buffer)


def send_idle(spots: Iterable[Spot], buffer: bytes, file: int = NO_FILE) -> list[Spot]:
    """As :func:`send_all`, but those that are busy already get nothing: they are returned."""
    size = len(buffer)
    write = os.write
    busy = []
    for spot in spots:
        if spot._unsent is not None:
            busy.append(spot)
            continue
        try:
            taken = write(spot.fd, buffer) if file < 0 else os.sendfile(spot.fd, file, 0, size)
        except BlockingIOError:
            taken = 0
        except OSError:
            spot._lose()
            continue
        spot._sent += taken
        if taken != size:
            spot._keep(memoryview(buffer)[taken:] if taken else buffer)
    return busy


class _Nobody(asyncio.Protocol):
    """The protocol of a transport whose socket is parked."""


_NOBODY: Final = _Nobody()


class ParkingLot:
    """The parked sockets of one event loop, on whose thread all is called. Costs nothing until one is parked.

    With ``use_epoll`` off, and where the system has none, every connection stays with its transport.
    """

    def __init__(self, *, use_epoll: bool = HAS_EPOLL) -> None:
        self._use_epoll = use_epoll and HAS_EPOLL
        self._epoll: Any = None
        self._stop_watching: Callable[[], object] = lambda: None
        self._spots: dict[int, Spot] = {}

    def __len__(self) -> int:
        return len(self._spots)

    def park(self, transport: asyncio.Transport, member: Member, *, limit: int) -> Way:
        """Take a connection over from its transport's protocol; ``limit`` bounds its backlog in bytes.

        The transport is not to be used any more. Nothing that the peer sends is lost; a protocol that was told
        of bytes has them. It is not told of a lost connection: ``member`` is.
        """
        fd = _duplicate(transport) if self._use_epoll else None
        if fd is None:
            return Carrier(transport, member, limit)
        try:
            spot = self.adopt(fd, member, limit=limit)
        except OSError:
            os.close(fd)
            return Carrier(transport, member, limit)
        transport.set_protocol(_NOBODY)
        transport.abort()  # neither loop shuts a socket down; it closes its descriptor, and ours stays
        return spot

    def adopt(self, fd: int, member: Member, *, limit: int) -> Spot:
        """Park a socket, which the lot then owns. Raises OSError, and owns nothing, for what is no socket."""
        if not self._use_epoll:
            raise OSError("sockets cannot be parked here")
        if self._epoll is None:
            self._open()
        os.set_blocking(fd, False)
        self._epoll.register(fd, _IDLE)
        spot = self._spots[fd] = Spot(self, fd, member, limit)
        return spot

    def watch(self, spot: Spot, events: int) -> None:
        """What the lot is to be told of one of its sockets."""
        self._epoll.modify(spot.fd, events)

    def leave(self, spot: Spot, *, close: bool = True) -> None:
        """Let go of a socket, and close it or leave it open."""
        fd = spot.fd
        if self._spots.pop(fd, None) is None:
            return
        spot.forget()
        self._epoll.unregister(fd)
        if close:
            os.close(fd)

    def close(self) -> None:
        """Close every socket that is left. Their members are not told."""
        for spot in list(self._spots.values()):
            self.leave(spot)
        if self._epoll is not None:
            self._stop_watching()
            self._epoll.close()
            self._epoll = None

    def _open(self) -> None:
        loop = asyncio.get_running_loop()
        epoll = self._epoll = select.epoll()
        loop.add_reader(epoll.fileno(), self._take_events)
        self._stop_watching = lambda: loop.remove_reader(epoll.fileno())

    def _take_events(self) -> None:
        for fd, events in self._epoll.poll(0, _EVENTS):
            spot = self._spots.get(fd)
            if spot is not None:
                spot.happened(events)
            if self._epoll is None:
                return


def _duplicate(transport: asyncio.Transport) -> int | None:
    """A descriptor of the transport's socket, or None where it cannot be parked."""
    connection = transport.get_extra_info("socket")
    secure = transport.get_extra_info("sslcontext") is not None
    if connection is None or secure:
        return None
    if transport.is_closing() or transport.get_write_buffer_size():
        return None
    try:
        return os.dup(connection.fileno())
    except OSError:
        return None


def raise_descriptor_limit() -> int:
    """Let this process open as many files and sockets as the system allows it to; how many that is.

    Without it most systems stop a service at 1,024 (getrlimit(2), RLIMIT_NOFILE). 0 where there is no such limit.
    """
    try:
        import resource
    except ImportError:
        return 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
