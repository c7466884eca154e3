"""``radio run``: the stations on the air until the process is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from radio.allocator import settle
from radio.app import Service, on_air
from radio.cli.output import note, scan_bar
from radio.config import Config, load_config
from radio.diagnostics import configure_logs
from radio.parking import raise_descriptor_limit

SETTLES_AFTER_S: Final = 15.0
"""The log is compiled a day ahead by then, and housekeeping gives memory back soon after."""


def configuration(path: Path, overrides: dict[tuple[str, ...], Any] | None = None) -> Config:
    """The configuration at ``path`` with the environment over it. Raises ConfigurationError."""
    return load_config(path, environment=os.environ, overrides=overrides)


def run_service(config: Config, *, takeover: bool = False) -> None:
    """Run until SIGINT or SIGTERM; then close every connection and write what must be kept.

    With ``takeover`` the service that runs on the same data folder is gone on with, and leaves. On SIGUSR2 a new
    process is started that does so with this one.
    """
    configure_logs(config.server.log_format, config.server.log_level)
    raise_descriptor_limit()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(config, takeover))


async def _serve(config: Config, takeover: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    successors: list[subprocess.Popen[bytes]] = []
    if hasattr(signal, "SIGUSR2"):
        loop.add_signal_handler(signal.SIGUSR2, lambda: successors.append(_start_successor()))
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stopped.set)
    note("Next Up starts.")
    with scan_bar() as progress:
        service = on_air(config, progress=progress, takeover=takeover)
        running = await _unless(stopped, service)
    if running is None:
        return
    settling = loop.call_later(SETTLES_AFTER_S, loop.run_in_executor, None, settle)
    try:
        _announce(running)
        await _first_of(stopped, running.taken_over)
        note("Going off the air." if stopped.is_set() else "Another process has gone on; this one leaves.")
    finally:
        settling.cancel()
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


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()


def _start_successor() -> subprocess.Popen[bytes]:
    """The same command once more, from the program as it is on the disk now."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--takeover"]
    return subprocess.Popen([sys.executable, "-m", "radio", *arguments, "--takeover"])


def _announce(service: Service) -> None:
    names = ", ".join(station.name for station in service.config.stations if station.enabled)
    note(f"On the air: {names}.")
    note(f"Listen at {service.address} (stop with Ctrl-C)")


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # Windows has none
        return None
    return uvloop.new_event_loop
