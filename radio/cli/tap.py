"""``radio tap``: record what listeners hear."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from radio.cli.context import ServerOption
from radio.cli.output import clock_time, note
from radio.cli.running import stream_of


def tap(
    station: Annotated[str, typer.Argument(help="The station's id.")],
    file: Annotated[Path, typer.Argument(help="Where to record; .flac, .wav, .mp3, .aac or .opus.")],
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so many seconds.")] = None,
    mount: Annotated[str | None, typer.Option(help="Another mount than the one that fits.")] = None,
    server: ServerOption = "http://127.0.0.1:8000",
) -> None:
    """Record a station as its listeners hear it, until Ctrl-C.

    A name that ends in .mp3, .aac or .opus keeps the stream's own bytes; .flac and .wav are decoded.
    """
    from radio.audio.received import record

    url = stream_of(server, station, mount, file.suffix)
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    if sys.stderr.isatty():
        note(f"Recording {url} to {file}; stop with Ctrl-C.")
    length_s = record(url, file, seconds=seconds, stop=stop)
    note(f"{file}: {clock_time(round(length_s * 1000))} recorded.")
