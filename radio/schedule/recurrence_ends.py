"""The dates of a recurrence rule in a long span, over whole calendars at once (pure).

A rule may be as sparse as it likes: the cost is that of a few passes over forty years of days, whatever it says, some
tenths of a millisecond. The calendar repeats after 400 years, so that one table serves all starts.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

_CYCLE_YEARS: Final = 400
_CYCLE_DAYS: Final = 146_097
_FIRST: Final = 2399
"""The table's first year: the last one of a cycle, so that a week may begin in the year before the next."""

_MARGIN_DAYS: Final = 7


class Rule(Protocol):
    """What is read of a :class:`radio.schedule.recurrence.Rule`."""

    @property
    def freq(self) -> StrEnum:
        """DAILY, WEEKLY, MONTHLY or YEARLY."""

    @property
    def start(self) -> date:
        """Its first day, from which its periods are counted."""

    @property
    def interval(self) -> int:
        """Of so many periods one counts."""

    @property
    def by_day(self) -> tuple[tuple[int, int], ...]:
        """Weekdays, Monday is 0, each with an ordinal, 0 for every one."""

    @property
    def by_month_day(self) -> tuple[int, ...]:
        """Days of the month, from its end where negative."""

    @property
    def by_month(self) -> tuple[int, ...]:
        """Months, January is 1."""

    @property
    def by_set_pos(self) -> tuple[int, ...]:
        """Places within a period."""

    @property
    def week_start(self) -> int:
        """The weekday on which a week begins."""


class _Calendar(NamedTuple):
    """Arrays with an entry for each day from 1 January of the first year on; days and months count from 1."""

    weekday: Any
    day: Any
    month: Any
    year: Any
    month_days: Any
    year_day: Any
    year_days: Any


def first_dates(rule: Rule, count: int, within_days: int) -> list[date]:
    """The first ``count`` dates of ``rule``, not minding its own end, that lie less than ``within_days`` after its
    start; 14,640 at most."""
    last = min(rule.start.toordinal() + within_days - 1, date.max.toordinal())
    return dates_between(rule, rule.start, date.fromordinal(last))[:count]


def dates_between(rule: Rule, first: date, last: date) -> list[date]:
    """The dates of ``rule`` from ``first`` on, which is not before its start, to ``last``, not minding its own end.

    The span is 40 years at most.
    """
    cycles = first.year // _CYCLE_YEARS - _FIRST // _CYCLE_YEARS - 1
    zero = date(_FIRST, 1, 1).toordinal() + cycles * _CYCLE_DAYS
    begin = date(first.year, 1, 1).toordinal() - zero - _MARGIN_DAYS
    end = last.toordinal() - zero + 1 + (366 if rule.by_set_pos else 0)
    here = _Calendar(*(column[begin:end] for column in _calendar()))
    ordinals = np.arange(begin, begin + len(here.day)) + zero
    period = _periods(rule, here, ordinals, cycles * _CYCLE_YEARS)
    found = _matches(rule, here)
    if rule.by_set_pos:
        found = _at_positions(found, period, rule.by_set_pos)
    wanted = (ordinals[found] >= first.toordinal()) & (ordinals[found] <= last.toordinal())
    wanted &= (period[found] - _period(rule)) % rule.interval == 0
    return [date.fromordinal(int(one)) for one in ordinals[found[wanted]]]


def _matches(rule: Rule, here: _Calendar) -> Any:
    """Where the days are that the rule's parts allow, each period taken for itself."""
    allowed = np.ones(len(here.day), dtype=bool)
    if rule.by_month:
        allowed &= _among(rule.by_month, 12)[here.month]
    if rule.by_month_day:
        days = _among(rule.by_month_day, 31)
        allowed &= days[here.day] | days[here.day - here.month_days - 1]
    if rule.by_day:
        allowed &= _on_days(rule, here)
    elif not rule.by_month_day:
        allowed &= _as_start(rule, here)
    return np.flatnonzero(allowed)


def _on_days(rule: Rule, here: _Calendar) -> Any:
    wanted = np.zeros((7, 107), dtype=bool)
    for weekday, nth in rule.by_day:
        wanted[weekday, nth] = True
    if rule.freq.value == "MONTHLY" or rule.by_month:
        before, length = here.day - 1, here.month_days
    else:
        before, length = here.year_day, here.year_days
    forward, backward = before // 7 + 1, -((length - 1 - before) // 7 + 1)
    return wanted[here.weekday, 0] | wanted[here.weekday, forward] | wanted[here.weekday, backward]


def _as_start(rule: Rule, here: _Calendar) -> Any:
    start = rule.start
    match rule.freq.value:
        case "DAILY":
            return np.ones(len(here.day), dtype=bool)
        case "WEEKLY":
            return here.weekday == start.weekday()
    same_day = here.day == start.day
    if rule.freq.value == "MONTHLY" or rule.by_month:
        return same_day
    return same_day & (here.month == start.month)


def _periods(rule: Rule, here: _Calendar, ordinals: Any, years: int) -> Any:
    """The number of each day's period; ``years`` is how far the table's years are off."""
    match rule.freq.value:
        case "DAILY":
            return ordinals
        case "WEEKLY":
            return (ordinals - 1 - rule.week_start) // 7
        case "MONTHLY":
            return (here.year + years) * 12 + here.month
    return here.year + years


def _period(rule: Rule) -> int:
    """The number of the period that the rule's start lies in."""
    start = rule.start
    match rule.freq.value:
        case "DAILY":
            return start.toordinal()
        case "WEEKLY":
            return (start.toordinal() - 1 - rule.week_start) // 7
        case "MONTHLY":
            return start.year * 12 + start.month
    return start.year


def _at_positions(found: Any, period: Any, positions: tuple[int, ...]) -> Any:
    """Of the days found, those at these places of their period, counted from 1, or from its end where negative."""
    if not len(found):
        return found
    periods = period[found]
    firsts = np.searchsorted(periods, periods, side="left")
    lasts = np.searchsorted(periods, periods, side="right")
    places = np.arange(len(found))
    wanted = _among(positions, 366)
    return found[wanted[places - firsts + 1] | wanted[places - lasts]]


def _among(values: tuple[int, ...], most: int) -> Any:
    """An array that says of each number from ``-most`` to ``most`` whether it is one of ``values``."""
    table = np.zeros(2 * most + 1, dtype=bool)
    table[list(values)] = True
    return table


@lru_cache(maxsize=1)
def _calendar() -> _Calendar:
    last = _FIRST + _CYCLE_YEARS + 43
    days = np.arange(f"{_FIRST}-01-01", f"{last + 1}-01-01", dtype="datetime64[D]")
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    month_days = (months + np.timedelta64(1, "M")).astype("datetime64[D]") - months.astype("datetime64[D]")
    year_days = (years + np.timedelta64(1, "Y")).astype("datetime64[D]") - years.astype("datetime64[D]")
    return _Calendar(
        weekday=(np.arange(len(days)) + date(_FIRST, 1, 1).weekday()) % 7,
        day=(days - months.astype("datetime64[D]")).astype(np.int64) + 1,
        month=months.astype(np.int64) % 12 + 1,
        year=years.astype(np.int64) + 1970,
        month_days=month_days.astype(np.int64),
        year_day=(days - years.astype("datetime64[D]")).astype(np.int64),
        year_days=year_days.astype(np.int64),
    )
