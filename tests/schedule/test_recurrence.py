from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import islice
from time import process_time

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.schedule.recurrence import Freq, dates, first_date, format_rule, last_date, parse_rule

START = date(2026, 1, 5)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def found(text: str, start: date, first: date, last: date) -> list[date]:
    return list(dates(parse_rule(text, start), first, last))


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", "2026-01-05", ["2026-01-05", "2026-01-15", "2026-01-25"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=2", "2026-01-05", ["2026-01-06", "2026-01-20"]),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,SU;COUNT=3", "2026-01-05",
         ["2026-01-05", "2026-01-18", "2026-01-19"]),
        ("FREQ=MONTHLY;BYDAY=1SU;UNTIL=20260301", "2026-01-01", ["2026-01-04", "2026-02-01", "2026-03-01"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", "2026-01-01", ["2026-01-30", "2026-02-27"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", "2026-01-31", ["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=1", "2026-01-01", ["2026-11-26"]),
        ("RRULE:FREQ=YEARLY;COUNT=1", "2026-07-04", ["2026-07-04"]),
    ],
)  # fmt: skip
def test_rules_mean_what_rfc_5545_says(text: str, start: str, expected: list[str]) -> None:
    begin = date.fromisoformat(start)
    assert found(text, begin, begin, date(2027, 12, 31)) == [date.fromisoformat(day) for day in expected]


@st.composite
def rules(draw: st.DrawFn) -> str:
    freq = draw(st.sampled_from(list(Freq)))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 4))}"]
    counts = freq in (Freq.MONTHLY, Freq.YEARLY)
    # dateutil takes ordinals and bare days of one BYDAY together as "and", which no day meets; the RFC says "or"
    nth = st.sampled_from(["1", "2", "-1"]) if counts and draw(st.booleans()) else st.just("")
    days = draw(st.lists(st.tuples(nth, st.sampled_from(DAYS)), max_size=3, unique=True))
    if days:
        parts.append("BYDAY=" + ",".join(f"{nth}{day}" for nth, day in days))
    elif freq is not Freq.WEEKLY and draw(st.booleans()):
        parts.append(f"BYMONTHDAY={draw(st.sampled_from(['1', '13,-2', '28', '-1']))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(DAYS))}")
    if days and counts and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from(['1', '-1', '1,-1']))}")
    return ";".join(parts)


@settings(max_examples=150, deadline=None)
@given(
    rules(),
    st.integers(0, 800),
    st.integers(0, 900),
    st.integers(0, 300),
    st.sampled_from(["", ";COUNT=7", ";UNTIL=20271031"]),
)
def test_any_window_holds_what_dateutil_says(
    text: str, begins: int, first: int, length: int, end: str
) -> None:
    start = START + timedelta(days=begins)
    low = START + timedelta(days=first)
    high = low + timedelta(days=length)
    if end.startswith(";UNTIL") and start > date(2027, 10, 31):
        end = ""
    oracle = rrulestr(text, dtstart=datetime(start.year, start.month, start.day)).replace(  # noqa: DTZ001
        until=datetime(2027, 10, 31) if "UNTIL" in end else datetime(2032, 1, 1)  # noqa: DTZ001
    )
    expected = [at.date() for at in islice(oracle, 7 if "COUNT" in end else None)]
    assert found(text + end, start, low, high) == [day for day in expected if low <= day <= high]


@given(rules(), st.sampled_from(["", ";COUNT=7", ";UNTIL=20301031"]))
def test_a_rule_that_is_written_is_read_again(text: str, end: str) -> None:
    rule = parse_rule(text + end, START)
    assert parse_rule(format_rule(rule), START) == rule


def test_days_with_and_without_an_ordinal_are_all_taken() -> None:
    days = found("FREQ=MONTHLY;BYDAY=FR,1MO", START, START, date(2026, 1, 31))
    assert [day.day for day in days] == [5, 9, 16, 23, 30]


def test_a_rule_without_a_date_costs_what_its_window_costs() -> None:
    rule = parse_rule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", START)
    assert list(dates(rule, START, START + timedelta(days=3_000))) == []
    assert last_date(parse_rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=5", START)) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("FREQ=HOURLY", "repeats within a day"),
        ("FREQ=SECONDLY;INTERVAL=1", "repeats within a day"),
        ("INTERVAL=2", "says no FREQ"),
        ("FREQ=OFTEN", "FREQ=OFTEN is not known"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "both COUNT and UNTIL"),
        ("FREQ=DAILY;COUNT=1000000", "COUNT=1000000 is not from 1 to 5,000"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0 is not from 1 to 1,000"),
        ("FREQ=DAILY;BYHOUR=3", "BYHOUR is not supported"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ stands twice"),
        ("FREQ=WEEKLY;BYDAY=1MO", "ordinal"),
        ("FREQ=WEEKLY;BYDAY=XX", "'XX', which is no day"),
        ("FREQ=MONTHLY;BYDAY=60MO", "'60MO', which is no day"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY has a 0"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "is not from -31 to 31"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "does not go with"),
        ("FREQ=DAILY;UNTIL=20269999", "is no date"),
        ("FREQ=DAILY;UNTIL=20250101", "lies before the first date"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS needs"),
        ("nonsense", "is no part of a rule"),
        ("", "is no part of a rule"),
    ],
)
def test_what_a_rule_may_not_say(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_rule(text, START)


@given(rules(), st.integers(1, 40), st.integers(0, 800))
def test_the_last_date_of_a_count_is_that_of_its_dates(text: str, count: int, begins: int) -> None:
    start = START + timedelta(days=begins)
    open_ended = dates(parse_rule(text, start), start, start + timedelta(days=3_000))
    expected = list(islice(open_ended, count))
    if len(expected) == count:
        assert last_date(parse_rule(f"{text};COUNT={count}", start)) == expected[-1]
    if expected:
        assert first_date(parse_rule(text, start)) == expected[0]
        assert (
            first_date(parse_rule(text, start), {expected[0]}) == (expected[1:] or [None])[0]
            or not expected[1:]
        )


def test_a_thousand_sparse_rules_cost_little_and_the_end_of_time_is_none() -> None:
    began_s = process_time()
    for number in range(1_000):
        rule = parse_rule(
            f"FREQ=YEARLY;BYDAY={','.join(DAYS)};BYSETPOS=366;COUNT={number + 2_000}", date(2026, 1, 5)
        )
        assert last_date(rule) is None
    assert process_time() - began_s < 20  # two seconds, where it was 80
    assert last_date(parse_rule("FREQ=YEARLY;COUNT=9", date(9_995, 1, 5))) is None
    assert last_date(parse_rule("FREQ=YEARLY;COUNT=3", date(9_995, 1, 5))) == date(9_997, 1, 5)
    assert last_date(parse_rule("FREQ=DAILY;COUNT=2", date(1, 1, 1))) == date(1, 1, 2)
