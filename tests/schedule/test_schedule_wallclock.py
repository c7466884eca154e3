from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schedule_doubles import HOUR_MS, utc_ms

from radio.schedule.wallclock import label, local_time, next_change_ms, wall_to_ms, wall_to_utc

NEW_YORK = ZoneInfo("America/New_York")
ZONES = sorted(zone for zone in available_timezones() if "/" in zone)


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2027-03-13 23:00", "2027-03-14 04:00"),
        ("2027-03-14 04:00", "2027-03-14 08:00"),
        ("2027-03-14 02:00", "2027-03-14 07:00"),
        ("2027-03-14 02:30", "2027-03-14 07:00"),
        ("2027-03-14 03:00", "2027-03-14 07:00"),
        ("2026-11-01 01:00", "2026-11-01 05:00"),
        ("2026-11-01 01:30", "2026-11-01 05:30"),
        ("2026-11-01 02:00", "2026-11-01 07:00"),
        ("2026-10-31 23:00", "2026-11-01 03:00"),
        ("2026-11-01 04:00", "2026-11-01 09:00"),
    ],
)
def test_new_york_maps_as_the_table_says(local: str, utc: str) -> None:
    assert wall_to_ms(datetime.fromisoformat(local), NEW_YORK) == utc_ms(utc)


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30"),
        ("Europe/London", "2027-03-28 01:30", "2027-03-28 01:00"),
        ("Asia/Kolkata", "2026-06-01 00:00", "2026-05-31 18:30"),
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00"),
    ],
)
def test_other_zones_clamp_a_missing_time_to_the_change(zone: str, local: str, utc: str) -> None:
    assert wall_to_ms(datetime.fromisoformat(local), ZoneInfo(zone)) == utc_ms(utc)


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2035-12-31")),
    st.integers(0, 4 * 86_400),
)
def test_never_decreases_anywhere(zone: str, local: datetime, later_s: int) -> None:
    tz = ZoneInfo(zone)
    assert wall_to_utc(local, tz) <= wall_to_utc(local + timedelta(seconds=later_s), tz)


@given(st.sampled_from(ZONES), st.integers(2020, 2035), st.data())
def test_never_decreases_around_transitions(zone: str, year: int, data: st.DataObject) -> None:
    tz = ZoneInfo(zone)
    start = datetime(year, 1, 1, tzinfo=UTC)
    days = [start + timedelta(days=step) for step in range(0, 367, 3)]
    changes = [
        one
        for one, other in zip(days, days[1:], strict=False)
        if one.astimezone(tz).utcoffset() != other.astimezone(tz).utcoffset()
    ]
    for day in changes:
        midnight = day.astimezone(tz).replace(tzinfo=None, hour=0, minute=0, second=0)
        minutes = sorted(data.draw(st.lists(st.integers(0, 5 * 1440), min_size=2, max_size=8)))
        instants = [wall_to_utc(midnight + timedelta(minutes=minute), tz) for minute in minutes]
        assert instants == sorted(instants)


@given(st.sampled_from(ZONES), st.integers(utc_ms("2020-01-01"), utc_ms("2035-12-31")))
def test_an_existing_time_comes_back_unless_it_is_the_second_pass(zone: str, at_ms: int) -> None:
    tz = ZoneInfo(zone)
    at_ms -= at_ms % 1000
    local = local_time(at_ms, tz)
    back = wall_to_ms(local.replace(tzinfo=None, fold=0), tz)
    assert back == at_ms if local.fold == 0 else back < at_ms


def test_a_label_tells_the_two_passes_of_an_hour_apart() -> None:
    first = utc_ms("2026-11-01 05:30")
    assert label(first, NEW_YORK) == "2026-11-01 01:30:00 EDT"
    assert label(first + HOUR_MS, NEW_YORK) == "2026-11-01 01:30:00 EST"


def test_the_change_is_found_to_the_millisecond() -> None:
    change = utc_ms("2026-11-01 06:00")
    assert next_change_ms(change - HOUR_MS, change + HOUR_MS, NEW_YORK) == change
    assert next_change_ms(change, change + HOUR_MS, NEW_YORK) is None
    assert next_change_ms(change, change, NEW_YORK) is None
