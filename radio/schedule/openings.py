"""Where a log may be compiled anew: behind all that playout has taken, or in a bridge it has not reached."""

from __future__ import annotations

from typing import Final

from radio.schedule.moves import LEAST_ROOM_MS, is_bridge
from radio.schedule.station_log import StationLog
from radio.units import UtcMs

MARGIN_MS: Final = 500
"""How far ahead of playout the rows for a bridge that sounds begin; twice as far at each further attempt."""


def next_untaken_ms(log: StationLog, now_ms: int, attempt: int) -> UtcMs:
    """Where an edit takes hold; later at each attempt, where playout is faster than the compiler."""
    start_ms = max(log.frontier_ms, now_ms)
    on_air = log.peek(start_ms)
    if on_air is not None and on_air.starts_at_ms < start_ms:
        start_ms = on_air.ends_at_ms
    for _ in range(attempt):
        later = log.peek(start_ms)
        start_ms = later.ends_at_ms if later else start_ms
    return UtcMs(start_ms)


def open_ms(log: StationLog, now_ms: int, attempt: int) -> UtcMs:
    """The same, or sooner in a bridge that playout has taken."""
    frontier_ms = log.frontier_ms
    bridge = log.peek(frontier_ms - 1)
    if bridge is not None and is_bridge(bridge) and bridge.ends_at_ms == frontier_ms:
        heard_ms = max(log.reached_ms, now_ms)
        start_ms = max(bridge.starts_at_ms, heard_ms + (MARGIN_MS << attempt))
        if bridge.ends_at_ms - start_ms >= LEAST_ROOM_MS:
            return UtcMs(start_ms)
    return next_untaken_ms(log, now_ms, attempt)
