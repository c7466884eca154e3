"""The whole service in a process of its own, for ``bench beside`` and ``bench churn``: the demo's stations.

``python -m bench._beside_server DATA_FOLDER [STATIONS]``. Beside the stations the hub has a channel ``wxyz``, into
which a port of its own publishes: a number on each line, an update of 600 bytes for each. Commands come on standard
input and one JSON object goes out for each: ``report`` (lateness of the loop since the last time, and who is there),
``things`` (what is left in memory after a collection). It ends with standard input.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from radio.allocator import be_frugal, give_back, settle

be_frugal()

import msgspec  # noqa: E402
import uvloop  # noqa: E402

from bench._listener_load import rss_kb  # noqa: E402
from bench._listener_server import Lateness, say  # noqa: E402
from bench._push_server import STATION, Intake, state  # noqa: E402
from radio.app import Service, on_air  # noqa: E402
from radio.clock import SystemClock  # noqa: E402
from radio.config import Config, load_config  # noqa: E402
from radio.diagnostics import configure_logs  # noqa: E402
from radio.parking import raise_descriptor_limit  # noqa: E402
from radio.push.limits import Admission  # noqa: E402

ROOT = Path(__file__).parent.parent
MANY = 200_000
PROBE_S = 0.005
SETTLES_AFTER_S = 5.0


async def serve(folder: Path, stations: int) -> None:
    """Run until standard input ends."""
    raise_descriptor_limit()
    loop = asyncio.get_running_loop()
    async with on_air(configuration(folder, stations)) as service:
        service.hub.open(STATION, state(0, 0))
        intake = await loop.create_server(lambda: Intake(service.hub, SystemClock()), "127.0.0.1", 0)
        await _all_on_air(service)
        await asyncio.sleep(SETTLES_AFTER_S)
        settle()
        lateness = Lateness(PROBE_S)
        ticking = loop.create_task(lateness.run())
        answers: dict[str, Callable[[], dict[str, Any]]] = {
            "report": lambda: {**counts(service), **lateness.taken()},
            "things": lambda: {**counts(service), **things()},
        }
        say({"port": service.port, "intake": intake.sockets[0].getsockname()[1], "pid": os.getpid()})
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            say(answers[line.strip()]())
        ticking.cancel()
        intake.close()


def configuration(folder: Path, stations: int) -> Config:
    """The demo's, with room for everyone."""
    server = {
        **{"port": 0, "data_dir": str(folder), "max_listeners": MANY, "max_listeners_per_address": MANY},
        **{"max_subscribers": MANY, "max_subscribers_per_address": MANY},
    }
    overrides: dict[tuple[str, ...], Any] = {("server", name): value for name, value in server.items()}
    config = load_config(ROOT / "config.toml", overrides=overrides)
    return msgspec.structs.replace(config, stations=config.stations[:stations])


async def _all_on_air(service: Service) -> None:
    async with asyncio.timeout(300):
        while not all(mount.newest for mount in service.mounts):  # noqa: ASYNC110 - mounts tell nobody
            await asyncio.sleep(0.1)


def counts(service: Service) -> dict[str, Any]:
    """Who is there."""
    hub = service.hub.counts()
    return {
        "subscribers": hub.subscribers,
        "sessions": hub.sessions,
        "faults": hub.faults,
        "listeners": sum(mount.listeners for mount in service.mounts),
        "dropped": sum(mount.dropped for mount in service.mounts),
    }


def things() -> dict[str, Any]:
    """What is in memory, when what is not needed has been given back."""
    gc.unfreeze()
    gc.collect()
    give_back()
    found = gc.get_objects()
    kinds = Counter(f"{type(thing).__module__}.{type(thing).__qualname__}" for thing in found)
    admitted = sum(thing.connections for thing in found if isinstance(thing, Admission))
    gc.freeze()
    return {
        "rss_mb": rss_kb(os.getpid()) / 1024,
        "files": len(os.listdir("/proc/self/fd")),
        "objects": len(found),
        "admitted": admitted,
        "kinds": dict(kinds.most_common(200)),
    }


if __name__ == "__main__":
    configure_logs("json", "critical")
    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3))
