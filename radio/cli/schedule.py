"""``radio schedule``: check the files, see the log, try a span without airing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from radio.cli.context import ConfigOption, JsonOption, StationOption, chosen, with_store
from radio.cli.output import FAILED, clock_time, note, out, out_json, scan_bar, table
from radio.cli.run import configuration
from radio.clock import SystemClock
from radio.config import Config, StationConfig
from radio.errors import ConfigurationError, InvalidRequest
from radio.library.library import Library
from radio.library.scan import Scanner
from radio.log import LogRow
from radio.schedule import Inputs, PlannedStation, Pool, compile_log, read_schedule
from radio.schedule.wallclock import wall_to_ms
from radio.sponsors.campaigns import SponsorBook, read_sponsors
from radio.store import Store, log_rows
from radio.units import UtcMs

app = typer.Typer(help="The schedules and the log.", no_args_is_help=True)

MOST_DAYS = 31
YEARS = range(1971, 2200)
DAY_MS = 86_400_000


@app.command()
def check(
    station: StationOption = None, config: ConfigOption = Path("config.toml"), as_json: JsonOption = False
) -> None:
    """Check the schedule files; errors and warnings name file and line. Exit status 2 where one is wrong."""
    settings = configuration(config)
    library = _library(settings)
    found = [_checked(settings, each, library) for each in chosen(settings, station)]
    if as_json:
        out_json(found)
    else:
        for each in found:
            _print_check(each)
    if any(each["error"] for each in found):
        raise SystemExit(2)


@app.command()
def show(
    station: Annotated[str, typer.Option("--station", "-s", help="The station's id.")],
    hours: Annotated[int, typer.Option(min=1, max=24, help="How far to look ahead.")] = 1,
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Show the log as it was compiled last: what airs now and next."""
    settings = configuration(config)
    (chosen_station,) = chosen(settings, station)
    now_ms = SystemClock().now_ms()
    to_ms = UtcMs(now_ms + hours * 3_600_000)
    rows = with_store(settings, lambda store: store.read(log_rows.load, station, now_ms, to_ms))
    if not rows and not as_json:
        note("radio: No log is compiled for this time. `radio run` compiles it.")
        raise SystemExit(FAILED)
    _print_rows(rows, chosen_station.zone, as_json)


@app.command()
def preview(
    station: Annotated[str, typer.Option("--station", "-s", help="The station's id.")],
    from_: Annotated[
        str | None, typer.Option("--from", help="The first day, YYYY-MM-DD. Default: today.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="How many days.")] = 1,
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Compile the log of whole days, without airing it."""
    settings = configuration(config)
    (chosen_station,) = chosen(settings, station)
    zone = chosen_station.zone
    first = _day(from_, zone)
    from_ms = wall_to_ms(first, zone)
    to_ms = wall_to_ms(first + timedelta(days=days), zone)

    inputs = _inputs(settings, chosen_station)
    rows = [row for row in compile_log(inputs, from_ms, to_ms) if row.starts_at_ms < to_ms]
    _print_rows(rows, zone, as_json)


def _inputs(settings: Config, station: StationConfig) -> Inputs:
    """Everything the station's log is made of, but for what has aired. Raises ScheduleError."""
    library = _library(settings)
    sponsors = _sponsors(settings)
    plan = PlannedStation.of(settings, station).plan
    pool = Pool.of(library, plan.roots)
    schedule, _ = read_schedule(settings.schedule_of(station), sponsors=sponsors, pool=pool)
    return Inputs(station=plan, schedule=schedule, pool=pool, sponsors=sponsors)


def _sponsors(settings: Config) -> SponsorBook:
    ids = tuple(station.id for station in settings.stations)
    return read_sponsors(settings.path(settings.sponsors), stations=ids)


def _library(settings: Config) -> Library:
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


def _day(text: str | None, zone: ZoneInfo) -> datetime:
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
    raise InvalidRequest(f"{text!r} is no day.", field="--from", allowed=allowed)


def _checked(settings: Config, station: StationConfig, library: Library | None) -> dict[str, Any]:
    path = settings.schedule_of(station)
    result: dict[str, Any] = {"station": station.id, "file": str(path), "error": None, "warnings": []}
    try:
        sponsors = _sponsors(settings)
        pool = None
        if library is not None and len(library):
            pool = Pool.of(library, PlannedStation.of(settings, station).plan.roots)
        _, notices = read_schedule(path, sponsors=sponsors, pool=pool)
    except ConfigurationError as fault:
        result["error"] = fault.message
        return result
    result["warnings"] = [{"line": notice.line, "text": notice.text} for notice in notices]
    return result


def _print_check(found: dict[str, Any]) -> None:
    if found["error"]:
        note(f"radio: {found['error']}")
        return
    out(f"{found['station']}: {found['file']} is right.")
    for warning in found["warnings"]:
        place = f"{found['file']}:{warning['line']}" if warning["line"] else found["file"]
        note(f"{place}: warning: {warning['text']}")


def _print_rows(rows: Sequence[LogRow], zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        out_json([_public(row) for row in rows])
        return
    table(
        ("starts", "length", "kind", "title", "programme", "anchor", "reason"),
        [
            (
                datetime.fromtimestamp(row.starts_at_ms / 1000, zone).strftime("%a %H:%M:%S"),
                clock_time(row.duration_ms),
                str(row.kind),
                row.title,
                row.programme or "",
                str(row.anchor),
                row.reason,
            )
            for row in rows
        ],
    )


def _public(row: LogRow) -> dict[str, Any]:
    return {
        "starts_at_ms": row.starts_at_ms,
        "ends_at_ms": row.ends_at_ms,
        "kind": str(row.kind),
        "title": row.title,
        "item": row.item,
        "programme": row.programme,
        "anchor": str(row.anchor),
        "reason": row.reason,
    }
