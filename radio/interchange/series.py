"""Programmes as calendars know them: a first start, a rule and exceptions, in the station's wall time (pure)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from radio.schedule.recurrence import Rule
from radio.units import DurationMs

RADIO_PREFIX: Final = "X-RADIO-"
"""Properties of our own in iCalendar: what a programme has and RFC 5545 has no name for."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """One airing of a series that starts at another time than the rule says, or lasts otherwise. Wall times."""

    original: datetime
    starts: datetime
    length_ms: DurationMs
    title: str | None = None
    line: int | None = None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One slot of a programme. Times are naive and the station's own; ``length_ms`` is the nominal length, from
    the wall-clock start to the wall-clock end.

    Without a ``rule`` it airs once. ``added`` and ``cancelled`` are starts. ``line`` is where it stands in the file
    that it was read from.
    """

    uid: str
    programme: str
    title: str
    starts: datetime
    length_ms: DurationMs
    rule: Rule | None = None
    added: tuple[datetime, ...] = ()
    cancelled: tuple[datetime, ...] = ()
    moved: tuple[Moved, ...] = ()
    host: str | None = None
    description: str | None = None
    link: str | None = None
    layer: str | None = None
    line: int | None = None

    @property
    def ends(self) -> datetime:
        """The wall-clock end of the first airing."""
        return self.starts + timedelta(milliseconds=self.length_ms)
