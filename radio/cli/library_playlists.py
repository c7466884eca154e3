"""``radio library export`` and ``import``: playlists of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radio.cli.context import ConfigOption, JsonOption, StationOption, with_store
from radio.cli.library_items import items_table, roots_of
from radio.cli.output import FAILED, note, out, out_json
from radio.cli.run import configuration
from radio.errors import InvalidRequest
from radio.library import catalog, playlists
from radio.library.items import Item
from radio.library.query import parse
from radio.library.search import Search, ids_of
from radio.store import Store

FormOption = Annotated[
    str | None, typer.Option("--format", help="m3u, xspf or jspf; else by the file's ending.")
]


def export(
    query: Annotated[str, typer.Argument(help="A search; empty for everything.")] = "",
    to: Annotated[Path | None, typer.Option(help="Write to this file; else to standard output.")] = None,
    form: FormOption = None,
    sort: Annotated[str, typer.Option(help="title, artist, path, ...")] = "path",
    title: Annotated[str, typer.Option(help="The playlist's title.")] = "Playlist",
    station: StationOption = None,
    config: ConfigOption = Path("config.toml"),
) -> None:
    """Write what a search finds as a playlist."""
    settings = configuration(config)
    roots = [str(root) for root in roots_of(settings, station)]
    wanted = Search(query=parse(query), roots=roots, sort=sort)

    async def work(store: Store) -> list[Item]:
        await store.write(catalog.index_missing)
        return await store.read(catalog.load_some, await store.read(ids_of, wanted))

    text = playlists.written(_form(form, to), with_store(settings, work), title)
    if to is None:
        out(text.rstrip("\n"))
    else:
        to.write_text(text, encoding="utf-8")


def import_(
    file: Annotated[Path, typer.Argument(help="An M3U, XSPF or JSPF playlist.", exists=True, dir_okay=False)],
    form: FormOption = None,
    station: StationOption = None,
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Find a playlist's entries in the library: by path, else by artist, title and length."""
    settings = configuration(config)
    roots = roots_of(settings, station)
    entries = playlists.read(_form(form, file), file.read_bytes())
    items = with_store(settings, lambda store: store.read(catalog.load_items, roots))
    found = playlists.matched(entries, items)
    if as_json:
        out_json(found)
    else:
        items_table(found.items)
        for entry in found.missing:
            name = " - ".join(part for part in (entry.artist, entry.title) if part)
            note(f"radio: Not in the library: {entry.location or name}")
    if found.missing:
        raise SystemExit(FAILED)


def _form(form: str | None, file: Path | None) -> str:
    name = form or ("m3u" if file is None else file.suffix.lower().lstrip(".").removesuffix("8"))
    if name not in playlists.FORMS:
        raise InvalidRequest(
            f"There is no form of playlist {name!r}.", field="format", allowed=", ".join(playlists.FORMS)
        )
    return name
