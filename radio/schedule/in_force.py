"""What a station's log is made of, as it is in force: its schedule, the sponsors and the library's items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from radio.errors import ConfigurationError, ScheduleError
from radio.library.items import Item
from radio.schedule.builder import Inputs, StationPlan, revision_of
from radio.schedule.files import Notice, schedule_of
from radio.schedule.inputs import replaced
from radio.schedule.lane import Lane
from radio.schedule.model import Schedule
from radio.schedule.pool import LibraryView, Pool
from radio.schedule.texts import version_of
from radio.schedule.verdict import Told, document_of, verdict_of, verdict_on
from radio.sponsors.campaigns import SponsorBook, sponsors_of
from radio.sponsors.weektime import NOMINAL_DAY_MS
from radio.toml_source import TomlDocument
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)


class Sources(NamedTuple):
    """Where a station's inputs are read from."""

    schedule_file: Path
    sponsors_file: Path
    library: Callable[[], LibraryView]
    stations: tuple[str, ...]


class Reading(NamedTuple):
    """All inputs as they were read, before they are in force.

    ``text`` is that of the schedule file and ``version`` its hash; None where the text is not to be in force.
    ``problem`` says why not, or what is wrong with the sponsors' file.
    """

    inputs: Inputs
    revision: str
    notices: Sequence[Notice]
    text: str
    version: str | None
    problem: ConfigurationError | None


class _Stock(NamedTuple):
    """What a reading found besides the schedule, and what was made of it: that stays while it finds the same."""

    sponsors_text: str | None = None
    sponsors: SponsorBook = SponsorBook()
    items: tuple[Item, ...] = ()
    pool: Pool = Pool(())


class InForce:
    """The inputs in force, read anew when that is asked for; what is faulty leaves the last good one in force.

    ``revision`` is a hash of all that the log is made of; ``findings`` what the checks say of the schedule in force.
    """

    def __init__(
        self,
        station: StationPlan,
        sources: Sources,
        lane: Lane,
        *,
        on_problem: Callable[[str, ConfigurationError | None], None],
    ) -> None:
        self.revision = ""
        self.findings: Sequence[Told] = ()
        self._taken = Reading(
            Inputs(station=station, schedule=Schedule(), pool=Pool(())), "", (), "", None, None
        )
        self._station = station
        self._sources = sources
        self._lane = lane
        self._on_problem = on_problem
        self._judged = ""
        self._stock = _Stock()

    @property
    def inputs(self) -> Inputs:
        """What the log is made of, but for what has aired."""
        return self._taken.inputs

    @property
    def version(self) -> str | None:
        """The version of the schedule file's text that is in force; None before any was."""
        return self._taken.version

    @property
    def notices(self) -> Sequence[Notice]:
        """What is odd in the file that is in force."""
        return self._taken.notices

    @property
    def problem(self) -> ConfigurationError | None:
        """Why the newest text is not in force, or what is wrong with the sponsors' file."""
        return self._taken.problem

    def take(self, reading: Reading) -> bool:
        """Put a reading in force; whether anything is another than it was. In the event loop."""
        before = self._taken
        if reading.version is None:
            reading = reading._replace(notices=before.notices, text=before.text, version=before.version)
        # one value: threads that read meanwhile see all of it or nothing
        self._taken = reading
        if reading.problem is not None or before.problem is not None:
            self._tell(reading.problem)
        is_same = reading.revision == self.revision
        self.revision = reading.revision
        return not is_same

    def is_newest(self, reading: Reading) -> bool:
        """Whether no other sponsors or items were found since."""
        inputs, stock = reading.inputs, self._stock
        return inputs.sponsors is stock.sponsors and inputs.pool is stock.pool

    def read(self) -> Reading:
        """Read all inputs. Blocks. What cannot be read is as it was in force, and told as the problem."""
        sponsors, pool, problem = self._around()
        try:
            document = document_of(self._sources.schedule_file)
            return self._reading(document, sponsors, pool, problem)
        except ConfigurationError as fault:
            inputs = replaced(self.inputs, pool=pool, sponsors=sponsors)
            return Reading(inputs, revision_of(inputs), (), "", None, problem or fault)

    def read_as(self, text: str) -> tuple[Reading, TomlDocument]:
        """What :meth:`read` will give when the file has this text, and the text as a document. Blocks.

        Raises ScheduleError where the text means no schedule.
        """
        document = TomlDocument.parse(text, self._sources.schedule_file, error=ScheduleError)
        return self._reading(document, *self._around()), document

    async def judge(self, now_ms: UtcMs) -> None:
        """See what the checks say of the schedule in force; once a day where nothing changed."""
        taken = self._taken
        mark = f"{taken.version} {self.revision} {now_ms // NOMINAL_DAY_MS}"
        if mark == self._judged or taken.version is None:
            return
        findings = await self._lane.run(_findings, taken, self._sources.schedule_file, now_ms)
        now = self._taken
        if (now.version, now.revision) == (taken.version, taken.revision):
            self.findings, self._judged = findings, mark

    def _reading(
        self, document: TomlDocument, sponsors: SponsorBook, pool: Pool, problem: ConfigurationError | None
    ) -> Reading:
        version, known = version_of(document.text), self._taken
        schedule, notices = known.inputs.schedule, known.notices
        is_known = version == known.version and known.problem is None
        if not is_known or sponsors is not known.inputs.sponsors or pool is not known.inputs.pool:
            schedule, notices = schedule_of(document, sponsors=sponsors, pool=pool)
        inputs = replaced(known.inputs, pool=pool, schedule=schedule, sponsors=sponsors)
        return Reading(inputs, revision_of(inputs), notices, document.text, version, problem)

    def _around(self) -> tuple[SponsorBook, Pool, ConfigurationError | None]:
        """Sponsors and items: the very ones of before where nothing changed."""
        stock = self._stock
        items = tuple(self._sources.library().by_id.values())
        if items != stock.items:
            stock = stock._replace(items=items, pool=Pool.of(items, self._station.roots))
        sponsors, problem = self._taken.inputs.sponsors, None
        try:
            document = document_of(self._sources.sponsors_file)
            if document.text != stock.sponsors_text:
                book = sponsors_of(document, stations=self._sources.stations)
                stock = stock._replace(sponsors_text=document.text, sponsors=book)
            sponsors = stock.sponsors
        except ConfigurationError as fault:
            problem = fault
        self._stock = stock
        return sponsors, stock.pool, problem

    def _tell(self, problem: ConfigurationError | None) -> None:
        if problem is not None:
            _journal.error("schedule_not_taken", station=self._station.id, problem=problem.message)
        self._on_problem(self._station.id, problem)


def _findings(taken: Reading, file: Path, now_ms: UtcMs) -> tuple[Told, ...]:
    if not taken.inputs.pool.items:  # then nothing is told as missing from it
        return verdict_on(taken.text, file, taken.inputs, now_ms).findings
    document = TomlDocument(file, taken.text, {}, ScheduleError)
    return verdict_of(document, taken.inputs.schedule, taken.notices, taken.inputs, now_ms).findings
