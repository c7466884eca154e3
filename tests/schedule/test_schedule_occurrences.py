from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from schedule_doubles import DAY_MS, HOUR_MS, utc_ms

from radio.schedule.airings import airings, around
from radio.schedule.model import Airs, Layer, OnGap, OnRepeat, Programme, Schedule
from radio.schedule.occurrences import occurrences, segments
from radio.sponsors import Campaign, Sponsor, SponsorBook
from radio.sponsors.weektime import parse_days, parse_wall_time
from radio.units import DurationMs

NEW_YORK = ZoneInfo("America/New_York")


def airs(days: str, start: str, end: str) -> Airs:
    from_ms, to_ms = parse_wall_time(start), parse_wall_time(end, is_end=True)
    to_ms = to_ms if to_ms > from_ms else to_ms + DAY_MS
    return Airs(days=parse_days(days), from_ms=DurationMs(from_ms), to_ms=DurationMs(to_ms))


def programme(id_: str, *slots: Airs, **fields: object) -> Programme:
    return Programme(id=id_, title=id_.title(), airs=slots, **fields)  # type: ignore[arg-type]


TILED = (
    programme("night", airs("daily", "22:00", "06:00")),
    programme("morning", airs("daily", "06:00", "12:00")),
    programme("day", airs("daily", "12:00", "22:00")),
    programme("early", airs("sun", "01:30", "02:30"), layer=Layer.SPECIAL),
)


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_a_tiled_week_tiles_every_day_of_two_years(zone: str) -> None:
    start = utc_ms("2026-01-01")
    end = start + 730 * DAY_MS
    swept = segments(occurrences(TILED, ZoneInfo(zone), start, end), start, end)
    assert swept[0].starts_at_ms == start
    assert swept[-1].ends_at_ms == end
    assert all(one.ends_at_ms == other.starts_at_ms for one, other in zip(swept, swept[1:], strict=False))
    assert all(segment.occurrence for segment in swept)


@pytest.mark.parametrize(
    ("slot", "day", "starts", "ends"),
    [
        (airs("sat", "23:00", "04:00"), "2027-03-13", "2027-03-14 04:00", "2027-03-14 08:00"),
        (airs("sun", "02:30", "04:00"), "2027-03-14", "2027-03-14 07:00", "2027-03-14 08:00"),
        (airs("sun", "01:00", "02:00"), "2026-11-01", "2026-11-01 05:00", "2026-11-01 07:00"),
        (airs("sun", "01:00", "01:30"), "2026-11-01", "2026-11-01 05:00", "2026-11-01 05:30"),
        (airs("sun", "01:30", "02:00"), "2026-11-01", "2026-11-01 05:30", "2026-11-01 07:00"),
        (airs("sat", "23:00", "04:00"), "2026-10-31", "2026-11-01 03:00", "2026-11-01 09:00"),
    ],
)
def test_slots_on_nights_of_change(slot: Airs, day: str, starts: str, ends: str) -> None:
    found = occurrences([programme("one", slot)], NEW_YORK, utc_ms(day), utc_ms(day) + 2 * DAY_MS)
    assert [(one.starts_at_ms, one.ends_at_ms) for one in found] == [(utc_ms(starts), utc_ms(ends))]


def test_a_slot_that_the_clocks_skip_does_not_occur() -> None:
    slot = programme("one", airs("sun", "02:00", "03:00"))
    day = utc_ms("2027-03-14")
    assert occurrences([slot], NEW_YORK, day, day + DAY_MS) == []
    week_later = occurrences([slot], NEW_YORK, day + 7 * DAY_MS, day + 8 * DAY_MS)
    assert [one.starts_at_ms for one in week_later] == [utc_ms("2027-03-21 06:00")]


def test_the_extra_hour_can_go_to_the_fallback() -> None:
    slot = programme("one", airs("sun", "01:00", "02:00"), on_repeat=OnRepeat.FALLBACK)
    day = utc_ms("2026-11-01")
    swept = segments(occurrences([slot], NEW_YORK, day, day + DAY_MS), day + 5 * HOUR_MS, day + 7 * HOUR_MS)
    assert [bool(one.occurrence) for one in swept] == [True, False]


def test_a_programme_that_would_be_shortened_can_be_dropped() -> None:
    slot = programme("one", airs("sun", "02:30", "04:00"), on_gap=OnGap.DROP)
    day = utc_ms("2027-03-14")
    assert occurrences([slot], NEW_YORK, day, day + DAY_MS) == []


def test_a_special_goes_before_a_programme_which_comes_back() -> None:
    day = utc_ms("2026-11-29 05:00")
    swept = segments(occurrences(TILED, NEW_YORK, day, day + DAY_MS), day, day + 6 * HOUR_MS)
    assert [segment.occurrence.programme for segment in swept if segment.occurrence] == [
        "night",
        "early",
        "night",
    ]
    assert swept[1].preempted == ("night@2026-11-28T22:00",)
    assert swept[0].occurrence == swept[2].occurrence


def test_airings_say_who_supports_them_and_what_is_next() -> None:
    morning = programme("morning", airs("daily", "06:00", "12:00"), supported_by="trust")
    trust = Sponsor(id="trust", name="The Trust")
    campaign = Campaign(id="c", sponsor="trust", message="It looks after the pier.", audio="x")
    book = SponsorBook(sponsors={"trust": trust}, campaigns=(campaign,))
    day = utc_ms("2026-11-23 05:00")
    told = airings(Schedule(programmes=(morning,)), book, "wxyz", NEW_YORK, day, day + 2 * DAY_MS)
    now, later = around(told, day + 7 * HOUR_MS)
    assert now is not None
    assert now.supported_by is not None
    assert (now.title, now.supported_by.message) == ("Morning", "It looks after the pier.")
    assert later is not None
    assert later.starts_at_ms == now.starts_at_ms + DAY_MS
    assert around(told, day) == (None, now)
