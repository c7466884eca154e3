"""The one line that a plain radio player shows for a row (pure)."""

from __future__ import annotations

from bisect import bisect_right

from radio.log import ItemKind, LogRow
from radio.units import Samples, UtcMs, samples_of


def stream_title(row: LogRow | None, station_name: str) -> str:
    """The ICY StreamTitle of ``row``: artist and title for music, the words for a sponsor, else the title.

    The station's name where nothing is on the air or the row only fills.
    """
    if row is None or row.kind is ItemKind.FILL or not row.title:
        return station_name
    if row.sponsor is not None:
        return f"Supported by {row.sponsor.name}"
    return f"{row.artist} - {row.title}" if row.artist else row.title


class Titles:
    """Which title holds at which sample; remembers the last few rows."""

    def __init__(self, epoch_ms: UtcMs, station_name: str) -> None:
        self._epoch_ms = epoch_ms
        self._name = station_name
        self._starts: list[Samples] = []
        self._rows: list[LogRow] = []

    def add(self, at_ms: UtcMs, row: LogRow) -> None:
        """``row`` is on the air from ``at_ms`` on."""
        self._starts.append(samples_of(at_ms - self._epoch_ms))
        self._rows.append(row)
        if len(self._rows) > 64:
            del self._starts[0], self._rows[0]

    def clock_moved(self, shift_ms: int) -> None:
        """Rows that are added from now on are told in a stream time that is ``shift_ms`` later."""
        self._epoch_ms = UtcMs(self._epoch_ms + shift_ms)

    def at(self, sample: Samples) -> str:
        """The title that holds at ``sample``."""
        index = bisect_right(self._starts, sample) - 1
        return stream_title(self._rows[max(index, 0)] if self._rows else None, self._name)
