"""A year in zones that change their clocks by an hour, by half an hour and on other dates than most."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from schedule_doubles import HOUR_MS, folder, inputs, item, utc_ms, written

from radio.log import first_fault
from radio.schedule import compile_log
from radio.schedule.wallclock import wall_to_ms

YEAR = """
default_clock = "night"
[categories.music]
separation_min = 120
[clocks.night]
positions = [{ rotate = ["music"] }]
[clocks.day]
positions = [
  { at = "00:00", window = "15:00", item = "legal-id/legal-id", legal_id = true },
  { category = "talk" },
  { rotate = ["music"] },
]
[[grid]]
days = "sat,sun"
hours = "6-21"
clock = "day"
[[programmes]]
id = "morning"
title = "Morning"
clock = "day"
airs = [{ days = "mon-fri", from = "06:00", to = "12:00", except = [2026-12-25] }]
[[programmes]]
id = "overnight"
title = "Overnight"
airs = [{ days = "daily", from = "22:00", to = "02:30" }]
[[programmes]]
id = "small-hours"
title = "Small Hours"
airs = [{ days = "daily", from = "02:30", to = "05:00" }]
[[programmes]]
id = "first-sunday"
title = "First Sunday"
layer = "special"
on_return = "resume"
airs = [{ rule = "FREQ=MONTHLY;BYDAY=1SU", first = 2026-01-01, from = "01:00", to = "03:00" }]
changes = [{ on = 2026-10-04, from = "01:30", to = "03:30" }, { on = 2026-11-01, cancel = true }]
"""
LIBRARY = [
    *folder("music", 12, 1_400_000, 2_600_000),
    *folder("talk", 8, 400_000, 900_000),
    *folder("promos", 4, 20_000, 130_000),
    item("legal-id/legal-id.wav", 7_480),
]


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Australia/Lord_Howe"])
def test_a_year_has_no_gap_no_overlap_and_every_hard_time_to_the_millisecond(zone: str) -> None:
    tz = ZoneInfo(zone)
    from_ms, to_ms = (wall_to_ms(datetime(year, 1, 1), tz) for year in (2026, 2027))  # noqa: DTZ001
    rows = compile_log(inputs(LIBRARY, written(YEAR), timezone=zone), from_ms, to_ms)
    assert first_fault(rows) is None
    assert rows[0].starts_at_ms == from_ms
    assert rows[-1].ends_at_ms >= to_ms
    hard = {row.starts_at_ms for row in rows}
    days = [datetime(2026, 1, 1) + timedelta(days=day) for day in range(365)]  # noqa: DTZ001
    starts = [timedelta(hours=5), timedelta(hours=22)]
    due = {wall_to_ms(day + start, tz) for day in days for start in starts}
    due |= {
        wall_to_ms(day + timedelta(hours=6), tz)
        for day in days
        if day.weekday() < 5 and (day.month, day.day) != (12, 25)
    }
    assert due - hard == set()
    aired = {row.occurrence for row in rows if row.occurrence}
    assert "morning@2026-12-25T06:00" not in aired
    assert "first-sunday@2026-11-01T01:00" not in aired
    assert sum(one.startswith("first-sunday@") for one in aired) == 11


def test_a_month_is_built_again_to_the_byte() -> None:
    start = utc_ms("2026-10-20")
    plan = inputs(LIBRARY, written(YEAR), timezone="Australia/Lord_Howe", seed="a")
    first = msgspec.json.encode(compile_log(plan, start, start + 720 * HOUR_MS))
    assert first == msgspec.json.encode(compile_log(plan, start, start + 720 * HOUR_MS))
