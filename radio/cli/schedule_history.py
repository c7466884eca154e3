"""``radio schedule history`` and ``undo``: who changed a schedule and when, and any text that it had."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from radio.cli.context import ConfigOption, JsonOption, chosen, with_store
from radio.cli.output import note, out, out_json, table
from radio.cli.run import configuration
from radio.errors import NotFound
from radio.schedule.schedule_source import read_source, write_source
from radio.schedule.texts import diff, unpacked
from radio.store import schedule_revisions as kept

OneStation = Annotated[str, typer.Option("--station", "-s", help="The station's id.")]


def history(
    station: OneStation,
    limit: Annotated[int, typer.Option(min=1, max=kept.MAX_PAGE, help="How many revisions.")] = 20,
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Show who changed a schedule, when and why, newest first."""
    settings = configuration(config)
    (one,) = chosen(settings, station)
    found = with_store(settings, lambda store: store.read(kept.page, station, limit=limit))
    if as_json:
        out_json(found)
        return
    table(
        ("number", "when", "who", "how", "lines", "why"),
        [
            (
                str(each.number),
                datetime.fromtimestamp(each.at_ms / 1000, one.zone).strftime("%Y-%m-%d %H:%M:%S"),
                each.operator,
                each.action,
                f"+{each.added_lines} -{each.removed_lines}",
                each.why if each.has_text else f"{each.why} (its text is no longer kept)".strip(),
            )
            for each in found
        ],
    )


def undo(
    station: OneStation,
    to: Annotated[
        int | None, typer.Option("--to", min=1, help="The revision to go back to. Default: the last but one.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Change the file; without it only show how.")
    ] = False,
    config: ConfigOption = Path("config.toml"),
) -> None:
    """Give a schedule file the text of an earlier revision; a running service takes it up at once."""
    settings = configuration(config)
    (one,) = chosen(settings, station)
    path = settings.schedule_of(one)
    wanted = to if to is not None else _last_but_one(station, config)
    data = with_store(settings, lambda store: store.read(kept.text_of, station, wanted))
    if data is None:
        raise NotFound(f"The text of revision {wanted} is not there.")
    source, text = read_source(path), unpacked(data)
    change = diff(source.text, text)
    if change.text:
        out(change.text)
    if write and source.text != text:
        write_source(path, text, instead_of=source)
        note(f"{path}: as in revision {wanted}.")
    else:
        note(
            f"radio: Nothing was written. {'--write changes ' + str(path) if change.text else 'It is so already'}."
        )


def _last_but_one(station: str, config: Path) -> int:
    settings = configuration(config)
    found = with_store(settings, lambda store: store.read(kept.page, station, limit=2))
    if len(found) < 2:
        raise NotFound("There is no earlier revision.")
    return found[1].number
