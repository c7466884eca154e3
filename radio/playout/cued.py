"""A row on its way to the air and over it, as the engine sees it."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Final, NamedTuple

import msgspec
import structlog

from radio.audio.mixer import Voice
from radio.audio.pcm import PcmSource
from radio.errors import AudioError, RadioError
from radio.log import Anchor, ItemKind, LogRow, Outcome
from radio.playout.loader import OpenDeck
from radio.schedule.laying import is_over_intro
from radio.units import Samples, samples_of

_journal = structlog.get_logger(__name__)

LATE_MS: Final = 50
"""An anchored row that begins later than this past its window is late."""


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

    @property
    def is_over_intro(self) -> bool:
        """Whether the row's end is an ident that is to be heard over the next row's intro."""
        return is_over_intro(self.row) and self.stop is None

    def take_deck(self, patience_s: float) -> OpenDeck | None:
        """The open deck, waited for up to ``patience_s``; None where there is none, and ``fault`` says why."""
        if self.deck is None:
            return None
        try:
            return self.deck.result(timeout=patience_s)
        except FutureTimeout:
            self.discard()
            self.fault = f"its file was not open after {patience_s} s"
        except AudioError as fault:
            # the reason alone: it is shown to the public, and where the file lies is nobody's business
            self.fault = fault.reason
        except RadioError as fault:
            self.fault = fault.message
        except Exception as fault:
            _journal.exception("deck_failed", station=self.row.station, row=self.row.id)
            self.fault = f"{type(fault).__name__} while it was opened"
        self.sounded_until = self.starts_at
        return None

    def voice(self, source: PcmSource, under: Voice | None = None) -> Voice:
        """The row as a voice; fades are clipped to what is left of a row that is joined in progress.

        An ident is never faded at its end. ``under`` is one that is heard over the row's start.
        """
        length = self.ends_at - self.starts_at
        tail = samples_of(self.row.overlap_ms)
        return Voice(
            source=source,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            fade_in=Samples(min(self.fade_in, length)),
            fade_out=Samples(0 if tail else min(samples_of(self.row.fade_out_ms), length)),
            tail=tail,
            held=self.row.kind is ItemKind.IDENT,
            under=under,
        )

    def ended(self) -> Stop:
        """As what the row ends, and why."""
        cause = "; ".join(part for part in (self.stop.cause if self.stop else "", self.fault) if part)
        if self.sounded_until == self.starts_at:
            return Stop(Outcome.MISSED, cause)
        if self.stop is not None:
            return Stop(self.stop.outcome, cause)
        if cause:
            return Stop(Outcome.TRUNCATED, cause)
        late_ms = self._late_ms()
        if late_ms > LATE_MS:
            return Stop(Outcome.LATE, f"{late_ms / 1000:.1f} s after its time")
        return Stop(Outcome.AIRED, "as planned")

    def _late_ms(self) -> int:
        """How far past its window an anchored row began."""
        row = self.row
        if row.anchor is Anchor.FLOAT:
            return 0
        due_ms = row.starts_at_ms if row.due_ms is None else row.due_ms
        began_ms = row.starts_at_ms + self.seek_ms
        return 0 if began_ms - due_ms <= row.anchor_window_ms else began_ms - due_ms

    def discard(self) -> None:
        """The row does not come on the air: its file is closed as soon as it is open."""
        if self.deck is not None:
            discarded(self.deck)


def discarded(deck: Future[OpenDeck]) -> None:
    """Nobody will play this deck: it is closed as soon as it is open."""
    deck.add_done_callback(_close)


def _close(opened: Future[OpenDeck]) -> None:
    if not opened.cancelled() and opened.exception() is None:
        opened.result().close()
