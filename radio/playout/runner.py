"""One station on the air: a thread that renders, encodes and hands on, paced by the sample clock."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from radio.audio.bed import Bed
from radio.audio.encode import Mp3Encoder
from radio.audio.limit import Limiter
from radio.audio.meter import Level, Meter
from radio.audio.pcm import Pcm
from radio.clock import Clock
from radio.events import PlayoutEvent, RowStarted
from radio.log import LogRow
from radio.playout.chunker import FRAMES_PER_CHUNK, Chunker
from radio.playout.engine import Engine, LogView
from radio.playout.loader import Loader
from radio.playout.titles import stream_title
from radio.streaming.chunks import Chunk
from radio.units import SAMPLE_RATE_HZ, SAMPLES_PER_MS, Samples, UtcMs, samples_of

_journal = structlog.get_logger(__name__)

BLOCK: Final = Samples(FRAMES_PER_CHUNK * 1152 // 12)
"""Samples rendered at once: 84 ms, a twelfth of a chunk."""

TOO_LATE_S: Final = 2.0
"""When the stream lags this far behind the clock (a suspended machine), it starts anew at the present."""


LOGGED_FAULTS: Final = 20


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A mount that playout feeds."""

    mount: str
    bitrate_kbps: int


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    """How the sound is doing at a chunk's end: what availability is decided from."""

    at_ms: UtcMs
    level_db: float
    silent_ms: int
    on_bed: bool
    lead_s: float


class StationPlayout:
    """Plays a station's log until stopped. All callbacks are called in the playout thread and must not block.

    Where rendering fails in a way that nobody foresaw, the engine is made anew at the next block; the bytes
    of the stream go on.
    """

    def __init__(
        self,
        *,
        station: str,
        name: str,
        outputs: tuple[Output, ...],
        lead_s: float,
        log: LogView,
        loader: Callable[[], Loader],
        clock: Clock,
        on_event: Callable[[PlayoutEvent], None],
        on_chunk: Callable[[Chunk], None],
        on_pulse: Callable[[Pulse], None],
    ) -> None:
        self._station = station
        self._name = name
        self._outputs = outputs
        self._lead_s = lead_s
        self._log = log
        self._loader = loader
        self._clock = clock
        self._on_event = on_event
        self._on_chunk = on_chunk
        self._on_pulse = on_pulse
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"playout-{station}", daemon=True)
        self._epoch = 0

    def start(self) -> None:
        """Go on the air."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Leave the air; returns when the thread has ended or after ``timeout_s``."""
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        Bed().read(1)  # made on first use, which takes a while: before the clock runs
        while not self._stop.is_set():
            self._epoch += 1
            run = _Run(self._epoch, self)
            try:
                run.play()
            finally:
                run.close()


class _Run:
    """An epoch: the stretch of the stream that one anchor between samples and the clock holds for."""

    def __init__(self, epoch: int, owner: StationPlayout) -> None:
        self._o = owner
        self._epoch_ms = owner._clock.now_ms()
        self._anchor_s = owner._clock.monotonic_s()
        self._titles = _Titles(self._epoch_ms, owner._name)
        self._limiter = Limiter()
        self._meter = Meter()
        self._bed = Bed()
        self._faults = 0
        self._chunkers = [
            Chunker(
                station=owner._station,
                mount=output.mount,
                epoch=epoch,
                epoch_ms=self._epoch_ms,
                encoder=Mp3Encoder(output.bitrate_kbps),
                title_at=self._titles.at,
            )
            for output in owner._outputs
        ]
        self._rendered = Samples(0)
        self._engine = self._new_engine()

    def play(self) -> None:
        """Render until stopped, always ``lead_s`` ahead; returns early when the clock has run away."""
        while not self._o._stop.is_set():
            ahead_s = self._ahead_s()
            if ahead_s < -TOO_LATE_S:
                _journal.warning("stream_restarts", station=self._o._station, late_s=round(-ahead_s, 1))
                return
            if ahead_s >= self._o._lead_s:
                self._o._clock.wait(ahead_s - self._o._lead_s + 0.005, self._o._stop)
                continue
            self._step(ahead_s)

    def close(self) -> None:
        self._engine.close()

    def _ahead_s(self) -> float:
        return self._rendered / SAMPLE_RATE_HZ - (self._o._clock.monotonic_s() - self._anchor_s)

    def _step(self, ahead_s: float) -> None:
        try:
            block = self._limiter.process(self._engine.render(BLOCK))
        except Exception:
            block = self._recover()
        self._rendered = Samples(self._rendered + BLOCK)
        level = self._meter.update(block)
        chunks = [chunk for chunker in self._chunkers for chunk in chunker.feed(block, level.rms_db)]
        for chunk in chunks:
            self._o._on_chunk(chunk)
        if chunks:
            self._pulse(level, ahead_s)

    def _pulse(self, level: Level, ahead_s: float) -> None:
        self._o._on_pulse(
            Pulse(
                at_ms=self._engine.now_ms,
                level_db=level.rms_db,
                silent_ms=level.silence_ms,
                on_bed=self._engine.on_bed,
                lead_s=ahead_s,
            )
        )

    def _new_engine(self, skipped: int = 0) -> Engine:
        return Engine(
            self._o._log,
            self._o._loader(),
            epoch_ms=UtcMs(self._epoch_ms + (self._rendered + skipped) // SAMPLES_PER_MS),
            station=self._o._station,
            on_event=self._heard,
        )

    def _heard(self, event: PlayoutEvent) -> None:
        if isinstance(event, RowStarted):
            self._titles.add(event.at_ms, event.row)
        self._o._on_event(event)

    def _recover(self) -> Pcm:
        """A block of the bed, so that the bytes go on, and a new engine for the block after it."""
        self._faults += 1
        if self._faults <= LOGGED_FAULTS:
            _journal.exception("render_failed", station=self._o._station, faults=self._faults)
        try:
            self._engine.close()
        except Exception:
            _journal.exception("engine_not_closed", station=self._o._station)
        self._engine = self._new_engine(skipped=BLOCK)
        return self._bed.read(BLOCK)


class _Titles:
    """Which title holds at which sample; remembers the last few rows."""

    def __init__(self, epoch_ms: UtcMs, station_name: str) -> None:
        self._epoch_ms = epoch_ms
        self._name = station_name
        self._starts: list[Samples] = []
        self._rows: list[LogRow] = []

    def add(self, at_ms: UtcMs, row: LogRow) -> None:
        self._starts.append(samples_of(at_ms - self._epoch_ms))
        self._rows.append(row)
        if len(self._rows) > 64:
            del self._starts[0], self._rows[0]

    def at(self, sample: Samples) -> str:
        index = bisect_right(self._starts, sample) - 1
        return stream_title(self._rows[max(index, 0)] if self._rows else None, self._name)
