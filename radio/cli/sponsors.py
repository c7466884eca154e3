"""``radio sponsors``: who pays, and what they bought."""

from __future__ import annotations

from pathlib import Path

import typer

from radio.cli.context import ConfigOption, JsonOption
from radio.cli.output import out_json, table
from radio.cli.run import configuration
from radio.sponsors.campaigns import read_sponsors

app = typer.Typer(help="Sponsors and their campaigns.", no_args_is_help=True)


@app.command("list")
def list_(config: ConfigOption = Path("config.toml"), as_json: JsonOption = False) -> None:
    """List the campaigns of the sponsors' file with their flights."""
    settings = configuration(config)
    book = read_sponsors(
        settings.path(settings.sponsors), stations=tuple(station.id for station in settings.stations)
    )
    if as_json:
        out_json({"sponsors": list(book.sponsors.values()), "campaigns": list(book.campaigns)})
        return
    table(
        ("campaign", "sponsor", "first day", "last day", "stations"),
        [
            (
                campaign.id,
                book.sponsors[campaign.sponsor].name,
                str(campaign.flight_from or "open"),
                str(campaign.flight_to or "open"),
                ", ".join(campaign.stations) or "all",
            )
            for campaign in book.campaigns
        ],
    )
