"""A row on its way to the air and over it, as the engine sees it."""

from __future__ import annotations

from concurrent.futures import Future
from typing import NamedTuple

import msgspec

from radio.audio.mixer import Voice
from radio.audio.pcm import PcmSource
from radio.log import LogRow, Outcome
from radio.playout.loader import OpenDeck
from radio.units import Samples, samples_of


class Stop(NamedTuple):
    """Why a row ends before its time."""

    outcome: Outcome
    cause: str


class CuedRow(msgspec.Struct):
    """A row that was taken from the log, and what became of it.

    ``fault`` says why the bed sounds in its place, ``sounded_until`` up to which sample its own sound was heard
    then. ``stop`` says why it ends at ``ends_at`` and not as planned.
    """

    row: LogRow
    deck: Future[OpenDeck] | None
    seek_ms: int
    starts_at: Samples
    ends_at: Samples
    fade_in: Samples
    started: bool = False
    fault: str = ""
    sounded_until: Samples | None = None
    stop: Stop | None = None

    def voice(self, source: PcmSource) -> Voice:
        """The row as a voice; fades are clipped to what is left of a row that is joined in progress."""
        length = self.ends_at - self.starts_at
        tail = samples_of(self.row.overlap_ms)
        return Voice(
            source=source,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            fade_in=Samples(min(self.fade_in, length)),
            fade_out=Samples(0 if tail else min(samples_of(self.row.fade_out_ms), length)),
            tail=tail,
        )

    def ended(self) -> Stop:
        """As what the row ends, and why."""
        cause = "; ".join(part for part in (self.stop.cause if self.stop else "", self.fault) if part)
        if self.sounded_until == self.starts_at:
            return Stop(Outcome.MISSED, cause)
        if self.stop is not None:
            return Stop(self.stop.outcome, cause)
        return Stop(Outcome.TRUNCATED, cause) if cause else Stop(Outcome.AIRED, "as planned")

    def discard(self) -> None:
        """The row does not come on the air: its file is closed as soon as it is open."""
        if self.deck is not None:
            self.deck.add_done_callback(_close)

    def plays_as(self, row: LogRow) -> bool:
        """Whether the deck that was opened for this row can play ``row`` from its start."""
        mine = self.row
        same = (mine.id, mine.item, mine.cue_in_ms, mine.gain_db)
        return self.seek_ms == 0 and same == (row.id, row.item, row.cue_in_ms, row.gain_db)


def _close(opened: Future[OpenDeck]) -> None:
    if not opened.cancelled() and opened.exception() is None:
        opened.result().close()
