"""The commands and their options; what they do is in the modules beside this one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from radio import __version__
from radio.cli import air, library, meter, schedule, sponsors, stations, tap, users, watch
from radio.cli.commands_end import ending
from radio.cli.context import ConfigOption
from radio.cli.output import out
from radio.cli.run import configuration, run_service

app = typer.Typer(
    name="radio",
    help="Next Up: playout, streaming, now-playing push and proof of airing for public radio.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(air.app, name="air")
app.add_typer(library.app, name="library")
app.add_typer(schedule.app, name="schedule")
app.add_typer(sponsors.app, name="sponsors")
app.add_typer(stations.app, name="stations")
app.add_typer(users.app, name="users")
app.command("watch")(watch.watch)
for command in (air.skip, air.insert, air.hold, air.resume):
    app.command()(command)
app.command("tap")(tap.tap)
app.command("meter")(meter.meter)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        out(f"Next Up {__version__}")
        raise typer.Exit


@app.command()
def run(
    config: ConfigOption = Path("config.toml"),
    host: Annotated[str | None, typer.Option(help="Listen at this address.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen at this port; 0 takes a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Keep the database here.")] = None,
    takeover: Annotated[
        bool, typer.Option("--takeover", help="Go on with the service that runs on the same data folder.")
    ] = False,
) -> None:
    """Put the stations on the air and serve listeners until stopped."""
    overrides: dict[tuple[str, ...], Any] = {}
    if host is not None:
        overrides["server", "host"] = host
    if port is not None:
        overrides["server", "port"] = port
    if data_dir is not None:
        overrides["server", "data_dir"] = str(data_dir.absolute())
    run_service(configuration(config, overrides), takeover=takeover)


def main() -> None:
    """The entry point of ``radio``. Exit status: 0 done, 1 the work failed, 2 wrong usage or configuration."""
    with ending():
        _command()(prog_name="radio")


@cache
def _command() -> Callable[..., Any]:
    # what reads the command line is built from all signatures, which takes 50 ms
    return typer.main.get_command(app)
