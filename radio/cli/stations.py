"""``radio stations``: what the configuration has."""

from __future__ import annotations

from pathlib import Path

import typer

from radio.cli.context import ConfigOption, JsonOption
from radio.cli.output import out_json, table
from radio.cli.run import configuration

app = typer.Typer(help="The stations.", no_args_is_help=True)


@app.command("list")
def list_(config: ConfigOption = Path("config.toml"), as_json: JsonOption = False) -> None:
    """List the stations of the configuration."""
    settings = configuration(config)
    rows = [
        {
            "id": station.id,
            "name": station.name,
            "timezone": station.timezone,
            "enabled": station.enabled,
            "mounts": [mount.name for mount in station.mounts],
            "schedule": str(settings.schedule_of(station)),
            "library": [str(root) for root in settings.roots_of(station)],
        }
        for station in settings.stations
    ]
    if as_json:
        out_json(rows)
        return
    table(
        ("id", "name", "time zone", "on", "schedule"),
        [
            (
                str(r["id"]),
                str(r["name"]),
                str(r["timezone"]),
                "yes" if r["enabled"] else "no",
                str(r["schedule"]),
            )
            for r in rows
        ],
    )
