"""From a source's publication to a subscriber at an edge: in one process, and over a NATS server on loopback.

Updates of 600 bytes, one each 5 ms. The edge is a process of its own where there is a server; it takes the update into
its own hub, and its subscriber notes the time (one monotonic clock for all processes). ``--messages 1000 --rounds 3``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import structlog

from radio.clock import SystemClock
from radio.push.bus import Bus
from radio.push.channel import Publication
from radio.push.hub import Hub
from radio.push.local import LocalBus
from radio.push.messages import ServerMessage
from radio.push.mirror import Mirror
from radio.push.nats_bus import NatsBus
from radio.push.relay import Relay, tick_on
from radio.units import UtcMs

EVERY_S = 0.005
STATION = "bench"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="bench bus")
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    rows: dict[str, list[list[float]]] = {"LocalBus": [], "NATS": []}
    with _server() as url:
        for _ in range(options.rounds):
            rows["LocalBus"].append(asyncio.run(_local(options.messages)))
            if url is not None:
                rows["NATS"].append(_over_nats(url, options.messages))
    print(
        f"{'bus':<10}{'updates':>9}{'p50 ms':>9}{'p99 ms':>9}{'worst':>9}   medians of {options.rounds} rounds"
    )
    for name, rounds in rows.items():
        if rounds:
            figures = [_figures(delays_ms) for delays_ms in rounds]
            p50, p99, worst = (median(each) for each in zip(*figures, strict=True))
            print(f"{name:<10}{sum(map(len, rounds)):>9}{p50:>9.3f}{p99:>9.3f}{worst:>9.3f}")


class _Stopwatch:
    """A subscriber that notes when each update came; the first publication is the snapshot."""

    lane = None

    def __init__(self) -> None:
        self.came_s: dict[int, float] = {}

    def deliver(self, publication: Publication) -> None:
        self.came_s[publication.seq] = time.monotonic()

    def tell(self, message: ServerMessage) -> None:
        raise AssertionError(message)


async def _local(messages: int) -> list[float]:
    clock = SystemClock()
    async with LocalBus() as bus:
        source, edge, watch = _source(), Hub(), _Stopwatch()
        Mirror(edge, bus, clock).begin()
        Relay(source, bus, clock).begin()
        await asyncio.sleep(0.05)
        edge.subscribe(watch, STATION)
        sent_s = await _publish(source, messages)
        await asyncio.sleep(0.1)
    return _delays_ms(sent_s, watch.came_s)


def _over_nats(url: str, messages: int) -> list[float]:
    ours, theirs = multiprocessing.Pipe()
    edge = multiprocessing.get_context("spawn").Process(target=_edge, args=(url, theirs))
    edge.start()
    try:
        sent_s = asyncio.run(_source_over_nats(url, messages, ours))
        came_s = ours.recv()
    finally:
        edge.join(10)
        if edge.is_alive():
            edge.kill()
    return _delays_ms(sent_s, came_s)


async def _source_over_nats(url: str, messages: int, edge: Connection) -> dict[int, float]:
    clock = SystemClock()
    async with NatsBus([url]) as bus:
        source = _source()
        relay = Relay(source, bus, clock)
        relay.begin()
        ticking = asyncio.create_task(tick_on(clock, relay.tick))
        await asyncio.to_thread(edge.recv)
        sent_s = await _publish(source, messages)
        await asyncio.sleep(0.3)
        edge.send("done")
        ticking.cancel()
        return sent_s


def _edge(url: str, source: Connection) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    asyncio.run(_follow(url, source))


async def _follow(url: str, source: Connection) -> None:
    clock, hub, watch = SystemClock(), Hub(), _Stopwatch()
    async with NatsBus([url]) as bus:
        await _join(hub, bus, clock)
        hub.subscribe(watch, STATION)
        source.send("ready")
        await asyncio.to_thread(source.recv)
    source.send(watch.came_s)


async def _join(hub: Hub, bus: Bus, clock: SystemClock) -> None:
    mirror = Mirror(hub, bus, clock)
    mirror.begin()
    while STATION not in hub.stations:
        await asyncio.sleep(0.01)
        mirror.tick()


def _source() -> Hub:
    hub = Hub()
    hub.open(STATION, _state(0))
    return hub


async def _publish(hub: Hub, messages: int) -> dict[int, float]:
    sent_s = {}
    for number in range(1, messages + 1):
        sent_s[number] = time.monotonic()
        hub.publish_state(STATION, _state(number), UtcMs(number))
        await asyncio.sleep(EVERY_S)
    return sent_s


def _state(number: int) -> dict[str, Any]:
    """An update between two of these is 600 bytes."""
    return {"now": {"title": f"{number:0500d}"}}


def _delays_ms(sent_s: dict[int, float], came_s: dict[int, float]) -> list[float]:
    missing = sent_s.keys() - came_s.keys()
    if missing:
        print(f"{len(missing)} updates did not come", file=sys.stderr)
    return [(came_s[seq] - at_s) * 1000 for seq, at_s in sent_s.items() if seq in came_s]


def _figures(delays_ms: list[float]) -> tuple[float, float, float]:
    return median(delays_ms), quantiles(delays_ms, n=100)[98], max(delays_ms)


@contextlib.contextmanager
def _server() -> Iterator[str | None]:
    beside = Path(sys.executable).with_name("nats-server")
    binary = str(beside) if beside.exists() else shutil.which("nats-server")
    if binary is None:
        print("There is no nats-server: its row is left out.")
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [binary, "--addr", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.02)
        yield f"nats://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)
