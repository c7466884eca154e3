"""Any schedule's feed, expanded by other implementations, is what airs: the clocks' changes included."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from calendar_oracle import HOUR, airs, as_it_airs, as_others_read, feed_of, instant, programme
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.schedule.model import Airs, OnGap, OnRepeat, Schedule
from radio.schedule.recurrence import Rule, parse_rule

CHANGES = (
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/London", "2026-10-25"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Asia/Kolkata", "2026-05-01"),
)
RULES = st.sampled_from(
    (
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO",
        "FREQ=MONTHLY;BYDAY=1SU,-1SA",
        "FREQ=MONTHLY;BYMONTHDAY=1,-1",
        "FREQ=YEARLY;BYMONTH=3,10;BYDAY=SU",
        "FREQ=DAILY;COUNT=200",
        "FREQ=WEEKLY;BYDAY=SA,SU;UNTIL=20261101",
        "FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=-1",
    )
).map(lambda text: parse_rule(text, date(2026, 1, 3)))
QUARTERS = st.integers(0, 95).map(lambda quarter: quarter / 4)
DAYS = st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days)))


@st.composite
def slots(draw: st.DrawFn) -> Airs:
    from_h, length_h = draw(QUARTERS), draw(st.integers(1, 40)) / 4
    to_h = from_h + length_h
    rule: Rule | None = draw(st.none() | RULES)
    return airs(draw(DAYS) if rule is None else (), from_h, to_h, rule=rule)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(CHANGES),
    st.lists(
        st.tuples(slots(), st.sampled_from(list(OnGap)), st.sampled_from(list(OnRepeat))),
        min_size=1,
        max_size=3,
    ),
)
def test_others_expand_any_feed_to_what_airs(
    change: tuple[str, str], drawn: list[tuple[Airs, OnGap, OnRepeat]]
) -> None:
    zone = ZoneInfo(change[0])
    schedule = Schedule(
        programmes=tuple(
            programme(f"p{number}", slot, on_gap=gap, on_repeat=repeat)
            for number, (slot, gap, repeat) in enumerate(drawn)
        )
    )
    from_ms = instant(change[1], zone) - 5 * 24 * HOUR
    to_ms = from_ms + 10 * 24 * HOUR
    text = feed_of(schedule, zone)
    assert as_others_read(text, zone, from_ms, to_ms) == as_it_airs(schedule, zone, from_ms, to_ms)
