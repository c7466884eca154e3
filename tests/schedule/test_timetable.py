from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_doubles import DAY_MS, HOUR_MS, utc_ms, written

from radio.log import Anchor
from radio.schedule import Schedule
from radio.schedule.airings import airings
from radio.schedule.model import Airs, Layer, OnOverrun, OnReturn, Programme
from radio.schedule.occurrences import Segment
from radio.schedule.timetable import timetable
from radio.sponsors import SponsorBook
from radio.units import DurationMs

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = utc_ms("2026-11-23 05:00")
MINUTE = 60_000


def show(id_: str, airs: str, more: str = "") -> str:
    return f'[[programmes]]\nid = "{id_}"\ntitle = "{id_.title()}"\n{more}\nairs = [{airs}]\n'


def told(schedule: Schedule, from_ms: int, to_ms: int) -> list[tuple[str | None, int, int]]:
    """Who has the air, and from when to when in minutes after ``from_ms``."""
    return [
        (
            segment.occurrence.programme if segment.occurrence else None,
            (segment.starts_at_ms - from_ms) // MINUTE,
            (segment.ends_at_ms - from_ms) // MINUTE,
        )
        for segment in timetable(schedule, NEW_YORK, from_ms, to_ms)
    ]


def test_a_season_has_its_first_and_last_day_its_exceptions_and_its_extra_days() -> None:
    schedule = written(
        show(
            "fog",
            '{ days = "mon-fri", from = "09:00", to = "10:00", first = 2026-11-24, last = 2026-11-30,'
            " except = [2026-11-26], also = [2026-11-28, 2026-12-05] }",
        )
    )
    aired = airings(schedule, SponsorBook(), "wxyz", NEW_YORK, MONDAY, MONDAY + 14 * DAY_MS)
    days = [airing.occurrence.removeprefix("fog@").removesuffix("T09:00") for airing in aired]
    assert days == ["2026-11-24", "2026-11-25", "2026-11-27", "2026-11-28", "2026-11-30", "2026-12-05"]


def test_a_rule_airs_on_its_days_and_single_dates_air_once() -> None:
    rule = '{ rule = "FREQ=MONTHLY;BYDAY=1SU", first = 2026-01-04, from = "20:00", to = "22:00" }'
    schedule = written(
        show("first-sunday", rule)
        + show("gala", '{ dates = [2026-12-31], from = "21:00", to = "01:00" }', 'layer = "one-off"')
    )
    aired = airings(schedule, SponsorBook(), "wxyz", NEW_YORK, MONDAY, MONDAY + 60 * DAY_MS)
    assert [airing.occurrence for airing in aired] == [
        "first-sunday@2026-12-06T20:00",
        "gala@2026-12-31T21:00",
        "first-sunday@2027-01-03T20:00",
    ]


def test_changed_airings_keep_their_identity_and_the_series_stays() -> None:
    text = show(
        "tides",
        '{ days = "daily", from = "09:00", to = "11:00" }',
        """changes = [
          { on = 2026-11-24, cancel = true, why = "The pier is closed" },
          { on = 2026-11-25, from = "10:00", to = "11:30", title = "Tides at the pier" },
          { on = 2026-11-26, day = 2026-11-27, from = "18:00" },
        ]""",
    )
    aired = airings(written(text), SponsorBook(), "wxyz", NEW_YORK, MONDAY, MONDAY + 5 * DAY_MS)
    found = {
        one.occurrence: (
            one.title,
            (one.starts_at_ms - MONDAY) / HOUR_MS,
            (one.ends_at_ms - MONDAY) / HOUR_MS,
        )
        for one in aired
    }
    assert found == {
        "tides@2026-11-23T09:00": ("Tides", 9, 11),
        "tides@2026-11-25T09:00": ("Tides at the pier", 58, 59.5),
        "tides@2026-11-27T09:00": ("Tides", 105, 107),
        "tides@2026-11-26T09:00": ("Tides", 114, 116),
    }
    assert "tides@2026-11-24T09:00" not in found


def test_a_moved_airing_goes_before_what_airs_at_its_new_time() -> None:
    text = show(
        "tides",
        '{ days = "daily", from = "09:00", to = "10:00" }',
        'changes = [{ on = 2026-11-23, from = "12:30" }]',
    ) + show("noon", '{ days = "daily", from = "12:00", to = "14:00" }')
    assert told(written(text), MONDAY + 9 * HOUR_MS, MONDAY + 14 * HOUR_MS) == [
        (None, 0, 180),
        ("noon", 180, 210),
        ("tides", 210, 270),
        ("noon", 270, 300),
    ]


def test_every_layer_goes_before_those_below_it() -> None:
    layers = ["programme", "special", "one-off", "live", "emergency"]
    text = "".join(
        show(
            layer,
            f'{{ days = "daily", from = "{8 + step:02}:00", to = "{18 - step}:00" }}',
            f'layer = "{layer}"',
        )
        for step, layer in enumerate(layers)
    )
    names = [name for name, _, _ in told(written(text), MONDAY + 7 * HOUR_MS, MONDAY + 19 * HOUR_MS)]
    assert names == [None, *layers, *reversed(layers[:-1]), None]


BROKEN = '{ days = "daily", from = "09:00", to = "11:00" }'
BREAKING = show("news", '{ dates = [2026-11-23], from = "09:20", to = "10:00" }', 'layer = "special"')


@pytest.mark.parametrize(
    ("policy", "expected", "behind_min"),
    [
        ("", [("tides", 0, 20), ("news", 20, 60), ("tides", 60, 120), (None, 120, 180)], 0),
        (
            'on_return = "resume"',
            [("tides", 0, 20), ("news", 20, 60), ("tides", 60, 120), (None, 120, 180)],
            40,
        ),
        (
            'on_return = "restart"',
            [("tides", 0, 20), ("news", 20, 60), ("tides", 60, 120), (None, 120, 180)],
            60,
        ),
        ('on_return = "drop"', [("tides", 0, 20), ("news", 20, 60), (None, 60, 120), (None, 120, 180)], None),
        (
            'min_remainder = "61:00"',
            [("tides", 0, 20), ("news", 20, 60), (None, 60, 120), (None, 120, 180)],
            None,
        ),
        (
            'on_return = "slide"',
            [("tides", 0, 20), ("news", 20, 60), ("tides", 60, 130), (None, 130, 180)],
            40,
        ),
        (
            'on_return = "slide"\nslide_max = "90:00"',
            [("tides", 0, 20), ("news", 20, 60), ("tides", 60, 160), (None, 160, 180)],
            40,
        ),
    ],
)
def test_a_programme_comes_back_as_its_policy_says(
    policy: str, expected: list[tuple[str | None, int, int]], behind_min: int | None
) -> None:
    schedule = written(show("tides", BROKEN, policy) + BREAKING)
    from_ms = MONDAY + 9 * HOUR_MS
    assert told(schedule, from_ms, from_ms + 3 * HOUR_MS) == expected
    back = timetable(schedule, NEW_YORK, from_ms, from_ms + 3 * HOUR_MS)[2]
    assert back.behind_ms == (behind_min or 0) * MINUTE


def test_what_follows_a_programme_that_may_finish_starts_softly() -> None:
    schedule = written(
        show("tides", BROKEN, 'on_overrun = "finish"\noverrun_max = "3:00"')
        + show("noon", '{ days = "daily", from = "11:00", to = "12:00" }')
    )
    opened = {
        one.occurrence.programme: (one.opens, one.window_ms)
        for one in timetable(schedule, NEW_YORK, MONDAY + 9 * HOUR_MS, MONDAY + 12 * HOUR_MS)
        if one.occurrence
    }
    assert opened == {"tides": (Anchor.HARD, 0), "noon": (Anchor.SOFT, 3 * MINUTE)}


PROGRAMMES = st.builds(
    lambda number, days, start, length, layer, back, least, end: Programme(
        id=f"p{number}",
        title=f"P {number}",
        airs=(
            Airs(
                days=tuple(sorted(days)),
                from_ms=DurationMs(start * 5 * MINUTE),
                to_ms=DurationMs((start + length) * 5 * MINUTE),
            ),
        ),
        layer=layer,
        on_return=back,
        min_remainder_ms=DurationMs(least * MINUTE),
        on_overrun=end,
    ),
    st.integers(0, 99),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 287),
    st.integers(1, 288),
    st.sampled_from([Layer.PROGRAMME, Layer.SPECIAL, Layer.ONE_OFF, Layer.LIVE]),
    st.sampled_from(list(OnReturn)),
    st.sampled_from([0, 5, 30]),
    st.sampled_from([OnOverrun.CUT, OnOverrun.FINISH]),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(PROGRAMMES, max_size=6, unique_by=lambda one: one.id),
    st.sampled_from(["America/New_York", "Europe/London", "Australia/Lord_Howe"]),
    st.integers(utc_ms("2026-03-26"), utc_ms("2026-11-03")),
    st.integers(HOUR_MS, 3 * DAY_MS),
)
def test_whatever_overlaps_the_air_is_taken_once_at_every_moment(
    programmes: list[Programme], zone: str, from_ms: int, length_ms: int
) -> None:
    schedule = Schedule(programmes=tuple(programmes))
    swept = timetable(schedule, ZoneInfo(zone), from_ms, from_ms + length_ms)
    assert (swept[0].starts_at_ms, swept[-1].ends_at_ms) == (from_ms, from_ms + length_ms)
    assert all(one.ends_at_ms == other.starts_at_ms for one, other in pairwise(swept))
    assert all(one.ends_at_ms > one.starts_at_ms for one in swept)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(PROGRAMMES, min_size=1, max_size=5, unique_by=lambda one: one.id),
    st.integers(utc_ms("2026-10-26"), utc_ms("2026-11-03")),
)
def test_a_window_within_a_longer_one_is_the_same(programmes: list[Programme], from_ms: int) -> None:
    schedule = Schedule(programmes=tuple(programmes))
    inner = timetable(schedule, NEW_YORK, from_ms, from_ms + 6 * HOUR_MS)
    outer = timetable(schedule, NEW_YORK, from_ms - 9 * HOUR_MS, from_ms + 20 * HOUR_MS)
    assert _owners(inner) == _owners(
        [one for one in outer if one.ends_at_ms > from_ms and one.starts_at_ms < from_ms + 6 * HOUR_MS]
    )


def _owners(swept: list[Segment]) -> list[str | None]:
    return [segment.occurrence.id if segment.occurrence else None for segment in swept]


def test_an_override_that_is_taken_away_gives_the_plan_back() -> None:
    plain = written(show("tides", BROKEN))
    special = written(show("tides", BROKEN) + BREAKING)
    week = MONDAY, MONDAY + 7 * DAY_MS
    before = timetable(plain, NEW_YORK, *week)
    assert timetable(special, NEW_YORK, *week) != before
    removed = msgspec.structs.replace(special, programmes=special.programmes[:-1])
    assert timetable(removed, NEW_YORK, *week) == before
