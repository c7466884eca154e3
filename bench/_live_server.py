"""A service in a process of its own for ``bench live``, which says how late its event loop was.

``python -m bench._live_server CONFIG``: prints one line of JSON when it is on the air (port, and an operator's token),
and another when it is told to stop (lateness of the loop in milliseconds since the line ``begin`` was read).
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import uvloop

from radio.allocator import settle
from radio.app import on_air
from radio.clock import SystemClock
from radio.config import load_config
from radio.diagnostics import configure_logs
from radio.store import operators
from radio.store.operators import Role

PROBE_S = 0.005


async def serve(path: Path) -> None:
    """Run until SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    async with on_air(load_config(path, overrides={("server", "port"): 0})) as service:
        now_ms = SystemClock().now_ms()
        token = await service.store.write(operators.add, "bench", Role.OPERATOR, None, now_ms)
        print(json.dumps({"port": service.port, "token": token}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        settle()
        late: list[float] = []
        probe = asyncio.create_task(_probe(late))
        await stopped.wait()
        probe.cancel()
        late.sort()
        print(
            json.dumps({"p99_ms": late[int(len(late) * 0.99)], "max_ms": late[-1], "over": late[-8:]}),
            flush=True,
        )


async def _probe(late: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + PROBE_S
        await asyncio.sleep(PROBE_S)
        late.append((loop.time() - due_s) * 1000)


if __name__ == "__main__":
    configure_logs("json", "critical")
    uvloop.run(serve(Path(sys.argv[1])))
