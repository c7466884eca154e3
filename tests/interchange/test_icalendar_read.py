from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from calendar_oracle import HOUR, ZONES, airs, feed_of, instant, programme, wall
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import ScheduleError
from radio.interchange.icalendar_read import MAX_EVENTS, MAX_EXCEPTIONS, ReadCalendar, read_calendar
from radio.interchange.lines import FOLD_OCTETS, MAX_BYTES, MAX_LINES, escaped, read_lines, written
from radio.schedule.model import Schedule
from radio.schedule.recurrence import format_rule, parse_rule

NEW_YORK = ZoneInfo("America/New_York")
NOW = instant("2026-01-01", NEW_YORK)


def calendar(*events: str, before: str = "") -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{before}{body}END:VCALENDAR\n".encode()


def read(data: bytes, zone: ZoneInfo = NEW_YORK) -> ReadCalendar:
    return read_calendar(data, zone, "shows.ics", now_ms=NOW)


def only(event: str, zone: ZoneInfo = NEW_YORK) -> object:
    found = read(calendar(event), zone)
    assert not found.refused, found.refused
    (one,) = found.series
    return one


def refusal(event: str, zone: ZoneInfo = NEW_YORK) -> tuple[int, str]:
    found = read(calendar(event), zone)
    (one,) = found.refused
    return one.line, one.text


WEEKLY = """UID:a@elsewhere.example
SUMMARY:First Light
DTSTART;TZID=America/New_York:20260105T060000
DTEND;TZID=America/New_York:20260105T100000
RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"""


def test_a_weekly_programme() -> None:
    one = only(WEEKLY + "\nDESCRIPTION:News\\, and\\nweather\\; calm\nURL:https://wxyz.example/f")
    assert (one.uid, one.title, one.starts, one.length_ms) == (
        "a",
        "First Light",
        wall(2026, 1, 5, 6),
        4 * HOUR,
    )
    assert format_rule(one.rule) == "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    assert (one.description, one.link, one.line) == ("News, and weather; calm", "https://wxyz.example/f", 3)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("DTSTART:20260105T060000", wall(2026, 1, 5, 6)),
        ("DTSTART:20260105T110000Z", wall(2026, 1, 5, 6)),
        ("DTSTART;TZID=Europe/London:20260105T110000", wall(2026, 1, 5, 6)),
        ("DTSTART;TZID=Eastern Standard Time:20260105T060000", wall(2026, 1, 5, 6)),
        ("DTSTART;TZID=/mozilla.org/20050126_1/America/New_York:20260105T060000", wall(2026, 1, 5, 6)),
        ('DTSTART;TZID="America/New_York":20260105T060000', wall(2026, 1, 5, 6)),
        ("DTSTART;VALUE=DATE:20260105", wall(2026, 1, 5)),
    ],
)
def test_a_single_airing_is_told_in_the_stations_time(start: str, expected: datetime) -> None:
    assert only(f"UID:x\nSUMMARY:Once\n{start}\nDURATION:PT1H30M").starts == expected


def test_a_series_told_in_another_zone_is_taken_where_the_clocks_go_together() -> None:
    toronto = WEEKLY.replace("America/New_York", "America/Toronto")
    assert only(toronto).starts == wall(2026, 1, 5, 6)
    line, text = refusal(WEEKLY.replace("America/New_York", "Europe/London"))
    assert (line, "does not go with that of America/New_York" in text) == (6, True)
    assert "UTC" in refusal("UID:x\nDTSTART:20260105T060000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY")[1]
    assert only(
        "UID:x\nDTSTART:20260105T060000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY", ZoneInfo("Africa/Abidjan")
    )


def test_until_in_utc_is_the_last_local_date() -> None:
    evening = """UID:x\nDTSTART;TZID=America/New_York:20260105T210000\nDURATION:PT1H\n"""
    rule = "RRULE:FREQ=DAILY;UNTIL={}"
    assert only(evening + rule.format("20260111T020000Z")).rule.until == date(2026, 1, 10)
    assert only(evening + rule.format("20260111T015959Z")).rule.until == date(2026, 1, 9)
    assert only(evening + rule.format("20260111")).rule.until == date(2026, 1, 11)


def test_exceptions_moves_and_cancellations() -> None:
    moved = """UID:a@elsewhere.example\nRECURRENCE-ID;TZID=America/New_York:20260106T060000
DTSTART;TZID=America/New_York:20260106T080000\nDTEND;TZID=America/New_York:20260106T090000\nSUMMARY:Late Light"""
    cancelled = "UID:a@elsewhere.example\nRECURRENCE-ID:20260107T110000Z\nSTATUS:CANCELLED"
    found = read(
        calendar(
            moved,
            WEEKLY + "\nEXDATE;TZID=America/New_York:20260108T060000,20260109T060000\nRDATE:20260110T110000Z",
            cancelled,
        )
    )
    (one,) = found.series
    assert not found.refused
    assert one.added == (wall(2026, 1, 10, 6),)
    assert one.cancelled == (
        wall(2026, 1, 8, 6),
        wall(2026, 1, 9, 6),
        wall(2026, 1, 7, 6),
    )
    (change,) = one.moved
    assert (change.original, change.starts, change.length_ms, change.title) == (
        wall(2026, 1, 6, 6),
        wall(2026, 1, 6, 8),
        HOUR,
        "Late Light",
    )


@pytest.mark.parametrize(
    ("event", "line", "text"),
    [
        (WEEKLY.replace("FREQ=WEEKLY", "FREQ=HOURLY"), 8, "FREQ=HOURLY"),
        (WEEKLY.replace("FREQ=WEEKLY", "FREQ=MINUTELY;INTERVAL=5"), 8, "FREQ=MINUTELY"),
        (WEEKLY.replace("FREQ=WEEKLY", "FREQ=SECONDLY"), 8, "FREQ=SECONDLY"),
        (WEEKLY.replace("BYDAY=MO,TU,WE,TH,FR", "INTERVAL=0"), 8, "INTERVAL=0"),
        (
            WEEKLY.replace("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
            8,
            "no day",
        ),
        (WEEKLY.replace("BYDAY=MO,TU,WE,TH,FR", "UNTIL=20250101T000000Z"), 8, "before"),
        (WEEKLY.replace("BYDAY=MO,TU,WE,TH,FR", "COUNT=999999"), 8, "COUNT"),
        (WEEKLY.replace("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "BYDAY=MO"), 8, "FREQ"),
        (WEEKLY + "\nRRULE:FREQ=DAILY", 9, "one RRULE"),
        (WEEKLY.replace("America/New_York:20260105T06", "America/Nwe_York:20260105T06"), 6, "Did you mean"),
        (
            WEEKLY.replace("America/New_York:20260105T06", "../../etc/passwd:20260105T06"),
            6,
            "not a time zone",
        ),
        (WEEKLY.replace("20260105T10", "20260105T06"), 7, "lasts"),
        (WEEKLY.replace("20260105T10", "20260107T10"), 7, "lasts"),
        (WEEKLY.replace("20260105T06", "20260135T06"), 6, "no date"),
        ("UID:x\nDTSTART:20260105T060000\nDURATION:-PT1H", 6, "no length"),
        ("UID:x\nDTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260110", 6, "lasts"),
        ("UID:x\nSUMMARY:No time", 3, "no DTSTART"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(event: str, line: int, text: str) -> None:
    found_line, found_text = refusal(event)
    assert (found_line, text in found_text) == (line, True), (found_line, found_text)


def test_one_bad_event_does_not_lose_the_others() -> None:
    hourly = WEEKLY.replace("FREQ=WEEKLY", "FREQ=HOURLY").replace("UID:a", "UID:b")
    found = read(calendar(hourly, WEEKLY, WEEKLY))
    assert [one.uid for one in found.series] == ["a"]
    assert [(one.line, one.text[:4]) for one in found.refused] == [(8, "the "), (17, "the ")]
    assert "stands twice" in found.refused[1].text


def test_this_and_future_is_refused() -> None:
    future = "UID:a@elsewhere.example\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260106T110000Z\nDTSTART:20260106T120000Z"
    found = read(calendar(WEEKLY, future))
    assert (found.series[0].moved, found.refused[0].line) == ((), 12)


def test_what_is_over_or_cancelled_is_left_out() -> None:
    over = "UID:o\nDTSTART:20250105T060000\nDURATION:PT1H"
    ended = over.replace("UID:o", "UID:e") + "\nRRULE:FREQ=DAILY;UNTIL=20250601T000000Z"
    counted = over.replace("UID:o", "UID:c") + "\nRRULE:FREQ=DAILY;COUNT=5"
    found = read(calendar(over, ended, counted, WEEKLY + "\nSTATUS:CANCELLED"))
    assert found == ReadCalendar((), ())


def test_alarms_and_zones_inside_are_left_out() -> None:
    alarm = WEEKLY + "\nBEGIN:VALARM\nTRIGGER:-PT15M\nDTSTART:nonsense\nEND:VALARM"
    standard = "BEGIN:STANDARD\nDTSTART:20251102T020000\nEND:STANDARD\n"
    zone = f"BEGIN:VTIMEZONE\nTZID:America/New_York\n{standard}END:VTIMEZONE\n"
    assert len(read(calendar(alarm, before=zone)).series) == 1


@pytest.mark.parametrize(
    ("data", "line", "text"),
    [
        (b"", 1, "is no calendar"),
        (b"\x00\xff\xfe", 1, "is not UTF-8"),
        (b"hello", 1, "no line of iCalendar"),
        (b"BEGIN:VEVENT\nEND:VEVENT\n", 1, "is no calendar"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\n", 3, "ends within VEVENT"),
        (b"BEGIN:VCALENDAR\nEND:VEVENT\n", 2, "not open"),
        (b"BEGIN:VCALENDAR\nno colon here\nEND:VCALENDAR\n", 2, "no line of iCalendar"),
        (b"BEGIN:VCALENDAR\n" + b"X:" + b"y" * 30_000 + b"\nEND:VCALENDAR\n", 2, "too long"),
        (b"BEGIN:VCALENDAR\n" + b"X:y\n z" + b"\n z" * 30_000, 2, "too long"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:X\n" * 50, 9, "is no calendar"),
    ],
)
def test_what_is_no_calendar_is_refused_whole(data: bytes, line: int, text: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        read(data)
    assert (caught.value.file, caught.value.line, text in caught.value.problem) == ("shows.ics", line, True)


def test_huge_files_cost_nothing() -> None:
    began = time.process_time()
    for data in (
        b"BEGIN:VCALENDAR\n" + b"x" * 50_000_000,
        b"\n" * (MAX_LINES + 1),
        calendar(*["DTSTART:20260105T060000\nDURATION:PT1H"] * (MAX_EVENTS + 1)),
    ):
        with pytest.raises(ScheduleError):
            read(data)
    assert time.process_time() - began < 5
    assert MAX_BYTES < 50_000_000


def test_sparse_rules_cost_little() -> None:
    began = time.process_time()
    days = [date(1990, 1, 1) + timedelta(days=number) for number in range(MAX_EVENTS)]
    rule = "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=4000"
    found = read(
        calendar(*(f"UID:{day}\nDTSTART:{day:%Y%m%d}T060000\nDURATION:PT1H\n{rule}" for day in days))
    )
    assert len(found.series) > 50
    assert "looked through" in found.refused[0].text
    told = len(found.refused) - 1
    assert found.refused[-1].text == f"and {MAX_EVENTS - len(found.series) - told:,} more are refused"
    assert time.process_time() - began < 10


def test_exceptions_are_bounded() -> None:
    dates = [f"{wall(2026, 1, 5, 6) + timedelta(days=n):%Y%m%dT%H%M%S}" for n in range(10_000)]
    event = WEEKLY + "\n" + "\n".join(f"EXDATE:{part}" for part in chunks(dates))
    line, text = refusal(event)
    assert (line > 7, f"over {MAX_EXCEPTIONS:,} EXDATE" in text) == (True, True)


def chunks(values: Sequence[str], size: int = 500) -> list[str]:
    return [",".join(values[at : at + size]) for at in range(0, len(values), size)]


@pytest.mark.parametrize("name", ZONES)
def test_our_own_feed_reads_back_as_it_was(name: str) -> None:
    zone = ZoneInfo(name)
    start = date(2026, 1, 5)
    schedule = Schedule(
        programmes=(
            programme("first-light", airs((0, 1, 2, 3, 4), 6, 10), host="The desk", description="News."),
            programme("night", airs(tuple(range(7)), 22, 2)),
            programme(
                "fortnight", airs((), 9, 10, rule=parse_rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", start))
            ),
            programme("season", airs((1,), 20, 21, first=date(2026, 2, 1), last=date(2026, 12, 29))),
        )
    )
    found = read(feed_of(schedule, zone).encode(), zone)
    assert not found.refused
    told = {one.programme: one for one in found.series}
    assert {one.host for one in found.series} == {"The desk", None}
    assert told["first-light"].description == "News."
    assert format_rule(told["night"].rule) == "FREQ=DAILY"
    assert format_rule(told["fortnight"].rule) == "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"
    assert format_rule(told["season"].rule) == "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261229"
    assert {one.length_ms for one in found.series} == {4 * HOUR, HOUR}


TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\r\x00"), max_size=300)


@given(TEXT)
def test_any_text_is_read_back_by_us_and_by_others(text: str) -> None:
    line = written([("SUMMARY", escaped(text))])
    (ours,) = read_lines(line.encode(), "x.ics")
    plain = ours.text
    assert escaped(plain) == escaped(text)
    assert all(len(part.encode()) <= FOLD_OCTETS for part in line.split("\r\n"))
    theirs = icalendar.Event.from_ical(f"BEGIN:VEVENT\r\n{line}END:VEVENT\r\n")["SUMMARY"]
    assert str(theirs) == plain


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for form in (data, b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + data + b"\nEND:VEVENT\nEND:VCALENDAR\n"):
        with contextlib.suppress(ScheduleError):
            assert isinstance(read(form), ReadCalendar)


@given(st.text("DTSARULEXINOBYMWZ0123456789=;:,-+T\n PVFQCH", max_size=120))
def test_any_lines_of_an_event_are_taken_or_refused(text: str) -> None:
    try:
        found = read(calendar("DTSTART:20260105T060000\nDURATION:PT1H\n" + text))
    except ScheduleError:
        return
    assert len(found.series) + len(found.refused) <= 2
