"""Whether a station can be heard: decided from bytes, decoded sound and its level, never from metadata (pure)."""

from __future__ import annotations

from typing import Final

import msgspec

from radio.events import Availability
from radio.units import UtcMs

STALLED_AFTER_MS: Final = 3_000
"""Without a chunk for this long a station is off the air; chunks are a second apart."""

STARTING_FOR_MS: Final = 15_000


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a station's output, at ``at_ms``.

    ``bytes_at_ms`` is when the newest chunk came, None before the first; ``silent_ms`` how long the sound has
    been under the silence threshold; ``on_bed`` whether the built-in bed stands in, and ``fault`` why.
    """

    at_ms: UtcMs
    started_at_ms: UtcMs
    enabled: bool = True
    bytes_at_ms: UtcMs | None = None
    silent_ms: int = 0
    silence_after_ms: int = 10_000
    on_bed: bool = False
    fault: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A station's availability, since when, and why where it is not simply on the air."""

    status: Availability
    since_ms: UtcMs
    reason: str | None = None


def assess(before: Status | None, signs: Signs) -> Status:
    """The status that ``signs`` show; ``since_ms`` stays while the status stays."""
    status, reason = _verdict(signs)
    since_ms = before.since_ms if before and before.status is status else signs.at_ms
    return Status(status=status, since_ms=since_ms, reason=reason)


def _verdict(signs: Signs) -> tuple[Availability, str | None]:
    if not signs.enabled:
        return Availability.OFF_AIR, "The station is switched off in the configuration."
    if signs.bytes_at_ms is None:
        if signs.at_ms - signs.started_at_ms <= STARTING_FOR_MS:
            return Availability.STARTING, None
        return Availability.OFF_AIR, "No sound has been made since the start."
    if signs.at_ms - signs.bytes_at_ms > STALLED_AFTER_MS:
        return Availability.OFF_AIR, "The stream has stopped."
    if signs.silent_ms >= signs.silence_after_ms:
        return Availability.SILENT, "The output is silent."
    if signs.on_bed:
        return Availability.DEGRADED, signs.fault or "Nothing can be played; the bed stands in."
    return Availability.ON_AIR, None
