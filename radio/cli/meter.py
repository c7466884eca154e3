"""``radio meter``: a station's level, loudness and peaks in a terminal, read from what listeners get."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
import typer

from radio.cli.context import JsonOption, ServerOption
from radio.cli.output import out
from radio.cli.running import lead_of, state_of, stream_of

EVERY_S: Final = 0.2
ASK_EVERY_S: Final = 2.0
_BAR: Final = 40
_LOWEST_DB: Final = -60.0


def meter(
    station: Annotated[str, typer.Argument(help="The station's id.")],
    mount: Annotated[str | None, typer.Option(help="Another mount than the first.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so many seconds.")] = None,
    server: ServerOption = "http://127.0.0.1:8000",
    as_json: JsonOption = False,
) -> None:
    """Show level, loudness (EBU R 128), true peak, lead and listeners until Ctrl-C; with --json a line a second."""
    from rich.console import Console
    from rich.live import Live

    readings = _readings(server, station, mount, 1.0 if as_json else EVERY_S, seconds)
    try:
        if as_json:
            for one in readings:
                out(msgspec.json.encode(one).decode())
        elif sys.stdout.isatty():
            with Live(console=Console(), auto_refresh=False, transient=True) as live:
                for one in readings:
                    live.update(_face(station, one), refresh=True)
        else:
            for one in readings:
                out(_line(one))
    except KeyboardInterrupt:
        raise SystemExit(0) from None


def _readings(
    server: str, station: str, mount: str | None, every_s: float, seconds: float | None
) -> Iterator[dict[str, Any]]:
    """What is heard at this moment, several times a second; the stream itself comes some seconds early."""
    import numpy as np

    from radio.audio.live_meter import LiveMeter
    from radio.audio.received import ReceivedStream
    from radio.units import SAMPLE_RATE_HZ

    asked: dict[str, Any] = {}
    asked_at_s = -ASK_EVERY_S
    with ReceivedStream(stream_of(server, station, mount)) as stream:
        live, heard, began_s = LiveMeter(), 0, time.monotonic()
        waiting: list[Any] = []
        for block in stream.sound():
            waiting.append(block)
            if sum(map(len, waiting)) < every_s * SAMPLE_RATE_HZ:
                continue
            sound, waiting = np.concatenate(waiting), []
            heard += len(sound)
            reading = live.update(sound)
            time.sleep(max(0.0, began_s + heard / SAMPLE_RATE_HZ - time.monotonic()))
            if time.monotonic() - asked_at_s >= ASK_EVERY_S:
                asked_at_s = time.monotonic()
                asked = _asked(server, station)
            yield {**msgspec.structs.asdict(reading), **asked}
            if seconds is not None and heard >= seconds * SAMPLE_RATE_HZ:
                return


def _asked(server: str, station: str) -> dict[str, Any]:
    state = state_of(server, station)
    return {
        "lead_s": lead_of(server, station),
        "listeners": state["listeners"]["current"],
        "status": state["availability"]["status"],
        "title": (state.get("now") or {}).get("title"),
    }


def _line(one: dict[str, Any]) -> str:
    lead = "-" if one["lead_s"] is None else f"{one['lead_s']:.1f} s"
    return (
        f"{one['rms_db']:6.1f} dBFS  M {_lufs(one['momentary_lufs'])}  S {_lufs(one['short_term_lufs'])}  "
        f"I {_lufs(one['integrated_lufs'])} LUFS  peak {one['true_peak_db']:5.1f} "
        f"(highest {one['highest_true_peak_db']:5.1f}) dBTP  lead {lead}  listeners {one['listeners']}"
    )


def _face(station: str, one: dict[str, Any]) -> Any:
    from rich.table import Table
    from rich.text import Text

    from radio.diagnostics import harmless

    face = Table.grid(padding=(0, 2))
    lead = "-" if one["lead_s"] is None else f"{one['lead_s']:.1f} s"
    rows = (
        (station, f"{one['status']}  {harmless(one['title'] or '-')}", ""),
        ("level", _bar(one["rms_db"]), f"{one['rms_db']:6.1f} dBFS"),
        ("true peak", _bar(one["true_peak_db"]), f"{one['true_peak_db']:6.1f} dBTP"),
        ("highest", _bar(one["highest_true_peak_db"]), f"{one['highest_true_peak_db']:6.1f} dBTP"),
        ("momentary", _bar(one["momentary_lufs"]), f"{_lufs(one['momentary_lufs'])} LUFS"),
        ("short term", _bar(one["short_term_lufs"]), f"{_lufs(one['short_term_lufs'])} LUFS"),
        ("integrated", _bar(one["integrated_lufs"]), f"{_lufs(one['integrated_lufs'])} LUFS"),
        ("lead", lead, f"{one['listeners']} listeners"),
    )
    for row in rows:
        face.add_row(*(Text(cell) for cell in row))
    return face


def _bar(db: float | None) -> str:
    share = 0.0 if db is None else min(1.0, max(0.0, 1 - db / _LOWEST_DB))
    return ("#" * round(share * _BAR)).ljust(_BAR, ".")


def _lufs(value: float | None) -> str:
    return "    -" if value is None else f"{value:5.1f}"
