"""Keeps every station's log compiled ahead of time, and compiles it anew when its inputs change.

The planner never starts an item: playout takes rows from :class:`~radio.schedule.station_log.StationLog`
whenever it wants. All compiling happens in worker threads; an edit replaces the log from the next row that
playout has not taken, so what is on the air is never cut.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import structlog

from radio.clock import Clock
from radio.config import Config, StationConfig
from radio.errors import ConfigurationError, UnknownStation
from radio.library.walk import root_name
from radio.log import LogRow
from radio.schedule.builder import Inputs, StationPlan
from radio.schedule.files import Notice
from radio.schedule.in_force import Reading, Sources
from radio.schedule.lane import Lane
from radio.schedule.model import Schedule
from radio.schedule.persistence import LogStore
from radio.schedule.pool import LibraryView
from radio.schedule.remains import LogBaton
from radio.schedule.resume import Interrupted
from radio.schedule.station_log import StationLog
from radio.schedule.station_planner import Before, StationPlanner
from radio.schedule.verdict import Told
from radio.toml_source import TomlDocument
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)

T = TypeVar("T")

TICK_S: Final = 60
STORED_FOR_MS: Final = 7 * 86_400_000
PRUNE_EVERY_S: Final = 3_600
MISFIRE_GRACE_S: Final = 30


class PlannedStation(msgspec.Struct, frozen=True, kw_only=True):
    """A station and the file of its schedule, which need not exist."""

    plan: StationPlan
    schedule_file: Path

    @classmethod
    def of(cls, config: Config, station: StationConfig) -> PlannedStation:
        """What the configuration says of a station."""
        plan = StationPlan(
            id=station.id,
            name=station.name,
            timezone=station.timezone,
            roots=tuple(root_name(root) for root in config.roots_of(station)),
            target_lufs=station.sound.target_lufs,
            crossfade_ms=station.sound.crossfade_ms,
        )
        return cls(plan=plan, schedule_file=config.schedule_of(station))


class Planner:
    """The logs of all stations. Methods are called in the event loop; the logs may be read from any thread.

    ``library`` gives the present snapshot. ``on_change`` is called in the loop with a station and the moment
    from which its log is new. A schedule or sponsor file that is wrong leaves the last good one in force;
    see :meth:`problem`.
    """

    def __init__(
        self,
        stations: Sequence[PlannedStation],
        *,
        clock: Clock,
        store: LogStore,
        library: Callable[[], LibraryView],
        sponsors_file: Path,
        on_change: Callable[[str, UtcMs], None] = lambda station, from_ms: None,
        on_problem: Callable[[str, ConfigurationError | None], None] = lambda station, problem: None,
    ) -> None:
        self.lane = Lane()
        self._clock = clock
        self._store = store
        ids = tuple(station.plan.id for station in stations)
        self._stations: Mapping[str, StationPlanner] = {
            station.plan.id: StationPlanner(
                station.plan,
                Sources(station.schedule_file, sponsors_file, library, ids),
                clock=clock,
                store=store,
                lane=self.lane,
                on_change=on_change,
                on_problem=on_problem,
            )
            for station in stations
        }

    async def start(self, exit_stack: AsyncExitStack) -> None:
        """Load the stored logs, compile some hours, and then keep a day ahead until the stack is closed.

        A file with faults does not stop the start: the station goes on with its stored or its default log.
        """
        await self.begin(exit_stack, {})
        await self.keep_ahead(exit_stack)

    async def begin(
        self,
        exit_stack: AsyncExitStack,
        cuts: Mapping[str, Interrupted],
        is_known: Callable[[str, str], bool] = lambda station, row: False,
    ) -> frozenset[str]:
        """Put the stored logs in force, and say for which stations that is enough to go on the air.

        ``cuts`` says what the stations were playing when the process last ended, ``is_known`` whether the end of a
        station's row was written by then.
        """
        ready = set()
        for id_, station in self._stations.items():
            exit_stack.push_async_callback(station.stop)
            if await station.begin(Before(cuts.get(id_), partial(is_known, id_))):
                ready.add(id_)
        return frozenset(ready)

    def hand_over(self) -> Mapping[str, LogBaton]:
        """All logs as another process goes on with them; nothing is stored here from now on."""
        return {id_: station.hand_over() for id_, station in self._stations.items()}

    def take_back(self) -> None:
        """The other process did not go on."""
        for station in self._stations.values():
            station.take_back()

    def adopt(self, station: str, baton: LogBaton) -> None:
        """Go on with the log of another process, after :meth:`begin`. Raises UnknownStation."""
        self._of(station).adopt(baton)

    async def keep_ahead(self, exit_stack: AsyncExitStack) -> None:
        """After :meth:`begin`: compile some hours, and then keep a day ahead until the stack is closed."""
        for station in self._stations.values():
            await station.catch_up()
        await self.prune()
        from apscheduler.schedulers.asyncio import AsyncIOScheduler  # when the sound is there, not before it

        scheduler = AsyncIOScheduler(timezone=UTC)
        options = {"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE_S}
        scheduler.add_job(_until_stopped, "date", args=(self.extend,), **options)
        scheduler.add_job(_until_stopped, "interval", args=(self.extend,), seconds=TICK_S, **options)
        scheduler.add_job(_until_stopped, "interval", args=(self.prune,), seconds=PRUNE_EVERY_S, **options)
        scheduler.start()
        exit_stack.callback(scheduler.shutdown, wait=False)

    def log(self, station: str) -> StationLog:
        """The station's published log. Raises UnknownStation."""
        return self._of(station).log

    def schedule(self, station: str) -> Schedule:
        """The schedule in force. Raises UnknownStation."""
        return self._of(station).in_force.inputs.schedule

    def problem(self, station: str) -> ConfigurationError | None:
        """Why the station's newest schedule or the sponsors' file is not in force; None where it is."""
        return self._of(station).in_force.problem

    def notices(self, station: str) -> Sequence[Notice]:
        """What is odd, though not wrong, in the schedule in force."""
        return self._of(station).in_force.notices

    def findings(self, station: str) -> Sequence[Told]:
        """What the checks say of the schedule in force; renewed after each change."""
        return self._of(station).in_force.findings

    def version(self, station: str) -> str | None:
        """The version of the schedule file's text that is in force; None before any was."""
        return self._of(station).in_force.version

    async def take_up(self, station: str) -> None:
        """Read a station's files anew and put the first rows in force; :meth:`follow_up` does the rest.

        Raises UnknownStation.
        """
        await self._of(station).take_up()

    def read_as(self, station: str, text: str) -> tuple[Reading, TomlDocument]:
        """What would be in force by a text that is not in the file yet, and the text as a document. Blocks.

        Raises UnknownStation, ScheduleError where the text means no schedule.
        """
        return self._of(station).in_force.read_as(text)

    async def put_in_force(self, station: str, reading: Reading, keep: Callable[[], Awaitable[T]]) -> T:
        """Put the first rows of a text in force when ``keep`` has kept it; :meth:`follow_up` does the rest.

        They are compiled while it does. Where it raises nothing is changed. Raises UnknownStation.
        """
        return await self._of(station).put_in_force(reading, keep)

    async def follow_up(self, station: str) -> None:
        """Compile a station's log on to a day ahead, and check the schedule. Raises UnknownStation."""
        await self._of(station).follow_up()

    async def judge(self, station: str) -> None:
        """Have :meth:`findings` of the schedule in force. Raises UnknownStation."""
        await self._of(station).in_force.judge(UtcMs(self._clock.now_ms()))

    def inputs(self, station: str) -> Inputs:
        """What a station's log is made of, but for what has aired. Raises UnknownStation."""
        return self._of(station).in_force.inputs

    async def inputs_at(self, station: str, from_ms: UtcMs, schedule: Schedule | None = None) -> Inputs:
        """All that a log from ``from_ms`` on would be made of, by the schedule in force or another.

        Raises UnknownStation.
        """
        return await self._of(station).inputs_at(from_ms, schedule)

    def revision(self, station: str) -> str:
        """A hash of everything the present log is made of."""
        return self._of(station).in_force.revision

    def item_row(self, station: str, item: str) -> LogRow:
        """A row that plays an item whole, to be put into the log. Raises UnknownStation, UnknownItem."""
        return self._of(station).item_row(item)

    def missed(self, station: str) -> Sequence[LogRow]:
        """The rows whose time passed before :meth:`begin`, while the station was away. Raises UnknownStation."""
        return self._of(station).missed

    def rows(self, station: str, limit: int) -> Sequence[LogRow]:
        """The row that playout has come to, and those that follow, at most ``limit``. Raises UnknownStation."""
        log = self.log(station)
        here = log.peek(log.reached_ms or self._clock.now_ms())
        return log.coming(here.starts_at_ms if here else self._clock.now_ms(), limit)

    async def extend(self) -> None:
        """Compile every log on to a day ahead of now; little work where that was done already.

        What the checks say is renewed where anything changed, and once a day.
        """
        for station in self._stations.values():
            await station.follow_up()

    async def reload(self, station: str | None = None) -> None:
        """Read the files and the library anew; where something changed, compile from the next untaken row.

        Does not raise for a faulty file: that is told by :meth:`problem`. Raises UnknownStation.
        """
        stations = self._stations.values() if station is None else [self._of(station)]
        await asyncio.gather(*(one.reload() for one in stations))

    async def preview(
        self, station: str, from_ms: UtcMs, to_ms: UtcMs, *, schedule: Schedule | None = None
    ) -> Sequence[LogRow]:
        """What would air in ``[from_ms, to_ms)``, by the schedule in force or another, without airing it.

        At most 31 days. Raises UnknownStation, InvalidRequest.
        """
        return await self._of(station).preview(from_ms, to_ms, schedule)

    async def prune(self) -> None:
        """Forget planned rows of more than a week ago; the as-run log keeps what became of them."""
        try:
            await self._store.prune(UtcMs(self._clock.now_ms() - STORED_FOR_MS))
        except Exception:
            _journal.exception("prune_failed")

    def _of(self, station: str) -> StationPlanner:
        if station not in self._stations:
            raise UnknownStation(station, self._stations)
        return self._stations[station]


async def _until_stopped(work: Callable[[], Awaitable[None]]) -> None:
    """Run a job; that the scheduler cancels it at a stop is no failure of it."""
    with suppress(asyncio.CancelledError):
        await work()
