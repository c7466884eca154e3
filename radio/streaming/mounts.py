"""All mounts of the service: found by address, with the limits that hold for their listeners together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address

import structlog

from radio.clock import Clock
from radio.errors import NotFound, UnknownMount, UnknownStation, did_you_mean
from radio.parking import ParkingLot
from radio.streaming.listening import HandedListener, Listening, Wish
from radio.streaming.mount import Mount
from radio.streaming.session_log import SessionLog
from radio.streaming.sessions import Sessions
from radio.streaming.stream_heads import StationFace, TooManyListeners

_journal = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ListenerLimits:
    """Bounds on listeners; waiting ones count.

    ``max_backlog_bytes`` is what may lie unsent for one listener before it is dropped; a mount whose burst is
    longer than that allows its burst. ``wait_s`` is how long a listener waits for a stream that stands still.
    ``kernel_buffer_bytes`` bounds what the system keeps for one listener beside that (SO_SNDBUF).
    """

    total: int = 20_000
    per_address: int = 200
    max_backlog_bytes: int = 512 * 1024
    wait_s: float = 5.0
    kernel_buffer_bytes: int = 128 * 1024


class Mounts:
    """The registry that listeners are given: mounts, faces, sessions and room. Used on the loop's thread.

    ``session_log`` takes what was listened to; without one nothing is written.
    """

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        limits: ListenerLimits | None = None,
        session_log: SessionLog | None = None,
    ) -> None:
        self.clock = clock
        self.sessions = sessions
        self.limits = limits or ListenerLimits()
        self.session_log = session_log or SessionLog(None, clock)
        self.parking = ParkingLot()
        self._faces: dict[str, StationFace] = {}
        self._mounts: dict[str, dict[str, Mount]] = {}
        self._occupants: dict[Listening, str] = {}
        self._at_address: Counter[str] = Counter()
        self._closed = False

    def __iter__(self) -> Iterator[Mount]:
        """Every mount, by station in the order added."""
        return (mount for mounts in self._mounts.values() for mount in mounts.values())

    @property
    def occupied(self) -> int:
        """Listeners in all, waiting ones included."""
        return len(self._occupants)

    def add(self, face: StationFace, mount: Mount) -> None:
        """Put a mount up under its station; one of the same name is replaced, its listeners stay with it."""
        self._faces[face.id] = face
        self._mounts.setdefault(face.id, {})[mount.name] = mount
        mount.on_shift = self.sessions.shift

    def find(self, station: str, name: str) -> tuple[StationFace, Mount]:
        """The mount at ``/listen/{station}/{name}``. Raises UnknownStation or UnknownMount."""
        if station not in self._mounts:
            raise UnknownStation(station, self._mounts)
        mount = self._mounts[station].get(name)
        if mount is None:
            known = list(self._mounts[station])
            raise UnknownMount(f"The station {station!r} has no mount {name!r}.{did_you_mean(name, known)}")
        return self._faces[station], mount

    def listeners(self, station: str) -> int:
        """How many are being sent the station's streams now; 0 for an unknown station."""
        return sum(mount.listeners for mount in self._mounts.get(station, {}).values())

    def backlog_limit(self, mount: Mount) -> int:
        """How many bytes may lie unsent for one listener of ``mount``: at least its burst."""
        return max(self.limits.max_backlog_bytes, mount.max_burst_bytes)

    def enter(self, occupant: Listening, address: str) -> None:
        """Give a listener room. Raises TooManyListeners; nothing is kept then."""
        group = address_group(address)
        if self._closed or len(self._occupants) >= self.limits.total:
            raise TooManyListeners(
                "There is no room for another listener now.",
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                retry_after_s=30,
            )
        if self._at_address[group] >= self.limits.per_address:
            raise TooManyListeners(
                f"More than {self.limits.per_address} listeners come from one address.",
                status=HTTPStatus.TOO_MANY_REQUESTS,
                retry_after_s=60,
            )
        self._seat(occupant, group)

    def exit(self, occupant: Listening) -> None:
        """Take a listener's room back; unknown ones are ignored."""
        group = self._occupants.pop(occupant, None)
        if group is None:
            return
        self._at_address[group] -= 1
        if not self._at_address[group]:
            del self._at_address[group]

    def hand_over(self) -> list[HandedListener]:
        """Let go of every listener that is being sent a stream, for another process, and take no more.

        Each has had the same chunks, the newest of its mount included, or has them in ``unsent``. The
        descriptors are the caller's. Who waits for its stream and who is not on a parked socket stays here, until
        :meth:`close`.
        """
        self._closed = True
        for mount in self:
            mount.finish()
        handed = [occupant.handed() for occupant in list(self._occupants)]
        return [listener for listener in handed if listener is not None]

    def adopt(self, handed: Iterable[HandedListener]) -> int:
        """Go on with listeners of another process, or of :meth:`hand_over` where that came to nothing.

        They count for the limits but are never refused. Each is sent its ``unsent`` and then what its mount
        publishes next. One whose mount is not here, or whose socket is gone, is closed. Returns how many go on.
        """
        self._closed = False
        return sum(self._adopted(listener) for listener in handed)

    def close(self) -> None:
        """End every listener's connection and take no more."""
        self._closed = True
        for occupant in list(self._occupants):
            occupant.hang_up()
        self.parking.close()

    def _adopted(self, handed: HandedListener) -> bool:
        wish = Wish(icy=handed.icy, session=handed.session, agent=handed.agent, address=handed.address)
        try:
            _, mount = self.find(handed.station, handed.mount)
            if handed.icy and mount.chunk_bytes is None:
                raise UnknownMount(f"{handed.station}/{handed.mount} has no metadata any more.")
        except NotFound as fault:
            return _not_adopted(handed, fault.message)
        listening = Listening(self, mount, wish)
        self._seat(listening, address_group(handed.address))
        try:
            listening.go_on(handed)
        except (OSError, ValueError) as fault:
            self.exit(listening)
            return _not_adopted(handed, str(fault))
        return listening in self._occupants

    def _seat(self, occupant: Listening, group: str) -> None:
        self._occupants[occupant] = group
        self._at_address[group] += 1


def _not_adopted(handed: HandedListener, reason: str) -> bool:
    _journal.warning("listener_not_adopted", station=handed.station, mount=handed.mount, reason=reason)
    with suppress(OSError):
        os.close(handed.fd)
    return False


def address_group(address: str) -> str:
    """What counts as one address: an IPv4 address, or an IPv6 address's /64, which one user has whole."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    group = str(parsed)
    return address if address == group else group  # one string in memory, not two
