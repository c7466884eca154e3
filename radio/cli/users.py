"""``radio users``: who may change things."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radio.cli.context import ConfigOption, JsonOption, chosen, with_store
from radio.cli.output import note, out, out_json, table
from radio.cli.run import configuration
from radio.clock import SystemClock
from radio.store import operators
from radio.store.operators import Role

app = typer.Typer(help="Operators and their tokens.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who it is, for example: newsroom")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.OPERATOR,
    station: Annotated[
        list[str] | None,
        typer.Option(help="A station they may work on; give it again for more. Default: all."),
    ] = None,
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Make an operator and print the token. It is shown this once; only a hash of it is kept."""
    settings = configuration(config)
    for each in station or ():
        chosen(settings, each)
    now_ms = SystemClock().now_ms()
    token = with_store(
        settings, lambda store: store.write(operators.add, name, role, station or None, now_ms)
    )
    if as_json:
        out_json({"name": name, "role": str(role), "stations": station or None, "token": token})
        return
    note(f"{name} is an operator with the role {role}. Their token, shown only now:")
    out(token)


@app.command("list")
def list_(config: ConfigOption = Path("config.toml"), as_json: JsonOption = False) -> None:
    """List the operators."""
    found = with_store(configuration(config), lambda store: store.read(operators.all))
    if as_json:
        out_json(found)
        return
    table(
        ("name", "role", "stations"),
        [(o.name, str(o.role), ", ".join(o.stations or ("all",))) for o in found],
    )


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="The operator's name.")],
    config: ConfigOption = Path("config.toml"),
) -> None:
    """Take an operator's access away at once."""
    if not with_store(configuration(config), lambda store: store.write(operators.remove, name)):
        note(f"radio: There is no operator {name!r}.")
        raise SystemExit(1)
