"""Options that several commands share, and the parts of the service that commands open by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from radio.config import Config, StationConfig
from radio.diagnostics import configure_logs
from radio.errors import UnknownStation
from radio.store import Store

T = TypeVar("T")

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
StationOption = Annotated[str | None, typer.Option("--station", "-s", help="One station's id; else all.")]
ServerOption = Annotated[str, typer.Option(help="Where the service runs.")]


def with_store(config: Config, work: Callable[[Store], Awaitable[T]]) -> T:
    """Run ``work`` on the service's database, beside a running service if there is one."""
    configure_logs(config.server.log_format, "warning")

    async def opened() -> T:
        async with Store.open(config.database_url) as store:
            return await work(store)

    return asyncio.run(opened())


def chosen(config: Config, station: str | None) -> tuple[StationConfig, ...]:
    """The station of that id, or all of them. Raises UnknownStation."""
    if station is None:
        return config.stations
    found = tuple(each for each in config.stations if each.id == station)
    if not found:
        raise UnknownStation(station, [each.id for each in config.stations])
    return found
