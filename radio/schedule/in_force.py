"""What a station's log is made of, as it is in force: its schedule, the sponsors and the library's items."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from radio.errors import ConfigurationError
from radio.schedule.builder import Inputs, StationPlan, revision_of
from radio.schedule.files import Notice, schedule_of
from radio.schedule.inputs import replaced
from radio.schedule.model import Schedule
from radio.schedule.pool import LibraryView, Pool
from radio.schedule.texts import version_of
from radio.schedule.verdict import Told, document_of, judged
from radio.sponsors.campaigns import read_sponsors
from radio.sponsors.weektime import NOMINAL_DAY_MS
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)


class Sources(NamedTuple):
    """Where a station's inputs are read from."""

    schedule_file: Path
    sponsors_file: Path
    library: Callable[[], LibraryView]
    stations: tuple[str, ...]


class _Read(NamedTuple):
    """``version`` is that of the file's text; None where the text is not in force."""

    inputs: Inputs
    revision: str
    notices: tuple[Notice, ...]
    version: str | None
    problem: ConfigurationError | None


class InForce:
    """The inputs in force, read anew when that is asked for; what is faulty leaves the last good one in force.

    ``revision`` is a hash of all that the log is made of, ``version`` that of the schedule's text, None before any was
    in force. ``problem`` says why the newest text is not, ``notices`` and ``findings`` what is odd in the one that is.
    """

    def __init__(
        self,
        station: StationPlan,
        sources: Sources,
        *,
        on_problem: Callable[[str, ConfigurationError | None], None],
    ) -> None:
        self.inputs = Inputs(station=station, schedule=Schedule(), pool=Pool(()))
        self.problem: ConfigurationError | None = None
        self.notices: Sequence[Notice] = ()
        self.findings: Sequence[Told] = ()
        self.revision = ""
        self.version: str | None = None
        self._station = station
        self._sources = sources
        self._on_problem = on_problem
        self._judged = ""

    async def read(self) -> bool:
        """Read all inputs; whether anything is another than it was."""
        read = await asyncio.to_thread(self._read)
        self._tell(read.problem)
        self.inputs = read.inputs
        if read.version is not None:
            self.version, self.notices = read.version, read.notices
        is_same = read.revision == self.revision
        self.revision = read.revision
        return not is_same

    async def judge(self, now_ms: UtcMs) -> None:
        """See what the checks say of the schedule in force; once a day where nothing changed."""
        mark = f"{self.version} {self.revision} {now_ms // NOMINAL_DAY_MS}"
        if mark == self._judged:
            return
        try:
            document = await asyncio.to_thread(document_of, self._sources.schedule_file)
            if version_of(document.text) != self.version:
                return  # a faulty file lies over the one in force, or a newer one is about to be read
            self.findings = (await asyncio.to_thread(judged, document, self.inputs, now_ms)).findings
            self._judged = mark
        except ConfigurationError:
            return

    def _read(self) -> _Read:
        """Blocking. What cannot be read is replaced by what was in force, and told as the problem."""
        pool = Pool.of(self._sources.library().by_id.values(), self._station.roots)
        schedule, sponsors = self.inputs.schedule, self.inputs.sponsors
        notices: tuple[Notice, ...] = ()
        version: str | None = None
        problem: ConfigurationError | None = None
        try:
            sponsors = read_sponsors(self._sources.sponsors_file, stations=self._sources.stations)
        except ConfigurationError as fault:
            problem = fault
        try:
            document = document_of(self._sources.schedule_file)
            schedule, notices = schedule_of(document, sponsors=sponsors, pool=pool)
            version = version_of(document.text)
        except ConfigurationError as fault:
            problem = problem or fault
        inputs = replaced(self.inputs, pool=pool, schedule=schedule, sponsors=sponsors)
        return _Read(inputs, revision_of(inputs), notices, version, problem)

    def _tell(self, problem: ConfigurationError | None) -> None:
        if problem is None and self.problem is None:
            return
        self.problem = problem
        if problem is not None:
            _journal.error("schedule_not_taken", station=self._station.id, problem=problem.message)
        self._on_problem(self._station.id, problem)
