"""How much of the service one client may take: connections, and messages over time."""

from __future__ import annotations

from radio.errors import LimitReached


class Admission:
    """Counts connections: at most ``total`` in all and ``per_address`` of one network address."""

    def __init__(self, *, total: int = 20_000, per_address: int = 256) -> None:
        self._total = total
        self._per_address = per_address
        self._addresses: dict[str, int] = {}
        self.connections = 0

    def enter(self, address: str) -> None:
        """Count one more connection of ``address``. Raises :class:`LimitReached`, and then counts nothing."""
        if self.connections >= self._total:
            raise LimitReached("The server has all the connections it can take; try again later.")
        if self._addresses.get(address, 0) >= self._per_address:
            raise LimitReached("This address has all the connections it may have.")
        self.connections += 1
        self._addresses[address] = self._addresses.get(address, 0) + 1

    def leave(self, address: str) -> None:
        """Count one connection of ``address`` less."""
        self.connections -= 1
        left = self._addresses.pop(address) - 1
        if left:
            self._addresses[address] = left


class Rate:
    """How fast a client may send: ``burst`` messages at once, and as many again over ``period_s`` seconds.

    A client's account is one number, the moment at which it will be even (0.0 for a new one): the generic cell rate
    algorithm (ITU-T I.371, annex A).
    """

    __slots__ = ("_each_s", "_period_s")

    def __init__(self, burst: int, period_s: float) -> None:
        self._each_s = period_s / burst
        self._period_s = period_s

    def spend(self, even_s: float, now_s: float) -> float:
        """The account after one more message. The debt grows to two bursts and no further."""
        return min(max(even_s, now_s) + self._each_s, now_s + 2 * self._period_s)

    def allows(self, even_s: float, now_s: float) -> bool:
        """Whether the message that was spent last was within the rate."""
        return even_s - now_s < self._period_s + self._each_s / 2

    def abused(self, even_s: float, now_s: float) -> bool:
        """Whether a whole further burst was sent after the first was spent."""
        return even_s - now_s > 2 * self._period_s - 1.5 * self._each_s
