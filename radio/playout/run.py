"""One epoch of a station's stream: rendered, limited, encoded and handed on, in the playout thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Protocol

import msgspec
import structlog

from radio.audio.bed import Bed
from radio.audio.encode import Encoder, StreamFormat, chunk_bytes_of, encoder_for
from radio.audio.headroom import ceiling_dbtp
from radio.audio.limit import Limiter
from radio.audio.meter import FLOOR_DB, Level
from radio.audio.pcm import Pcm, PcmSource
from radio.clock import Clock
from radio.events import PlayoutEvent, RowCued, RowEnded, RowStarted
from radio.log import LogRow
from radio.playout.baton import ContinuedEncoder, RunBaton, first_sample
from radio.playout.chunker import FRAMES_PER_CHUNK, Chunker
from radio.playout.engine import Engine
from radio.playout.loader import Loader
from radio.playout.metering import OutputMeter
from radio.playout.replays import FreshLog
from radio.playout.titles import Titles
from radio.playout.wall import Wall
from radio.streaming.chunks import Chunk
from radio.units import SAMPLE_RATE_HZ, SAMPLES_PER_MS, Decibels, DurationMs, Lufs, Samples, UtcMs, samples_of

_journal = structlog.get_logger(__name__)

BLOCK: Final = Samples(FRAMES_PER_CHUNK * 1152 // 12)
"""Samples rendered at once: 84 ms, a twelfth of a chunk."""

TOO_LATE_S: Final = 2.0
"""When the stream lags this far behind the clock (a suspended machine), it starts anew at the present."""


LOGGED_FAULTS: Final = 20

STEADY_BEFORE: Final = samples_of(1_500)
STEADY_AFTER: Final = samples_of(2_000)
"""A stream changes hands where one item alone has sounded for so long and will sound for so long."""

KEPT_BLOCKS: Final = 15
"""What is rendered beyond the last chunk for the other process: more than a chunk, and what encoders hold back."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A mount that playout feeds."""

    mount: str
    format: StreamFormat = "mp3"
    bitrate_kbps: int


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    """How the sound is doing at a chunk's end: what availability is decided from, and what meters show.

    Loudness is that of the last 400 ms and of the last 3 s (ITU-R BS.1770, EBU Tech 3341), None below -70 LUFS;
    ``true_peak_db`` is the highest of the chunk.
    """

    at_ms: UtcMs
    level_db: float
    silent_ms: int
    on_bed: bool
    lead_s: float
    momentary_lufs: Lufs | None = None
    short_term_lufs: Lufs | None = None
    true_peak_db: Decibels = FLOOR_DB


class Owner(Protocol):
    """What a run needs of its station; the callbacks are those of :class:`radio.playout.StationPlayout`."""

    station: str
    name: str
    outputs: tuple[Output, ...]
    lead_s: float
    log: FreshLog
    loader: Callable[[], Loader]
    clock: Clock
    on_event: Callable[[PlayoutEvent], None]
    on_chunk: Callable[[Chunk], None]
    on_pulse: Callable[[Pulse], None]
    silence_after_s: float
    bed: Callable[[], PcmSource]
    commands: deque[Callable[[Engine], None]]
    stopped: threading.Event
    woken: threading.Event
    suspension: Future[RunBaton] | None

    def wait_to_go_on(self) -> None:
        """Block until the stream goes on here, or is to stop."""


class Run:
    """An epoch: the stretch of the stream that one anchor between samples and the clock holds for.

    With a ``baton`` it goes on with the epoch of another process.
    """

    def __init__(self, epoch: int, owner: Owner, baton: RunBaton | None = None) -> None:
        self._o = owner
        self._epoch = epoch
        self._epoch_ms = baton.epoch_ms if baton else owner.clock.now_ms()
        self._anchor_s = baton.anchor_s if baton else owner.clock.monotonic_s()
        # epochs of several processes follow one another: a count of them would not tell all apart
        self._serial = baton.serial if baton else int(self._epoch_ms)
        self._titles = Titles(self._epoch_ms, owner.name)
        self._limiter = Limiter(
            ceiling_db=ceiling_dbtp((output.format, output.bitrate_kbps) for output in owner.outputs)
        )
        self._meter = OutputMeter()
        self._wall = Wall(self._epoch_ms, self._anchor_s)
        self._bed = Bed()
        self._faults = 0
        self._rendered = Samples(0) if baton is None else self._first_sample(baton)
        self._continued = None if baton is None else _Continued.of(baton, self._rendered)
        if baton is not None:
            self._titles.add(self._moment(baton.row_starts_at), baton.row)
        self._chunkers = [self._chunker(output, baton) for output in owner.outputs]
        self._engine = self._new_engine()

    def play(self) -> None:
        """Render until stopped, always ``lead_s`` ahead; returns early when the clock has run away."""
        while not self._o.stopped.is_set():
            self._maybe_suspend()
            ahead_s = self._ahead_s()
            if ahead_s < -TOO_LATE_S:
                _journal.warning("stream_restarts", station=self._o.station, late_s=round(-ahead_s, 1))
                return
            if ahead_s >= self._o.lead_s:
                self._o.clock.wait(ahead_s - self._o.lead_s + 0.005, self._o.woken)
                self._o.woken.clear()
                self._obey()
                continue
            self._step(ahead_s)

    def close(self) -> None:
        self._engine.close()

    def _ahead_s(self) -> float:
        return self._rendered / SAMPLE_RATE_HZ - (self._o.clock.monotonic_s() - self._anchor_s)

    def _moment(self, sample: int) -> UtcMs:
        return UtcMs(self._epoch_ms + sample // SAMPLES_PER_MS)

    def _first_sample(self, baton: RunBaton) -> Samples:
        formats = {output.mount: output.format for output in self._o.outputs}
        return first_sample(formats, baton.mounts)

    def _chunker(self, output: Output, baton: RunBaton | None) -> Chunker:
        mine = next((one for one in baton.mounts if one.mount == output.mount), None) if baton else None
        encoder: Encoder = (
            encoder_for(output.format, output.bitrate_kbps, serial=self._serial)
            if mine is None
            else ContinuedEncoder(
                output.format, output.bitrate_kbps, serial=self._serial, baton=mine, fed_from=self._rendered
            )
        )
        return Chunker(
            station=self._o.station,
            mount=output.mount,
            epoch=self._epoch,
            epoch_ms=self._epoch_ms,
            encoder=encoder,
            chunk_bytes=chunk_bytes_of(output.format, output.bitrate_kbps),
            title_at=self._titles.at,
            latency=self._limiter.delay,
            baton=mine,
        )

    def _maybe_suspend(self) -> None:
        """Hand over where that is asked for and one item alone sounds long enough, and wait for what becomes of it."""
        asked, steady = self._o.suspension, self._engine.steady
        if asked is None or steady is None:
            return
        row, starts_at, alone_from = steady
        ends_at = self._engine.row_ends_at or 0
        position = self._engine.position
        if position - alone_from < STEADY_BEFORE or ends_at - position < STEADY_AFTER:
            return
        if asked.set_running_or_notify_cancel():
            self._suspend(asked, row, starts_at + self._engine_starts_at)

    def _suspend(self, asked: Future[RunBaton], row: LogRow, row_starts_at: int) -> None:
        for chunker in self._chunkers:
            chunker.keep()
        for _ in range(KEPT_BLOCKS):
            self._advance(BLOCK, 0, self._ahead_s())
        asked.set_result(
            RunBaton(
                epoch=self._epoch,
                epoch_ms=self._epoch_ms,
                serial=self._serial,
                anchor_s=self._anchor_s,
                row=row,
                row_starts_at=Samples(row_starts_at),
                mounts=[chunker.baton() for chunker in self._chunkers],
            )
        )
        self._o.wait_to_go_on()
        for chunker in self._chunkers:
            chunker.go_on()

    def _step(self, ahead_s: float) -> None:
        self._obey()
        self._advance(*self._next_block(), ahead_s)

    def _advance(self, n: int, shift_ms: int, ahead_s: float) -> None:
        try:
            block = self._engine.render(n)
        except Exception:
            block = self._recover(n)
        self._rendered = Samples(self._rendered + n)
        if shift_ms:
            self._move_clock(shift_ms)
        self._send(self._limiter.process(block), ahead_s)

    def _send(self, block: Pcm, ahead_s: float) -> None:
        level = self._meter.update(block)
        chunks = [chunk for chunker in self._chunkers for chunk in chunker.feed(block, level.rms_db)]
        for chunk in chunks:
            self._o.on_chunk(chunk)
        if chunks and chunks[0].mount == self._o.outputs[0].mount:
            self._pulse(level, ahead_s)
        if level.silence_ms >= self._o.silence_after_s * 1000 and self._engine.is_to_blame(level.silence_ms):
            self._engine.give_up(f"its sound has been silent for {self._o.silence_after_s:g} s")

    def _obey(self) -> None:
        """Do what was commanded since the last block."""
        while self._o.commands:
            work = self._o.commands.popleft()
            try:
                work(self._engine)
            except Exception:
                _journal.exception("command_failed", station=self._o.station)

    def _next_block(self) -> tuple[int, int]:
        """How much to render now, and by how much stream time moves after it, to be wall time again.

        It moves where a row ends, so that every row is played whole and none is taken twice.
        """
        shift_ms = self._wall.shift_ms(self._o.clock.now_ms(), self._o.clock.monotonic_s())
        ends_at = self._engine.row_ends_at
        if not shift_ms or ends_at is None:
            return BLOCK, shift_ms
        left = ends_at - self._engine.position
        return (left, shift_ms) if left <= BLOCK else (BLOCK, 0)

    def _move_clock(self, shift_ms: int) -> None:
        was_ms = self._engine.now_ms
        _journal.warning("stream_time_moves", station=self._o.station, shift_ms=shift_ms)
        if shift_ms < 0:
            self._o.log.set_back(was_ms)
        self._wall.moved(shift_ms)
        self._epoch_ms = UtcMs(self._epoch_ms + shift_ms)
        self._titles.clock_moved(shift_ms)
        for chunker in self._chunkers:
            chunker.clock_moved(self._rendered, shift_ms)
        self._engine.clock_moved(shift_ms)

    def _pulse(self, level: Level, ahead_s: float) -> None:
        readings = self._meter.readings()
        self._o.on_pulse(
            Pulse(
                at_ms=self._engine.now_ms,
                level_db=level.rms_db,
                silent_ms=level.silence_ms,
                on_bed=self._engine.on_bed,
                lead_s=ahead_s,
                momentary_lufs=readings.momentary_lufs,
                short_term_lufs=readings.short_term_lufs,
                true_peak_db=readings.true_peak_db,
            )
        )

    def _new_engine(self, skipped: int = 0) -> Engine:
        self._engine_starts_at = self._rendered + skipped
        return Engine(
            self._o.log,
            self._o.loader(),
            epoch_ms=self._moment(self._engine_starts_at),
            station=self._o.station,
            on_event=self._heard,
            bed=self._o.bed,
        )

    def _heard(self, event: PlayoutEvent) -> None:
        if self._continued is not None:
            told = self._continued.told(event)
            if told is None:
                return
            event = told
        if isinstance(event, RowStarted):
            self._titles.add(event.at_ms, event.row)
            self._o.log.aired(event.row)
        self._o.on_event(event)

    def _recover(self, n: int) -> Pcm:
        """A block of the bed, so that the bytes go on, and a new engine for the block after it."""
        self._faults += 1
        if self._faults <= LOGGED_FAULTS:
            _journal.exception("render_failed", station=self._o.station, faults=self._faults)
        try:
            self._engine.close()
        except Exception:
            _journal.exception("engine_not_closed", station=self._o.station)
        self._engine = self._new_engine(skipped=n)
        return self._bed.read(n)


class _Continued:
    """The row that was on the air when the stream changed hands: it started before, and only once."""

    def __init__(self, row: LogRow, before_ms: DurationMs) -> None:
        self._row = row
        self._before_ms = before_ms
        self._is_over = False

    @classmethod
    def of(cls, baton: RunBaton, from_sample: Samples) -> _Continued:
        return cls(baton.row, DurationMs((from_sample - baton.row_starts_at) // SAMPLES_PER_MS))

    def told(self, event: PlayoutEvent) -> PlayoutEvent | None:
        if self._is_over or event.row.id != self._row.id:
            return event
        if isinstance(event, RowCued | RowStarted):
            return None
        if isinstance(event, RowEnded):
            self._is_over = True
            return msgspec.structs.replace(event, played_ms=DurationMs(event.played_ms + self._before_ms))
        return event
