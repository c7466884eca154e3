"""One station on the air: a thread that renders, encodes and hands on, paced by the sample clock."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Final

import structlog

from radio.audio.bed import Bed
from radio.audio.pcm import PcmSource
from radio.clock import Clock
from radio.errors import LimitReached, TakeoverFailed
from radio.events import PlayoutEvent
from radio.playout.baton import RunBaton
from radio.playout.engine import Engine, LogView
from radio.playout.loader import Loader
from radio.playout.replays import FreshLog
from radio.playout.run import Output, Pulse, Run
from radio.streaming.chunks import Chunk

_journal = structlog.get_logger(__name__)

MAX_COMMANDS: Final = 16
"""So many commands may wait for the next block."""

FAULT_PAUSE_S: Final = 0.5
"""How long a run that failed is mourned before the next begins."""


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
        silence_after_s: float = 10.0,
        bed: Callable[[], PcmSource] = Bed,
        baton: RunBaton | None = None,
    ) -> None:
        self.station = station
        self.name = name
        self.outputs = outputs
        self.lead_s = lead_s
        self.log = FreshLog.of(log)
        self.loader = loader
        self.clock = clock
        self.on_event = on_event
        self.on_chunk = on_chunk
        self.on_pulse = on_pulse
        self.stopped = threading.Event()
        self.woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"playout-{station}", daemon=True)
        self.silence_after_s = silence_after_s
        self.bed = bed
        self.commands: deque[Callable[[Engine], None]] = deque()
        self.suspension: Future[RunBaton] | None = None
        self._may_go_on = threading.Event()
        self._baton = baton
        self._epoch = baton.epoch - 1 if baton else 0

    def command(self, work: Callable[[Engine], None]) -> None:
        """Have ``work`` done by the playout thread at once, between two blocks. From any thread; does not wait.

        Raises LimitReached when :data:`MAX_COMMANDS` wait already, or the station leaves the air.
        """
        if self.stopped.is_set() or len(self.commands) >= MAX_COMMANDS:
            raise LimitReached(f"{self.station} takes no more commands at present")
        self.commands.append(work)
        self.woken.set()

    def start(self) -> None:
        """Go on the air."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Leave the air; returns when the thread has ended or after ``timeout_s``."""
        self.stopped.set()
        self.woken.set()
        self._thread.join(timeout_s)

    def suspend(self, patience_s: float) -> RunBaton:
        """Stop the stream after a chunk, for another process to go on; blocks. :meth:`go_on` takes it up again.

        Raises TakeoverFailed where there was no moment within ``patience_s`` at which one item alone sounded.
        """
        asked: Future[RunBaton] = Future()
        self._may_go_on.clear()
        self.suspension = asked
        try:
            return asked.result(patience_s)
        except FutureTimeout:
            if not asked.cancel():
                return asked.result()
            raise TakeoverFailed(f"{self.station}: items change; there is no quiet moment just now") from None
        finally:
            self.suspension = None

    def go_on(self) -> None:
        """Take the stream up where it was suspended."""
        self._may_go_on.set()

    def wait_to_go_on(self) -> None:
        """Block the playout thread until :meth:`go_on` or :meth:`stop`."""
        while not self._may_go_on.wait(0.02) and not self.stopped.is_set():
            continue

    def _run(self) -> None:
        while not self.stopped.is_set():
            self._epoch += 1
            baton, self._baton = self._baton, None
            try:
                self._play(baton)
            except Exception:
                # an encoder that fails, for one: the stream goes on in a new epoch
                _journal.exception("run_failed", station=self.station)
                self.clock.wait(FAULT_PAUSE_S, self.stopped)

    def _play(self, baton: RunBaton | None) -> None:
        run = Run(self._epoch, self, baton)
        try:
            run.play()
        finally:
            run.close()
