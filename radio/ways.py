"""What a connection that is mostly written to looks like from both ends; :mod:`radio.parking` has the two kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


class Member(Protocol):
    """Whom a connection belongs to."""

    def heard(self, data: bytes) -> None:
        """The peer said something."""

    def gone(self, *, behind: bool) -> None:
        """The connection has ended, by the peer or because it was too far behind. Told once, and not to who closes."""


@runtime_checkable
class PatientMember(Member, Protocol):
    """One that keeps what it has for a slow peer itself, gives nothing to a busy way, and wants to be told."""

    def room(self) -> None:
        """The way is busy no more."""


class Way(Protocol):
    """How bytes get to one peer, with a bounded backlog; callable, so that it is a function that writes."""

    def __call__(self, buffer: bytes) -> None:
        """Send ``buffer`` after all that was sent before. It must not change any more."""

    def write_all(self, buffers: Sequence[bytes]) -> None:
        """Send several buffers in order, in one call of the system where it takes them."""

    def close(self, last: bytes = b"") -> None:
        """End the connection; ``last`` is still sent as far as the system takes it, a backlog is not."""

    def end(self) -> None:
        """End our side, with nothing unsent; the peer is still heard (RFC 9293, a half-closed connection)."""

    @property
    def sent(self) -> int:
        """Bytes that the system has taken."""

    @property
    def unsent_bytes(self) -> int:
        """Bytes that wait."""

    @property
    def busy(self) -> bool:
        """Whether the peer is slow: more would have to wait."""
