"""One station's log over time: loaded, extended, and compiled anew from the next row that is not taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import structlog

from radio.clock import Clock
from radio.errors import ConfigurationError, InvalidRequest, StoreError
from radio.log import LogRow
from radio.schedule.airings import ProgrammeAiring, airings
from radio.schedule.builder import Inputs, StationPlan, compile_log, revision_of
from radio.schedule.files import Notice, read_schedule
from radio.schedule.item_rows import row_of
from radio.schedule.model import Schedule
from radio.schedule.moves import LEAST_ROOM_MS, is_bridge
from radio.schedule.persistence import LogStore
from radio.schedule.pool import LibraryView, Pool
from radio.schedule.resume import Interrupted, resumed
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

MARGIN_MS: Final = 500
"""How far ahead of playout the rows for a bridge that sounds begin; twice as far at each further attempt."""

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
        self.log = StationLog(station.id, station.name)
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
        self._has_inputs = asyncio.Event()
        self._moved_ms: UtcMs | None = None
        self._shifted_ms: UtcMs | None = None
        self._following: asyncio.Task[None] | None = None

    @property
    def schedule(self) -> Schedule:
        """The schedule in force."""
        return self._inputs.schedule

    async def begin(self, cut: Interrupted | None = None) -> bool:
        """Put the stored log in force, from where the station broke off; True where it holds the present.

        Nothing is compiled or read anew: that is left to :meth:`catch_up`, when the station is on the air.
        """
        loop = asyncio.get_running_loop()
        self.log.on_move = lambda from_ms: _in_loop(loop, self._moved, from_ms)
        now_ms = self._clock.now_ms()
        async with self._busy:
            stored = await self._stored(now_ms)
            if not stored:
                return False
            again = resumed(stored, now_ms, cut)
            self.log.replace_from(again.rows[0].starts_at_ms, again.rows)
            self.revision = await self._store.revision(self._station.id) or ""
            self._shifted_ms = again.changed_ms
            return self.log.peek(now_ms) is not None

    async def catch_up(self) -> None:
        """Bring the log that :meth:`begin` put in force up to date, and have some hours of it."""
        async with self._busy:
            await self._keep_shift()
            await self._read_anew(is_first=True)
        await self.extend(BEGIN_MS)

    async def _keep_shift(self) -> None:
        from_ms, self._shifted_ms = self._shifted_ms, None
        if from_ms is None:
            return
        rows = [row for row in self.log.between(from_ms, UtcMs(2**53)) if row.starts_at_ms >= from_ms]
        try:
            await self._store.replace_from(self._station.id, from_ms, rows, self.revision)
        except StoreError:
            _journal.exception("log_not_stored", station=self._station.id)

    async def reload(self) -> None:
        """Read all inputs; where they changed, replace the log from the next row that is not taken."""
        async with self._busy:
            await self._read_anew()
        await self.extend()

    async def stop(self) -> None:
        """Let go of what is still to be compiled after a change at the log's present."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following

    async def extend(self, ahead_ms: int = AHEAD_MS) -> None:
        """Compile on until the log reaches ``ahead_ms`` ahead of now."""
        async with self._busy:
            now_ms = self._clock.now_ms()
            if bridge := self.log.bridge(max(now_ms, self.log.reached_ms) + MARGIN_MS):
                await self._compile_anew(bridge.starts_at_ms)
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

    def item_row(self, item_id: str) -> LogRow:
        """A row that plays an item of the station's library whole, to be put into the log; its times count
        from 0. Raises UnknownItem."""
        return row_of(item_id, self._inputs, UtcMs(self._clock.now_ms()))

    def _moved(self, from_ms: UtcMs) -> None:
        """Playout changed the log: tell that at once, and compile what follows."""
        self._on_change(self._station.id, from_ms)
        self._moved_ms = from_ms if self._moved_ms is None else min(from_ms, self._moved_ms)
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        await self._has_inputs.wait()
        while self._moved_ms is not None:
            try:
                async with self._busy:
                    from_ms, self._moved_ms = self._moved_ms, None
                    await self._compile_anew(from_ms)
                await self.extend()
            except Exception:
                _journal.exception("log_not_followed", station=self._station.id)

    async def _compile_anew(self, changed_ms: UtcMs) -> None:
        """Compile from the first moment that is open, after a change of rows from ``changed_ms`` on."""
        for attempt in range(ATTEMPTS):
            start_ms = self._open_ms(attempt)
            if await self._publish(start_ms, UtcMs(start_ms + FIRST_STEP_MS), changed_ms=changed_ms):
                return

    def _open_ms(self, attempt: int) -> UtcMs:
        """Where rows may be compiled anew: in a bridge that playout has taken, else from the next row on."""
        frontier_ms = self.log.frontier_ms
        bridge = self.log.peek(frontier_ms - 1)
        if bridge is not None and is_bridge(bridge) and bridge.ends_at_ms == frontier_ms:
            heard_ms = max(self.log.reached_ms, self._clock.now_ms())
            start_ms = max(bridge.starts_at_ms, heard_ms + (MARGIN_MS << attempt))
            if bridge.ends_at_ms - start_ms >= LEAST_ROOM_MS:
                return UtcMs(start_ms)
        return self._next_untaken_ms(attempt)

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
        self._has_inputs.set()
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

    async def _publish(self, from_ms: UtcMs, to_ms: UtcMs, *, changed_ms: UtcMs | None = None) -> bool:
        """Compile and store; where rows before ``from_ms`` were changed from ``changed_ms`` on, these as well."""
        generation = self.log.generation
        inputs = await self._with_history(from_ms)
        rows: Sequence[LogRow] = await asyncio.to_thread(compile_log, inputs, from_ms, to_ms)
        changed_ms = from_ms if changed_ms is None else min(changed_ms, from_ms)
        rows = _told_apart(rows, self.log.between(from_ms - KEEP_MS, from_ms))
        if not rows or not self.log.replace_from(from_ms, rows, generation=generation):
            return False
        settled = self.log.between(changed_ms, from_ms)
        stored = [*(row for row in settled if row.starts_at_ms >= changed_ms), *rows]
        try:
            await self._store.replace_from(self._station.id, changed_ms, stored, self.revision)
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


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[UtcMs], None], from_ms: UtcMs) -> None:
    with suppress(RuntimeError):  # the loop is closing
        loop.call_soon_threadsafe(call, from_ms)


def _told_apart(rows: Sequence[LogRow], kept: Sequence[LogRow]) -> Sequence[LogRow]:
    """``rows`` with ids that no kept row has: one that was moved keeps the id of the moment it was made for."""
    taken = {row.id for row in kept}
    return [msgspec.structs.replace(row, id=f"{row.id}-2") if row.id in taken else row for row in rows]


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
