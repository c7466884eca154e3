"""One station's log over time: loaded, extended, and compiled anew from the next row that is not taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import structlog

from radio.clock import Clock
from radio.errors import ConfigurationError, InvalidRequest, StoreError
from radio.log import LogRow
from radio.schedule.airings import ProgrammeAiring, airings
from radio.schedule.builder import Inputs, StationPlan, compile_log, revision_of
from radio.schedule.files import Notice, read_schedule
from radio.schedule.model import Schedule
from radio.schedule.persistence import LogStore
from radio.schedule.pool import LibraryView, Pool
from radio.schedule.rotation import Play
from radio.schedule.station_log import StationLog
from radio.sponsors.campaigns import SponsorBook, read_sponsors
from radio.sponsors.weektime import HOUR_MS, NOMINAL_DAY_MS
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)

AHEAD_MS: Final = 24 * HOUR_MS
FIRST_STEP_MS: Final = HOUR_MS
"""What an edit compiles before it is published: little, so that it is in force at once."""

BEGIN_MS: Final = 2 * HOUR_MS
"""How far ahead the log must be before a station goes on the air."""

STEP_MS: Final = 6 * HOUR_MS
KEEP_MS: Final = 3 * HOUR_MS
HISTORY_MS: Final = 7 * NOMINAL_DAY_MS
LONGEST_PREVIEW_MS: Final = 31 * NOMINAL_DAY_MS + HOUR_MS
ATTEMPTS: Final = 5

__all__ = ["Notice", "Sources", "StationPlanner"]


class Sources(NamedTuple):
    """Where a station's inputs are read from."""

    schedule_file: Path
    sponsors_file: Path
    library: Callable[[], LibraryView]
    stations: tuple[str, ...]


class _Read(NamedTuple):
    inputs: Inputs
    revision: str
    notices: tuple[Notice, ...]
    problem: ConfigurationError | None


class StationPlanner:
    """Owns one station's log. Every method runs in the event loop; work that takes time runs in threads."""

    def __init__(
        self,
        station: StationPlan,
        sources: Sources,
        *,
        clock: Clock,
        store: LogStore,
        on_change: Callable[[str, UtcMs], None],
        on_problem: Callable[[str, ConfigurationError | None], None],
    ) -> None:
        self.log = StationLog(station.id)
        self.problem: ConfigurationError | None = None
        self.notices: Sequence[Notice] = ()
        self.revision = ""
        self._station = station
        self._sources = sources
        self._clock = clock
        self._store = store
        self._on_change = on_change
        self._on_problem = on_problem
        self._inputs = Inputs(station=station, schedule=Schedule(), pool=Pool(()))
        self._busy = asyncio.Lock()

    @property
    def schedule(self) -> Schedule:
        """The schedule in force."""
        return self._inputs.schedule

    async def begin(self) -> None:
        """Load what is stored, bring it up to date, and have some hours of it."""
        now_ms = self._clock.now_ms()
        async with self._busy:
            stored = await self._stored(now_ms)
            if stored:
                self.log.replace_from(stored[0].starts_at_ms, stored)
                self.revision = await self._store.revision(self._station.id) or ""
            await self._read_anew(is_first=True)
        await self.extend(BEGIN_MS)

    async def reload(self) -> None:
        """Read all inputs; where they changed, replace the log from the next row that is not taken."""
        async with self._busy:
            await self._read_anew()
        await self.extend()

    async def extend(self, ahead_ms: int = AHEAD_MS) -> None:
        """Compile on until the log reaches ``ahead_ms`` ahead of now."""
        async with self._busy:
            now_ms = self._clock.now_ms()
            while (start_ms := max(self.log.ends_at_ms or 0, now_ms)) < now_ms + ahead_ms:
                end_ms = UtcMs(min(start_ms + STEP_MS, now_ms + ahead_ms + HOUR_MS))
                if not await self._publish(UtcMs(start_ms), end_ms):
                    break
            self.log.drop_before(now_ms - KEEP_MS)
            self.log.show(await asyncio.to_thread(self._airings, now_ms))

    async def preview(self, from_ms: UtcMs, to_ms: UtcMs, schedule: Schedule | None) -> Sequence[LogRow]:
        """Rows for any span, trimmed to it. Raises InvalidRequest for a span of no time or over 31 days."""
        if not 0 < to_ms - from_ms <= LONGEST_PREVIEW_MS:
            raise InvalidRequest(
                "The span cannot be previewed.", field="to", allowed="up to 31 days after from"
            )
        inputs = await self._with_history(from_ms)
        if schedule is not None:
            inputs = _replaced(inputs, schedule=schedule)
        rows = await asyncio.to_thread(compile_log, inputs, from_ms, to_ms)
        return [row for row in rows if row.starts_at_ms < to_ms]

    async def _stored(self, now_ms: UtcMs) -> list[LogRow]:
        try:
            found = await self._store.load(self._station.id, UtcMs(now_ms - KEEP_MS), UtcMs(2**53))
        except StoreError:
            _journal.exception("stored_log_unreadable", station=self._station.id)
            return []
        rows: list[LogRow] = []
        for row in found:
            if rows and rows[-1].ends_at_ms != row.starts_at_ms:
                rows = []
            rows.append(row)
        return rows if rows and rows[-1].ends_at_ms > now_ms else []

    async def _read_anew(self, *, is_first: bool = False) -> None:
        read = await asyncio.to_thread(self._read)
        self._tell(read.problem, is_first)
        self._inputs = read.inputs
        self.notices = self.notices if read.problem else read.notices
        is_same = read.revision == self.revision
        self.revision = read.revision
        if is_same or (is_first and read.problem and self.log.ends_at_ms):
            return
        for attempt in range(ATTEMPTS):
            start_ms = self._next_untaken_ms(attempt)
            if await self._publish(start_ms, UtcMs(start_ms + FIRST_STEP_MS)):
                return

    def _read(self) -> _Read:
        """Blocking. What cannot be read is replaced by what was in force, and told as the problem."""
        pool = Pool.of(self._sources.library().by_id.values(), self._station.roots)
        schedule, sponsors = self._inputs.schedule, self._inputs.sponsors
        notices: tuple[Notice, ...] = ()
        problem: ConfigurationError | None = None
        try:
            sponsors = read_sponsors(self._sources.sponsors_file, stations=self._sources.stations)
            schedule, notices = read_schedule(self._sources.schedule_file, sponsors=sponsors, pool=pool)
        except ConfigurationError as fault:
            problem = fault
        inputs = _replaced(self._inputs, pool=pool, schedule=schedule, sponsors=sponsors)
        return _Read(inputs, revision_of(inputs), notices, problem)

    def _tell(self, problem: ConfigurationError | None, is_first: bool) -> None:
        if problem is None and self.problem is None:
            return
        self.problem = problem
        if problem is not None:
            _journal.error("schedule_not_taken", station=self._station.id, problem=problem.message)
        self._on_problem(self._station.id, problem)

    def _next_untaken_ms(self, attempt: int) -> UtcMs:
        """Where an edit takes hold; later at each attempt, where playout is faster than the compiler."""
        now_ms = self._clock.now_ms()
        start_ms = max(self.log.frontier_ms, now_ms)
        on_air = self.log.peek(start_ms)
        if on_air is not None and on_air.starts_at_ms < start_ms:
            start_ms = on_air.ends_at_ms
        for _ in range(attempt):
            later = self.log.peek(start_ms)
            start_ms = later.ends_at_ms if later else start_ms
        return UtcMs(start_ms)

    async def _publish(self, from_ms: UtcMs, to_ms: UtcMs) -> bool:
        inputs = await self._with_history(from_ms)
        rows = await asyncio.to_thread(compile_log, inputs, from_ms, to_ms)
        if not rows or not self.log.replace_from(from_ms, rows):
            return False
        try:
            await self._store.replace_from(self._station.id, from_ms, rows, self.revision)
        except StoreError:
            _journal.exception("log_not_stored", station=self._station.id)
        self._on_change(self._station.id, from_ms)
        return True

    async def _with_history(self, from_ms: UtcMs) -> Inputs:
        try:
            plays = list(await self._store.plays(self._station.id, UtcMs(from_ms - HISTORY_MS)))
        except StoreError:
            _journal.exception("history_unreadable", station=self._station.id)
            plays = []
        heard_until_ms = plays[-1].started_ms if plays else 0
        planned = self.log.between(max(heard_until_ms + 1, from_ms - KEEP_MS - AHEAD_MS), from_ms)
        kept = [row for row in planned if row.ends_at_ms <= from_ms]
        near = [row for row in self.log.between(from_ms - 2 * HOUR_MS, from_ms) if row.ends_at_ms <= from_ms]
        heard = [play for play in plays if play.started_ms < from_ms]
        coming = [_play(row) for row in kept if row.item and row.starts_at_ms > heard_until_ms]
        return _replaced(self._inputs, history=(*heard, *coming), kept=tuple(near))

    def _airings(self, now_ms: UtcMs) -> list[ProgrammeAiring]:
        zone = ZoneInfo(self._station.timezone)
        inputs = self._inputs
        start_ms, end_ms = now_ms - NOMINAL_DAY_MS, now_ms + 8 * NOMINAL_DAY_MS
        return airings(inputs.schedule, inputs.sponsors, self._station.id, zone, start_ms, end_ms)


def _play(row: LogRow) -> Play:
    return Play(
        item=row.item or "",
        started_ms=row.starts_at_ms,
        title=row.title,
        artist=row.artist,
        category=row.category,
    )


def _replaced(
    inputs: Inputs,
    *,
    schedule: Schedule | None = None,
    sponsors: SponsorBook | None = None,
    pool: Pool | None = None,
    history: tuple[Play, ...] = (),
    kept: tuple[LogRow, ...] = (),
) -> Inputs:
    return Inputs(
        station=inputs.station,
        schedule=schedule if schedule is not None else inputs.schedule,
        pool=pool if pool is not None else inputs.pool,
        sponsors=sponsors if sponsors is not None else inputs.sponsors,
        history=history,
        kept=kept,
        seed=inputs.seed,
    )
