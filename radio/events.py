"""News that travels upwards: what happened on the air, as frozen values.

Calls go down (a station asks playout to skip); news comes up through a callback that takes one of these.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from radio.log import LogRow, Outcome
from radio.units import DurationMs, UtcMs


class RowCued(msgspec.Struct, frozen=True, tag="row_cued"):
    """A row's file was opened and will be on the air; written to the as-run log before its first sample."""

    row: LogRow
    at_ms: UtcMs


class RowStarted(msgspec.Struct, frozen=True, tag="row_started"):
    """A row's first sample enters the stream at ``at_ms`` (stream time: the moment at which it is heard)."""

    row: LogRow
    at_ms: UtcMs


class RowEnded(msgspec.Struct, frozen=True, tag="row_ended"):
    """A row left the air at ``at_ms`` after ``played_ms`` of its own sound, and why it ended so."""

    row: LogRow
    at_ms: UtcMs
    played_ms: DurationMs
    outcome: Outcome
    cause: str


class FallbackStarted(msgspec.Struct, frozen=True, tag="fallback_started"):
    """A row's file cannot be played: the bed sounds in its place from ``at_ms`` on."""

    row: LogRow
    at_ms: UtcMs
    reason: str


PlayoutEvent = RowCued | RowStarted | RowEnded | FallbackStarted


class Availability(StrEnum):
    """Whether a station can be heard, decided from bytes, decoded sound and its level."""

    STARTING = "starting"
    ON_AIR = "on_air"
    DEGRADED = "degraded"
    SILENT = "silent"
    OFF_AIR = "off_air"
