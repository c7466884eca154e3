"""Moments and lengths of iCalendar as wall times of a station: RFC 5545 sections 3.3.4 to 3.3.6 (pure)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from radio.errors import did_you_mean
from radio.interchange.lines import ContentLine

_MOMENT = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?")
_DURATION = re.compile(
    r"\+?P(?:(\d{1,3})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?"
)
_PREFIX = re.compile(r"/[^/]*/[^/]*/(?=[A-Za-z]+/)")
_YEARS: Final = range(1971, 2200)

WINDOWS_ZONES: Final = {
    "AUS Eastern Standard Time": "Australia/Sydney",
    "Alaskan Standard Time": "America/Anchorage",
    "Atlantic Standard Time": "America/Halifax",
    "Central Europe Standard Time": "Europe/Budapest",
    "Central European Standard Time": "Europe/Warsaw",
    "Central Standard Time": "America/Chicago",
    "E. Australia Standard Time": "Australia/Brisbane",
    "E. South America Standard Time": "America/Sao_Paulo",
    "Eastern Standard Time": "America/New_York",
    "GMT Standard Time": "Europe/London",
    "GTB Standard Time": "Europe/Bucharest",
    "Hawaiian Standard Time": "Pacific/Honolulu",
    "India Standard Time": "Asia/Kolkata",
    "Mountain Standard Time": "America/Denver",
    "New Zealand Standard Time": "Pacific/Auckland",
    "Newfoundland Standard Time": "America/St_Johns",
    "Pacific Standard Time": "America/Los_Angeles",
    "Romance Standard Time": "Europe/Paris",
    "South Africa Standard Time": "Africa/Johannesburg",
    "Tokyo Standard Time": "Asia/Tokyo",
    "US Mountain Standard Time": "America/Phoenix",
    "W. Europe Standard Time": "Europe/Berlin",
}
"""Names that Windows gives to zones, by the mapping of Unicode CLDR (windowsZones)."""


class Refused(Exception):
    """A part of a calendar cannot be taken; ``line`` and ``text`` say where and why."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


class EventTimes:
    """Reads the values of one calendar for a station in ``zone``; ``now`` is its present wall time."""

    def __init__(self, zone: ZoneInfo, now: datetime) -> None:
        self._zone = zone
        self._now = now
        self._zones: dict[str, ZoneInfo] = {}
        self._alike: dict[str, bool] = {}

    def moment(self, line: ContentLine, *, recurs: bool = False) -> datetime:
        """The value as a wall time of the station. Raises Refused.

        ``recurs``: the value begins a series, so that its zone must keep the same time as the station's all year.
        """
        found = _MOMENT.fullmatch(line.value.strip())
        try:
            naive = datetime.strptime(f"{found[1]}{found[2] or '000000'}", "%Y%m%d%H%M%S") if found else None  # noqa: DTZ007
        except ValueError:
            naive = None
        if found is None or naive is None or naive.year not in _YEARS:
            raise Refused(line.line, f"{line.name} {line.value[:40]!r} is no date or time")
        zone = self._zone_of(line, is_utc=bool(found[3]))
        if zone is None or zone.key == self._zone.key:
            return naive
        if recurs and not self._keeps_time_with(zone):
            raise Refused(
                line.line,
                f"the series is told in {zone.key}, whose clock does not go with that of {self._zone.key} all year",
            )
        return naive.replace(tzinfo=zone).astimezone(self._zone).replace(tzinfo=None)

    def from_utc(self, naive: datetime) -> datetime:
        """A naive UTC time as wall time."""
        return naive.replace(tzinfo=UTC).astimezone(self._zone).replace(tzinfo=None)

    def is_date(self, line: ContentLine) -> bool:
        """Whether the value is a day without a time."""
        return "T" not in line.value.upper()

    def duration(self, line: ContentLine) -> timedelta:
        """The value of a DURATION. Raises Refused for one that is negative or none."""
        found = _DURATION.fullmatch(line.value.strip().upper())
        if found is None or not any(found.groups()):
            raise Refused(line.line, f"{line.value[:40]!r} is no length of time")
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)

    def _zone_of(self, line: ContentLine, *, is_utc: bool) -> ZoneInfo | None:
        """The zone that the value names; None for a floating time, which means the station's own."""
        if is_utc:
            return ZoneInfo("UTC")
        name = line.params.get("TZID")
        if name is None or self.is_date(line):
            return None
        if name not in self._zones:
            self._zones[name] = _known_zone(name, line.line)
        return self._zones[name]

    def _keeps_time_with(self, zone: ZoneInfo) -> bool:
        if zone.key not in self._alike:
            start = self._now.replace(tzinfo=UTC)
            days = [start + timedelta(days=step) for step in range(0, 2 * 366)]
            self._alike[zone.key] = all(
                day.astimezone(zone).utcoffset() == day.astimezone(self._zone).utcoffset() for day in days
            )
        return self._alike[zone.key]


def _known_zone(name: str, line: int) -> ZoneInfo:
    plain = WINDOWS_ZONES.get(name, _PREFIX.sub("", name))
    try:
        if len(plain) < 80 and ".." not in plain:
            return ZoneInfo(plain)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise Refused(line, f"{name[:60]!r} is not a time zone.{did_you_mean(name[:60], available_timezones())}")
