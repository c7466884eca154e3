"""Looks at every part each second and says what is wrong, in words, on the board of alarms."""

from __future__ import annotations

import asyncio
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

import structlog

from radio.alarms import Alarm, Severity
from radio.api.server import Serving
from radio.app.parts import Parts
from radio.app.store_alarms import store_alarms
from radio.events import Availability
from radio.streaming.session_log import SessionLog

_journal = structlog.get_logger(__name__)

EVERY_S: Final = 1.0
DISK_EVERY_S: Final = 10.0
DISK_LEAST_BYTES: Final = 256 * 1024**2

CHECK_EVERY_S: Final = 600.0
"""How often the database is looked through for damage."""

BACKUP_AFTER_S: Final = 300.0
BACKUP_EVERY_S: Final = 3_600.0
BACKUPS_KEPT: Final = 24

STEP_MS: Final = 500
"""A wall clock that moved so much against the monotonic one was set."""

STEP_TOLD_S: Final = 600.0
RATE_OVER_S: Final = 60.0
MANY_TURNED_AWAY: Final = 50
MANY_DROPPED: Final = 20
LOG_LEAST_MS: Final = 1_800_000
REPLACED_TOLD_MS: Final = 86_400_000
LATE_S: Final = 0.25
NAMED: Final = 5


class Rate:
    """How much a count has grown within the last minute."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, count: int, now_s: float) -> int:
        """Take in ``count`` as it is at ``now_s``; how much more it is than a minute ago."""
        self._seen.append((now_s, count))
        while self._seen[0][0] < now_s - RATE_OVER_S:
            self._seen.popleft()
        return count - self._seen[0][1]


class Watchman:
    """Runs for as long as the service does. ``check_every_s`` is there for tests."""

    def __init__(
        self,
        parts: Parts,
        serving: Callable[[], Serving],
        sessions: SessionLog,
        *,
        check_every_s: float | None = None,
    ) -> None:
        self._parts = parts
        self._serving = serving
        self._sessions = sessions
        self._check_every_s = check_every_s or CHECK_EVERY_S
        self._wall_ahead_ms = self._ahead_ms()
        self._step: tuple[int, float] | None = None
        self._turned_away, self._dropped = Rate(), Rate()
        self._free_bytes: int | None = None
        self._backup_fault = ""
        self._late: tuple[float, float] | None = None

    async def run(self) -> None:
        """Look each second, until cancelled."""
        while True:
            due_s = self._now_s() + EVERY_S
            await self._parts.clock.sleep(EVERY_S)
            late_s = self._now_s() - due_s
            if late_s > LATE_S:
                self._late = (late_s, self._now_s())
            try:
                self.look()
            except Exception:
                _journal.exception("alarms_not_seen")

    async def look_at_disk(self) -> None:
        """Look how much room there is, until cancelled."""
        while True:
            try:
                self._free_bytes = (
                    await asyncio.to_thread(shutil.disk_usage, self._parts.config.data_dir)
                ).free
            except OSError:
                self._free_bytes = None
            await self._parts.clock.sleep(DISK_EVERY_S)

    async def look_at_database(self) -> None:
        """Look through the database for damage now and then, until cancelled."""
        while True:
            await self._parts.clock.sleep(self._check_every_s)
            try:
                await self._parts.store.check()
            except Exception as fault:
                _journal.warning("database_not_checked", reason=str(fault))

    async def back_up(self) -> None:
        """Write a backup each hour, until cancelled; while the database is in trouble none is made."""
        wait_s = BACKUP_AFTER_S
        while True:
            await self._parts.clock.sleep(wait_s)
            wait_s = BACKUP_EVERY_S
            if self._parts.store.trouble is not None:
                continue
            try:
                await self._parts.store.back_up(keep=BACKUPS_KEPT)
                self._backup_fault = ""
            except Exception as fault:
                self._backup_fault = str(fault)

    def look(self) -> None:
        """See what is wrong now, and tell what is new and what is over."""
        now_ms = self._parts.clock.now_ms()
        new, over = self._parts.alarms.settle(self._found(), now_ms)
        for each in new:
            tell = _journal.error if each.severity is Severity.CRITICAL else _journal.warning
            tell(
                "alarm", code=each.code, station=each.station, message=each.message, advice=each.advice,
                detail=each.detail,
            )  # fmt: skip
            self._parts.metrics.alarms.labels(each.code, each.station or "").set(1)
        for each in over:
            _journal.info("alarm_over", code=each.code, station=each.station)
            self._parts.metrics.alarms.labels(each.code, each.station or "").set(0)

    def _found(self) -> Iterator[Alarm]:
        yield from store_alarms(
            self._parts.store, self._parts.recorder, self._parts.as_run_files, self._parts.clock.now_ms()
        )
        yield from self._of_stations()
        yield from self._of_clock()
        yield from self._of_disk()
        yield from self._of_library()
        yield from self._of_visitors()
        yield from self._of_bus()
        yield from self._of_process()

    def _of_stations(self) -> Iterator[Alarm]:
        now_ms = self._parts.clock.now_ms()
        for station in self._parts.config.stations:
            if not station.enabled:
                continue
            status = self._parts.services[station.id].status
            if (told := _STATUS.get(status.status)) is not None:
                code, severity, advice = told
                yield Alarm(
                    code=code, severity=severity, station=station.id, message=status.reason or "The stream starts.",
                    advice=advice,
                )  # fmt: skip
            if (problem := self._parts.planner.problem(station.id)) is not None:
                yield Alarm(
                    code="schedule_faulty", severity=Severity.WARNING, station=station.id,
                    message="The newest schedule or sponsors' file has a fault; the last good one is in force.",
                    advice="Mend the file at the place that is named; it is taken up at once.",
                    detail=problem.message,
                )  # fmt: skip
            ends_at_ms = self._parts.planner.log(station.id).ends_at_ms
            if ends_at_ms is not None and ends_at_ms - now_ms < LOG_LEAST_MS:
                yield Alarm(
                    code="log_runs_out", severity=Severity.CRITICAL, station=station.id,
                    message="The log is compiled for less than half an hour ahead.",
                    advice="Look into the service's journal for why it is not compiled on; what follows is the bed.",
                )  # fmt: skip

    def _of_clock(self) -> Iterator[Alarm]:
        ahead_ms, now_s = self._ahead_ms(), self._now_s()
        moved_ms = ahead_ms - self._wall_ahead_ms
        self._wall_ahead_ms = ahead_ms
        if abs(moved_ms) > STEP_MS:
            before_ms = self._step[0] if self._step else 0
            self._step = (before_ms + moved_ms, now_s)
        if self._step is None or now_s - self._step[1] > STEP_TOLD_S:
            self._step = None
            return
        step_s = self._step[0] / 1000
        if abs(step_s) <= STEP_MS / 1000:
            return
        yield Alarm(
            code="clock_was_set", severity=Severity.WARNING,
            message=f"The machine's clock was set {'forward' if step_s > 0 else 'back'} by {abs(step_s):,.1f} s. The "
            "sound goes on; the log follows the new time at the end of an item.",
            advice="See that the machine keeps its time by NTP (timedatectl status), and that nobody sets it by hand.",
        )  # fmt: skip

    def _of_disk(self) -> Iterator[Alarm]:
        if self._free_bytes is None or self._free_bytes >= DISK_LEAST_BYTES:
            return
        yield Alarm(
            code="disk_low", severity=Severity.CRITICAL,
            message=f"The disk with the data folder has {self._free_bytes // 1024**2} MiB left.",
            advice="Make room there: old backups and database files that were set aside can go.",
            detail=str(self._parts.config.data_dir),
        )  # fmt: skip

    def _of_library(self) -> Iterator[Alarm]:
        library = self._parts.library
        if library.refused:
            named = "; ".join(f"{one.path}: {one.reason}" for one in library.refused[:NAMED])
            more = len(library.refused) - NAMED
            yield Alarm(
                code="files_refused", severity=Severity.WARNING,
                message=f"{len(library.refused)} files of the library cannot be played and are left out.",
                advice="radio library rejected names them with the reason; mend them, or take them away.",
                detail=named + (f"; and {more} more" if more > 0 else ""),
            )  # fmt: skip
        if library.problems:
            yield Alarm(
                code="library_folder", severity=Severity.CRITICAL,
                message=f"{len(library.problems)} folders of the library cannot be read.",
                advice="See that the disk is there and that the service may read it.",
                detail="; ".join(f"{one.path}: {one.problem} ({one.advice})" for one in library.problems[:NAMED]),
            )  # fmt: skip

    def _of_visitors(self) -> Iterator[Alarm]:
        serving, now_s = self._serving(), self._now_s()
        door, guard, metrics = serving.door, serving.guard, self._parts.metrics
        metrics.door_undecided.set(door.undecided)
        refused = door.timed_out + door.turned_away + guard.closed
        metrics.door_turned_away.set(refused)
        if (many := self._turned_away.of(refused, now_s)) >= MANY_TURNED_AWAY:
            yield Alarm(
                code="many_idle_connections", severity=Severity.WARNING,
                message=f"{many} connections of the last minute said or took nothing and were closed. Others are "
                "served.",
                advice="If it goes on, refuse their addresses at the firewall, or put a proxy in front.",
                detail=f"{door.undecided} stand at the door now: {door.crowd()}",
            )  # fmt: skip
        dropped = sum(mount.dropped for mount in self._parts.mounts)
        if (many := self._dropped.of(dropped, now_s)) >= MANY_DROPPED:
            yield Alarm(
                code="many_listeners_dropped", severity=Severity.WARNING,
                message=f"{many} listeners of the last minute were dropped because they read too slowly.",
                advice="Where they are real, the way to them is too narrow: offer a mount with a lower bit rate.",
            )  # fmt: skip

    def _of_bus(self) -> Iterator[Alarm]:
        link = self._parts.bus_link
        if link is not None and not link.connected:
            yield Alarm(
                code="bus_away", severity=Severity.WARNING,
                message="The bus to other machines is away. The stations go on; edges keep the last state they got.",
                advice="See that the NATS server runs and can be reached; it is found by itself when it is back.",
                detail=link.reason,
            )  # fmt: skip

    def _of_process(self) -> Iterator[Alarm]:
        if self._late is not None and self._now_s() - self._late[1] < RATE_OVER_S:
            yield Alarm(
                code="loop_late", severity=Severity.WARNING,
                message=f"The service's event loop was late by {self._late[0] * 1000:.0f} ms in the last minute.",
                advice="The machine is too busy, or was suspended: see what else runs on it.",
            )  # fmt: skip
        if self._sessions.lost:
            yield Alarm(
                code="sessions_lost", severity=Severity.WARNING,
                message=f"{self._sessions.lost} listening sessions since the start were not written down.",
                advice="See the alarms of the database; listener statistics of this time are too low.",
            )  # fmt: skip
        if self._backup_fault:
            yield Alarm(
                code="backup_failed", severity=Severity.WARNING,
                message="The last backup of the database could not be written.",
                advice="Make room in the folder of the backups, and see that the service may write there.",
                detail=self._backup_fault,
            )  # fmt: skip

    def _ahead_ms(self) -> int:
        return round(self._parts.clock.now_ms() - self._now_s() * 1000)

    def _now_s(self) -> float:
        return self._parts.clock.monotonic_s()


_STATUS: Final = {
    Availability.OFF_AIR: (
        "station_off_air", Severity.CRITICAL,
        "Look into the service's journal; where nothing is told there, restart the service.",
    ),
    Availability.SILENT: (
        "station_silent", Severity.CRITICAL,
        "Listen; skip the item if it is at fault (radio air skip), and look at its waveform.",
    ),
    Availability.DEGRADED: (
        "station_on_bed", Severity.CRITICAL,
        "See that the library's folders are there, and what was refused: radio library rejected",
    ),
}  # fmt: skip
