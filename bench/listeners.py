"""What a listener costs: CPU, memory, lag and the time to the first byte, beside Icecast and the bare ``send``.

Server on CPU 0, load on CPU 1, everything on loopback, the same MP3 bytes at 128 kbit/s with ICY metadata. Servers
take turns; figures are medians. ``--n 2000,10000 --runs 5 --seconds 20``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench import _icecast
from bench._listener_sound import STATION, noise_mp3
from radio.parking import raise_descriptor_limit

SERVER_CPU, LOAD_CPU = 0, 1
OURS, ICECAST, FLOOR = "Next Up", "Icecast", "bare send()"
PROBES = 15
AT_ONCE = {OURS: 256, ICECAST: 32, FLOOR: 256}
"""Connections that are being opened at a time; with more Icecast takes longer over all."""


@dataclass
class Running:
    """A server that listens."""

    pid: int
    port: int
    path: str
    report: Callable[[], dict[str, Any]] = field(default=dict)


def main() -> None:
    """Measure and print the table."""
    options = _options()
    raise_descriptor_limit()
    servers = [server for server in (OURS, ICECAST, FLOOR) if options.only in server]
    if ICECAST in servers and shutil.which("icecast2") is None:
        servers.remove(ICECAST)
        print("icecast2 is not installed: its rows are left out.")
    rows: dict[tuple[int, str], list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="nextup-bench-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "sound.mp3").write_bytes(noise_mp3())
        for run in range(options.runs):
            for count in options.n:
                for server in servers if run % 2 == 0 else servers[::-1]:
                    measured = _measure(server, folder, count, options.seconds)
                    rows.setdefault((count, server), []).append(measured)
                    print(f"  run {run + 1}: {server:<12}{count:>6}  {_short(measured)}", file=sys.stderr)
    _table(rows, options)


def _options() -> argparse.Namespace:
    # "python -m bench" passes names of benchmarks, which are not for us
    arguments = sys.argv[1:]
    parser = argparse.ArgumentParser(prog="python -m bench.listeners", description=__doc__)
    parser.add_argument("--n", type=lambda text: [int(n) for n in text.split(",")], default=[2_000, 10_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--only", default="", help="servers whose name holds this")
    return parser.parse_known_args(arguments)[0]


def _measure(server: str, folder: Path, count: int, seconds: float) -> dict[str, Any]:
    starts = {OURS: _ours, ICECAST: _icecast_server, FLOOR: _floor}
    with starts[server](folder) as running:
        if server == OURS:
            _first_bytes_ms(running, 20)
        load = _spawn(
            [sys.executable, "-m", "bench._listener_load", str(running.port), running.path, str(count),
             str(AT_ONCE[server]), str(seconds),
             str(running.pid)],
            LOAD_CPU,
        )  # fmt: skip
        try:
            assert load.stdout is not None
            load.stdout.readline()
            running.report()
            line = load.stdout.readline()
            if not line:
                raise SystemExit(f"the load on {server} failed")
            measured: dict[str, Any] = json.loads(line)
            measured.update(running.report())
            measured["first_ms"] = None if server == FLOOR else median(_first_bytes_ms(running, PROBES))
        finally:
            _end(load)
    return measured


def _first_bytes_ms(running: Running, count: int) -> list[float]:
    """From the call of ``connect`` to the first byte of sound, one connection after the other."""
    return [_first_byte_ms(running) for _ in range(count)]


def _first_byte_ms(running: Running) -> float:
    time.sleep(0.02)
    began_s = time.perf_counter()
    with socket.create_connection(("127.0.0.1", running.port), 10) as connection:
        connection.sendall(f"GET {running.path} HTTP/1.0\r\nIcy-MetaData: 1\r\n\r\n".encode())
        heard = b""
        while not heard.partition(b"\r\n\r\n")[2]:
            heard += connection.recv(2048)
        return (time.perf_counter() - began_s) * 1000


@contextlib.contextmanager
def _ours(folder: Path) -> Iterator[Running]:
    sound = str(folder / "sound.mp3")
    with _process([sys.executable, "-m", "bench._listener_server", sound]) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        commands, answers = process.stdin, process.stdout

        def report() -> dict[str, Any]:
            commands.write("report\n")
            commands.flush()
            said: dict[str, Any] = json.loads(answers.readline())
            return said

        port = json.loads(answers.readline())["port"]
        yield Running(process.pid, port, f"/listen/{STATION}/live.mp3", report)


@contextlib.contextmanager
def _floor(folder: Path) -> Iterator[Running]:
    command = [sys.executable, "-m", "bench._listener_floor", str(folder / "sound.mp3")]
    with _process(command) as process:
        assert process.stdout is not None
        yield Running(process.pid, json.loads(process.stdout.readline())["port"], "/")


@contextlib.contextmanager
def _icecast_server(folder: Path) -> Iterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = _icecast.configuration(folder, port)
    with _process(["icecast2", "-c", str(path)]) as process:
        _wait_for(port)
        command = [sys.executable, "-m", "bench._icecast", str(port), str(folder / "sound.mp3")]
        source = _spawn(command, LOAD_CPU)
        try:
            time.sleep(6.0)  # as much in hand as our lead
            yield Running(process.pid, port, _icecast.MOUNT)
        finally:
            _end(source)


@contextlib.contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = _spawn(command, SERVER_CPU)
    try:
        yield process
    finally:
        _end(process)


def _spawn(command: list[str], cpu: int) -> subprocess.Popen[str]:
    cpus = sorted(os.sched_getaffinity(0))
    pinned = {cpus[cpu % len(cpus)]}
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if command[0] == "icecast2" else None,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, pinned),
    )


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit("Icecast did not start")


def _short(measured: dict[str, Any]) -> str:
    return (
        f"{measured['us']:.1f} us, {measured['kb']:.2f} kB, behind {measured['behind_s']:.2f} s, "
        f"late {measured.get('late_p99_ms', 0):.1f} ms, load {measured['load_cpu']:.0%}"
    )


def _table(rows: dict[tuple[int, str], list[dict[str, Any]]], options: argparse.Namespace) -> None:
    print(
        f"{'server':<13}{'listeners':>10}{'us/lis-s':>10}{'s/lis-h':>9}{'ratio':>7}{'kB each':>9}{'first ms':>10}"
        f"{'starved':>9}{'behind s':>10}{'bad meta':>10}{'late p99 ms':>13}{'max':>7}{'load CPU':>10}"
    )
    for (count, server), runs in rows.items():
        middle = {key: _median(runs, key) for key in ("us", "kb", "first_ms", "late_p99_ms", "load_cpu")}
        peer = _median(rows.get((count, ICECAST), []), "us")
        us = middle["us"] or 0.0
        ratio = us / peer if peer else None
        print(
            f"{server:<13}{max(run['open'] for run in runs):>10}{us:>10.1f}{us * 0.0036:>9.3f}"
            f"{_cell(ratio, 7)}{_cell(middle['kb'], 9)}{_cell(middle['first_ms'], 10)}"
            f"{max(run['starved'] for run in runs):>9}{max(run['behind_s'] for run in runs):>10.2f}"
            f"{max(run['bad'] for run in runs):>10}{_cell(middle['late_p99_ms'], 13, 1)}"
            f"{_cell(max((run.get('late_max_ms', 0) for run in runs), default=0) or None, 7, 0)}"
            f"{middle['load_cpu']:>10.0%}"
        )
    print(
        f"Medians of {options.runs} runs of {options.seconds:.0f} s; starved, behind and bad are the worst. ratio: CPU "
        "beside Icecast. behind: up to one chunk (1.008 s) is how the chunks come. late: how late the loop runs."
    )


def _median(runs: list[dict[str, Any]], key: str) -> float | None:
    found = [run[key] for run in runs if run.get(key) is not None]
    return median(found) if found else None


def _cell(value: float | None, width: int, digits: int = 2) -> str:
    return f"{'':>{width}}" if value is None else f"{value:>{width}.{digits}f}"


if __name__ == "__main__":
    main()
