"""``radio library``: what can be aired, and what cannot and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radio.cli.context import ConfigOption, JsonOption, StationOption, chosen, with_store
from radio.cli.output import FAILED, clock_time, note, out, out_json, table
from radio.cli.run import configuration, scan_progress
from radio.config import Config
from radio.errors import UnknownItem
from radio.library import catalog
from radio.library.items import Item
from radio.library.scan import Scanner, ScanReport
from radio.store import Store

app = typer.Typer(help="The audio library.", no_args_is_help=True)


@app.command()
def scan(
    station: StationOption = None, config: ConfigOption = Path("config.toml"), as_json: JsonOption = False
) -> None:
    """Look through the folders and take in what changed."""
    settings = configuration(config)
    roots = _roots(settings, station)

    async def work(store: Store) -> ScanReport:
        with scan_progress() as progress:
            return await Scanner(store, roots).scan(progress)

    report = with_store(settings, work)
    if as_json:
        out_json(report)
    else:
        out(
            f"{report.added} added, {report.changed} changed, {report.moved} moved, {report.removed} removed, "
            f"{report.unchanged} unchanged, {report.rejected} rejected."
        )
    for problem in report.problems:
        note(f"radio: {problem.path}: {problem.problem} {problem.advice}")
    if report.problems:
        raise SystemExit(FAILED)


@app.command("list")
def list_(
    station: StationOption = None, config: ConfigOption = Path("config.toml"), as_json: JsonOption = False
) -> None:
    """List the playable items."""
    settings = configuration(config)
    items = _items(settings, station)
    if as_json:
        out_json(items)
        return
    table(
        ("id", "category", "length", "LUFS", "title", "artist", "path"),
        [
            (
                item.id,
                item.category,
                clock_time(item.air_ms),
                "" if item.loudness_lufs is None else f"{item.loudness_lufs:.1f}",
                item.title,
                item.artist or "",
                item.path,
            )
            for item in items
        ],
    )


@app.command()
def rejected(
    station: StationOption = None, config: ConfigOption = Path("config.toml"), as_json: JsonOption = False
) -> None:
    """List the files that cannot be aired, and why."""
    settings = configuration(config)
    roots = _roots(settings, station)
    found = with_store(settings, lambda store: store.read(catalog.load_rejected, roots))
    if as_json:
        out_json(found)
        return
    table(("path", "reason"), [(f"{file.root}/{file.path}", file.reason) for file in found])


@app.command()
def show(
    item: Annotated[str, typer.Argument(help="An item's id, or its path below the library.")],
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Show everything that is known of one item."""
    found = next((each for each in _items(configuration(config), None) if item in (each.id, each.path)), None)
    if found is None:
        raise UnknownItem(f"There is no item {item!r}. `radio library list` shows them.")
    if as_json:
        out_json(found)
        return
    table(("field", "value"), [(name, str(getattr(found, name) or "")) for name in found.__struct_fields__])


def _roots(settings: Config, station: str | None) -> list[Path]:
    roots = [root for each in chosen(settings, station) for root in settings.roots_of(each)]
    return list(dict.fromkeys(roots))


def _items(settings: Config, station: str | None) -> list[Item]:
    roots = _roots(settings, station)
    return with_store(settings, lambda store: store.read(catalog.load_items, roots))
