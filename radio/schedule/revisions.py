"""What an edit of a schedule is refused with, and what is told of one that was taken (plain values)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from radio.errors import ChangedMeanwhile, RadioError
from radio.schedule.effects import Effects
from radio.schedule.texts import Diff
from radio.schedule.verdict import Told
from radio.store.schedule_revisions import Revision
from radio.units import UtcMs


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the texts of a conflict. ``diff`` leads to it from the one that both began with, where that is known."""

    text: str | None
    version: str | None
    revision: int | None = None
    operator: str | None = None
    at_ms: UtcMs | None = None
    why: str | None = None
    diff: Diff | None = None


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Two edits of one text: ``yours`` as it would be, ``theirs`` as it is, the ``base`` that both began with, and
    what leads from theirs to yours."""

    base: Side
    yours: Side
    theirs: Side
    between: Diff | None = None


class EditConflict(ChangedMeanwhile):
    """Somebody else changed the schedule; both versions are in ``conflict``."""

    def __init__(self, conflict: Conflict) -> None:
        self.conflict = conflict
        who = f" by {conflict.theirs.operator}" if conflict.theirs.operator else ""
        super().__init__(f"The schedule was changed meanwhile{who}.", field="If-Match")

    @property
    def members(self) -> Mapping[str, object]:  # type: ignore[override]
        return {"conflict": self.conflict}


class EditRefused(RadioError):
    """A text has errors; ``findings`` names all of them with their places."""

    code = "schedule_invalid"

    def __init__(self, findings: Sequence[Told]) -> None:
        self.findings = tuple(findings)
        first = self.findings[0]
        place = f"Line {first.line}: " if first.line else ""
        field = f"`{first.field}` " if first.field and first.allowed else ""
        more = f" And {len(self.findings) - 1} more." if len(self.findings) > 1 else ""
        stop = "" if first.text.endswith(("?", ".")) else "."
        super().__init__(f"{place}{field}{first.text}{stop}{more}")

    @property
    def members(self) -> Mapping[str, object]:  # type: ignore[override]
        return {"findings": self.findings}


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """An edit that was taken. ``revision`` is None where the text stayed the same and there is none yet; ``in_force``
    is false where something else, told as ``problem``, keeps the schedule from being taken up."""

    version: str
    revision: Revision | None
    is_new: bool
    in_force: bool
    problem: str | None
    findings: tuple[Told, ...]
    diff: Diff


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit would change. ``effects`` is None where the text is faulty."""

    version: str
    findings: tuple[Told, ...]
    new_findings: tuple[Told, ...]
    effects: Effects | None
    diff: Diff
