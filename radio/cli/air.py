"""``radio air``: change what is on the air, through the running service; the commonest also as ``radio skip``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from radio.cli.context import JsonOption, ServerOption
from radio.cli.output import clock_time, out, out_json
from radio.cli.running import LOCAL, ask_json
from radio.config import TOKEN_VARIABLE
from radio.diagnostics import harmless
from radio.errors import InvalidRequest

StationArgument = Annotated[str, typer.Argument(help="The station's id.")]
RowArgument = Annotated[str, typer.Argument(help="A coming row's id: see `radio air rows`.")]
ItemArgument = Annotated[str, typer.Argument(help="An item's id: see `radio library list`.")]
TokenOption = Annotated[
    str,
    typer.Option(
        envvar=TOKEN_VARIABLE, show_default=False, help="An operator's token: see `radio users add`."
    ),
]
FadeOption = Annotated[
    int, typer.Option("--fade-ms", min=0, max=5_000, help="How long the item that ends is faded out.")
]

app = typer.Typer(no_args_is_help=True, help="Change what is on the air, and what comes next.")


@app.command()
def rows(
    station: StationArgument,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many rows.")] = 20,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what is on the air in the stream and what comes, with the rows' ids."""
    found = ask_json(server, f"{_path(station)}/rows?limit={limit}", token=_needed(token))
    if as_json:
        out_json(found)
        return
    for row in found["rows"]:
        anchor = "" if row["anchor"] == "float" else f" [{row['anchor']}]"
        out(harmless(f"{_line(row)}{anchor}  {row['id']}"))


@app.command()
def skip(
    station: StationArgument,
    fade_ms: FadeOption = 300,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """End what is on the air now; the next item begins."""
    _command(server, token, station, "skip", {"fade_ms": fade_ms}, as_json)


@app.command()
def insert(
    station: StationArgument,
    item: ItemArgument,
    next_: Annotated[
        bool, typer.Option("--next", help="Wait for the end of what is on the air, instead of ending it.")
    ] = False,
    fade_ms: FadeOption = 300,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Put an item of the library on the air, at once or next."""
    body = {"item": item, "when": "next" if next_ else "now", "fade_ms": fade_ms}
    _command(server, token, station, "insert", body, as_json)


@app.command()
def move(
    station: StationArgument,
    row: RowArgument,
    before: Annotated[str | None, typer.Option(help="The row that it comes before.")] = None,
    after: Annotated[str | None, typer.Option(help="The row that it comes after.")] = None,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Give a coming row another place; without --before and --after it comes next."""
    if before is not None and after is not None:
        raise InvalidRequest("Two places are named.", field="--after", allowed="--before or --after")
    to = "before" if before is not None else "after" if after is not None else "next"
    _command(server, token, station, "move", {"row": row, "to": to, "other": before or after}, as_json)


@app.command()
def remove(
    station: StationArgument,
    row: RowArgument,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take a coming row out."""
    _command(server, token, station, "remove", {"row": row}, as_json)


@app.command()
def hold(
    station: StationArgument,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let the bed sound after the item on the air, until `radio resume` or the next fixed time."""
    _command(server, token, station, "hold", {}, as_json)


@app.command()
def resume(
    station: StationArgument,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """End a hold or an emergency now."""
    _command(server, token, station, "resume", {}, as_json)


@app.command()
def extend(
    station: StationArgument,
    minutes: Annotated[int, typer.Argument(min=1, max=120, help="How many minutes longer.")],
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let the programme on the air go on past its end."""
    _command(server, token, station, "extend", {"minutes": minutes}, as_json)


@app.command()
def end(
    station: StationArgument,
    fade_ms: FadeOption = 300,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """End the programme on the air now."""
    _command(server, token, station, "end", {"fade_ms": fade_ms}, as_json)


@app.command()
def emergency(
    station: StationArgument,
    item: ItemArgument,
    once: Annotated[
        bool, typer.Option("--once", help="Once, and then the bed, instead of repeated.")
    ] = False,
    fade_ms: FadeOption = 300,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Put an item on the air before everything, fixed times too, until `radio resume`."""
    body = {"item": item, "repeat": not once, "fade_ms": fade_ms}
    _command(server, token, station, "emergency", body, as_json)


def _command(
    server: str, token: str, station: str, command: str, body: dict[str, Any], as_json: bool
) -> None:
    answer = ask_json(server, f"{_path(station)}/{command}", token=_needed(token), body=body)
    if as_json:
        out_json(answer)
        return
    out(harmless(f"{_line(answer['on_air'])}  | next: {_line(answer['next'])}"))


def _path(station: str) -> str:
    return f"/api/console/stations/{quote(station, safe='')}"


def _needed(token: str) -> str:
    if not token:
        raise InvalidRequest(
            "An operator's token is needed.", field="--token", allowed=f"--token or {TOKEN_VARIABLE}"
        )
    return token


def _line(row: dict[str, Any] | None) -> str:
    if row is None:
        return "-"
    at = datetime.fromtimestamp(row["starts_at_ms"] / 1000).astimezone().strftime("%H:%M:%S")
    name = f"{row['artist']} - {row['title']}" if row.get("artist") else row["title"]
    return f"{at}  {name} ({clock_time(row['ends_at_ms'] - row['starts_at_ms'])})"
