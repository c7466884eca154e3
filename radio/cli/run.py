"""``radio run``: the stations on the air until the process is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from radio.app import Service, on_air
from radio.cli.output import note
from radio.config import Config, load_config
from radio.diagnostics import configure_logs
from radio.library.scan import ScanProgress


def configuration(path: Path, overrides: dict[tuple[str, ...], Any] | None = None) -> Config:
    """The configuration at ``path`` with the environment over it. Raises ConfigurationError."""
    return load_config(path, environment=os.environ, overrides=overrides)


def run_service(config: Config) -> None:
    """Run until SIGINT or SIGTERM; then close every connection and write what must be kept."""
    configure_logs(config.server.log_format, config.server.log_level)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(config))


async def _serve(config: Config) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stopped.set)
    note("Next Up starts.")
    with scan_progress() as progress:
        service = on_air(config, progress=progress)
        running = await _unless(stopped, service)
    if running is None:
        return
    try:
        _announce(running)
        await stopped.wait()
        note("Going off the air.")
    finally:
        await service.__aexit__(None, None, None)


async def _unless(stopped: asyncio.Event, service: Any) -> Service | None:
    """Start the service, or give up where a signal comes first."""
    starting = asyncio.ensure_future(service.__aenter__())
    waiting = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if starting.done():
        result: Service = starting.result()
        return result
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await starting
    return None


def _announce(service: Service) -> None:
    names = ", ".join(station.name for station in service.config.stations if station.enabled)
    note(f"On the air: {names}.")
    note(f"Listen at {service.address} (stop with Ctrl-C)")


@contextlib.contextmanager
def scan_progress() -> Iterator[Any]:
    """A progress bar on standard error where that is a terminal; a function to be told of progress."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("Reading the library", total=None)

        def tell(progress: ScanProgress) -> None:
            bar.update(task, total=progress.total, completed=progress.done)

        yield tell


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # Windows has none
        return None
    return uvloop.new_event_loop
