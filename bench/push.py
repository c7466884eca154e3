"""What a subscriber costs: CPU, memory, handshake and time to the last, beside nginx with nchan and the bare ``send``.

Updates of 600 bytes by WebSocket. Server on CPU 0, load on CPU 1, everything on loopback. Servers take turns; figures
are medians, ratios are medians of each round's, ours to nchan's. ``--n 1000,10000,19000 --rounds 5 --messages 25``; a
single size by ``--n 1000``, a single server by ``--only nchan``. Five rounds take some ten minutes in all: two for
1,000 subscribers, three for 10,000, five for 19,000.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import _nchan
from bench.listeners import LOAD_CPU, _end, _process, _spawn, _wait_for
from radio.parking import raise_descriptor_limit

OURS, NCHAN, FLOOR = "Next Up", "nchan", "bare send()"
KINDS = {OURS: "ours", NCHAN: "nchan", FLOOR: "floor"}


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure of a row, and what its ratio to nchan's must keep to."""

    name: str
    key: str
    text: str
    at_most: float | None = None
    at_least: float | None = None

    def met(self, ratio: float) -> bool:
        return ratio <= self.at_most if self.at_most is not None else ratio >= (self.at_least or 0.0)

    @property
    def bound(self) -> str:
        return f"<= {self.at_most}" if self.at_most is not None else f">= {self.at_least}"


GOALS = (
    Goal("CPU per delivery, us", "us", ".2f", at_most=0.9),
    Goal("deliveries/s in bursts of 16", "burst_per_s", ",.0f", at_least=4.0),
    Goal("p99 publish to last, ms", "last_p99_ms", ".1f", at_most=1.1),
    Goal("memory per subscriber, kB", "kb", ".2f", at_most=0.2),
    Goal("handshakes per CPU-second", "connects_per_cpu_s", ",.0f", at_least=0.25),
)
STORM, STORM_S = 10_000, 5.0
Rows = dict[tuple[int, str], list[dict[str, Any]]]


def main() -> None:
    """Measure and print the table."""
    options = _options()
    limit = raise_descriptor_limit()
    servers = [server for server in KINDS if options.only in server]
    if NCHAN in servers and _nchan.module() is None:
        servers.remove(NCHAN)
        print("nginx with nchan is not installed: its rows are left out.")
    rows: Rows = {}
    with tempfile.TemporaryDirectory(prefix="nextup-bench-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        for number in range(options.rounds):
            for count in (n for n in options.n if n <= limit - 500):
                for server in servers if number % 2 == 0 else servers[::-1]:
                    measured = _measure(server, folder, count, options)
                    rows.setdefault((count, server), []).append(measured)
                    print(
                        f"  round {number + 1}: {server:<12}{count:>6}  {_short(measured)}", file=sys.stderr
                    )
    _table(rows, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.push", description=__doc__)
    parser.add_argument(
        "--n", type=lambda text: [int(n) for n in text.split(",")], default=[1_000, 10_000, 19_000]
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=25)
    parser.add_argument(
        "--bursts", type=int, default=0, help="of 16 messages; by default fewer for more subscribers"
    )
    parser.add_argument("--only", default="", help="servers whose name holds this")
    return parser.parse_known_args(sys.argv[1:])[0]


def _measure(server: str, folder: Path, count: int, options: argparse.Namespace) -> dict[str, Any]:
    with _nchan_server(folder) if server == NCHAN else _own_server(server) as (ports, pid, process):
        bursts = options.bursts or max(3, min(8, 40_000 // count))
        command = [KINDS[server], *ports, count, options.messages, bursts, pid]
        load = _spawn([sys.executable, "-m", "bench._push_load", *map(str, command)], LOAD_CPU)
        try:
            assert load.stdout is not None
            line = load.stdout.readline()
        finally:
            _end(load)
        if not line:
            raise SystemExit(f"the load on {server} failed")
        measured: dict[str, Any] = json.loads(line)
        if server == OURS:
            process.stdin.write("report\n")
            process.stdin.flush()
            measured.update(json.loads(process.stdout.readline()))
    measured["connects_per_cpu_s"] = 1e6 / measured["connect_us"]
    return measured


@contextlib.contextmanager
def _own_server(server: str) -> Iterator[tuple[list[int], int, Any]]:
    module = "bench._push_server" if server == OURS else "bench._push_floor"
    with _process([sys.executable, "-m", module]) as process:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        yield [ports["port"], ports["intake"]], process.pid, process


@contextlib.contextmanager
def _nchan_server(folder: Path) -> Iterator[tuple[list[int], int, Any]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = _nchan.configuration(folder, port)
    with _process(["nginx", "-e", str(folder / "nginx.log"), "-c", str(path)]) as process:
        _wait_for(port)
        time.sleep(0.3)
        yield [port, port], _nchan.worker(process.pid), process


def _short(measured: dict[str, Any]) -> str:
    return (
        f"{measured['us']:.2f} us, last p99 {measured['last_p99_ms']:.0f} ms, bursts {measured['burst_per_s']:,.0f}/s "
        f"at {measured['burst_us']:.2f} us, {measured['kb']:.2f} kB, handshake {measured['connect_us']:.0f} us, "
        f"all in {measured['connect_s']:.1f} s, load {measured['load_cpu']:.0%}"
    )


def _table(rows: Rows, options: argparse.Namespace) -> None:
    print(
        f"{'server':<13}{'subscribers':>12}{'us/dlv':>9}{'first ms':>10}{'last p50':>10}{'last p99':>10}"
        f"{'burst dlv/s':>13}{'us/dlv':>8}{'kB each':>9}{'hs us':>7}{'all in s':>10}{'load CPU':>10}{'closed':>8}"
    )
    for (count, server), runs in sorted(
        rows.items(), key=lambda row: (row[0][0], list(KINDS).index(row[0][1]))
    ):
        middle = {key: median(run[key] for run in runs) for key in runs[0] if key != "subscribers"}
        print(
            f"{server:<13}{count:>12,}{middle['us']:>9.2f}{middle['first_p50_ms']:>10.1f}{middle['last_p50_ms']:>10.1f}"
            f"{middle['last_p99_ms']:>10.1f}{middle['burst_per_s']:>13,.0f}{middle['burst_us']:>8.2f}{middle['kb']:>9.2f}"
            f"{middle['connect_us']:>7.0f}{middle['connect_s']:>10.1f}{middle['load_cpu']:>10.0%}{middle['closed']:>8.0f}"
        )
    _ratios(rows)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    print(
        f"Medians of {options.rounds} rounds. A process may open {hard:,} files here, so 19,000 is the "
        "most that either server takes. us/dlv: CPU per delivery; hs us: CPU per handshake, ours with its subscription "
        "and snapshot. Pings are off on both. CPU and memory hold on a busy machine; times and deliveries/s "
        "need a quiet one."
    )


def _ratios(rows: Rows) -> None:
    print(f"\n{'subscribers':>11}  {'goal':<30}{'Next Up':>11}{'nchan':>11}{'ratio':>8}{'bound':>9}")
    for count in sorted({count for count, _ in rows}):
        ours, theirs = rows.get((count, OURS), []), rows.get((count, NCHAN), [])
        for goal in GOALS if theirs and ours else ():
            pairs = [(our[goal.key], their[goal.key]) for our, their in zip(ours, theirs, strict=False)]
            ratio = median(our / their for our, their in pairs)
            middle = [format(median(values), goal.text) for values in zip(*pairs, strict=True)]
            verdict = "met" if goal.met(ratio) else "missed"
            print(
                f"{count:>11,}  {goal.name:<30}{middle[0]:>11}{middle[1]:>11}{ratio:>8.2f}{goal.bound:>9}  {verdict}"
            )
        if ours and count >= STORM:
            took_s = median(run["connect_s"] for run in ours) * STORM / count
            verdict = "met" if took_s <= STORM_S else "missed"
            name, bound = f"{STORM:,} come at once, s", f"<= {STORM_S:.0f}"
            print(f"{count:>11,}  {name:<30}{took_s:>11.1f}{bound:>28}  {verdict}")
    print()


if __name__ == "__main__":
    main()
