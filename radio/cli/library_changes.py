"""``radio library scan``, ``rescan`` and ``edit``: what changes the library."""

from __future__ import annotations

import getpass
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from radio.cli.context import ConfigOption, JsonOption, StationOption, with_store
from radio.cli.library_items import find, items_table, roots_of
from radio.cli.output import FAILED, note, out, out_json, scan_bar
from radio.cli.run import configuration
from radio.clock import SystemClock
from radio.config import Config
from radio.errors import InvalidRequest, TagsNotWritten
from radio.library import catalog, editing
from radio.library.advice import tags_refused
from radio.library.corrections import FIELDS
from radio.library.items import Item
from radio.library.query import parse
from radio.library.retagging import check_tags, restore_tags, write_tags
from radio.library.scan import Scanner, ScanReport
from radio.library.search import Search, ids_of
from radio.store import Store


def scan(
    station: StationOption = None, config: ConfigOption = Path("config.toml"), as_json: JsonOption = False
) -> None:
    """Look through the folders and take in what changed."""
    settings = configuration(config)
    _report(settings, station, (), False, as_json)


def rescan(
    items: Annotated[list[str] | None, typer.Argument(help="Ids or paths of items.")] = None,
    query: Annotated[str | None, typer.Option(help="Items that this search finds.")] = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Try rejected files again.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every item.")] = False,
    station: StationOption = None,
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Read and measure files again although they did not change; corrections are kept."""
    if not (items or query or rejected or everything):
        allowed = "items, --query, --rejected, --all"
        raise InvalidRequest("Nothing is named to look at again.", field="items", allowed=allowed)
    settings = configuration(config)
    roots = [str(root) for root in roots_of(settings, station)]

    async def named(store: Store) -> set[str]:
        await store.write(catalog.index_missing)
        ids = {(await find(store, roots, name)).id for name in items or ()}
        if query is not None:
            ids |= set(await store.read(ids_of, Search(query=parse(query), roots=roots)))
        if everything:
            ids |= {item.id for item in await store.read(catalog.load_items, roots)}
        return ids

    _report(settings, station, with_store(settings, named), rejected, as_json)


def edit(
    item: Annotated[str, typer.Argument(help="An item's id, or its path below the library.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help=f"Correct a field: {', '.join(FIELDS)}."),
    ] = None,
    unset: Annotated[list[str] | None, typer.Option(metavar="FIELD", help="Take a correction back.")] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE", help="Write a tag into the file; `;` parts several values."),
    ] = None,
    undo_tags: Annotated[bool, typer.Option("--undo", help="Take the last writing of tags back.")] = False,
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Correct what is known of an item, or write tags into its file."""
    changes: dict[str, Any] = dict.fromkeys(unset or ())
    changes |= {field: _value(field, text) for field, text in map(_pair, set_ or ())}
    tags = {field: _tag(field, text) for field, text in map(_pair, tag or ())}
    if not (changes or tags or undo_tags):
        raise InvalidRequest("Nothing is changed.", field="set", allowed="--set, --unset, --tag, --undo")
    settings = configuration(config)

    async def work(store: Store) -> Item:
        roots = roots_of(settings, None)
        await store.write(catalog.index_missing)
        found = await find(store, roots, item)
        if tags:
            _check_tags(found, tags)  # all of it or nothing
        if changes:
            now_ms = SystemClock().now_ms()
            await store.write(editing.correct, found.id, changes, getpass.getuser(), now_ms)
        if tags or undo_tags:
            await _tags(store, found, tags, undo_tags)
            await Scanner(store, roots).scan()
        return await store.read(catalog.load_item, found.id)

    changed = with_store(settings, work)
    out_json(changed) if as_json else items_table([changed])


def _check_tags(item: Item, tags: dict[str, Any]) -> None:
    try:
        check_tags(item.file, tags)
    except TagsNotWritten as fault:
        raise tags_refused(fault, "tag") from fault


async def _tags(store: Store, item: Item, tags: dict[str, Any], undo_tags: bool) -> None:
    try:
        if undo_tags:
            last = await store.read(editing.last_undo, item.id)
            if last is None:
                raise InvalidRequest("No tags of this item were written that could be taken back.")
            restore_tags(last.data, item.file)
            await store.write(editing.drop_undo, last.id)
        undoing = write_tags(item.file, tags) if tags else None
    except TagsNotWritten as fault:
        raise tags_refused(fault, "tag") from fault
    if undoing is not None:
        now_ms = SystemClock().now_ms()
        who = getpass.getuser()
        await store.write(editing.keep_undo, item.id, item.path, undoing, who, now_ms)


def _report(
    settings: Config, station: str | None, again: Collection[str], rejected: bool, as_json: bool
) -> None:
    roots = roots_of(settings, station)

    async def work(store: Store) -> ScanReport:
        with scan_bar() as progress:
            return await Scanner(store, roots).scan(progress, retry_rejected=rejected, again=again)

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


def _pair(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not equals:
        raise InvalidRequest(f"{text[:60]!r} sets nothing.", field=field, allowed="FIELD=VALUE")
    return field.strip(), value


def _value(field: str, text: str) -> Any:
    if field == "explicit":
        return {"yes": True, "true": True, "no": False, "false": False}.get(text.lower(), text)
    if field.endswith("_ms"):
        return int(text) if text.isascii() and text.isdigit() else text
    if field in ("bpm", "loudness_lufs", "true_peak_db"):
        try:
            return float(text)
        except ValueError:
            return text
    return text


_NUMBERS = ("bpm", "track_number", "track_total", "disc_number", "disc_total", "movement_number")


def _tag(field: str, text: str) -> Any:
    if not text:
        return None
    if field in _NUMBERS or field == "explicit":
        return _value("explicit", text) if field == "explicit" else _tag_number(text)
    parts = [part.strip() for part in text.split(";")]
    return parts if field.endswith("s") or len(parts) > 1 else text


def _tag_number(text: str) -> Any:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
