"""The log as playout sees it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from radio.log import LogRow
from radio.schedule.moves import Move


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

    def apply(self, at_ms: int, move: Move) -> LogRow:
        """Change the rows at ``at_ms``; the row that held it, as it was. Raises NotFound, InvalidRequest."""
