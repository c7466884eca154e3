from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import msgspec
import pytest
from calendar_oracle import (
    HOUR,
    ZONES,
    airs,
    as_it_airs,
    as_others_read,
    feed_of,
    instant,
    materialised_of,
    programme,
    wall,
)

from radio.interchange.icalendar_write import MAX_AIRINGS
from radio.interchange.lines import written
from radio.interchange.timezones import vtimezone
from radio.schedule.model import Change, Layer, Schedule
from radio.schedule.recurrence import parse_rule

DAILY = tuple(range(7))
WEEK = Schedule(
    programmes=(
        programme("night-watch", airs(DAILY, 22, 1)),
        programme("small-hours", airs(DAILY, 1, 1.5), airs(DAILY, 2, 3)),
        programme("tide-times", airs(DAILY, 1.5, 2)),
        programme("half-two", airs((6,), 2.5, 4)),
        programme("first-light", airs((0, 1, 2, 3, 4), 6, 10)),
        programme("saturday", airs((5,), 23, 4)),
    )
)
CHANGES = {
    "America/New_York": ("2026-03-08", "2026-11-01", "2027-03-14"),
    "Europe/London": ("2026-03-29", "2026-10-25", "2027-03-28"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04", "2027-04-04"),
}


@pytest.mark.parametrize("name", ZONES)
def test_others_expand_the_feed_to_what_airs_in_the_weeks_of_the_changes(name: str) -> None:
    zone = ZoneInfo(name)
    text = feed_of(WEEK, zone)
    for day in CHANGES[name]:
        from_ms = instant(day, zone) - 4 * 24 * HOUR
        to_ms = from_ms + 9 * 24 * HOUR
        assert as_others_read(text, zone, from_ms, to_ms) == as_it_airs(WEEK, zone, from_ms, to_ms)


@pytest.mark.parametrize("name", ZONES)
def test_others_expand_rules_and_exceptions_to_what_airs(name: str) -> None:
    zone = ZoneInfo(name)
    start = date(2026, 1, 5)
    every_other = parse_rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", start)
    schedule = Schedule(
        programmes=(
            programme(
                "biweekly", airs((), 9, 10, rule=every_other, without=(date(2026, 1, 8), date(2026, 3, 30)))
            ),
            programme("last-friday", airs((), 19, 21, rule=parse_rule("FREQ=MONTHLY;BYDAY=-1FR", start))),
            programme("six-times", airs((), 12, 13, rule=parse_rule("FREQ=DAILY;COUNT=6", start))),
            programme(
                "until", airs((), 14, 15, rule=parse_rule("FREQ=WEEKLY;BYDAY=WE;UNTIL=20260304", start))
            ),
            programme("season", airs((1,), 20, 21, first=date(2026, 2, 1), last=date(2026, 4, 30))),
            programme("dated", airs((), 7, 8, also=(date(2026, 2, 3), date(2026, 2, 20)))),
            programme(
                "moving",
                airs((2,), 16, 17),
                changes=(
                    Change(starts=wall(2026, 2, 4, 16), cancelled=True),
                    Change(
                        starts=wall(2026, 2, 11, 16),
                        day=date(2026, 2, 12),
                        from_ms=18 * HOUR,
                        to_ms=20 * HOUR,
                    ),
                ),
            ),
        )
    )
    text = feed_of(schedule, zone)
    from_ms, to_ms = instant("2026-01-01", zone), instant("2026-06-30", zone)
    aired = as_it_airs(schedule, zone, from_ms, to_ms)
    assert as_others_read(text, zone, from_ms, to_ms) == aired
    assert {one for one, _, _ in aired} == {one.id for one in schedule.programmes}


def test_the_materialised_calendar_is_what_airs_where_a_special_goes_before() -> None:
    zone = ZoneInfo("America/New_York")
    schedule = Schedule(
        programmes=(
            programme("day", airs(DAILY, 6, 22)),
            programme("election", airs((1,), 19, 20), layer=Layer.SPECIAL),
        )
    )
    from_ms, to_ms = instant("2026-11-03", zone), instant("2026-11-04", zone)
    text = materialised_of(schedule, zone, from_ms, to_ms)
    at = from_ms
    assert as_others_read(text, zone, from_ms, to_ms) == [
        ("day", at + 6 * HOUR, at + 19 * HOUR),
        ("day", at + 20 * HOUR, at + 22 * HOUR),
        ("election", at + 19 * HOUR, at + 20 * HOUR),
    ]
    assert "RRULE" not in text
    assert "TZID" not in text
    uids = [str(event["UID"]) for event in icalendar.Calendar.from_ical(text).walk("VEVENT")]
    assert len(set(uids)) == 3
    assert "day-20261103T0600@wxyz.example" in uids


def test_the_feed_is_the_same_to_the_byte_and_well_formed() -> None:
    zone = ZoneInfo("Europe/London")
    one = msgspec.structs.replace(
        WEEK.programmes[0],
        title="Möwen; Wind, \\ & Wetter " + "é" * 90,
        host="The coast desk",
        description="One line,\nand another; with 🌊 " * 8,
        link="https://wxyz.example/night",
    )
    schedule = Schedule(programmes=(one,))
    text = feed_of(schedule, zone)
    assert text == feed_of(schedule, zone)
    assert text.endswith("END:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    (event,) = (
        event for event in icalendar.Calendar.from_ical(text).walk("VEVENT") if "RECURRENCE-ID" not in event
    )
    assert event["SUMMARY"] == one.title
    assert event["DESCRIPTION"] == f"With {one.host}.\n{one.description}"
    assert event["URL"] == one.link
    assert event["UID"] == "night-watch-1-2200@wxyz.example"


def test_nothing_in_a_title_or_a_link_can_write_a_line_of_its_own() -> None:
    evil = msgspec.structs.replace(
        WEEK.programmes[0], title="A\r\nEND:VEVENT\rB\nC", link="https://x.example/\r\nATTACH:evil"
    )
    text = feed_of(Schedule(programmes=(evil,)), ZoneInfo("UTC"))
    assert text.count("END:VEVENT\r\n") == 1
    assert "ATTACH" not in text
    assert "SUMMARY:A\\nEND:VEVENT\\nB\\nC\r\n" in text


def test_an_empty_schedule_is_an_empty_calendar() -> None:
    text = feed_of(Schedule(), ZoneInfo("UTC"))
    assert len(list(icalendar.Calendar.from_ical(text).walk("VEVENT"))) == 0


@pytest.mark.parametrize(
    "name", [*ZONES, "Europe/Dublin", "Africa/Casablanca", "America/Sao_Paulo", "Asia/Kolkata", "UTC"]
)
def test_a_zone_reads_back_with_the_offsets_it_has(name: str) -> None:
    zone = ZoneInfo(name)
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    (read,) = icalendar.Calendar.from_ical(
        written([("BEGIN", "VCALENDAR"), *vtimezone(zone, start, end), ("END", "VCALENDAR")])
    ).walk("VTIMEZONE")
    others = read.to_tz()
    for step in range(4 * 365):
        at = wall(2024, 1, 2, 12) + timedelta(days=step)
        assert at.replace(tzinfo=others).utcoffset() == at.replace(tzinfo=zone).utcoffset(), at


def test_a_materialised_calendar_is_bounded() -> None:
    zone = ZoneInfo("UTC")
    schedule = Schedule(programmes=tuple(programme(f"p{n}", airs(DAILY, n, n + 1)) for n in range(23)))
    from_ms = instant("2026-01-01", zone)
    text = materialised_of(schedule, zone, from_ms, from_ms + 1_000 * 24 * HOUR)
    assert text.count("BEGIN:VEVENT") == MAX_AIRINGS
