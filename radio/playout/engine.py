"""Turns the log into sound: which row sounds at which sample. No thread, no socket, no clock.

The engine lives on an absolute sample axis that starts at ``epoch_ms`` (stream time). A row's place on it is
computed from its log time alone, so nothing drifts: what the log says is what is heard, to the sample. The
rows that the engine takes are the very rows that "Next Up" shows.

A command (skip, insert, hold, resume) changes the log at the engine's own position, and the engine then follows
the log: what sounds is faded out where its row ends now, what was cued is taken anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from radio.audio.bed import Bed
from radio.audio.mixer import DUCK_RISE, Mixer, Voice
from radio.audio.pcm import Pcm, PcmSource
from radio.events import FallbackStarted, PlayoutEvent, RowCued, RowEnded, RowStarted
from radio.log import ItemKind, LogRow, Outcome
from radio.playout.cued import CuedRow, Stop
from radio.playout.decks import Decks
from radio.playout.loader import Loader
from radio.playout.log_view import LogView, MovableLog
from radio.playout.orders import CHANGED, Change, Orders
from radio.schedule.laying import is_joined, is_over_intro
from radio.schedule.moves import Move
from radio.units import SAMPLES_PER_MS, DurationMs, Samples, UtcMs, samples_of

__all__ = ["Change", "Engine", "LogView", "MovableLog"]

CUE_AHEAD = samples_of(6_000)
"""How long before its first sample a row is taken from the log and its file opened."""

SHORTFALL = samples_of(500)
"""A file may end this much before its row without the bed coming in."""

JOIN_FADE = samples_of(40)
BED_FADE = samples_of(250)
IDENT_FADE = samples_of(300)
"""The end of an ident that was to be heard over music, where something else has come in."""


class Engine(Orders):
    """Renders a station's log as PCM, block by block, and tells what happens as events.

    ``patience_s`` bounds how long a due row may wait for its file before the bed sounds in its place; it must
    be shorter than the lead with which the stream is encoded.
    """

    def __init__(
        self,
        log: LogView | MovableLog,
        loader: Loader,
        *,
        epoch_ms: UtcMs,
        station: str,
        on_event: Callable[[PlayoutEvent], None],
        bed: Callable[[], PcmSource] = Bed,
        patience_s: float = 0.8,
    ) -> None:
        self._log = log
        self._movable: MovableLog | None = log if isinstance(log, MovableLog) else None
        self._generation = 0
        self._decks = Decks(loader)
        self._epoch_ms = epoch_ms
        self._station = station
        self._emit = on_event
        self._bed = bed
        self._patience_s = patience_s
        self._mixer = Mixer()
        self._cued: deque[CuedRow] = deque()
        self._last: LogRow | None = None
        self._hole_until = Samples(0)
        self._alone_from = Samples(0)
        self._owners: dict[Voice, CuedRow] = {}
        self._over: tuple[CuedRow, Voice] | None = None
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
        until = Samples(self.position + samples)
        if self._reached(until) != self._generation:
            self.log_moved()
        self._tell_passed(self.now_ms)
        self._cue(Samples(until + CUE_AHEAD))
        self._keep_next()
        self._start_due(Samples(until))
        block = self._mixer.render(samples)
        self._replace_dry()
        self._end_past()
        return block

    @property
    def row_ends_at(self) -> Samples | None:
        """The sample at which the row on the air ends; None where no row is."""
        cued = self._sounding()
        return cued.ends_at if cued else None

    @property
    def steady(self) -> tuple[LogRow, Samples, Samples] | None:
        """The row on the air, where it started, and from where on nothing but its own sound has been heard.

        None where no row is on the air, or the bed stands in for it.
        """
        cued = self._sounding()
        if cued is None or self.on_bed or cued.sounded_until is not None:
            return None
        return cued.row, cued.starts_at, self._alone_from

    def clock_moved(self, shift_ms: int) -> None:
        """Stream time jumps by ``shift_ms`` at the next sample, where one row has ended and none has begun.

        The next row is the one that the log has for the new moment. What still sounds beneath it goes on.
        """
        self._epoch_ms = UtcMs(self._epoch_ms + shift_ms)
        for cued in [cued for cued in self._cued if not cued.started]:
            self._cued.remove(cued)
            cued.discard()
        self._last = None

    def close(self) -> None:
        """Close every file; the rows on the air are reported as truncated."""
        for cued in self._cued:
            if cued.started:
                cued.stop = cued.stop or Stop(Outcome.TRUNCATED, "the station stopped")
                self._report_end(cued, min(self.position, cued.ends_at))
            else:
                cued.discard()
        self._cued.clear()
        self._mixer.close()
        self._decks.close()

    def give_up(self, reason: str) -> None:
        """The bed takes the place of the item on the air until its row ends; its sound is no use."""
        cued = self._sounding()
        if cued is None or cued.row.item is None or cued.sounded_until is not None:
            return
        self._silence(cued, self.position, BED_FADE)
        cued.fault = reason
        cued.sounded_until = self.position
        self._sound_bed(cued, self.position)

    def is_to_blame(self, silent_ms: int) -> bool:
        """Whether most of the silence up to now, ``silent_ms``, is the item's that is on the air."""
        cued = self._sounding()
        if cued is None or self.on_bed:
            return False
        return 2 * (self.position - cued.starts_at) > samples_of(silent_ms)

    def log_moved(self) -> None:
        """Follow the log, whose rows may have been changed from ``position`` on."""
        self._follow(CHANGED)

    def _command(self, move: Move, stop: Stop, *, over_ms: int = 0) -> Change:
        if self._movable is None:
            raise LookupError("this log cannot be changed on the air")
        at_ms = UtcMs(self._epoch_ms - -self.position // SAMPLES_PER_MS)
        started = {cued.row.id for cued in self._cued if cued.started}
        was = self._movable.apply(at_ms, move, over_ms=over_ms)
        self._follow(stop)
        self._tell_passed(at_ms)
        on_air = self._movable.peek(at_ms)
        following = self._movable.peek(on_air.ends_at_ms) if on_air else None
        if was.item is not None and was.id not in started and not self._movable.is_coming(was.id, at_ms):
            # it was reached, and ends before its first sample
            self._emit(RowCued(was, at_ms))
            self._emit(RowEnded(was, at_ms, DurationMs(0), Outcome.SKIPPED, stop.cause))
        return Change(at_ms, on_air, following)

    def _tell_passed(self, at_ms: UtcMs) -> None:
        for row, outcome, cause in self._movable.passed(at_ms) if self._movable else ():
            self._emit(RowCued(row, at_ms))
            self._emit(RowEnded(row, at_ms, DurationMs(0), outcome, cause))

    def _follow(self, stop: Stop) -> None:
        """Compare what was taken with the log: end what ends sooner, and take anew what has not started."""
        self._generation = self._reached(self.position)
        self._decks.take_back(cued for cued in self._cued if not cued.started)
        self._cued = deque(cued for cued in self._cued if cued.started)
        for cued in self._cued:
            self._shorten(cued, stop)
        self._last = self._cued[-1].row if self._cued else None
        self._cue(Samples(self.position + CUE_AHEAD))
        self._decks.drop_returned()

    def _shorten(self, cued: CuedRow, stop: Stop) -> None:
        row = self._movable.peek(cued.row.starts_at_ms) if self._movable else None
        if row is None or row.id != cued.row.id or row.ends_at_ms == cued.row.ends_at_ms:
            return
        if row.ends_at_ms > cued.row.ends_at_ms:
            if not is_over_intro(cued.row):
                return
            # an ident whose end was to be heard over what followed is heard out: its sound is the same
            cued.row, cued.ends_at = row, self._sample_of(row.ends_at_ms)
            return
        cued.row = row
        cued.ends_at = Samples(max(self._sample_of(row.ends_at_ms), self.position))
        # a bed that gives way to what was compiled meanwhile has done all that was planned of it
        cued.stop = None if row.item is None and stop is CHANGED else stop
        on_bed = row.item is None or cued.sounded_until is not None
        self._silence(cued, cued.ends_at, BED_FADE if on_bed else samples_of(row.overlap_ms))

    def _silence(self, cued: CuedRow, at: Samples, fade: Samples) -> None:
        self._mixer.cut_from(at, fade)
        self._owners = {voice: owner for voice, owner in self._owners.items() if owner is not cued}

    def _sounding(self) -> CuedRow | None:
        return next((cued for cued in self._cued if cued.started and cued.ends_at > self.position), None)

    def _reached(self, until: Samples) -> int:
        """Tell the log how far it is rendered, rounded up to the millisecond, and ask whether it was changed."""
        if self._movable is None:
            return 0
        return self._movable.reached(self._epoch_ms - -until // SAMPLES_PER_MS)

    def _cue(self, until: Samples) -> None:
        while not self._cued or self._cued[-1].ends_at < until:
            row = self._next_row()
            if row is None:
                return
            self._cued.append(self._cue_row(row))
            self._last = row

    def _keep_next(self) -> None:
        """Have the file of the row behind those that were taken open: a skip needs it before its time."""
        if self._movable is not None and self._last is not None:
            self._decks.keep(self._movable.peek(self._last.ends_at_ms))

    def _next_row(self) -> LogRow | None:
        """The row after the last one, or the one that holds the present where that chain is broken."""
        row = self._log.row_after(self._last) if self._last else None
        if row is None and (self._last is None or self._sample_of(self._last.ends_at_ms) <= self.position):
            row = self._log.row_at(self.now_ms)
        return row if row is None or self._sample_of(row.ends_at_ms) > self.position else None

    def _cue_row(self, row: LogRow) -> CuedRow:
        starts_at = max(self._sample_of(row.starts_at_ms), self.position)
        seek_ms = max(0, self._epoch_ms + starts_at // SAMPLES_PER_MS - row.starts_at_ms)
        return CuedRow(
            row=row,
            deck=self._decks.open(row, seek_ms),
            seek_ms=seek_ms,
            starts_at=starts_at,
            ends_at=self._sample_of(row.ends_at_ms),
            fade_in=JOIN_FADE if seek_ms else self._fade_in_of(row),
        )

    def _fade_in_of(self, row: LogRow) -> Samples:
        """Music comes in beneath music, and what begins in its middle without a click; all else at its full level."""
        if is_joined(row):
            return JOIN_FADE
        before = self._last
        if before and before.kind is ItemKind.MUSIC and row.kind is ItemKind.MUSIC:
            return samples_of(before.overlap_ms)
        return Samples(0)

    def _sample_of(self, at_ms: int) -> Samples:
        return samples_of(at_ms - self._epoch_ms)

    def _start_due(self, until: Samples) -> None:
        covered_to = self.position
        for cued in self._cued:
            if cued.starts_at >= until:
                break
            if not cued.started:
                self._start(cued)
            if cued.starts_at <= covered_to:
                covered_to = max(covered_to, cued.ends_at)
        if covered_to < until:
            self._fill_hole(covered_to, until)

    def _start(self, cued: CuedRow) -> None:
        cued.started = True
        self.on_air = cued.row
        at_ms = UtcMs(self._epoch_ms + cued.starts_at // SAMPLES_PER_MS)
        self._emit(RowCued(cued.row, at_ms))
        self._emit(RowStarted(cued.row, at_ms))
        if self._hole_until > cued.starts_at:
            self._mixer.cut_from(cued.starts_at, BED_FADE)
            self._hole_until = cued.starts_at
        source = cued.take_deck(self._patience_s)
        if source is None:
            self._sound_bed(cued, cued.starts_at)
            return
        self.on_bed = False
        voice = cued.voice(source, self._ident_over(cued))
        self._over = (cued, voice) if cued.is_over_intro else None
        self._owners[voice] = cued
        self._mixer.add(voice)

    def _ident_over(self, cued: CuedRow) -> Voice | None:
        """The ident that goes on over the row's start, where that is music; it gives way to anything else."""
        if self._over is None or not self._over[0].is_over_intro or self._over[0].ends_at != cued.starts_at:
            return None
        if cued.row.kind is ItemKind.MUSIC:
            return self._over[1]
        self._mixer.fade_out(self._over[1], cued.starts_at, IDENT_FADE)
        return None

    def _sound_bed(self, cued: CuedRow, starts_at: Samples) -> None:
        self.on_bed = True
        self._add_bed(starts_at, cued.ends_at)
        if cued.fault:
            at_ms = UtcMs(self._epoch_ms + starts_at // SAMPLES_PER_MS)
            self._emit(FallbackStarted(cued.row, at_ms, cued.fault))

    def _fill_hole(self, starts_at: Samples, until: Samples) -> None:
        """Nothing is compiled for this moment: the bed sounds until the log goes on."""
        later = starts_at + samples_of(2_000)
        following = next((cued.starts_at for cued in self._cued if cued.starts_at > starts_at), later)
        if starts_at == self.position:
            self.on_air = None
        self.on_bed = True
        if self._hole_until <= starts_at:
            self._hole_until = Samples(max(until, min(following, later)))
            self._add_bed(starts_at, self._hole_until)

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
            tail_ends_at = cued.ends_at + samples_of(cued.row.overlap_ms) + max(BED_FADE, DUCK_RISE)
            self._alone_from = Samples(max(self._alone_from, tail_ends_at))
            self._owners = {voice: owner for voice, owner in self._owners.items() if owner is not cued}
            self._report_end(cued, cued.ends_at)

    def _report_end(self, cued: CuedRow, ended_at: Samples) -> None:
        sounded = ended_at if cued.sounded_until is None else min(cued.sounded_until, ended_at)
        outcome, cause = cued.ended()
        self._emit(
            RowEnded(
                cued.row,
                UtcMs(self._epoch_ms + ended_at // SAMPLES_PER_MS),
                DurationMs(max(0, sounded - cued.starts_at) // SAMPLES_PER_MS),
                outcome,
                cause,
            )
        )
