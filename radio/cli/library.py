"""``radio library``: what can be aired, and what cannot and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from radio.cli import library_changes, library_playlists
from radio.cli.context import ConfigOption, JsonOption, StationOption, with_store
from radio.cli.library_items import find, items_table, roots_of
from radio.cli.output import clock_time, note, out, out_json, table
from radio.cli.run import configuration
from radio.diagnostics import harmless
from radio.library import catalog, details
from radio.library.advice import advice_for
from radio.library.duplicates import Duplicates, duplicates
from radio.library.items import Item, RejectedFile
from radio.library.query import parse
from radio.library.search import MAX_PAGE, Page, Search, search
from radio.store import Store

app = typer.Typer(help="The audio library.", no_args_is_help=True)
app.command("scan")(library_changes.scan)
app.command("rescan")(library_changes.rescan)
app.command("edit")(library_changes.edit)
app.command("export")(library_playlists.export)
app.command("import")(library_playlists.import_)


@app.command("list")
def list_(
    station: StationOption = None, config: ConfigOption = Path("config.toml"), as_json: JsonOption = False
) -> None:
    """List the playable items."""
    settings = configuration(config)
    roots = roots_of(settings, station)
    items = with_store(settings, lambda store: store.read(catalog.load_items, roots))
    out_json(items) if as_json else items_table(items)


@app.command("search")
def search_(
    query: Annotated[str, typer.Argument(help='Such as: bach artist:gould length>=3:30 -live "slow air"')],
    station: StationOption = None,
    sort: Annotated[str, typer.Option(help="title, artist, length, ...; -length turns it round.")] = "title",
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="Show at most so many.")] = 50,
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Find items by words and fields."""
    settings = configuration(config)
    roots = [str(root) for root in roots_of(settings, station)]
    wanted = Search(query=parse(query), roots=roots, sort=sort, limit=limit)

    async def work(store: Store) -> Page:
        await store.write(catalog.index_missing)
        return await store.read(search, wanted)

    page = with_store(settings, work)
    if as_json:
        out_json(page)
        return
    items_table(page.items)
    if page.total > len(page.items):
        more = "" if page.is_exact else "more than "
        note(f"{len(page.items)} of {more}{page.total}.")


@app.command()
def rejected(
    station: StationOption = None, config: ConfigOption = Path("config.toml"), as_json: JsonOption = False
) -> None:
    """List the files that cannot be aired, why, and what to do."""
    settings = configuration(config)
    roots = roots_of(settings, station)
    found = with_store(settings, lambda store: store.read(catalog.load_rejected, roots))
    if as_json:
        out_json([_refused(file) for file in found])
        return
    for file in found:
        out(harmless(f"{file.root}/{file.path}"))
        out(f"  why: {harmless(file.reason)}")
        out(f"  do:  {advice_for(file.reason)}")


@app.command()
def show(
    item: Annotated[str, typer.Argument(help="An item's id, or its path below the library.")],
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Show everything that is known of one item."""
    settings = configuration(config)

    async def work(store: Store) -> tuple[Item, details.Details, list[details.Correction]]:
        await store.write(catalog.index_missing)
        found = await find(store, roots_of(settings, None), item)
        known = await store.read(details.get, found.id)
        return found, known, await store.read(details.corrections_of, found.id)

    found, known, corrections = with_store(settings, work)
    bare = msgspec.structs.replace(known.sound, peaks=b"", fingerprint=b"")
    sound = {name: value for name, value in msgspec.to_builtins(bare).items() if value not in ("", None, [])}
    if as_json:
        more = {"corrections": corrections, "tags": known.tags, "sound": sound}
        out_json({**msgspec.to_builtins(found), **more})
        return
    set_by = {one.field: f"  (set by {one.operator})" for one in corrections}
    rows = [(name, _shown(getattr(found, name)) + set_by.get(name, "")) for name in found.__struct_fields__]
    rows += [(f"tag: {name}", _shown(value)) for name, value in known.tags.items() if _shown(value)]
    if found.measured:
        rows += [
            (f"sound: {name}", _shown(value)) for name, value in sound.items() if not hasattr(found, name)
        ]
    else:
        rows.append(("sound", "not measured yet"))
    table(("field", "value"), rows)


@app.command("duplicates")
def duplicates_(
    item: Annotated[str | None, typer.Argument(help="One item's id or path; else the whole library.")] = None,
    station: StationOption = None,
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """List items with the same sound, whatever their names, tags and formats."""
    settings = configuration(config)
    roots = [str(root) for root in roots_of(settings, station)]

    async def work(store: Store) -> list[Duplicates]:
        one = None if item is None else (await find(store, roots, item)).id
        return await store.read(duplicates, roots=roots, item_id=one)

    groups = with_store(settings, work)
    if as_json:
        out_json(groups)
        return
    for group in groups:
        out(f"{group.kind}, {group.similarity:.0%} alike:")
        for each in group.items:
            out(harmless(f"  {each.id}  {clock_time(each.air_ms)}  {each.root}/{each.path}"))


def _refused(file: RejectedFile) -> dict[str, object]:
    return {**msgspec.to_builtins(file), "advice": advice_for(file.reason)}


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return "" if value is None or value == {} else str(value)
