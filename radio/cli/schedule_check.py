"""What ``radio schedule check`` finds of one station, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from radio.cli.output import note, out
from radio.cli.schedule_inputs import sponsors_of
from radio.clock import SystemClock
from radio.config import Config, StationConfig
from radio.errors import ConfigurationError, ScheduleError
from radio.library.library import Library
from radio.schedule import Notice, PlannedStation, Pool
from radio.schedule.builtin import with_default_clock
from radio.schedule.checks import check
from radio.schedule.files import read_schedule, schedule_of
from radio.schedule.findings import Finding, Level
from radio.sponsors.campaigns import SponsorBook
from radio.toml_source import TomlDocument
from radio.units import UtcMs

TOLD_BY_NOTICES = ("gap",)
"""What the notices of the file itself say already."""


def checked(settings: Config, station: StationConfig, library: Library) -> dict[str, Any]:
    """The file's fault, or what is doubtful in it: ``error`` and ``warnings`` with their lines."""
    path = settings.schedule_of(station)
    result: dict[str, Any] = {"station": station.id, "file": str(path), "error": None, "warnings": []}
    pool = Pool.of(library, PlannedStation.of(settings, station).plan.roots) if len(library) else None
    try:
        sponsors = sponsors_of(settings)
        _, notices = read_schedule(path, sponsors=sponsors, pool=pool)
        found = list(_findings(settings, station, sponsors, pool)) if pool else []
    except ConfigurationError as fault:
        result["error"] = fault.message
        return result
    wrong = [one for one in found if one.level is Level.ERROR]
    if wrong:
        result["error"] = "; ".join(_place(str(path), one.line) + f": {one.text}" for one in wrong)
    result["warnings"] = _warnings(notices, [one for one in found if one.level is not Level.ERROR])
    return result


def print_check(found: dict[str, Any]) -> None:
    """Tell a person."""
    if found["error"]:
        note(f"radio: {found['error']}")
    else:
        out(f"{found['station']}: {found['file']} is right.")
    for warning in found["warnings"]:
        note(f"{_place(found['file'], warning['line'])}: {warning['level']}: {warning['text']}")


def _findings(
    settings: Config, station: StationConfig, sponsors: SponsorBook, pool: Pool
) -> Iterator[Finding]:
    path = settings.schedule_of(station)
    if TomlDocument.is_missing(path):
        return
    document = TomlDocument.read(path, error=ScheduleError)
    schedule = schedule_of(document, sponsors=sponsors).schedule
    found = check(
        with_default_clock(schedule, pool, has_sponsors=bool(sponsors.campaigns)),
        document=document,
        pool=pool,
        sponsors=sponsors,
        station=station.id,
        zone=station.zone,
        from_ms=UtcMs(SystemClock().now_ms()),
    )
    yield from (one for one in found if one.code not in TOLD_BY_NOTICES)


def _warnings(notices: Sequence[Notice], found: Sequence[Finding]) -> list[dict[str, Any]]:
    told = [{"line": one.line, "text": one.text, "level": "warning", "code": "notice"} for one in notices]
    more = [{"line": one.line, "text": one.text, "level": str(one.level), "code": one.code} for one in found]
    return told + more


def _place(file: str, line: int | None) -> str:
    return f"{file}:{line}" if line else file
