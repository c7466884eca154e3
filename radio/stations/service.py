"""A station's state over time: follows playout, decides availability, publishes every change when it is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol

import msgspec
import structlog

from radio.clock import Clock
from radio.config import StationConfig
from radio.events import Availability, FallbackStarted, PlayoutEvent, RowCued, RowEnded, RowStarted
from radio.log import LogRow, Outcome
from radio.metrics import Metrics
from radio.playout import Pulse
from radio.schedule import ProgrammeAiring
from radio.stations.availability import Signs, Status, assess
from radio.stations.state import OnAir, state_of
from radio.stations.timeline import Timeline
from radio.store import as_run
from radio.units import DurationMs, UtcMs

_journal = structlog.get_logger(__name__)

TICK_S: Final = 1.0
LISTENERS_EVERY_TICKS: Final = 5
HOLE_AFTER_MS: Final = 1_500
"""A row that ended this long ago, with none after it, is no longer shown."""


class PublishedLog(Protocol):
    """What the state needs of the log; reading it marks nothing."""

    def coming(self, after_ms: int, limit: int) -> Sequence[LogRow]:
        """The rows that start at or after ``after_ms``, in order, at most ``limit``."""

    def programmes(self, at_ms: int) -> tuple[ProgrammeAiring | None, ProgrammeAiring | None]:
        """The programme that holds ``at_ms`` and the one after it."""


class Recorder(Protocol):
    """Where the as-run log is written; must not block."""

    def record(self, event: PlayoutEvent) -> None:
        """Take one event; events of a station come in their order."""

    def checkpoint(self, row: LogRow, at_ms: UtcMs, played_ms: DurationMs) -> None:
        """How much of ``row`` has been heard by ``at_ms``."""

    def withdraw(self, row: LogRow, at_ms: UtcMs) -> None:
        """``row`` was cued and will not be heard; nothing where it was started."""


class ServiceBaton(msgspec.Struct, frozen=True, kw_only=True):
    """A station's state between two processes; ``ahead`` is the news that has not been heard yet."""

    row: LogRow | None
    row_since_ms: UtcMs
    row_is_over: bool
    heard_until_ms: DurationMs
    fell_back: FallbackStarted | None
    cued: list[LogRow]
    ahead: list[PlayoutEvent]
    started_at_ms: UtcMs
    bytes_at_ms: UtcMs | None
    pulse: Pulse | None
    fault: str
    listeners: int
    status: Status


class StationService:
    """One station's state. Every method is called in the event loop. With a ``baton`` it goes on with another's."""

    def __init__(
        self,
        station: StationConfig,
        *,
        clock: Clock,
        log: PublishedLog,
        recorder: Recorder,
        publish: Callable[[str, dict[str, Any], UtcMs], None],
        listeners: Callable[[], int],
        metrics: Metrics,
        public_url: str = "",
        baton: ServiceBaton | None = None,
    ) -> None:
        self.station = station
        self._clock = clock
        self._log = log
        self._recorder = recorder
        self._publish = publish
        self._count_listeners = listeners
        self._metrics = metrics
        self._public_url = public_url
        self._timeline = Timeline(clock)
        self._started_s = clock.monotonic_s()
        self._row: LogRow | None = None
        self._row_since_ms = clock.now_ms()
        self._row_is_over = False
        self._cued: dict[str, LogRow] = {}
        self._heard_until_ms = DurationMs(0)
        self._fell_back: FallbackStarted | None = None
        self._bytes_s: float | None = None
        self._pulse: Pulse | None = None
        self._fault = ""
        self._listeners = 0
        self._status = assess(None, self._signs())
        self._ahead: list[PlayoutEvent] = []
        self._is_handed_over = False
        self.state: dict[str, Any] = {}
        self._is_published = False
        if baton is not None:
            self._take(baton)
        self._refresh(clock.now_ms())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the station for as long as the context is open."""
        if self._bytes_s is None:
            self._started_s = self._clock.monotonic_s()
        tasks = [asyncio.create_task(self._timeline.run()), asyncio.create_task(self._tick_on())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            self._sign_off()

    @property
    def status(self) -> Status:
        """The station's availability now."""
        return self._status

    def on_event(self, event: PlayoutEvent) -> None:
        """News from playout, which is ahead of the clock: it is shown at the moment it is heard."""
        if isinstance(event, RowCued):
            self._cued[event.row.id] = event.row
            self._record(event)
            return
        if isinstance(event, FallbackStarted):
            self._metrics.fallbacks.labels(self.station.id).inc()
            self._fault = f"{event.row.title or 'An item'} cannot be played: {event.reason.rstrip('.')}."
            _journal.error("fallback", station=self.station.id, row=event.row.id, reason=event.reason)
        self._expect(event)

    def hand_over(self) -> ServiceBaton:
        """All that another process needs to go on; nothing is told or written here from now on."""
        self._is_handed_over = True
        return ServiceBaton(
            row=self._row,
            row_since_ms=UtcMs(self._row_since_ms),
            row_is_over=self._row_is_over,
            heard_until_ms=self._heard_until_ms,
            fell_back=self._fell_back,
            cued=list(self._cued.values()),
            ahead=list(self._ahead),
            started_at_ms=self._wall_ms(self._started_s),
            bytes_at_ms=None if self._bytes_s is None else self._wall_ms(self._bytes_s),
            pulse=self._pulse,
            fault=self._fault,
            listeners=self._listeners,
            status=self._status,
        )

    def take_back(self) -> None:
        """The other process did not go on: tell what was heard meanwhile, and all that follows."""
        self._is_handed_over = False
        now_ms = self._clock.now_ms()
        for event in [event for event in self._ahead if event.at_ms <= now_ms]:
            self._happen(event)

    def _take(self, baton: ServiceBaton) -> None:
        self._row, self._row_since_ms, self._row_is_over = baton.row, baton.row_since_ms, baton.row_is_over
        self._heard_until_ms, self._fell_back = baton.heard_until_ms, baton.fell_back
        self._cued = {row.id: row for row in baton.cued}
        self._started_s = self._monotonic_s(baton.started_at_ms)
        self._bytes_s = None if baton.bytes_at_ms is None else self._monotonic_s(baton.bytes_at_ms)
        self._pulse, self._fault, self._listeners = baton.pulse, baton.fault, baton.listeners
        self._status = baton.status
        for event in baton.ahead:
            self._expect(event)

    def _expect(self, event: PlayoutEvent) -> None:
        self._ahead.append(event)
        self._timeline.at(event.at_ms, lambda: self._happen(event), lead_s=self.station.sound.lead_s)

    def _happen(self, event: PlayoutEvent) -> None:
        if self._is_handed_over or not any(event is other for other in self._ahead):
            return
        self._ahead = [other for other in self._ahead if other is not event]
        if isinstance(event, RowStarted):
            self._row_heard(event)
        elif isinstance(event, RowEnded):
            self._row_over(event)
        elif isinstance(event, FallbackStarted):
            self._bed_heard(event)

    def on_pulse(self, pulse: Pulse) -> None:
        """How the newest sound is doing."""
        self._pulse = pulse
        self._bytes_s = self._clock.monotonic_s()
        if not pulse.on_bed:
            self._fault = ""
        self._metrics.output_level_db.labels(self.station.id).set(pulse.level_db)
        self._metrics.lead_s.labels(self.station.id).set(pulse.lead_s)
        if self._status.status is not Availability.ON_AIR:
            self._assess()

    def log_changed(self) -> None:
        """The log was compiled anew: what is next may differ."""
        self._refresh(self._clock.now_ms())

    def _row_heard(self, event: RowStarted) -> None:
        self._record(event)
        self._cued.pop(event.row.id, None)
        self._withdraw(until_ms=event.at_ms)
        self._row = event.row
        self._row_since_ms = event.at_ms
        self._heard_until_ms = DurationMs(0)
        self._row_is_over = False
        self._fell_back = None
        self._refresh(event.at_ms)

    def _bed_heard(self, event: FallbackStarted) -> None:
        if self._row is not None and self._row.id == event.row.id and not self._row_is_over:
            self._fell_back = event

    def _row_over(self, event: RowEnded) -> None:
        self._record(event)
        if self._row is not None and self._row.id == event.row.id:
            self._row_is_over = True
        self._metrics.rows_ended.labels(self.station.id, str(event.outcome)).inc()

    def _sign_off(self) -> None:
        """What sounded until now is all that was heard of the row on the air; what was cued is no attempt."""
        if self._is_handed_over:
            return
        self._withdraw()
        if self._row is None or self._row_is_over:
            return
        heard_ms = self._heard_ms()
        cause = self._fell_back.reason if self._fell_back else as_run.STOPPED
        outcome = Outcome.TRUNCATED if heard_ms or not self._fell_back else Outcome.MISSED
        self._record(RowEnded(self._row, self._clock.now_ms(), heard_ms, outcome, cause))

    def _withdraw(self, until_ms: UtcMs | None = None) -> None:
        """Take back the intents of rows that were never heard; with ``until_ms``, of those over by then."""
        gone = [row for row in self._cued.values() if until_ms is None or row.ends_at_ms <= until_ms]
        for row in gone:
            del self._cued[row.id]
            try:
                self._recorder.withdraw(row, self._clock.now_ms())
            except Exception:
                _journal.exception("as_run_not_written", station=self.station.id, row=row.id)

    def _record(self, event: PlayoutEvent) -> None:
        # whatever becomes of the as-run log, the state must follow the sound
        try:
            self._recorder.record(event)
        except Exception:
            _journal.exception("as_run_not_written", station=self.station.id, row=event.row.id)

    def _checkpoint(self, row: LogRow) -> None:
        try:
            self._recorder.checkpoint(row, self._clock.now_ms(), self._heard_ms())
        except Exception:
            _journal.exception("as_run_not_written", station=self.station.id, row=row.id)

    def _heard_ms(self) -> DurationMs:
        """How much of the row's own sound was heard; the bed in its place does not count."""
        until_ms = self._fell_back.at_ms if self._fell_back else self._clock.now_ms()
        if not self._fell_back:
            # a wall clock that is set back takes nothing of what was heard
            self._heard_until_ms = DurationMs(max(self._heard_until_ms, until_ms - self._row_since_ms))
            return self._heard_until_ms
        return DurationMs(max(0, until_ms - self._row_since_ms))

    async def _tick_on(self) -> None:
        ticks = 0
        while True:
            await self._clock.sleep(TICK_S)
            ticks += 1
            if ticks % LISTENERS_EVERY_TICKS == 0:
                self._listeners = self._count_listeners()
            try:
                self._tick()
            except Exception:
                _journal.exception("tick_failed", station=self.station.id)

    def _tick(self) -> None:
        if self._is_handed_over:
            return
        now_ms = self._clock.now_ms()
        if self._row is not None and now_ms - self._row.ends_at_ms > HOLE_AFTER_MS:
            self._row = None
        if self._row is not None and not self._row_is_over:
            self._checkpoint(self._row)
        self._status = self._newly_assessed()
        self._refresh(now_ms)

    def _assess(self) -> None:
        before = self._status
        self._status = self._newly_assessed()
        if self._status != before:
            self._refresh(self._clock.now_ms())

    def _newly_assessed(self) -> Status:
        status = assess(self._status, self._signs())
        if status.status is not self._status.status:
            _journal.info(
                "availability", station=self.station.id, status=str(status.status), reason=status.reason
            )
        self._metrics.available.labels(self.station.id).set(status.status is Availability.ON_AIR)
        return status

    def _signs(self) -> Signs:
        pulse = self._pulse
        return Signs(
            at_ms=self._clock.now_ms(),
            started_at_ms=self._wall_ms(self._started_s),
            enabled=self.station.enabled,
            bytes_at_ms=None if self._bytes_s is None else self._wall_ms(self._bytes_s),
            silent_ms=pulse.silent_ms if pulse else 0,
            silence_after_ms=round(self.station.sound.silence_after_s * 1000),
            on_bed=pulse.on_bed if pulse else False,
            fault=self._fault,
        )

    def _wall_ms(self, monotonic_s: float) -> UtcMs:
        """What the wall clock, as it is set now, showed at that moment: whoever sets it stops no stream."""
        return UtcMs(self._clock.now_ms() - round((self._clock.monotonic_s() - monotonic_s) * 1000))

    def _monotonic_s(self, wall_ms: UtcMs) -> float:
        return self._clock.monotonic_s() - (self._clock.now_ms() - wall_ms) / 1000

    def _refresh(self, at_ms: UtcMs) -> None:
        self._row = self._as_it_stands(self._row)
        after_ms = self._row.ends_at_ms if self._row else at_ms
        programme, next_programme = self._log.programmes(at_ms)
        seen = OnAir(
            status=self._status,
            source="fallback" if self._status.status is Availability.DEGRADED else "schedule",
            row=self._row,
            coming=self._log.coming(after_ms, 40) if self.station.next_shows == "item" else (),
            programme=programme,
            next_programme=next_programme,
            listeners=self._listeners,
        )
        state = state_of(self.station, seen, self._public_url)
        if state != self.state or not self._is_published:
            self.state = state
            self._is_published = False
            self._publish(self.station.id, state, at_ms)
            self._is_published = True

    def _as_it_stands(self, row: LogRow | None) -> LogRow | None:
        """The row as the log has it now: a command may have given it another end."""
        found = self._log.coming(row.starts_at_ms, 1) if row else ()
        return found[0] if row and found and found[0].id == row.id else row
