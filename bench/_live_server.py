"""A service in a process of its own for ``bench live``, which says how late its event loop was.

``python -m bench._live_server CONFIG``: prints one line of JSON when it is on the air (port, and an operator's token),
and another when it is told to stop (lateness of the loop in milliseconds since the line ``begin`` was read, each sample
of it with its moment on the monotonic clock, and the memory held at ``begin`` and at the end).
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
        if not await asyncio.to_thread(sys.stdin.readline):
            return
        settle()
        rss_kb = [_rss_kb()]
        samples: list[tuple[float, float]] = []
        probe = asyncio.create_task(_probe(samples))
        await stopped.wait()
        probe.cancel()
        rss_kb.append(_rss_kb())
        late = sorted(one for _, one in samples)
        worst_ms = {"p99_ms": late[int(len(late) * 0.99)], "max_ms": late[-1]} if late else {}
        told = worst_ms | {"over": late[-8:]}
        print(json.dumps(told | {"samples": samples, "rss_kb": rss_kb}), flush=True)


def _rss_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


async def _probe(samples: list[tuple[float, float]]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + PROBE_S
        await asyncio.sleep(PROBE_S)
        samples.append((round(due_s, 4), round((loop.time() - due_s) * 1000, 3)))


if __name__ == "__main__":
    configure_logs("json", "critical")
    uvloop.run(serve(Path(sys.argv[1])))
