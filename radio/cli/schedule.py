"""``radio schedule``: check the files, see the log, try a span without airing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from radio.cli import schedule_exchange, schedule_history
from radio.cli.context import ConfigOption, JsonOption, StationOption, chosen, with_store
from radio.cli.output import FAILED, clock_time, note, out_json, table
from radio.cli.run import configuration
from radio.cli.schedule_check import checked, print_check
from radio.cli.schedule_inputs import MOST_DAYS, first_moment, inputs_of, library_of
from radio.cli.schedule_statistics import print_statistics, statistics_of, write_page
from radio.clock import SystemClock
from radio.log import LogRow
from radio.schedule import compile_log
from radio.schedule.wallclock import wall_to_ms
from radio.store import log_rows
from radio.units import UtcMs

app = typer.Typer(help="The schedules and the log.", no_args_is_help=True)
app.command("export")(schedule_exchange.export)
app.command("import")(schedule_exchange.import_)
app.command("history")(schedule_history.history)
app.command("undo")(schedule_history.undo)


@app.command()
def check(
    station: StationOption = None, config: ConfigOption = Path("config.toml"), as_json: JsonOption = False
) -> None:
    """Check the schedule files; errors and warnings name file and line. Exit status 2 where one is wrong."""
    settings = configuration(config)
    library = library_of(settings)
    found = [checked(settings, each, library) for each in chosen(settings, station)]
    if as_json:
        out_json(found)
    else:
        for each in found:
            print_check(each)
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
    html: Annotated[Path | None, typer.Option(help="Write a page for people to this file.")] = None,
    with_statistics: Annotated[
        bool, typer.Option("--statistics", help="What the rows say of the rotation as well.")
    ] = False,
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Compile the log of whole days, without airing it."""
    settings = configuration(config)
    (chosen_station,) = chosen(settings, station)
    zone = chosen_station.zone
    first = first_moment(from_, zone)
    from_ms = wall_to_ms(first, zone)
    to_ms = wall_to_ms(first + timedelta(days=days), zone)

    inputs = inputs_of(settings, chosen_station)
    rows = [row for row in compile_log(inputs, from_ms, to_ms) if row.starts_at_ms < to_ms]
    numbers = statistics_of(rows, inputs, zone) if html or with_statistics else None
    if html and numbers:
        write_page(html, rows, numbers, zone, chosen_station.name)
    if numbers and with_statistics and as_json:
        out_json({"rows": [_public(row) for row in rows], "statistics": numbers})
    elif as_json or not html:
        _print_rows(rows, zone, as_json)
    if numbers and with_statistics and not as_json:
        print_statistics(numbers, zone)


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
