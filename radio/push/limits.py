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


class Allowance:
    """A token bucket: ``burst`` messages at once, refilled evenly over ``period_s`` seconds."""

    __slots__ = ("_at_s", "_burst", "_rate", "tokens")

    def __init__(self, burst: int, period_s: float, now_s: float) -> None:
        self._burst = float(burst)
        self._rate = burst / period_s
        self._at_s = now_s
        self.tokens = float(burst)

    def spend(self, now_s: float) -> bool:
        """Take one token; False where none was left. The debt grows down to another ``-burst``."""
        self.tokens = min(self._burst, self.tokens + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        allowed = self.tokens >= 1
        self.tokens = max(self.tokens - 1, -self._burst)
        return allowed

    @property
    def abused(self) -> bool:
        """Whether a whole further burst was sent after the allowance was spent."""
        return self.tokens <= -self._burst + 1
