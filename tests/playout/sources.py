"""Sources and loaders with known sound, for tests of playout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from radio.audio.pcm import Pcm
from radio.errors import AudioError
from radio.log import ItemKind, LogRow
from radio.units import DurationMs, UtcMs, samples_of

EPOCH_MS = UtcMs(1_800_000_000_000)


class Steady:
    """A source that holds one value for a known number of samples; remembers whether it was closed."""

    def __init__(self, value: float, samples: int, failed: str | None = None) -> None:
        self.value = value
        self.left = samples
        self.failed = failed
        self.closed = False

    def read(self, n: int) -> Pcm:
        n = min(n, self.left)
        self.left -= n
        return np.full((n, 2), self.value, dtype=np.float32)

    def close(self) -> None:
        self.closed = True


class StudioLoader:
    """A loader whose decks are made by ``sound(row)``: the value that the row's item holds, or an error."""

    def __init__(self, sound: Callable[[LogRow], Any]) -> None:
        self.sound = sound
        self.opened: list[tuple[str, int]] = []
        self.decks: list[Steady] = []
        self.never: set[str] = set()

    def open(self, row: LogRow, seek_ms: int) -> Future[Any]:
        self.opened.append((row.id, seek_ms))
        future: Future[Any] = Future()
        made = self.sound(row)
        if row.id in self.never:
            return future
        if isinstance(made, AudioError):
            future.set_exception(made)
        else:
            length = samples_of(row.duration_ms + row.overlap_ms - seek_ms)
            deck = Steady(made, length) if isinstance(made, float | int) else made
            self.decks.append(deck)
            future.set_result(deck)
        return future

    def close(self) -> None:
        return


class ListLog:
    """A log view over a list of rows; remembers which were taken."""

    def __init__(self, rows: Sequence[LogRow]) -> None:
        self.rows = list(rows)
        self.taken: list[str] = []

    def row_at(self, at_ms: int) -> LogRow | None:
        return self._take(lambda row: row.starts_at_ms <= at_ms < row.ends_at_ms)

    def row_after(self, row: LogRow) -> LogRow | None:
        return self._take(lambda other: other.starts_at_ms == row.ends_at_ms)

    def _take(self, fits: Callable[[LogRow], bool]) -> LogRow | None:
        found = next(filter(fits, self.rows), None)
        if found:
            self.taken.append(found.id)
        return found


def row(id_: str, starts_ms: int, length_ms: int, kind: ItemKind = ItemKind.SPEECH, **more: Any) -> LogRow:
    """A row that starts ``starts_ms`` after the epoch."""
    starts = UtcMs(EPOCH_MS + starts_ms)
    fields: dict[str, Any] = {"title": id_.title(), "item": f"item-{id_}", "reason": "test", **more}
    fields["overlap_ms"] = DurationMs(more.get("overlap_ms", 0))
    return LogRow(
        id=id_, station="wxyz", starts_at_ms=starts, ends_at_ms=UtcMs(starts + length_ms), kind=kind, **fields
    )
