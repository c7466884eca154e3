"""All mounts of the service: found by address, with the limits that hold for their listeners together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Protocol

from radio.clock import Clock
from radio.errors import UnknownMount, UnknownStation, did_you_mean
from radio.streaming.mount import Mount
from radio.streaming.sessions import Sessions
from radio.streaming.stream_heads import StationFace, TooManyListeners


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


class Occupant(Protocol):
    """A connection that :meth:`Mounts.close` can end."""

    def hang_up(self) -> None:
        """Close the connection at once."""


class Mounts:
    """The registry that listeners are given: mounts, faces, sessions and room. Used on the loop's thread."""

    def __init__(self, clock: Clock, sessions: Sessions, limits: ListenerLimits | None = None) -> None:
        self.clock = clock
        self.sessions = sessions
        self.limits = limits or ListenerLimits()
        self._faces: dict[str, StationFace] = {}
        self._mounts: dict[str, dict[str, Mount]] = {}
        self._occupants: dict[Occupant, str] = {}
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

    def enter(self, occupant: Occupant, address: str) -> None:
        """Give a connection room. Raises TooManyListeners; nothing is kept then."""
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
        self._occupants[occupant] = group
        self._at_address[group] += 1

    def exit(self, occupant: Occupant) -> None:
        """Take a connection's room back; unknown ones are ignored."""
        group = self._occupants.pop(occupant, None)
        if group is None:
            return
        self._at_address[group] -= 1
        if not self._at_address[group]:
            del self._at_address[group]

    def close(self) -> None:
        """End every listener's connection and take no more."""
        self._closed = True
        for occupant in list(self._occupants):
            occupant.hang_up()


def address_group(address: str) -> str:
    """What counts as one address: an IPv4 address, or an IPv6 address's /64, which one user has whole."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
