"""What a subscriber costs: CPU, memory, handshake and time to the last, beside nginx with nchan and the bare ``send``.

Updates of 600 bytes by WebSocket. Server on CPU 0, load on CPU 1, everything on loopback. Servers take turns; figures
are medians, ratios are ours to nchan's. ``--n 1000,10000,19000 --rounds 5 --messages 25 --bursts 8``.
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
from pathlib import Path
from statistics import median
from typing import Any

from bench import _nchan
from bench.listeners import LOAD_CPU, _end, _process, _spawn, _wait_for
from radio.parking import raise_descriptor_limit

OURS, NCHAN, FLOOR = "Next Up", "nchan", "bare send()"
KINDS = {OURS: "ours", NCHAN: "nchan", FLOOR: "floor"}
GOALS = {
    "us": "CPU per delivery <= 0.9",
    "burst_per_s": "deliveries/s in bursts >= 4",
    "last_p99_ms": "p99 to the last <= 1.1",
    "kb": "memory <= 0.2",
    "connect_us": "handshakes per CPU-second >= 0.25",
}
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
    parser.add_argument("--bursts", type=int, default=8)
    parser.add_argument("--only", default="", help="servers whose name holds this")
    return parser.parse_known_args(sys.argv[1:])[0]


def _measure(server: str, folder: Path, count: int, options: argparse.Namespace) -> dict[str, Any]:
    with _nchan_server(folder) if server == NCHAN else _own_server(server) as (ports, pid, process):
        command = [KINDS[server], *ports, count, options.messages, options.bursts, pid]
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
    with _process(["nginx", "-c", str(path)]) as process:
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
        "and snapshot. Pings are off on both."
    )


def _ratios(rows: Rows) -> None:
    for count in sorted({count for count, _ in rows}):
        ours, theirs = rows.get((count, OURS), []), rows.get((count, NCHAN), [])
        pairs = list(zip(ours, theirs, strict=False))
        if not pairs:
            continue
        said = []
        for key, goal in GOALS.items():
            ratio = median(ours[key] / theirs[key] for ours, theirs in pairs)
            said.append(f"{goal}: {1 / ratio if key == 'connect_us' else ratio:.2f}")
        print(f"{count:>7,} subscribers, ours to nchan's: " + "; ".join(said))


if __name__ == "__main__":
    main()
