"""Other people's iCalendar, as a second opinion: ``icalendar`` reads, ``recurring_ical_events`` expands."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from radio.interchange.icalendar_write import Feed, feed, materialised
from radio.interchange.programme_series import exceptions_of, series_of
from radio.schedule.airings import airings
from radio.schedule.model import Airs, Programme, Schedule
from radio.schedule.occurrences import occurrences
from radio.sponsors.campaigns import SponsorBook
from radio.units import DurationMs, UtcMs

HOUR = 3_600_000
ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe")

Airing = tuple[str, int, int]
"""A programme's id, and when it airs."""


def airs(days: tuple[int, ...], from_h: float, to_h: float, **more: object) -> Airs:
    to_ms = to_h if to_h > from_h else to_h + 24
    return Airs(
        days=days, from_ms=DurationMs(int(from_h * HOUR)), to_ms=DurationMs(int(to_ms * HOUR)), **more
    )


def programme(id_: str, *slots: Airs, **more: object) -> Programme:
    return Programme(id=id_, title=id_.replace("-", " ").title(), airs=slots, **more)


def instant(text: str, zone: ZoneInfo) -> UtcMs:
    return UtcMs(round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000))


def head(zone: ZoneInfo) -> Feed:
    return Feed(name="WXYZ", host="wxyz.example", zone=zone, made_ms=UtcMs(1_767_225_600_000))


def feed_of(schedule: Schedule, zone: ZoneInfo, since: date = date(2026, 1, 1)) -> str:
    series = series_of(schedule, since)
    from_ms, to_ms = instant(since.isoformat(), zone), instant("2027-12-31", zone)
    exact = exceptions_of(schedule, series, zone, from_ms, to_ms)
    return feed(head(zone), series, exact, datetime(2027, 12, 31, tzinfo=UTC))


def materialised_of(schedule: Schedule, zone: ZoneInfo, from_ms: UtcMs, to_ms: UtcMs) -> str:
    return materialised(head(zone), airings(schedule, SponsorBook(), "wxyz", zone, from_ms, to_ms))


def as_others_read(text: str, zone: ZoneInfo, from_ms: int, to_ms: int) -> list[Airing]:
    """The airings that start in the span, as the other implementations understand a calendar."""
    calendar = icalendar.Calendar.from_ical(text)
    span = (datetime.fromtimestamp(at_ms / 1000, UTC) for at_ms in (from_ms, to_ms))
    found = []
    for event in recurring_ical_events.of(calendar).between(*span):
        start, end = (round(event[name].dt.timestamp()) * 1000 for name in ("DTSTART", "DTEND"))
        if from_ms <= start < to_ms:
            found.append((str(event["X-RADIO-PROGRAMME"]), start, end))
    return sorted(found)


def as_it_airs(schedule: Schedule, zone: ZoneInfo, from_ms: int, to_ms: int) -> list[Airing]:
    return sorted(
        (one.programme, one.starts_at_ms, one.ends_at_ms)
        for one in occurrences(schedule.programmes, zone, from_ms, to_ms)
        if from_ms <= one.starts_at_ms < to_ms
    )


def wall(*parts: int) -> datetime:
    """A wall time: it has no zone."""
    return datetime(*parts)  # type: ignore[arg-type] # noqa: DTZ001
