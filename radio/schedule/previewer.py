"""What an edit would change, before it is saved: compiled in a thread, one edit of a station at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Final
from zoneinfo import ZoneInfo

from radio.clock import Clock
from radio.errors import LimitReached
from radio.schedule.builder import Inputs
from radio.schedule.editor import Rewrite, ScheduleEditor, rewritten
from radio.schedule.effects import (
    DAYS,
    Effects,
    Marks,
    airing_effects,
    compiled_days,
    day_edges,
    effects,
    may_differ_from,
    row_effects,
)
from radio.schedule.model import Schedule
from radio.schedule.planner import Planner
from radio.schedule.revisions import Preview
from radio.schedule.schedule_source import read_source
from radio.schedule.texts import diff, version_of
from radio.schedule.verdict import verdict_on
from radio.sponsors.weektime import HOUR_MS, NOMINAL_DAY_MS
from radio.units import UtcMs

TIME_LIMIT_S: Final = 3.0
"""How long rows are compiled; the day that is begun is finished."""

WAIT_S: Final = 5.0
"""How long an edit waits for the one before it."""


KEPT_STATIONS: Final = 4


class _Days:
    """The days of the schedule in force, compiled once as far as anybody asked; for one thread at a time."""

    def __init__(self, revision: str, edges: Sequence[UtcMs], source: Iterator[Marks]) -> None:
        self.key = (revision, tuple(edges))
        self._source = source
        self._made: list[Marks] = []

    def __iter__(self) -> Iterator[Marks]:
        for index in count():
            if index == len(self._made):
                day = next(self._source, None)
                if day is None:
                    return
                self._made.append(day)
            yield self._made[index]


class Previewer:
    """Previews of edits of all stations. Methods are called in the event loop."""

    def __init__(
        self, zones: Mapping[str, ZoneInfo], editor: ScheduleEditor, planner: Planner, clock: Clock
    ) -> None:
        self._zones = zones
        self._editor = editor
        self._planner = planner
        self._clock = clock
        self._turns = {station: asyncio.Lock() for station in zones}
        self._kept: OrderedDict[str, _Days] = OrderedDict()

    async def preview(self, station: str, rewrite: Rewrite) -> Preview:
        """What the file would become, what the checks say of that, and what changes in the next seven days.

        Against the schedule in force. Airings are always compared, rows for three seconds. Raises UnknownStation,
        ScheduleError, and LimitReached where other previews of the station take too long.
        """
        self._editor.file(station)
        turn = self._turns[station]
        try:
            await asyncio.wait_for(turn.acquire(), WAIT_S)
        except TimeoutError as fault:
            raise LimitReached("Another preview of this station is being made; try again.") from fault
        work = asyncio.ensure_future(self._preview(station, rewrite))
        work.add_done_callback(
            lambda _: turn.release()
        )  # not before the thread has ended, whoever waits for it
        return await asyncio.shield(work)

    async def _preview(self, station: str, rewrite: Rewrite) -> Preview:
        now_ms = UtcMs(self._clock.now_ms())
        from_ms = UtcMs(now_ms - now_ms % HOUR_MS)
        inputs = await self._planner.inputs_at(station, from_ms)
        revision = self._planner.revision(station)
        return await asyncio.to_thread(self._made, station, rewrite, inputs, revision, now_ms)

    def _made(self, station: str, rewrite: Rewrite, inputs: Inputs, revision: str, now_ms: UtcMs) -> Preview:
        """In a thread."""
        deadline_s = self._clock.monotonic_s() + TIME_LIMIT_S
        file = self._editor.file(station)
        old = read_source(file).text
        text = rewritten(old, rewrite, file)
        verdict, before = verdict_on(text, file, inputs, now_ms), verdict_on(old, file, inputs, now_ms)
        known = {(one.level, one.code, one.text) for one in before.findings}
        found = None
        if verdict.schedule is not None:
            found = self._effects(station, inputs, verdict.schedule, revision, now_ms, deadline_s)
        return Preview(
            version=version_of(text),
            findings=verdict.findings,
            new_findings=tuple(
                one for one in verdict.findings if (one.level, one.code, one.text) not in known
            ),
            effects=found,
            diff=diff(old, text),
        )

    def _effects(
        self,
        station: str,
        inputs: Inputs,
        after: Schedule,
        revision: str,
        now_ms: UtcMs,
        deadline_s: float,
    ) -> Effects:
        zone, before = self._zones[station], inputs.schedule
        span = now_ms, UtcMs(now_ms + DAYS * NOMINAL_DAY_MS)
        told = airing_effects(before, after, inputs.sponsors, station, zone, *span)
        hour_ms = UtcMs(now_ms - now_ms % HOUR_MS)
        start_ms = may_differ_from(before, after, told, zone, hour_ms)
        if start_ms is None:
            return effects(told, span, ([], span[1], None))
        edges = day_edges(start_ms, UtcMs(hour_ms + DAYS * NOMINAL_DAY_MS), zone)
        rows = row_effects(
            self._days(station, inputs, revision, edges),
            compiled_days(_with(inputs, after), edges),
            edges,
            zone,
            lambda: self._clock.monotonic_s() < deadline_s,
        )
        return effects(told, span, rows)

    def _days(self, station: str, inputs: Inputs, revision: str, edges: list[UtcMs]) -> _Days:
        """The days of the schedule in force; those of the last preview where they are the same."""
        found = self._kept.get(station)
        if found is None or found.key != (revision, tuple(edges)):
            found = self._kept[station] = _Days(revision, edges, compiled_days(inputs, edges))
        self._kept.move_to_end(station)
        while len(self._kept) > KEPT_STATIONS:
            self._kept.popitem(last=False)
        return found


def _with(inputs: Inputs, schedule: Schedule) -> Inputs:
    return Inputs(
        station=inputs.station,
        schedule=schedule,
        pool=inputs.pool,
        sponsors=inputs.sponsors,
        history=inputs.history,
        kept=inputs.kept,
        seed=inputs.seed,
    )
