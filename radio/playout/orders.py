"""What an operator orders of the engine: each order is a change of the log at the engine's own position."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import Final, NamedTuple

from radio.log import LogRow, Outcome
from radio.playout.cued import Stop
from radio.playout.log_view import MovableLog
from radio.schedule.emergencies import LONGEST_EMERGENCY_MS, emergency
from radio.schedule.moves import FADE_MS, Move, When, held, inserted, resumed, skipped
from radio.schedule.overruns import ended, extended
from radio.schedule.rearranging import REARRANGED_WITHIN_MS, Place, moved_to, removed
from radio.units import UtcMs

PROGRAMMES_END_WITHIN_MS: Final = 26 * 3_600_000
"""How far ahead the log is looked through for the end of a programme."""

CHANGED: Final = Stop(Outcome.TRUNCATED, "the log was changed")


class Change(NamedTuple):
    """What a command made of the log: when, what is on the air from then on, and what follows that."""

    at_ms: UtcMs
    on_air: LogRow | None
    next: LogRow | None


class Orders(ABC):
    """The commands. They take hold at the engine's position and are called by the thread that renders; ``by`` is
    who gave one. All raise NotFound where nothing of the log is on the air, InvalidRequest where the log leaves no
    room, and LookupError where it cannot be changed.
    """

    _movable: MovableLog | None

    def skip(self, by: str, fade_ms: int = FADE_MS) -> Change:
        """The row on the air ends now and the next begins."""
        return self._command(
            partial(skipped, by=by, fade_ms=fade_ms), Stop(Outcome.SKIPPED, f"skipped by {by}")
        )

    def insert(self, row: LogRow, when: When, by: str, fade_ms: int = FADE_MS) -> Change:
        """``row``, whose times do not count, comes in now or next."""
        stop = Stop(Outcome.TRUNCATED, f"ended for an item put in by {by}")
        return self._command(partial(inserted, row=row, when=when, by=by, fade_ms=fade_ms), stop)

    def hold(self, by: str) -> Change:
        """The bed comes after the row on the air, until resumed."""
        return self._command(partial(held, by=by), CHANGED)

    def resume(self, by: str) -> Change:
        """A hold ends now, or does not come; an emergency ends, and the log is joined by the clock."""
        beneath = self._movable.beneath if self._movable else ()
        return self._command(
            partial(resumed, by=by, beneath=beneath),
            Stop(Outcome.AIRED, f"resumed by {by}"),
            over_ms=LONGEST_EMERGENCY_MS,
        )

    def move(self, row: str, to: Place, other: str | None, by: str) -> Change:
        """A coming row comes next, or before or after another."""
        work = partial(moved_to, row=row, to=to, other=other, by=by)
        return self._command(work, CHANGED, over_ms=REARRANGED_WITHIN_MS)

    def remove(self, row: str, by: str) -> Change:
        """A coming row is taken out of the log."""
        return self._command(partial(removed, row=row, by=by), CHANGED, over_ms=REARRANGED_WITHIN_MS)

    def extend(self, length_ms: int, by: str) -> Change:
        """The programme on the air goes on for longer."""
        work = partial(extended, length_ms=length_ms, by=by)
        return self._command(work, CHANGED, over_ms=PROGRAMMES_END_WITHIN_MS)

    def end(self, by: str, fade_ms: int = FADE_MS) -> Change:
        """The programme on the air ends now."""
        planned = self._movable.planned_end if self._movable else _unknown
        work = partial(ended, planned=planned, by=by, fade_ms=fade_ms)
        stop = Stop(Outcome.TRUNCATED, f"its programme was ended by {by}")
        return self._command(work, stop, over_ms=PROGRAMMES_END_WITHIN_MS)

    def emergency(self, row: LogRow, repeat: bool, by: str, fade_ms: int = FADE_MS) -> Change:
        """``row``, whose times do not count, comes in now and goes before everything, until resumed."""
        beneath = self._movable.beneath if self._movable else ()
        return self._command(
            partial(emergency, row=row, repeat=repeat, by=by, fade_ms=fade_ms, beneath=beneath),
            Stop(Outcome.TRUNCATED, f"ended for an emergency by {by}"),
            over_ms=LONGEST_EMERGENCY_MS,
        )

    @abstractmethod
    def _command(self, move: Move, stop: Stop, *, over_ms: int = 0) -> Change:
        """Change the log, and follow it; what sounds and ends sooner for it ends as ``stop``."""


def _unknown(occurrence: str) -> UtcMs | None:
    return None
