"""One station's log over time: loaded, extended, and compiled anew from the next row that is not taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import structlog

from radio.clock import Clock
from radio.errors import ConfigurationError, InvalidRequest
from radio.log import LogRow
from radio.schedule.airings import ProgrammeAiring, airings
from radio.schedule.builder import Inputs, StationPlan, compile_log
from radio.schedule.in_force import InForce, Reading, Sources
from radio.schedule.inputs import NEAR_MS, goes_on_until, replaced, told_apart, with_past
from radio.schedule.item_rows import row_of
from radio.schedule.keeping import Keeping
from radio.schedule.lane import Lane
from radio.schedule.model import OnOverrun, Schedule
from radio.schedule.openings import MARGIN_MS, next_untaken_ms, open_ms
from radio.schedule.overruns import with_ends
from radio.schedule.persistence import LogStore
from radio.schedule.remains import LogBaton
from radio.schedule.resume import Interrupted, resumed
from radio.schedule.station_log import StationLog
from radio.sponsors.weektime import HOUR_MS, NOMINAL_DAY_MS
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)

T = TypeVar("T")

AHEAD_MS: Final = 24 * HOUR_MS
FIRST_STEP_MS: Final = 20 * 60_000
FIRST_SEAM_MS: Final = HOUR_MS
"""What an edit compiles before it is published: little, so that it is in force at once, and up to a hard anchor where
one comes within the hour, so that what is fitted to it is fitted as a whole."""

BEGIN_MS: Final = 2 * HOUR_MS
"""How far ahead the log must be before a station goes on the air."""

STEP_MS: Final = 2 * HOUR_MS
"""What is compiled on at a time: an edit waits for no more."""

KEEP_MS: Final = 3 * HOUR_MS
HISTORY_MS: Final = 7 * NOMINAL_DAY_MS
LONGEST_PREVIEW_MS: Final = 31 * NOMINAL_DAY_MS + HOUR_MS
ATTEMPTS: Final = 5

NEAR_END_MS: Final = 150_000
LAST_CALL_MS: Final = 15_000
"""A programme that an operator ends is let go on between these two before its end."""


class Before(NamedTuple):
    """What is known of the time before a start: what was on the air when it broke off, and whose end is written."""

    cut: Interrupted | None = None
    is_known: Callable[[str], bool] = lambda row: False


NOTHING_BEFORE: Final = Before()


class Prepared(NamedTuple):
    """What a reading makes of the log from ``from_ms`` on, before it is in force.

    ``generation`` and ``ends`` say of which log: where it is another by now, the rows are worth nothing. ``airings``
    are None where they stay as they are.
    """

    from_ms: UtcMs
    rows: Sequence[LogRow]
    airings: Sequence[ProgrammeAiring] | None
    generation: int
    ends: Mapping[str, UtcMs]


class StationPlanner:
    """Owns one station's log. Every method runs in the event loop; work that takes time runs in threads."""

    def __init__(
        self,
        station: StationPlan,
        sources: Sources,
        *,
        clock: Clock,
        store: LogStore,
        lane: Lane,
        on_change: Callable[[str, UtcMs], None],
        on_problem: Callable[[str, ConfigurationError | None], None],
    ) -> None:
        self.log = StationLog(station.id, station.name)
        self.in_force = InForce(station, sources, lane, on_problem=on_problem)
        self.missed: Sequence[LogRow] = ()
        self._station = station
        self._clock = clock
        self._store = store
        self._lane = lane
        self._on_change = on_change
        self._busy = asyncio.Lock()
        self._has_inputs = asyncio.Event()
        self._keeping = Keeping(self.log, store)
        self._moved_ms: UtcMs | None = None
        self._shifted_ms: UtcMs | None = None
        self._following: asyncio.Task[None] | None = None

    async def begin(self, before: Before = NOTHING_BEFORE) -> bool:
        """Put the stored log in force, from where the station broke off; True where it holds the present.

        Nothing is compiled or read anew: that is left to :meth:`catch_up`, when the station is on the air.
        """
        loop = asyncio.get_running_loop()
        self.log.on_move = lambda from_ms: _in_loop(loop, self._moved, from_ms)
        now_ms = self._clock.now_ms()
        async with self._busy:
            stored, remains = await self._keeping.stored(UtcMs(now_ms - KEEP_MS), now_ms)
            again = resumed(stored, now_ms, before.cut)
            if again.rows:
                self.log.replace_from(again.rows[0].starts_at_ms, again.rows)
            self.log.remember(remains.without(before.is_known, now_ms))
            if not again.rows:
                return False
            self.in_force.revision = await self._store.revision(self._station.id) or ""
            self._shifted_ms = again.changed_ms
            self.missed = again.missed
            return self.log.peek(now_ms) is not None

    def hand_over(self) -> LogBaton:
        """The log as another process goes on with it; nothing is stored here from now on."""
        self._keeping.is_handed_over = True
        rows, remains = self.log.kept_from(self._clock.now_ms() - NEAR_MS)
        return LogBaton(rows=tuple(rows), remains=remains)

    def take_back(self) -> None:
        """The other process did not go on."""
        self._keeping.is_handed_over = False
        self._keeping.keep_soon(UtcMs(self._clock.now_ms() - NEAR_MS), self.in_force.revision)

    def adopt(self, baton: LogBaton) -> None:
        """Go on with the log of another process, after :meth:`begin` and before playout."""
        if baton.rows:
            self.log.drop_before(baton.rows[-1].ends_at_ms)
            self.log.replace_from(baton.rows[0].starts_at_ms, baton.rows)
            self._shifted_ms = baton.rows[0].starts_at_ms
        self.log.remember(baton.remains)

    async def catch_up(self) -> None:
        """Bring the log that :meth:`begin` put in force up to date, and have some hours of it."""
        async with self._busy:
            await self._keep_shift()
            await self._read_anew(is_first=True)
        await self.extend(BEGIN_MS)

    async def _keep_shift(self) -> None:
        from_ms, self._shifted_ms = self._shifted_ms, None
        if from_ms is not None:
            await self._keeping.keep(from_ms, self.in_force.revision)

    async def reload(self) -> None:
        """Read all inputs; where they changed, replace the log from the next row that is not taken."""
        await self.take_up()
        await self.follow_up()

    async def take_up(self) -> None:
        """What of :meth:`reload` is to be in force at once: the first rows."""
        async with self._busy:
            await self._read_anew()

    async def put_in_force(self, reading: Reading, keep: Callable[[], Awaitable[T]]) -> T:
        """Put a reading in force when ``keep`` has kept its text, beside which the first rows are compiled.

        Raises what ``keep`` raises; nothing was published then, and all is as it was.
        """
        preparing = asyncio.ensure_future(self._prepared(reading))
        try:
            kept = await keep()
        except BaseException:
            preparing.cancel()
            raise
        finally:
            await asyncio.gather(preparing, return_exceptions=True)
        async with self._busy:
            is_another = self.in_force.take(reading)
            self._has_inputs.set()
            if is_another and not await self._publish_prepared(preparing):
                await self._show_and_compile()
            if not self.in_force.is_newest(reading):
                await self._read_anew()
        return kept

    async def follow_up(self) -> None:
        """The rest of :meth:`reload`: the log a day ahead, and what the checks say of the schedule."""
        await self.extend()
        await self.in_force.judge(UtcMs(self._clock.now_ms()))

    async def inputs_at(self, from_ms: UtcMs, schedule: Schedule | None = None) -> Inputs:
        """All that a log from ``from_ms`` on would be made of, by the schedule in force or another."""
        inputs = await self._with_history(from_ms, self.in_force.inputs)
        if schedule is None:
            return inputs
        return replaced(inputs, schedule=schedule, history=inputs.history, kept=inputs.kept)

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
        while await self._extend_a_step(now_ms, now_ms + ahead_ms):
            pass
        async with self._busy:
            await self._overrun(now_ms)
            self.log.drop_before(now_ms - KEEP_MS)
            self.log.show(await self._lane.run(self._airings, now_ms))

    async def _extend_a_step(self, now_ms: int, until_ms: int) -> bool:
        """One turn of :meth:`extend`: an edit that waits comes in between two of them."""
        async with self._busy:
            start_ms = max(self.log.ends_at_ms or 0, now_ms)
            end_ms = UtcMs(min(start_ms + STEP_MS, until_ms + HOUR_MS))
            return start_ms < until_ms and await self._publish(UtcMs(start_ms), end_ms)

    async def preview(self, from_ms: UtcMs, to_ms: UtcMs, schedule: Schedule | None) -> Sequence[LogRow]:
        """Rows for any span, trimmed to it. Raises InvalidRequest for a span of no time or over 31 days."""
        if not 0 < to_ms - from_ms <= LONGEST_PREVIEW_MS:
            raise InvalidRequest(
                "The span cannot be previewed.", field="to", allowed="up to 31 days after from"
            )
        inputs = await self.inputs_at(from_ms, schedule)
        rows = await self._lane.run(compile_log, inputs, from_ms, to_ms)
        return [row for row in rows if row.starts_at_ms < to_ms]

    def item_row(self, item_id: str) -> LogRow:
        """A row that plays an item of the station's library whole, to be put into the log; its times count
        from 0. Raises UnknownItem."""
        return row_of(item_id, self.in_force.inputs, UtcMs(self._clock.now_ms()))

    def _moved(self, from_ms: UtcMs) -> None:
        """Playout changed the log: tell that at once, and compile what follows."""
        self._on_change(self._station.id, from_ms)
        self._keeping.keep_soon(from_ms, self.in_force.revision)
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
            start_ms = open_ms(self.log, self._clock.now_ms(), attempt)
            end_ms = UtcMs(start_ms + FIRST_STEP_MS)
            if await self._publish(start_ms, end_ms, changed_ms=changed_ms, is_first=True):
                return

    async def _read_anew(self, *, is_first: bool = False) -> None:
        reading = await self._lane.run_first(self.in_force.read)
        is_another = self.in_force.take(reading)
        self._has_inputs.set()
        if not is_another or (is_first and self.in_force.problem and self.log.ends_at_ms):
            return
        await self._show_and_compile()

    async def _show_and_compile(self) -> None:
        """Publish the inputs in force, from the next row that is not taken."""
        self.log.show(await self._lane.run_first(self._airings, self._clock.now_ms()))
        for attempt in range(ATTEMPTS):
            start_ms = next_untaken_ms(self.log, self._clock.now_ms(), attempt)
            if await self._publish(start_ms, UtcMs(start_ms + FIRST_STEP_MS), is_first=True):
                return

    async def _prepared(self, reading: Reading) -> Prepared:
        """What :meth:`_show_and_compile` would make of a reading that is not in force yet."""
        generation, ends = self.log.generation, self.log.ends
        from_ms = next_untaken_ms(self.log, self._clock.now_ms(), 0)
        known = self.in_force.inputs
        is_known = self.log.airings and reading.inputs.sponsors is known.sponsors
        is_same = is_known and reading.inputs.schedule.programmes == known.schedule.programmes
        inputs = await self._with_history(from_ms, reading.inputs)

        def work() -> Prepared:
            rows = compile_log(inputs, from_ms, from_ms + FIRST_STEP_MS, seam_by_ms=from_ms + FIRST_SEAM_MS)
            told = None if is_same else self._airings(self._clock.now_ms(), inputs)
            return Prepared(from_ms, rows, told, generation, ends)

        return await self._lane.run_first(work)

    async def _publish_prepared(self, preparing: asyncio.Future[Prepared]) -> bool:
        """Publish what was prepared; False where that failed, or the log is another by now."""
        if fault := preparing.exception():
            _journal.error("log_not_prepared", station=self._station.id, exc_info=fault)
            return False
        made = preparing.result()
        if (made.from_ms, made.ends) != (next_untaken_ms(self.log, self._clock.now_ms(), 0), self.log.ends):
            return False
        shown = self.log.airings
        if made.airings is not None:
            self.log.show(made.airings)
        if await self._put(made.from_ms, made.rows, made.from_ms, made.generation):
            return True
        self.log.show(shown)
        return False

    async def _publish(
        self, from_ms: UtcMs, to_ms: UtcMs, *, changed_ms: UtcMs | None = None, is_first: bool = False
    ) -> bool:
        """Compile and store; where rows before ``from_ms`` were changed from ``changed_ms`` on, these as well."""
        generation = self.log.generation
        inputs = await self._with_history(from_ms, self.in_force.inputs)
        run, seam_ms = (self._lane.run_first, FIRST_SEAM_MS) if is_first else (self._lane.run, 0)
        rows = await run(compile_log, inputs, from_ms, to_ms, seam_by_ms=from_ms + seam_ms)
        changed_ms = from_ms if changed_ms is None else min(changed_ms, from_ms)
        return await self._put(from_ms, rows, changed_ms, generation)

    async def _put(self, from_ms: UtcMs, rows: Sequence[LogRow], changed_ms: UtcMs, generation: int) -> bool:
        """Publish rows, tell of them at once, and store them. False where the log is another by now.

        Told first: playout takes them from the moment at which they are published, stored or not. If the process dies
        in between, the stored log is of another revision than the files, and is compiled anew at the start.
        """
        known = (*self.log.between(from_ms - KEEP_MS, from_ms), *self.log.vacated)
        rows = told_apart(rows, known)
        if not rows or not self.log.replace_from(from_ms, rows, generation=generation):
            return False
        self._on_change(self._station.id, from_ms)
        await self._keeping.keep(changed_ms, self.in_force.revision)
        return True

    async def _with_history(self, from_ms: UtcMs, inputs: Inputs) -> Inputs:
        plays = await self._keeping.plays(UtcMs(from_ms - HISTORY_MS))
        heard_until_ms = plays[-1].started_ms if plays else 0
        planned = self.log.between(max(heard_until_ms + 1, from_ms - KEEP_MS - AHEAD_MS), from_ms)
        return with_past(
            replaced(inputs, schedule=self._amended(inputs)),
            from_ms,
            heard=plays,
            planned=[
                row for row in planned if heard_until_ms < row.starts_at_ms and row.ends_at_ms <= from_ms
            ],
            near=[row for row in self.log.between(from_ms - NEAR_MS, from_ms) if row.ends_at_ms <= from_ms],
            vacated=self.log.vacated,
        )

    def _amended(self, inputs: Inputs) -> Schedule:
        """A schedule with the ends that operators have given to programmes."""
        return with_ends(inputs.schedule, self.log.ends)

    async def _overrun(self, now_ms: int) -> None:
        """A programme that an operator ends goes on past its end: as far as it may, and up to a fixed time."""
        airing, _ = self.log.programmes(now_ms)
        programme = self.in_force.inputs.schedule.by_id().get(airing.id) if airing else None
        if airing is None or programme is None or programme.on_overrun is not OnOverrun.OPERATOR:
            return
        if airing.occurrence in self.log.ends or not LAST_CALL_MS < airing.ends_at_ms - now_ms < NEAR_END_MS:
            return
        behind = self.log.between(airing.ends_at_ms, airing.ends_at_ms + programme.overrun_max_ms)
        until_ms = goes_on_until(behind, airing.ends_at_ms, programme.overrun_max_ms)
        _journal.info("programme_goes_on", station=self._station.id, programme=airing.id, until_ms=until_ms)
        self.log.end_airing(airing.occurrence, until_ms)
        await self._compile_anew(open_ms(self.log, self._clock.now_ms(), 0))

    def _airings(self, now_ms: UtcMs, inputs: Inputs | None = None) -> list[ProgrammeAiring]:
        inputs = inputs or self.in_force.inputs
        start_ms, end_ms = now_ms - NOMINAL_DAY_MS, now_ms + 8 * NOMINAL_DAY_MS
        zone = ZoneInfo(self._station.timezone)
        return airings(self._amended(inputs), inputs.sponsors, self._station.id, zone, start_ms, end_ms)


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[UtcMs], None], from_ms: UtcMs) -> None:
    with suppress(RuntimeError):  # the loop is closing
        loop.call_soon_threadsafe(call, from_ms)
