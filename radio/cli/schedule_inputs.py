"""What the commands of ``radio schedule`` read: the library, the sponsors, a station's inputs, days."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from radio.cli.context import with_store
from radio.cli.output import scan_bar
from radio.clock import SystemClock
from radio.config import Config, StationConfig
from radio.errors import InvalidRequest
from radio.library.library import Library
from radio.library.scan import Scanner
from radio.schedule import Inputs, PlannedStation, Pool, read_schedule
from radio.schedule.wallclock import wall_to_ms
from radio.sponsors.campaigns import SponsorBook, read_sponsors
from radio.store import Store
from radio.units import UtcMs

MOST_DAYS = 31
YEARS = range(1971, 2200)


def inputs_of(settings: Config, station: StationConfig) -> Inputs:
    """Everything the station's log is made of, but for what has aired. Raises ScheduleError."""
    library = library_of(settings)
    sponsors = sponsors_of(settings)
    plan = PlannedStation.of(settings, station).plan
    pool = Pool.of(library, plan.roots)
    schedule, _ = read_schedule(settings.schedule_of(station), sponsors=sponsors, pool=pool)
    return Inputs(station=plan, schedule=schedule, pool=pool, sponsors=sponsors)


def sponsors_of(settings: Config) -> SponsorBook:
    """All sponsors and their campaigns. Raises ScheduleError."""
    ids = tuple(station.id for station in settings.stations)
    return read_sponsors(settings.path(settings.sponsors), stations=ids)


def library_of(settings: Config) -> Library:
    """What is known of the library; where nothing is yet, the folders are scanned first."""
    roots = [root for station in settings.stations for root in settings.roots_of(station)]

    async def work(store: Store) -> Library:
        scanner = Scanner(store, roots)
        if not len(library := await scanner.library()):
            with scan_bar() as progress:
                await scanner.scan(progress)
            library = await scanner.library()
        return library

    return with_store(settings, work)


def first_moment(text: str | None, zone: ZoneInfo, field: str = "--from") -> datetime:
    """Local midnight of ``text`` (YYYY-MM-DD), or of today. Raises InvalidRequest."""
    if text is None:
        now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, zone)
        return now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    try:
        day = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - a local day
        if day.year in YEARS:
            return day
    except ValueError:
        pass
    allowed = f"YYYY-MM-DD, from {YEARS[0]} to {YEARS[-1]}"
    raise InvalidRequest(f"{text!r} is no day.", field=field, allowed=allowed)


def whole_days(from_: str | None, to: str | None, zone: ZoneInfo) -> tuple[UtcMs, UtcMs]:
    """From the beginning of the first day to the end of the last, in the station's time; at most 31 days.

    Without a last day it is one day. Raises InvalidRequest.
    """
    first = first_moment(from_, zone)
    last = first if to is None else first_moment(to, zone, "--to")
    if not 0 <= (last - first).days < MOST_DAYS:
        raise InvalidRequest(
            f"{last:%Y-%m-%d} cannot be the last day.",
            field="--to",
            allowed=f"the first day, or up to {MOST_DAYS - 1} days after it",
        )
    return wall_to_ms(first, zone), wall_to_ms(last + timedelta(days=1), zone)
