"""Programmes as an iCalendar feed: RFC 5545, with RFC 7986's name and refresh interval (pure).

Calendars differ in what an airing lasts on a night when the clocks change, and in whether a time that is skipped
airs at all; the standard itself would leave a hole (3.3.10) or keep the exact length (3.8.5.3). So each airing that
the rule alone would not tell as it airs is written out, its moments in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from radio.interchange.lines import escaped, written
from radio.interchange.series import RADIO_PREFIX, Moved, Series
from radio.interchange.timezones import vtimezone
from radio.schedule.airings import ProgrammeAiring
from radio.schedule.recurrence import Rule, format_rule
from radio.schedule.wallclock import local_time, wall_to_utc
from radio.units import UtcMs

MIME: Final = "text/calendar"
PRODUCT: Final = "-//Next Up//radio//EN"
MAX_AIRINGS: Final = 20_000

Lines = Iterator[tuple[str, str]]


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """What stands over a calendar. ``host`` makes the ids unique in the world; ``made_ms`` is when its facts were
    last so, and the same facts with the same moment give the same bytes."""

    name: str
    host: str
    zone: ZoneInfo
    made_ms: UtcMs


class Exact(msgspec.Struct, frozen=True, kw_only=True):
    """When one airing really is, ``span`` None where the clocks leave nothing of it."""

    span: tuple[UtcMs, UtcMs] | None


def feed(
    head: Feed, series: Sequence[Series], exact: Mapping[tuple[str, datetime], Exact], until: datetime
) -> str:
    """A calendar with one VEVENT for each series and one for each airing that is an exception.

    ``exact`` says, by a series' uid and an airing's planned wall time, when airings are that the rule alone would
    tell otherwise. ``until`` (aware) is how far the zone's changes are told.
    """
    first = min((one.starts for one in series), default=until.replace(tzinfo=None))
    zone = vtimezone(head.zone, first.replace(tzinfo=UTC) - timedelta(days=2), until)
    return _calendar(head, [*zone, *(line for one in series for line in _series(head, one, exact))])


def materialised(head: Feed, airings: Sequence[ProgrammeAiring]) -> str:
    """A calendar of single airings in UTC, as they air: nothing is left for the reader to compute."""
    taken: dict[str, int] = {}
    lines: list[tuple[str, str]] = []
    for airing in airings[:MAX_AIRINGS]:
        part = taken[airing.occurrence] = taken.get(airing.occurrence, 0) + 1
        lines += _airing(head, airing, part)
    return _calendar(head, lines)


def _calendar(head: Feed, inner: Iterable[tuple[str, str]]) -> str:
    return written(
        [
            ("BEGIN", "VCALENDAR"),
            ("VERSION", "2.0"),
            ("PRODID", PRODUCT),
            ("CALSCALE", "GREGORIAN"),
            ("NAME", escaped(head.name)),
            ("X-WR-CALNAME", escaped(head.name)),
            ("REFRESH-INTERVAL;VALUE=DURATION", "PT1H"),
            ("X-PUBLISHED-TTL", "PT1H"),
            *inner,
            ("END", "VCALENDAR"),
        ]
    )


def _series(head: Feed, one: Series, exact: Mapping[tuple[str, datetime], Exact]) -> Lines:
    mine = {start: span for (uid, start), span in exact.items() if uid == one.uid}
    silent = [start for start, airing in mine.items() if airing.span is None]
    yield from _open(head, one.uid)
    yield from _local("DTSTART", head.zone, one.starts)
    yield from _local("DTEND", head.zone, one.ends)
    if one.rule:
        yield "RRULE", _rule(one, one.rule, head.zone)
    for name, starts in (("RDATE", one.added), ("EXDATE", sorted({*one.cancelled, *silent}))):
        for start in starts:
            yield from _local(name, head.zone, start)
    yield from _words(one)
    yield "END", "VEVENT"
    for moved in one.moved:
        yield from _moved(head, one, moved)
    for start, airing in sorted(mine.items()):
        if airing.span is not None:
            yield from _exception(head, one, start, airing.span)


def _moved(head: Feed, one: Series, moved: Moved) -> Lines:
    yield from _open(head, one.uid)
    yield from _local("RECURRENCE-ID", head.zone, moved.original)
    ends = moved.starts + timedelta(milliseconds=moved.length_ms)
    yield "DTSTART", _utc(wall_to_utc(moved.starts, head.zone))
    yield "DTEND", _utc(wall_to_utc(ends, head.zone))
    yield from _words(msgspec.structs.replace(one, title=moved.title or one.title))
    yield "END", "VEVENT"


def _exception(head: Feed, one: Series, start: datetime, span: tuple[UtcMs, UtcMs]) -> Lines:
    yield from _open(head, one.uid)
    yield from _local("RECURRENCE-ID", head.zone, start)
    yield "DTSTART", _moment(span[0])
    yield "DTEND", _moment(span[1])
    yield from _words(one)
    yield "END", "VEVENT"


def _open(head: Feed, uid: str) -> Lines:
    yield "BEGIN", "VEVENT"
    yield "UID", escaped(f"{uid}@{head.host}")
    yield "DTSTAMP", _moment(head.made_ms)


def _words(one: Series) -> Lines:
    yield "SUMMARY", escaped(one.title)
    yield from _about(one.host, one.description, one.link)
    yield f"{RADIO_PREFIX}PROGRAMME", escaped(one.programme)
    if one.layer is not None:
        yield f"{RADIO_PREFIX}LAYER", one.layer


def _airing(head: Feed, airing: ProgrammeAiring, part: int) -> Lines:
    _, _, start = airing.occurrence.rpartition("@")
    uid = f"{airing.id}-{start.replace(':', '').replace('-', '')}" + (f"-{part}" if part > 1 else "")
    yield from _open(head, uid)
    yield "DTSTART", _moment(airing.starts_at_ms)
    yield "DTEND", _moment(airing.ends_at_ms)
    yield "SUMMARY", escaped(airing.title)
    yield from _about(airing.host, airing.description, airing.link)
    yield f"{RADIO_PREFIX}PROGRAMME", escaped(airing.id)
    yield "END", "VEVENT"


def _about(host: str | None, description: str | None, link: str | None) -> Lines:
    told = [f"With {host}." if host else "", description or ""]
    if text := "\n".join(part for part in told if part):
        yield "DESCRIPTION", escaped(text)
    if host:
        yield f"{RADIO_PREFIX}HOST", escaped(host)
    if link and link.isascii() and link.isprintable() and link.startswith(("http://", "https://")):
        yield "URL", link.replace(" ", "%20")


def _local(name: str, zone: ZoneInfo, at: datetime) -> Lines:
    yield f"{name};TZID={zone.key}", at.strftime("%Y%m%dT%H%M%S")


def _rule(one: Series, rule: Rule, zone: ZoneInfo) -> str:
    """UNTIL is told in UTC where DTSTART has a zone (section 3.3.10): as the last start that may be."""
    text = format_rule(msgspec.structs.replace(rule, until=None))
    if rule.until is None:
        return text
    return f"{text};UNTIL={_utc(wall_to_utc(datetime.combine(rule.until, one.starts.time()), zone))}"


def _moment(at_ms: int) -> str:
    return _utc(local_time(at_ms, ZoneInfo("UTC")))


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
