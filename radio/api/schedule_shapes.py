"""The shapes in which schedules come and go over HTTP: bodies read, answers made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

import msgspec

from radio.api.contract import ProblemDetails
from radio.errors import InvalidRequest, did_you_mean
from radio.schedule.editor import Present
from radio.schedule.findings import Level
from radio.schedule.revisions import Conflict
from radio.schedule.shapes import (
    CategoryTable,
    ClockTable,
    DaypartTable,
    GridTable,
    ItemRuleTable,
    ProgrammeTable,
)
from radio.schedule.texts import Diff
from radio.schedule.toml_tables import Table
from radio.schedule.verdict import Told, told_fault
from radio.store.schedule_revisions import Draft, Revision
from radio.units import UtcMs

TOML: Final = "application/toml"

Why = Annotated[str, msgspec.Meta(max_length=500)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Version = Annotated[str, msgspec.Meta(max_length=64)]

TABLES: Final[Mapping[str, type[msgspec.Struct]]] = {
    "programmes": ProgrammeTable,
    "clocks": ClockTable,
    "categories": CategoryTable,
    "dayparts": DaypartTable,
}
LISTS: Final[Mapping[str, type[msgspec.Struct]]] = {"grid": GridTable, "item_rules": ItemRuleTable}


class DefaultClock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The clock of the hours that nothing else fills, by its name; None for the built-in one."""

    clock: Name | None


class DefaultClockView(msgspec.Struct, frozen=True, kw_only=True):
    """The default clock of a schedule file, and the version of the whole file."""

    station: str
    version: str
    clock: str | None


class ConflictProblem(ProblemDetails, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody else was faster: the texts of both, and what they began with."""

    conflict: Conflict | None = None


class RefusedProblem(ProblemDetails, frozen=True, kw_only=True, omit_defaults=True):
    """A text with errors: all of them, each with its field, line and what is allowed."""

    findings: tuple[Told, ...] = ()


class NewText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole schedule, and why it is changed."""

    text: str
    why: Why = ""


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be checked or previewed: a text, or the operator's draft; by default the file as it is."""

    text: str | None = None
    draft: bool = False


class NewDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A draft. ``base`` is the version it was begun from; without it, the present one."""

    text: str
    base: Version | None = None
    why: Why = ""


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why something is done."""

    why: Why = ""


class Asked(msgspec.Struct, frozen=True):
    """What a changing request may say in its address: ``preview=1`` saves nothing and answers what would change."""

    preview: bool = False
    why: Why = ""


class OfVersion(msgspec.Struct, frozen=True, rename={"if_match": "If-Match"}):
    """The version that a change is meant for, as a reading told it in ``ETag``."""

    if_match: str


class Paged(msgspec.Struct, frozen=True):
    """Which revisions: those below a number, newest first."""

    before: int | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class Against(msgspec.Struct, frozen=True):
    """The revision to compare with; without it, the one before."""

    diff: int | None = None


class Fault(Told, frozen=True, kw_only=True):
    """Why the newest file is not in force. ``file`` may be that of the sponsors."""

    file: str | None = None


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule file as it is. ``version`` is its ETag; ``in_force`` says whether this very text is on the air."""

    station: str
    file: str
    text: str
    version: str
    revision: Revision | None
    in_force: bool
    version_in_force: str | None
    problem: Fault | None
    findings: tuple[Told, ...]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks say. ``ok`` is false where something is an error."""

    version: str | None
    ok: bool
    findings: tuple[Told, ...]
    problem: Fault | None = None


class DraftView(msgspec.Struct, frozen=True, kw_only=True):
    """An operator's draft; ``is_stale`` where the schedule was changed since it was begun."""

    station: str
    operator: str
    at_ms: UtcMs
    base: str
    is_stale: bool
    why: str
    text: str
    version: str


class Revisions(msgspec.Struct, frozen=True, kw_only=True):
    """Revisions, newest first."""

    station: str
    revisions: list[Revision]
    more: bool


class RevisionView(msgspec.Struct, frozen=True, kw_only=True):
    """A revision with its text and what it changed; both are None where they are no longer kept."""

    revision: Revision
    text: str | None
    against: int | None
    diff: Diff | None


class PartView(msgspec.Struct, frozen=True, kw_only=True):
    """One table of a schedule file, its keys as in the file, and the version of the whole file."""

    station: str
    version: str
    kind: str
    id: str
    table: dict[str, Any]


class PartsView(msgspec.Struct, frozen=True, kw_only=True):
    """All tables of a kind, in the order of the file; ``ids`` in the same order, empty where they have none."""

    station: str
    version: str
    kind: str
    ids: list[str]
    tables: list[dict[str, Any]]


def fault_of(present: Present) -> Fault | None:
    """What keeps the newest file from being in force."""
    if present.problem is None:
        return None
    told = told_fault(present.problem)
    return Fault(**msgspec.structs.asdict(told), file=present.problem.file)


def schedule_view(station: str, file: str, present: Present) -> ScheduleView:
    """What is told of a schedule file."""
    return ScheduleView(
        station=station,
        file=file,
        text=present.source.text,
        version=present.source.version,
        revision=present.revision,
        in_force=present.in_force == present.source.version,
        version_in_force=present.in_force,
        problem=fault_of(present),
        findings=present.findings,
    )


def findings_of(version: str | None, told: tuple[Told, ...], problem: Fault | None = None) -> Findings:
    """What is told of findings."""
    ok = problem is None and all(one.level is not Level.ERROR for one in told)
    return Findings(version=version, ok=ok, findings=told, problem=problem)


def draft_view(station: str, draft: Draft, text: str, version: str, present: str) -> DraftView:
    """What is told of a draft where the schedule has the version ``present``."""
    return DraftView(
        station=station,
        operator=draft.operator,
        at_ms=draft.at_ms,
        base=draft.base,
        is_stale=draft.base != present,
        why=draft.why,
        text=text,
        version=version,
    )


def table_given(raw: Any, shape: type[msgspec.Struct], place: str = "") -> Table:
    """A JSON object as a table of the file: dates become dates, what is null is left out, nothing is added.

    Raises InvalidRequest naming the field at fault.
    """
    try:
        value = msgspec.convert(raw, shape)
    except msgspec.ValidationError as fault:
        problem, _, below = str(fault).partition(" - at `$")
        field = f"{place}{below.strip('`')}".strip(".") or "body"
        raise InvalidRequest(f"The table cannot be taken: {problem}.", field=field) from fault
    table: Table = _as_given(raw, msgspec.to_builtins(value, builtin_types=(date,)), place)
    return table


def _as_given(raw: Any, built: Any, place: str) -> Any:
    if isinstance(raw, dict):
        for name in raw:
            if name not in built:
                known = ", ".join(built)
                problem = f"`{name[:40]}` is not a known key.{did_you_mean(name, built)}"
                raise InvalidRequest(problem, field=f"{place}.{name}".strip("."), allowed=known)
        return {
            name: _as_given(value, built[name], f"{place}.{name}")
            for name, value in raw.items()
            if value is not None
        }
    if isinstance(raw, list):
        return [
            _as_given(one, each, f"{place}[{at}]")
            for at, (one, each) in enumerate(zip(raw, built, strict=True))
        ]
    return built if isinstance(built, date) else raw
