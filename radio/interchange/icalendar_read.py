"""An iCalendar file read into series of a station: RFC 5545 (pure).

What cannot be taken is refused by itself, with its line and why, and the rest is read; what is no iCalendar at all,
or is too large, is refused whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from radio.errors import ScheduleError
from radio.interchange.event_times import EventTimes, Refused
from radio.interchange.lines import ContentLine, read_lines
from radio.interchange.series import RADIO_PREFIX, Moved, Series
from radio.library.words import cleaned
from radio.schedule.recurrence import Rule, dates, parse_rule
from radio.schedule.wallclock import local_time
from radio.units import DurationMs, UtcMs

MAX_EVENTS: Final = 2_000
MAX_EXCEPTIONS: Final = 1_000
MAX_REFUSALS: Final = 100
LONGEST_MS: Final = 24 * 3_600_000
SENSIBLE: Final = timedelta(days=5 * 366)
"""A rule without a date in this time makes no sense in a schedule."""

MOST_DAYS: Final = 1_000_000
"""Days that all rules of a calendar together are tried on; some two seconds of work."""

_UNTIL = re.compile(r"UNTIL=(\d{8})T(\d{6})(Z?)", re.IGNORECASE)


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What was not taken: the line at which it stands, and why."""

    line: int
    text: str


class ReadCalendar(NamedTuple):
    """The series of a calendar, and what of it was refused."""

    series: tuple[Series, ...]
    refused: tuple[Refusal, ...]


class _Event(NamedTuple):
    line: int
    lines: dict[str, list[ContentLine]]

    def first(self, name: str) -> ContentLine | None:
        return next(iter(self.lines.get(name, ())), None)

    def text(self, name: str, limit: int) -> str | None:
        line = self.first(name)
        return (cleaned(line.text, limit) or None) if line else None


def read_calendar(data: bytes, zone: ZoneInfo, file: str, *, now_ms: UtcMs) -> ReadCalendar:
    """The series in ``data`` as wall times of ``zone``; those that ended before ``now_ms`` are left out.

    Bounds: 4 MB, 2,000 events, 1,000 exceptions an event, an airing of 24 hours. Raises ScheduleError with file and
    line for what is no iCalendar or over a bound.
    """
    refused: list[Refusal] = []
    masters: dict[str, Series] = {}
    overrides: list[tuple[str, _Event]] = []
    reader = _Reader(zone, local_time(now_ms, zone).replace(tzinfo=None))
    for event in _events(read_lines(data, file), file):
        try:
            uid = event.text("UID", 500) or f"line-{event.line}"
            if event.first("RECURRENCE-ID"):
                overrides.append((uid, event))
            elif uid in masters:
                raise Refused(event.line, f"the UID {uid[:60]!r} stands twice")
            elif one := reader.series(uid, event):
                masters[uid] = one
        except Refused as fault:
            refused.append(Refusal(line=fault.line or event.line, text=fault.text))
    for uid, event in overrides:
        try:
            if uid in masters:
                masters[uid] = reader.with_override(masters[uid], event)
            elif one := reader.series(f"{uid}-{event.line}", event):
                masters[one.uid] = one
        except Refused as fault:
            refused.append(Refusal(line=fault.line or event.line, text=fault.text))
    return ReadCalendar(tuple(masters.values()), _listed(refused))


def _listed(refused: list[Refusal]) -> tuple[Refusal, ...]:
    """In the order of lines; of too many the first, and how many more there are."""
    told = sorted(refused, key=lambda one: one.line)
    if len(told) <= MAX_REFUSALS:
        return tuple(told)
    more = Refusal(line=told[MAX_REFUSALS].line, text=f"and {len(told) - MAX_REFUSALS:,} more are refused")
    return (*told[:MAX_REFUSALS], more)


class _Reader:
    def __init__(self, zone: ZoneInfo, now: datetime) -> None:
        self._zone = zone
        self._times = EventTimes(zone, now)
        self._now = now
        self._days_left = MOST_DAYS

    def series(self, uid: str, event: _Event) -> Series | None:
        """None for what is cancelled, or is over."""
        if self._is_cancelled(event):
            return None
        starts, length_ms = self._span(event)
        rule = self._rule(event, starts)
        added = self._starts(event, "RDATE")
        if rule is None and not added and starts + timedelta(milliseconds=length_ms) <= self._now:
            return None
        if rule is not None and not any(at >= self._now for at in added) and self._is_over(rule, event.line):
            return None
        title = event.text("SUMMARY", 200) or "Untitled"
        host = event.text(f"{RADIO_PREFIX}HOST", 200)
        link = event.text("URL", 200)
        return Series(
            uid=uid.partition("@")[0],
            programme=event.text(f"{RADIO_PREFIX}PROGRAMME", 64) or "",
            title=title,
            starts=starts,
            length_ms=length_ms,
            rule=rule,
            added=added,
            cancelled=self._starts(event, "EXDATE"),
            host=host,
            description=_described(event.text("DESCRIPTION", 2_000), host),
            link=link if link and link.startswith(("http://", "https://")) else None,
            layer=event.text(f"{RADIO_PREFIX}LAYER", 20),
            line=event.line,
        )

    def with_override(self, one: Series, event: _Event) -> Series:
        """The series with one airing moved or cancelled."""
        line = event.first("RECURRENCE-ID")
        assert line is not None  # the caller asked
        if "RANGE" in line.params:
            raise Refused(line.line, "RANGE=THISANDFUTURE is not taken: end the series and begin a new one")
        if len(one.moved) + len(one.cancelled) >= MAX_EXCEPTIONS:
            raise Refused(line.line, f"the series has over {MAX_EXCEPTIONS:,} exceptions")
        original = self._times.moment(line)
        if self._is_cancelled(event):
            return msgspec.structs.replace(one, cancelled=(*one.cancelled, original))
        starts, length_ms = self._span(event)
        if (starts, length_ms) == (original, one.length_ms):
            return one
        title = event.text("SUMMARY", 200)
        moved = Moved(
            original=original,
            starts=starts,
            length_ms=length_ms,
            title=title if title != one.title else None,
            line=event.line,
        )
        return msgspec.structs.replace(one, moved=(*one.moved, moved))

    def _is_cancelled(self, event: _Event) -> bool:
        return (event.text("STATUS", 20) or "").upper() == "CANCELLED"

    def _span(self, event: _Event) -> tuple[datetime, DurationMs]:
        start_line = event.first("DTSTART")
        if start_line is None:
            raise Refused(event.line, "the event has no DTSTART")
        starts = self._times.moment(start_line, recurs=bool(event.first("RRULE")))
        end, length = event.first("DTEND"), event.first("DURATION")
        if end is not None:
            span = self._times.moment(end, recurs=bool(event.first("RRULE"))) - starts
            line = end.line
        elif length is not None:
            span, line = self._times.duration(length), length.line
        else:
            span, line = (
                timedelta(days=1) if self._times.is_date(start_line) else timedelta(),
                start_line.line,
            )
        length_ms = span // timedelta(milliseconds=1)
        if not 0 < length_ms <= LONGEST_MS:
            raise Refused(line, f"an airing lasts {span}; it must last more than nothing, and a day at most")
        return starts, DurationMs(length_ms)

    def _rule(self, event: _Event, starts: datetime) -> Rule | None:
        lines = event.lines.get("RRULE", [])
        if not lines:
            return None
        if len(lines) > 1:
            raise Refused(lines[1].line, "an event may have one RRULE")
        try:
            rule = parse_rule(self._with_local_until(lines[0].value, starts), starts.date())
        except ValueError as fault:
            raise Refused(lines[0].line, f"the rule {fault}") from fault
        endless = msgspec.structs.replace(rule, count=None)
        first = next(dates(endless, rule.start, rule.start + SENSIBLE), None)
        self._look_through(((first - rule.start) if first else SENSIBLE).days, lines[0].line)
        if first is None:
            raise Refused(lines[0].line, "the rule names no day in five years")
        return rule

    def _is_over(self, rule: Rule, line: int) -> bool:
        yesterday = self._now.date() - timedelta(days=1)
        if rule.until is not None:
            return rule.until < yesterday
        if rule.count is None or rule.start > yesterday:
            return False
        self._look_through((yesterday - rule.start).days, line)
        endless = msgspec.structs.replace(rule, count=None)
        return sum(1 for _ in dates(endless, rule.start, yesterday - timedelta(days=1))) >= rule.count

    def _look_through(self, days: int, line: int) -> None:
        self._days_left -= days
        if self._days_left < 0:
            raise Refused(line, "the calendar has more, and sparser, rules than can be looked through")

    def _with_local_until(self, value: str, starts: datetime) -> str:
        """UNTIL as the last local date on which the series may start."""
        found = _UNTIL.search(value)
        if found is None:
            return value
        until = datetime.strptime(found[1] + found[2], "%Y%m%d%H%M%S")  # noqa: DTZ007 - UTC or wall time
        if found[3]:
            until = self._times.from_utc(until)
        last = until.date() if until.time() >= starts.time() else until.date() - timedelta(days=1)
        return f"{value[: found.start()]}UNTIL={last:%Y%m%d}{value[found.end() :]}"

    def _starts(self, event: _Event, name: str) -> tuple[datetime, ...]:
        found: set[datetime] = set()
        for line in event.lines.get(name, []):
            for value in line.value.split(","):
                found.add(self._times.moment(msgspec.structs.replace(line, value=value)))
                if len(found) > MAX_EXCEPTIONS:
                    raise Refused(line.line, f"the event has over {MAX_EXCEPTIONS:,} {name}")
        return tuple(sorted(found))


def _events(lines: Iterator[ContentLine], file: str) -> Iterator[_Event]:
    """The VEVENTs with their own lines; what is nested in them is left out."""
    stack: list[str] = []
    event: _Event | None = None
    count, opened, last = 0, False, 0
    for line in lines:
        last = line.line
        if line.name == "BEGIN":
            stack.append(line.value.strip().upper())
            opened = opened or stack == ["VCALENDAR"]
            if stack[0] != "VCALENDAR" or len(stack) > 8:
                raise ScheduleError("is no calendar", file=file, line=line.line, allowed="BEGIN:VCALENDAR")
            if stack == ["VCALENDAR", "VEVENT"]:
                event, count = _Event(line.line, {}), count + 1
                if count > MAX_EVENTS:
                    allowed = f"at most {MAX_EVENTS:,} events"
                    raise ScheduleError("has too many events", file=file, line=line.line, allowed=allowed)
        elif line.name == "END":
            _close(stack, line, file)
            if event is not None and len(stack) == 1:
                yield event
                event = None
        elif event is not None and len(stack) == 2:
            event.lines.setdefault(line.name, []).append(line)
    if not opened:
        raise ScheduleError("is no calendar", file=file, line=last or 1, allowed="BEGIN:VCALENDAR")
    if stack:
        raise ScheduleError(f"ends within {stack[-1]}", file=file, line=last, allowed=f"END:{stack[-1]}")


def _close(stack: list[str], line: ContentLine, file: str) -> None:
    name = line.value.strip().upper()
    if not stack or stack.pop() != name:
        raise ScheduleError(f"ends {name[:40]} that is not open", file=file, line=line.line)


def _described(text: str | None, host: str | None) -> str | None:
    """The description without the line about the host that our own feeds begin with."""
    told = f"With {host}."
    if text and host and text.startswith(told):
        text = text.removeprefix(told).strip()
    return text or None
