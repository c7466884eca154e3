"""The dates of a recurrence rule (pure).

A subset of RFC 5545 section 3.3.10, on local dates: FREQ of DAILY, WEEKLY, MONTHLY and YEARLY with INTERVAL, BYDAY
(with ordinals by month and year), BYMONTHDAY, BYMONTH, BYSETPOS, WKST, and COUNT or UNTIL. What happens within a
day is the business of clocks, so rules by the hour, the minute and the second are refused.

Whether a date belongs to a rule is decided from that date alone. A query therefore costs what its window
costs, however long ago the rule began, and a rule that no date meets ends like any other.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from radio.schedule.recurrence_ends import dates_between, first_dates

RULE_ALLOWED: Final = (
    'a rule such as "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", with FREQ of DAILY, WEEKLY, MONTHLY or YEARLY, and INTERVAL, '
    "BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, WKST, COUNT or UNTIL"
)
MAX_COUNT: Final = 5_000
MAX_INTERVAL: Final = 1_000
LONGEST_COUNT_DAYS: Final = 40 * 366
"""How far ahead of its first date the end of a rule with COUNT is looked for; a sparser one has no end."""

_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T\d{6}Z?)?")
_WEEK: Final = timedelta(days=7)


class Freq(StrEnum):
    """How long a rule's period is."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule and its first date. ``by_day`` holds weekdays (Monday is 0) with an ordinal, 0 for every one."""

    freq: Freq
    start: date
    interval: int = 1
    by_day: tuple[tuple[int, int], ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()
    week_start: int = 0
    count: int | None = None
    until: date | None = None


def parse_rule(text: str, start: date) -> Rule:
    """The rule that ``text`` says, from ``start`` on. UNTIL is a local date, included; a time in it is left out.

    Raises ValueError with a sentence for the operator.
    """
    parts = _parts(text)
    name = parts.pop("FREQ", "")
    if name in ("HOURLY", "MINUTELY", "SECONDLY"):
        raise ValueError(f"FREQ={name} repeats within a day; use a clock for that")
    if name not in Freq.__members__:
        raise ValueError(f"FREQ={name} is not known" if name else "says no FREQ")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("has both COUNT and UNTIL")
    readers: dict[str, Callable[[str], object]] = {
        "INTERVAL": lambda value: _number("INTERVAL", value, 1, MAX_INTERVAL),
        "COUNT": lambda value: _number("COUNT", value, 1, MAX_COUNT),
        "UNTIL": _until,
        "BYDAY": _by_day,
        "BYMONTHDAY": lambda value: _numbers("BYMONTHDAY", value, 31, signed=True),
        "BYMONTH": lambda value: _numbers("BYMONTH", value, 12, signed=False),
        "BYSETPOS": lambda value: _numbers("BYSETPOS", value, 366, signed=True),
        "WKST": _week_start,
    }
    names = {"BYDAY": "by_day", "BYMONTHDAY": "by_month_day", "BYMONTH": "by_month", "BYSETPOS": "by_set_pos"}
    fields: dict[str, object] = {}
    for key, value in parts.items():
        if key not in readers:
            raise ValueError(f"{key} is not supported")
        fields[names.get(key, "week_start" if key == "WKST" else key.lower())] = readers[key](value)
    rule = Rule(freq=Freq(name), start=start, **fields)  # type: ignore[arg-type]
    _check(rule)
    return rule


def format_rule(rule: Rule) -> str:
    """The rule as RFC 5545 writes it, with UNTIL as a date."""
    days = ",".join(f"{ordinal or ''}{_DAYS[day]}" for day, ordinal in rule.by_day)
    parts = [
        f"FREQ={rule.freq.value}",
        f"INTERVAL={rule.interval}" if rule.interval > 1 else "",
        f"BYMONTH={_joined(rule.by_month)}" if rule.by_month else "",
        f"BYMONTHDAY={_joined(rule.by_month_day)}" if rule.by_month_day else "",
        f"BYDAY={days}" if days else "",
        f"BYSETPOS={_joined(rule.by_set_pos)}" if rule.by_set_pos else "",
        f"WKST={_DAYS[rule.week_start]}" if rule.week_start else "",
        f"COUNT={rule.count}" if rule.count is not None else "",
        f"UNTIL={rule.until:%Y%m%d}" if rule.until else "",
    ]
    return ";".join(part for part in parts if part)


def _joined(values: Sequence[int]) -> str:
    return ",".join(map(str, values))


def dates(rule: Rule, first: date, last: date) -> Iterator[date]:
    """The rule's dates from ``first`` to ``last``, both included, ascending."""
    begin, end = max(first, rule.start), min(last, last_date(rule) or last)
    if rule.by_set_pos and begin <= end and (end - begin).days < LONGEST_COUNT_DAYS:
        yield from dates_between(rule, begin, end)
        return
    day = begin
    while day <= end:
        if _is_of(rule, day):
            yield day
        day += timedelta(days=1)


@lru_cache(maxsize=65_536)
def last_date(rule: Rule) -> date | None:
    """The last date of a rule with COUNT or UNTIL; None where it has no end."""
    if rule.count is None:
        return rule.until
    found = first_dates(rule, rule.count, LONGEST_COUNT_DAYS)
    return found[-1] if len(found) == rule.count else None


def first_date(rule: Rule, without: Collection[date] = ()) -> date | None:
    """The first date that is none of ``without``; None where there is none, within 40 years."""
    most = len(without) + 1 if rule.count is None else min(rule.count, len(without) + 1)
    until = rule.until or date.max
    found = first_dates(rule, most, LONGEST_COUNT_DAYS)
    return next((day for day in found if day not in without and day <= until), None)


def _is_of(rule: Rule, day: date) -> bool:
    if day < rule.start or not _in_period(rule, day):
        return False
    if not rule.by_set_pos:
        return _matches(rule, day)
    return _matches(rule, day) and day in _positions(rule, *_period(rule, day))


def _in_period(rule: Rule, day: date) -> bool:
    """Whether the day lies in a period that the interval does not leave out."""
    if rule.interval == 1:
        return True
    start = rule.start
    match rule.freq:
        case Freq.DAILY:
            steps = (day - start).days
        case Freq.WEEKLY:
            steps = (_week_of(rule, day) - _week_of(rule, start)).days // 7
        case Freq.MONTHLY:
            steps = (day.year - start.year) * 12 + day.month - start.month
        case Freq.YEARLY:
            steps = day.year - start.year
    return steps % rule.interval == 0


def _matches(rule: Rule, day: date) -> bool:
    if rule.by_month and day.month not in rule.by_month:
        return False
    if rule.by_month_day and not _on_month_day(rule, day):
        return False
    if rule.by_day:
        return any(weekday == day.weekday() and _is_nth(rule, day, nth) for weekday, nth in rule.by_day)
    if rule.by_month_day or rule.freq is Freq.DAILY:
        return True
    start = rule.start
    if rule.freq is Freq.WEEKLY:
        return day.weekday() == start.weekday()
    is_month = rule.freq is Freq.MONTHLY or bool(rule.by_month) or day.month == start.month
    return day.day == start.day and is_month


def _on_month_day(rule: Rule, day: date) -> bool:
    length = monthrange(day.year, day.month)[1]
    return day.day in rule.by_month_day or day.day - length - 1 in rule.by_month_day


def _is_nth(rule: Rule, day: date, nth: int) -> bool:
    """Whether the day is the nth such weekday of its month, or of its year; from the end where negative."""
    if nth == 0:
        return True
    if rule.freq is Freq.MONTHLY or rule.by_month:
        first, length = day.replace(day=1), monthrange(day.year, day.month)[1]
    else:
        first = date(day.year, 1, 1)
        length = (date(day.year, 12, 31) - first).days + 1
    before = (day - first).days
    return before // 7 + 1 == nth if nth > 0 else (length - 1 - before) // 7 + 1 == -nth


def _period(rule: Rule, day: date) -> tuple[date, date]:
    match rule.freq:
        case Freq.DAILY:
            return day, day
        case Freq.WEEKLY:
            start = _week_of(rule, day)
            return start, start + timedelta(days=6)
        case Freq.MONTHLY:
            return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
        case Freq.YEARLY:
            return date(day.year, 1, 1), date(day.year, 12, 31)


@lru_cache(maxsize=1024)
def _positions(rule: Rule, first: date, last: date) -> frozenset[date]:
    """What BYSETPOS takes of one period's dates; those before the rule's first date count as well."""
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    found = [day for day in days if _matches(rule, day)]
    places = (place - 1 if place > 0 else len(found) + place for place in rule.by_set_pos)
    return frozenset(found[place] for place in places if 0 <= place < len(found))


def _week_of(rule: Rule, day: date) -> date:
    return day - timedelta(days=(day.weekday() - rule.week_start) % 7)


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").strip(";").split(";"):
        key, equals, value = part.partition("=")
        if not equals or not value:
            raise ValueError(f"{part!r} is no part of a rule")
        if key in parts:
            raise ValueError(f"{key} stands twice")
        parts[key] = value
    return parts


def _number(name: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[+-]?\d{1,6}", text) or not low <= int(text) <= high:
        raise ValueError(f"{name}={text} is not from {low:,} to {high:,}")
    return int(text)


def _numbers(name: str, text: str, high: int, *, signed: bool) -> tuple[int, ...]:
    found = [_number(name, one, -high if signed else 1, high) for one in text.split(",")]
    if 0 in found:
        raise ValueError(f"{name} has a 0")
    return tuple(dict.fromkeys(found))


def _until(text: str) -> date:
    found = _UNTIL.fullmatch(text)
    try:
        if found:
            return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        pass
    raise ValueError(f"UNTIL={text} is no date such as 20270630")


def _by_day(text: str) -> tuple[tuple[int, int], ...]:
    found = []
    for one in text.split(","):
        match = _BYDAY.fullmatch(one)
        nth = int(match[1] or 0) if match else 0
        if not match or (match[1] and not 1 <= abs(nth) <= 53):
            raise ValueError(f"BYDAY has {one!r}, which is no day such as MO or 2TU")
        found.append((_DAYS.index(match[2]), nth))
    return tuple(dict.fromkeys(found))


def _week_start(text: str) -> int:
    if text not in _DAYS:
        raise ValueError(f"WKST={text} is no day such as MO")
    return _DAYS.index(text)


def _check(rule: Rule) -> None:
    if any(nth for _, nth in rule.by_day) and rule.freq not in (Freq.MONTHLY, Freq.YEARLY):
        raise ValueError(f"BYDAY has an ordinal, which FREQ={rule.freq.value} cannot count")
    if rule.by_month_day and rule.freq is Freq.WEEKLY:
        raise ValueError("BYMONTHDAY does not go with FREQ=WEEKLY")
    if rule.by_set_pos and not (rule.by_day or rule.by_month_day or rule.by_month):
        raise ValueError("BYSETPOS needs BYDAY, BYMONTHDAY or BYMONTH")
    if rule.until is not None and rule.until < rule.start:
        raise ValueError(f"UNTIL lies before the first date, {rule.start}")
