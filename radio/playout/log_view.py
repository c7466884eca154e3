"""The log as playout sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from radio.log import LogRow
from radio.schedule.moves import Gone, Move
from radio.units import UtcMs


class LogView(Protocol):
    """What playout sees of the log. Taking a row marks it: no edit changes it any more. Thread-safe."""

    def row_at(self, at_ms: int) -> LogRow | None:
        """The row that holds this moment; None where nothing is compiled for it."""

    def row_after(self, row: LogRow) -> LogRow | None:
        """The row that starts when ``row`` ends; None where nothing is compiled for that moment."""


@runtime_checkable
class MovableLog(LogView, Protocol):
    """A log that playout may change where it stands; without it an engine takes no commands."""

    def peek(self, at_ms: int) -> LogRow | None:
        """The row that holds this moment, without taking it."""

    def reached(self, at_ms: int) -> int:
        """Nothing before ``at_ms`` is changed any more; a number that grows when taken rows were changed."""

    def apply(self, at_ms: int, move: Move, *, over_ms: int = 0) -> LogRow:
        """Change the rows at ``at_ms``, given those of the next ``over_ms`` at least; the row that held it, as it was.

        Raises NotFound, InvalidRequest.
        """

    def is_coming(self, row_id: str, at_ms: int) -> bool:
        """Whether the row of that id ends after ``at_ms`` by the log as it is."""

    def passed(self, at_ms: int) -> Sequence[Gone]:
        """The rows that have ended by ``at_ms`` without being heard; each is told once."""

    @property
    def beneath(self) -> Sequence[LogRow]:
        """What the emergency that is on the air lies over."""

    def planned_end(self, occurrence: str) -> UtcMs | None:
        """When an occurrence was planned to end; None where that is not known."""
