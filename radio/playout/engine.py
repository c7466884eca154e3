"""Turns the log into sound: which row sounds at which sample. No thread, no socket, no clock.

The engine lives on an absolute sample axis that starts at ``epoch_ms`` (stream time). A row's place on it is
computed from its log time alone, so nothing drifts: what the log says is what is heard, to the sample. The
rows that the engine takes are the very rows that "Next Up" shows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Protocol

import msgspec
import structlog

from radio.audio.bed import Bed
from radio.audio.decode import Deck
from radio.audio.mixer import Mixer, Voice
from radio.audio.pcm import Pcm, PcmSource
from radio.errors import AudioError, RadioError
from radio.events import FallbackStarted, PlayoutEvent, RowCued, RowEnded, RowStarted
from radio.log import ItemKind, LogRow, Outcome
from radio.playout.loader import Loader
from radio.units import SAMPLES_PER_MS, DurationMs, Samples, UtcMs, samples_of

_journal = structlog.get_logger(__name__)

CUE_AHEAD = samples_of(6_000)
"""How long before its first sample a row is taken from the log and its file opened."""

SHORTFALL = samples_of(500)
"""A file may end this much before its row without the bed coming in."""

JOIN_FADE = samples_of(40)
BED_FADE = samples_of(250)


class LogView(Protocol):
    """What playout sees of the log. Taking a row marks it: no edit changes it any more. Thread-safe."""

    def row_at(self, at_ms: int) -> LogRow | None:
        """The row that holds this moment; None where nothing is compiled for it."""

    def row_after(self, row: LogRow) -> LogRow | None:
        """The row that starts when ``row`` ends; None where nothing is compiled for that moment."""


class CuedRow(msgspec.Struct):
    """A row on its way to the air, and what became of it."""

    row: LogRow
    deck: Future[Deck] | None
    starts_at: Samples
    ends_at: Samples
    fade_in: Samples
    started: bool = False
    fault: str = ""
    sounded_until: Samples | None = None


class Engine:
    """Renders a station's log as PCM, block by block, and tells what happens as events.

    ``patience_s`` bounds how long a due row may wait for its file before the bed sounds in its place; it must
    be shorter than the lead with which the stream is encoded.
    """

    def __init__(
        self,
        log: LogView,
        loader: Loader,
        *,
        epoch_ms: UtcMs,
        station: str,
        on_event: Callable[[PlayoutEvent], None],
        bed: Callable[[], PcmSource] = Bed,
        patience_s: float = 0.8,
    ) -> None:
        self._log = log
        self._loader = loader
        self._epoch_ms = epoch_ms
        self._station = station
        self._emit = on_event
        self._bed = bed
        self._patience_s = patience_s
        self._mixer = Mixer()
        self._cued: deque[CuedRow] = deque()
        self._last: LogRow | None = None
        self._hole_until = Samples(0)
        self._owners: dict[Voice, CuedRow] = {}
        self.on_air: LogRow | None = None
        self.on_bed = False

    @property
    def position(self) -> Samples:
        """How many samples were rendered since the epoch."""
        return self._mixer.position

    @property
    def now_ms(self) -> UtcMs:
        """Stream time of the next sample."""
        return UtcMs(self._epoch_ms + self.position // SAMPLES_PER_MS)

    def render(self, samples: int) -> Pcm:
        """The next ``samples`` of the station's sound, shape (samples, 2); always that many."""
        until = self.position + samples
        self._cue(Samples(until + CUE_AHEAD))
        self._start_due(Samples(until))
        block = self._mixer.render(samples)
        self._replace_dry()
        self._end_past()
        return block

    def close(self) -> None:
        """Close every file; the rows on the air are reported as truncated."""
        for cued in self._cued:
            if cued.started:
                self._report_end(cued, self.position, "the station stopped")
            elif cued.deck is not None:
                cued.deck.add_done_callback(_close_deck)
        self._cued.clear()
        self._mixer.close()
        self._loader.close()

    def _cue(self, until: Samples) -> None:
        while not self._cued or self._cued[-1].ends_at < until:
            row = self._next_row()
            if row is None:
                return
            self._cued.append(self._cue_row(row))
            self._last = row

    def _next_row(self) -> LogRow | None:
        """The row after the last one, or the one that holds the present where that chain is broken."""
        row = self._log.row_after(self._last) if self._last else None
        if row is None and (self._last is None or self._sample_of(self._last.ends_at_ms) <= self.position):
            row = self._log.row_at(self.now_ms)
        return row if row is None or self._sample_of(row.ends_at_ms) > self.position else None

    def _cue_row(self, row: LogRow) -> CuedRow:
        starts_at = max(self._sample_of(row.starts_at_ms), self.position)
        seek_ms = max(0, self._epoch_ms + starts_at // SAMPLES_PER_MS - row.starts_at_ms)
        deck = self._loader.open(row, seek_ms) if row.item is not None else None
        return CuedRow(
            row=row,
            deck=deck,
            starts_at=starts_at,
            ends_at=self._sample_of(row.ends_at_ms),
            fade_in=JOIN_FADE if seek_ms else self._fade_in_of(row),
        )

    def _fade_in_of(self, row: LogRow) -> Samples:
        """Music comes in beneath music; everything else starts at its full level."""
        before = self._last
        if before and before.kind is ItemKind.MUSIC and row.kind is ItemKind.MUSIC:
            return samples_of(before.overlap_ms)
        return Samples(0)

    def _sample_of(self, at_ms: int) -> Samples:
        return samples_of(at_ms - self._epoch_ms)

    def _start_due(self, until: Samples) -> None:
        for cued in self._cued:
            if cued.starts_at >= until:
                return
            if not cued.started:
                self._start(cued)
        if not any(cued.starts_at <= self.position < cued.ends_at for cued in self._cued):
            self._fill_hole(until)

    def _start(self, cued: CuedRow) -> None:
        cued.started = True
        self.on_air = cued.row
        at_ms = UtcMs(self._epoch_ms + cued.starts_at // SAMPLES_PER_MS)
        self._emit(RowCued(cued.row, at_ms))
        self._emit(RowStarted(cued.row, at_ms))
        if self._hole_until > cued.starts_at:
            self._mixer.cut_from(cued.starts_at, BED_FADE)
            self._hole_until = cued.starts_at
        source = self._take_deck(cued)
        if source is None:
            self._sound_bed(cued, cued.starts_at)
            return
        self.on_bed = False
        voice = _voice(cued, source)
        self._owners[voice] = cued
        self._mixer.add(voice)

    def _take_deck(self, cued: CuedRow) -> Deck | None:
        if cued.deck is None:
            return None
        try:
            return cued.deck.result(timeout=self._patience_s)
        except FutureTimeout:
            cued.deck.add_done_callback(_close_deck)
            cued.fault = f"its file was not open after {self._patience_s} s"
        except AudioError as fault:
            # the reason alone: it is shown to the public, and where the file lies is nobody's business
            cued.fault = fault.reason
        except RadioError as fault:
            cued.fault = fault.message
        except Exception as fault:
            _journal.exception("deck_failed", station=self._station, row=cued.row.id)
            cued.fault = f"{type(fault).__name__} while it was opened"
        cued.sounded_until = cued.starts_at
        return None

    def _sound_bed(self, cued: CuedRow, starts_at: Samples) -> None:
        self.on_bed = True
        self._add_bed(starts_at, cued.ends_at)
        if cued.fault:
            at_ms = UtcMs(self._epoch_ms + starts_at // SAMPLES_PER_MS)
            self._emit(FallbackStarted(cued.row, at_ms, cued.fault))

    def _fill_hole(self, until: Samples) -> None:
        """Nothing is compiled for this moment: the bed sounds until the log goes on."""
        later = self.position + samples_of(2_000)
        following = next((cued.starts_at for cued in self._cued if cued.starts_at > self.position), later)
        self.on_air = None
        self.on_bed = True
        if self._hole_until <= self.position:
            self._hole_until = Samples(max(until, min(following, later)))
            self._add_bed(self.position, self._hole_until)

    def _add_bed(self, starts_at: Samples, ends_at: Samples) -> None:
        fade_in = Samples(min(BED_FADE, ends_at - starts_at))
        self._mixer.add(
            Voice(source=self._bed(), starts_at=starts_at, ends_at=ends_at, fade_in=fade_in, tail=BED_FADE)
        )

    def _replace_dry(self) -> None:
        for voice, at in self._mixer.take_dry():
            cued = self._owners.pop(voice, None)
            if cued is None or cued.ends_at - at <= SHORTFALL:
                continue
            failed: str | None = getattr(voice.source, "failed", None)
            short_s = (cued.ends_at - at) / SAMPLES_PER_MS / 1000
            cued.fault = failed or f"its sound ended {short_s:.1f} s early"
            cued.sounded_until = at
            self._sound_bed(cued, max(at, self.position))

    def _end_past(self) -> None:
        while self._cued and self._cued[0].started and self._cued[0].ends_at <= self.position:
            cued = self._cued.popleft()
            self._owners = {voice: owner for voice, owner in self._owners.items() if owner is not cued}
            self._report_end(cued, cued.ends_at, "")

    def _report_end(self, cued: CuedRow, ended_at: Samples, stopped: str) -> None:
        sounded = ended_at if cued.sounded_until is None else cued.sounded_until
        self._emit(
            RowEnded(
                cued.row,
                UtcMs(self._epoch_ms + ended_at // SAMPLES_PER_MS),
                DurationMs(max(0, sounded - cued.starts_at) // SAMPLES_PER_MS),
                _outcome(cued, stopped),
                cued.fault or stopped or "as planned",
            )
        )


def _voice(cued: CuedRow, source: PcmSource) -> Voice:
    """The row as a voice; fades are clipped to what is left of a row that is joined in progress."""
    length = cued.ends_at - cued.starts_at
    tail = samples_of(cued.row.overlap_ms)
    return Voice(
        source=source,
        starts_at=cued.starts_at,
        ends_at=cued.ends_at,
        fade_in=Samples(min(cued.fade_in, length)),
        fade_out=Samples(0 if tail else min(samples_of(cued.row.fade_out_ms), length)),
        tail=tail,
    )


def _outcome(cued: CuedRow, stopped: str) -> Outcome:
    if cued.sounded_until == cued.starts_at:
        return Outcome.MISSED
    if cued.fault or stopped:
        return Outcome.TRUNCATED
    return Outcome.AIRED


def _close_deck(opened: Future[Deck]) -> None:
    if not opened.cancelled() and opened.exception() is None:
        opened.result().close()
