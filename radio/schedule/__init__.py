"""Schedules as operators write them, and the log that is compiled from them."""

from radio.schedule.airings import ProgrammeAiring
from radio.schedule.builder import Inputs, StationPlan, compile_log, revision_of
from radio.schedule.files import Notice, ReadSchedule, read_schedule
from radio.schedule.model import Schedule
from radio.schedule.persistence import LogStore, StoredLogs
from radio.schedule.planner import PlannedStation, Planner
from radio.schedule.pool import LibraryView, Pool
from radio.schedule.resume import Interrupted
from radio.schedule.rotation import Play
from radio.schedule.station_log import StationLog

__all__ = [
    "Inputs",
    "Interrupted",
    "LibraryView",
    "LogStore",
    "Notice",
    "PlannedStation",
    "Planner",
    "Play",
    "Pool",
    "ProgrammeAiring",
    "ReadSchedule",
    "Schedule",
    "StationLog",
    "StationPlan",
    "StoredLogs",
    "compile_log",
    "read_schedule",
    "revision_of",
]
