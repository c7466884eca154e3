"""What is to be said of a schedule's text before it is in force: its faults, and all findings of the checks (pure).

The same is said of a text that is about to be saved, of one that is only tried, and of the one in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from radio.errors import ConfigurationError, ScheduleError
from radio.schedule.builder import Inputs
from radio.schedule.builtin import with_default_clock
from radio.schedule.checks import check, clashes
from radio.schedule.files import Notice, schedule_of
from radio.schedule.findings import Finding, Key, Level
from radio.schedule.model import Schedule
from radio.toml_source import TomlDocument
from radio.units import UtcMs

GAP = "gap"
"""A code that the notices of the file itself say by the week already."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One finding as it is told: ``field`` and ``line`` are its place, ``allowed`` is what would be right."""

    level: Level
    code: str
    text: str
    field: str | None = None
    line: int | None = None
    allowed: str | None = None


class Verdict(NamedTuple):
    """The schedule that a text means, None where it is faulty, and what is to be said of it: errors first."""

    schedule: Schedule | None
    findings: tuple[Told, ...]

    @property
    def errors(self) -> tuple[Told, ...]:
        """What the text cannot be saved with."""
        return tuple(one for one in self.findings if one.level is Level.ERROR)


def document_of(path: Path) -> TomlDocument:
    """The schedule file, empty where there is none. Blocks. Raises ScheduleError."""
    if TomlDocument.is_missing(path):
        return TomlDocument.parse("", path, error=ScheduleError)
    return TomlDocument.read(path, error=ScheduleError)


def verdict_on(text: str, file: Path, inputs: Inputs, now_ms: UtcMs) -> Verdict:
    """The verdict on a text as if it stood in ``file``, with the library and the sponsors of ``inputs``."""
    try:
        return judged(TomlDocument.parse(text, file, error=ScheduleError), inputs, now_ms)
    except ConfigurationError as fault:
        return Verdict(None, (told_fault(fault),))


def first_verdict_on(text: str, file: Path, inputs: Inputs, now_ms: UtcMs) -> Verdict:
    """The errors of :func:`verdict_on` alone: what decides whether a text can be saved, in little time."""
    try:
        document = TomlDocument.parse(text, file, error=ScheduleError)
        schedule = schedule_of(document, sponsors=inputs.sponsors).schedule
    except ConfigurationError as fault:
        return Verdict(None, (told_fault(fault),))
    return Verdict(schedule, clash_errors(document, schedule, inputs, now_ms))


def clash_errors(
    document: TomlDocument, schedule: Schedule, inputs: Inputs, now_ms: UtcMs
) -> tuple[Told, ...]:
    """The errors of a schedule that can be read: airings that meet. They depend on its programmes alone."""
    zone = ZoneInfo(inputs.station.timezone)
    found = clashes(schedule, document=document, zone=zone, from_ms=now_ms)
    return tuple(_told(one) for one in found if one.level is Level.ERROR)


def judged(document: TomlDocument, inputs: Inputs, now_ms: UtcMs) -> Verdict:
    """The verdict on a document. Raises ScheduleError where it means no schedule."""
    pool = inputs.pool if inputs.pool.items else None
    schedule, notices = schedule_of(document, sponsors=inputs.sponsors, pool=pool)
    return verdict_of(document, schedule, notices, inputs, now_ms)


def verdict_of(
    document: TomlDocument, schedule: Schedule, notices: Sequence[Notice], inputs: Inputs, now_ms: UtcMs
) -> Verdict:
    """The verdict on a schedule that was read from ``document``; of that the text is enough."""
    pool, sponsors, station = inputs.pool, inputs.sponsors, inputs.station
    found: list[Finding] = []
    if pool.items:
        found = check(
            with_default_clock(schedule, pool, has_sponsors=bool(sponsors.campaigns)),
            document=document,
            pool=pool,
            sponsors=sponsors,
            station=station.id,
            zone=ZoneInfo(station.timezone),
            from_ms=now_ms,
        )
    told = [_told(one) for one in found if one.code != GAP]
    rank = list(Level)
    return Verdict(
        schedule, tuple(sorted([*told, *map(_told_notice, notices)], key=lambda one: rank.index(one.level)))
    )


def told_fault(fault: ConfigurationError) -> Told:
    """A fault of the file as a finding."""
    return Told(
        level=Level.ERROR,
        code=fault.code,
        text=fault.problem,
        field=fault.key,
        line=fault.line,
        allowed=fault.allowed,
    )


def _told(finding: Finding) -> Told:
    return Told(
        level=finding.level,
        code=finding.code,
        text=finding.text,
        field=_dotted(finding.key) or None,
        line=finding.line,
    )


def _told_notice(notice: Notice) -> Told:
    return Told(level=Level.WARNING, code="notice", text=notice.text, line=notice.line)


def _dotted(key: Key) -> str:
    text = ""
    for step in key:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text
