"""An hour of coming and going: what is left in memory of clients of every kind that came, stayed a moment and went.

The whole service with the demo's stations. By default as many connections as come in an hour at 50 a second, as fast as
they can be made, on the same loopback: subscribers that leave, are reset, come back, speak in pieces or say nonsense,
listeners, event streams, long polls, players of other systems, half a request, no HTTP at all, and some that hang
until the service ends them. After each tenth everything stops for a moment, the service collects what it does
not need, and is weighed. ``--connections 180000 --at-once 48``; ``--minutes 60 --per-second 50`` takes real time.
It uses most of two processors while it lasts; ``nice`` it where others need them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from typing import Any

import uvloop

from bench._beside_visits import KINDS, Door, hangs
from bench._listener_load import cpu_s
from bench.beside import ask, read, running
from bench.listeners import LOAD_CPU, SERVER_CPU
from radio.parking import raise_descriptor_limit

PARTS = 10
HANGING = 40
WARM = 4_000
"""Visits before the first weighing: everything has been used once."""

PUBLISH_S = 0.1
REST_S = 1.5
RESTS = 10
GROWS = 100
_HEADS = (
    "visits",
    "minutes",
    "RSS MB",
    "files",
    "objects",
    "admitted",
    "subscribed",
    "sessions",
    "listeners",
    "faults",
)


def main() -> None:
    """Print the table."""
    options = _options()
    raise_descriptor_limit()
    cpus = os.sched_getaffinity(0)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="nextup-churn-"))
        server = stack.enter_context(running("_beside_server", SERVER_CPU, folder, "3"))
        said = read(server)
        os.sched_setaffinity(0, {sorted(cpus)[LOAD_CPU % len(cpus)]})
        stack.callback(os.sched_setaffinity, 0, cpus)
        uvloop.run(Churn(server, said, options).run())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench churn", description=__doc__)
    parser.add_argument("--connections", type=int, default=180_000)
    parser.add_argument("--at-once", type=int, default=48)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--per-second", type=float, default=50.0)
    options = parser.parse_known_args(sys.argv[1:])[0]
    if options.minutes:
        options.connections = round(options.minutes * 60 * options.per_second)
    return options


class Churn:
    """Everyone who comes and goes, and the scales."""

    def __init__(self, server: Any, said: dict[str, int], options: argparse.Namespace) -> None:
        self.server = server
        self.pid, self.intake = said["pid"], said["intake"]
        self.total = options.connections
        self.at_once = options.at_once
        self.each_s = 1 / options.per_second if options.minutes else 0.0
        self.door = Door(said["port"], random.Random(3))
        self.made = 0
        self.kinds = random.Random(4).choices(list(KINDS), list(KINDS.values()), k=self.total + WARM)
        self.faults: Counter[str] = Counter()
        self.fault_words: dict[str, str] = {}
        self.hanging: set[asyncio.Task[None]] = set()
        self.hung = 0
        self.weighed: list[dict[str, Any]] = []

    async def run(self) -> None:
        """All visits, weighed after each tenth."""
        publishing = asyncio.create_task(self._publish())
        await self._visit(WARM)
        print("".join(f"{name:>12}" for name in _HEADS), flush=True)
        self.began_s, self.spent_s = time.monotonic(), cpu_s(self.pid)
        await self._weigh()
        for part in range(1, PARTS + 1):
            await self._visit(WARM + self.total * part // PARTS)
            await self._weigh()
        print(f"the last {len(self.hanging)} that hang are waited for", file=sys.stderr)
        await asyncio.gather(*self.hanging)
        await self._weigh()
        publishing.cancel()
        self._judge()

    async def _visit(self, until: int) -> None:
        """Visits up to that number, so many at a time, and some that hang beside them."""
        begin_s, first = time.monotonic(), self.made

        async def worker() -> None:
            while self.made < until:
                number, self.made = self.made, self.made + 1
                self._hang()
                if self.each_s:
                    await asyncio.sleep(begin_s + (number - first) * self.each_s - time.monotonic())
                await self._one(self.kinds[number])

        await asyncio.gather(*(worker() for _ in range(self.at_once)))

    async def _one(self, kind: Any) -> None:
        try:
            await kind(self.door)
        except (OSError, TimeoutError, AssertionError, ValueError) as fault:
            self.faults[kind.__name__] += 1
            self.fault_words[kind.__name__] = repr(fault)

    def _hang(self) -> None:
        if len(self.hanging) < HANGING:
            task = asyncio.create_task(self._one(hangs))
            self.hanging.add(task)
            task.add_done_callback(self.hanging.discard)
            self.hung += 1

    async def _publish(self) -> None:
        """Ten updates a second, so that there is always one on its way to whoever leaves."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.intake)
        number = 0
        while True:
            number += 1
            writer.write(b"%d\n" % number)
            await asyncio.sleep(PUBLISH_S)

    async def _weigh(self) -> None:
        found = await self._settled()
        visits, hanging = max(0, self.made - WARM), len(self.hanging)
        found |= {"visits": visits}
        self.weighed.append(found)
        cells = (
            *(f"{visits:,}", f"{(time.monotonic() - self.began_s) / 60:.1f}", f"{found['rss_mb']:.1f}"),
            *(f"{found['files'] - hanging}+{hanging}", f"{found['objects']:,}", str(found["admitted"])),
            *(str(found[name]) for name in ("subscribers", "sessions", "listeners")),
            str(sum(self.faults.values())),
        )
        print("".join(f"{cell:>12}" for cell in cells), flush=True)

    async def _settled(self) -> dict[str, Any]:
        """What the service weighs when it has seen that everyone is gone."""
        before, now = -1, 0
        for _ in range(RESTS):
            if before == now:
                break
            await asyncio.sleep(REST_S)
            before, now = now, (await asyncio.to_thread(ask, self.server, "report"))["subscribers"]
        return await asyncio.to_thread(ask, self.server, "things")

    def _judge(self) -> None:
        first, last = self.weighed[len(self.weighed) // 5], self.weighed[-1]
        visits = last["visits"] - first["visits"]
        took_s, spent_s = time.monotonic() - self.began_s, cpu_s(self.pid) - self.spent_s
        print(
            f"{self.total:,} visits and {self.hung} that hung, {self.total / took_s:.0f} a second; the service, with "
            f"its stations, had {spent_s / took_s:.0%} of a processor. Load {os.getloadavg()[0]:.1f} on "
            f"{os.cpu_count()} cores"
        )
        print(
            f"from {first['visits']:,} to {last['visits']:,} visits: RSS {last['rss_mb'] - first['rss_mb']:+.1f} MB "
            f"({(last['rss_mb'] - first['rss_mb']) / visits * 1024 * 1024:+.0f} bytes a visit), objects "
            f"{last['objects'] - first['objects']:+,}, files {last['files'] - first['files']:+}"
        )
        for kind, count in last["kinds"].items():
            grown = count - first["kinds"].get(kind, 0)
            if grown > GROWS:
                print(f"  {grown:+,} {kind} ({count:,})")
        for kind, count in self.faults.most_common():
            print(f"  ! {kind}: {count:,} went otherwise, the last with {self.fault_words[kind]}")
        print(
            "files: the service's, and those of connections that hang, of which some are subscribed too. objects: what "
            "the collector knows, after a collection."
        )


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
