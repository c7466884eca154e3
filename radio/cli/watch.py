"""``radio watch``: follow stations in a terminal, by the same push as the players."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from radio.cli.context import JsonOption
from radio.cli.output import clock_time, json_line, out_now
from radio.clock import SystemClock
from radio.diagnostics import harmless

if TYPE_CHECKING:
    from radio.client import Change


def watch(
    station: Annotated[
        str | None, typer.Argument(help="A station's id; all of them where none is named.")
    ] = None,
    server: Annotated[str, typer.Option(help="Where the service runs.")] = "http://127.0.0.1:8000",
    once: Annotated[bool, typer.Option("--once", help="Print the present state and stop.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print what is on the air and every change, one line each (with --json one object a line), until stopped."""
    try:
        asyncio.run(_follow(station, server, once, as_json))
    except KeyboardInterrupt:
        raise SystemExit(0) from None


async def _follow(station: str | None, server: str, once: bool, as_json: bool) -> None:
    from radio.client import PushClient  # here, because every command would wait for it

    seen: set[str] = set()
    async with PushClient(server, [station] if station else [], attempts=5) as client:
        wanted = [station] if station else [state["station"]["id"] for state in await client.stations()]
        await client.follow(*wanted)
        async for change in client:
            out_now(json_line(change) if as_json else _line(change))
            seen.add(change.station)
            if once and seen >= set(wanted):
                return


def _line(change: Change) -> str:
    state = change.state
    zone = ZoneInfo(state["station"]["timezone"])
    at_ms = change.at_ms or SystemClock().now_ms()
    parts = [
        datetime.fromtimestamp(at_ms / 1000, zone).strftime("%H:%M:%S"),
        f"{change.station:<10}",
        f"{state['availability']['status']:<8}",
        _now(state),
        f"| next: {_next(state, zone)}",
    ]
    if sponsor := state.get("supported_by"):
        parts.append(f"| supported by {sponsor['sponsor']}")
    return harmless("  ".join(parts))


def _now(state: dict[str, Any]) -> str:
    now = state.get("now")
    if not now:
        return "-"
    name = f"{now['artist']} - {now['title']}" if now.get("artist") else now["title"]
    return f"{name} ({clock_time(now['duration_ms'])})"


def _next(state: dict[str, Any], zone: ZoneInfo) -> str:
    coming = state.get("next") or []
    if not coming:
        return "-"
    at = datetime.fromtimestamp(coming[0]["starts_at_ms"] / 1000, zone).strftime("%H:%M")
    return f"{coming[0]['title']} at {at}"
