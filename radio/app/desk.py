"""The operators' push, made of the service's parts: where a desk's state comes from, and who tells of changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from itertools import takewhile
from typing import Final, Literal, Self

from radio.api.command_shapes import ComingRow
from radio.api.desk_feed import DeskFeed
from radio.api.desk_messages import (
    NEXT_ROWS,
    DeskState,
    Hold,
    MountState,
    SavedBy,
    ScheduleState,
)
from radio.api.desk_socket import DeskSockets
from radio.app.parts import Parts
from radio.config import StationConfig
from radio.errors import StoreError
from radio.events import PlayoutEvent, RowEnded
from radio.log import LogRow
from radio.push.heartbeat import Heartbeat
from radio.schedule.laying import is_an_operators, is_emergency, is_hold
from radio.stations import AsRunRecorder, programme_view
from radio.stations.shapes import AvailabilityState
from radio.store import schedule_revisions
from radio.store.schedule_revisions import Revision
from radio.units import DurationMs, UtcMs

LEAD_STEP_S: Final = 0.3
"""A lead that differs by less from the one that was told last is no news."""


class DeskParts:
    """An async context manager. :meth:`push` is left before the port is closed, so that desks are told."""

    def __init__(self, parts: Parts, heartbeat: Heartbeat) -> None:
        self._parts = parts
        self._configs = {station.id: station for station in parts.config.stations}
        self._saved: dict[str, SavedBy | None] = {}
        self._leads: dict[str, float] = {}
        self._sockets = DeskSockets(
            parts.desk,
            parts.store,
            parts.clock,
            heartbeat,
            stations=tuple(self._configs),
            prepare=self._prepare,
            public_url=parts.config.server.public_url,
        )
        parts.desk.look = self._look
        parts.editor.on_revision = self._revised

    async def __aenter__(self) -> Self:
        await self._sockets.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._sockets.__aexit__(*exc_info)

    @asynccontextmanager
    async def push(self) -> AsyncIterator[None]:
        """Operators are let in for as long as the context is open."""
        async with self._sockets.serving():
            yield

    def protocol(self) -> asyncio.Protocol:
        """A protocol for a new connection."""
        return self._sockets.protocol()

    async def _prepare(self, stations: Collection[str]) -> None:
        for station in stations:
            if station not in self._saved:
                await self._learn_saved(station)

    async def _learn_saved(self, station: str) -> None:
        try:
            revision = await self._parts.store.read(schedule_revisions.latest, station)
        except StoreError:
            return  # asked again when the next desk watches
        # one that was saved meanwhile is newer
        self._saved.setdefault(station, _saved_by(revision) if revision else None)

    def _revised(self, station: str, revision: Revision) -> None:
        self._saved[station] = _saved_by(revision)
        # whatever comes of telling it, the revision is kept
        asyncio.get_running_loop().call_soon(self._parts.desk.revised, station, revision)

    def _look(self, station: str) -> DeskState:
        parts, now_ms = self._parts, self._parts.clock.now_ms()
        service, log = parts.services[station], parts.planner.log(station)
        heard = self._heard(station)
        stream = parts.planner.rows(station, NEXT_ROWS)
        programme, next_programme = log.programmes(now_ms)
        status = service.status
        return DeskState(
            availability=AvailabilityState(
                status=status.status, since_ms=status.since_ms, reason=status.reason
            ),
            source=service.state["source"],
            programme=programme_view(programme) if programme else None,
            next_programme=programme_view(next_programme) if next_programme else None,
            on_air=ComingRow.of(heard) if heard else None,
            stream_row=stream[0].id if stream else None,
            next=[ComingRow.of(row) for row in log.coming(heard.ends_at_ms if heard else now_ms, NEXT_ROWS)],
            hold=hold_of(stream),
            lead_s=self._lead_s(station),
            mounts=self._mounts(self._configs[station]),
            alarms=[alarm for alarm in parts.alarms if alarm.station in (station, None)],
            schedule=self._schedule(station),
        )

    def _heard(self, station: str) -> LogRow | None:
        """The row that the station's state shows, as the log has it."""
        now = self._parts.services[station].state["now"]
        if now is None:
            return None
        found = self._parts.planner.log(station).peek(now["starts_at_ms"])
        return found if found and found.id == now["id"] else None

    def _lead_s(self, station: str) -> float | None:
        pulse = self._parts.desk.newest.get(station)
        if pulse is None:
            return None
        if abs(pulse.lead_s - self._leads.get(station, -1.0)) >= LEAD_STEP_S:
            self._leads[station] = round(pulse.lead_s, 1)
        return self._leads[station]

    def _mounts(self, station: StationConfig) -> dict[str, MountState]:
        return {
            mount.name: MountState(
                format=mount.format,
                bitrate_kbps=mount.bitrate_kbps,
                listeners=self._parts.mounts.find(station.id, mount.name)[1].listeners,
            )
            for mount in station.mounts
        }

    def _schedule(self, station: str) -> ScheduleState:
        planner = self._parts.planner
        problem = planner.problem(station)
        return ScheduleState(
            version=planner.version(station),
            saved=self._saved.get(station),
            problem=problem.message if problem else None,
        )


class ToldRecorder:
    """A station's recorder, beside which desks are told of rows that end."""

    def __init__(self, recorder: AsRunRecorder, desk: DeskFeed) -> None:
        self._recorder = recorder
        self._desk = desk

    def record(self, event: PlayoutEvent) -> None:
        """Take one event."""
        try:
            self._recorder.record(event)
        finally:
            if isinstance(event, RowEnded):
                self._desk.ended(event)

    def checkpoint(self, row: LogRow, at_ms: UtcMs, played_ms: DurationMs) -> None:
        """How much of ``row`` was heard."""
        self._recorder.checkpoint(row, at_ms, played_ms)

    def withdraw(self, row: LogRow, at_ms: UtcMs) -> None:
        """``row`` will not be heard."""
        self._recorder.withdraw(row, at_ms)


def hold_of(rows: Sequence[LogRow]) -> Hold | None:
    """The hold or emergency on the air at the head of ``rows``, or the hold that comes next behind what operators put
    in (pure)."""
    if not rows:
        return None
    if is_emergency(rows[0]):
        return _hold("emergency", rows[0], is_on_air=True)
    if is_hold(rows[0]):
        return _hold("hold", rows[0], is_on_air=True)
    coming = next((row for row in takewhile(is_an_operators, rows[1:]) if is_hold(row)), None)
    return _hold("hold", coming, is_on_air=False) if coming else None


def _hold(kind: Literal["hold", "emergency"], row: LogRow, *, is_on_air: bool) -> Hold:
    return Hold(
        kind=kind,
        is_on_air=is_on_air,
        row=row.id,
        starts_at_ms=row.starts_at_ms,
        ends_at_ms=row.ends_at_ms,
        reason=row.reason,
    )


def _saved_by(revision: Revision) -> SavedBy:
    return SavedBy(
        number=revision.number,
        operator=revision.operator,
        at_ms=revision.at_ms,
        action=revision.action,
        why=revision.why,
    )
