"""Push and sound in one process: thousands of subscribers beside thousands of listeners, and a storm beside them.

The whole service with the demo's stations. Subscribers follow one channel by WebSocket (updates of 600 bytes, single
messages); then listeners come (MP3, 128 kbit/s, ICY metadata), and all is measured again; then all subscribers are cut
off at the same moment and come back, after a random pause as clients do it and without any. Meanwhile the sound of each
listener is looked at. Server on CPU 0, loads on CPU 1, loopback. ``--listeners 10000 --subscribers 1000,10000
--messages 40 --rate 2 --stations 3``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench._listener_load import cpu_s
from bench.listeners import LOAD_CPU, SERVER_CPU, _end, _spawn
from radio.parking import raise_descriptor_limit

PATH = "/listen/harbor/live.mp3"
OTHER_FILES = 400
"""Descriptors that the server needs beside those of the load."""

PAUSES = {"storm, pauses up to 1 s": 1.0, "storm, pauses up to 0.5 s": 0.5, "storm, no pause": 0.0}
"""How the Python client comes back, how the player does, and how nobody should."""

REST_S = 3.0

COLUMNS = (
    ("first p50", 10, "first_p50_ms .1f"),
    ("p99", 7, "first_p99_ms .1f"),
    ("last p50", 10, "last_p50_ms .1f"),
    ("p99 ms", 7, "last_p99_ms .1f"),
    ("all back s", 11, "back_s .2f"),
    ("served p50", 11, "served_p50_ms .1f"),
    ("p99 ms", 8, "served_p99_ms .1f"),
    ("loop p99", 9, "late_p99_ms .1f"),
    ("max ms", 7, "late_max_ms .0f"),
    ("gap s", 7, "gap_s .2f"),
    ("behind s", 9, "behind_s .2f"),
    ("lost", 5, "lost d"),
    ("bad", 4, "bad d"),
    ("chunks due", 11, "chunks_due .1f"),
    ("least", 6, "chunks_least .0f"),
    ("most", 6, "chunks_most .0f"),
    ("CPU", 5, "server_cpu .0%"),
    ("waits", 6, "waits .0%"),
    ("loads", 6, "listeners_cpu .0%"),
    ("", 5, "subscribers_cpu .0%"),
)
"""Head, width, and what stands there in which form."""

LEGEND = """\
first, last: from publishing to the first and to the last subscriber. served: from connecting to the missed update.
loop: how late what was due each 5 ms ran. gap: the longest time without a byte at any listener; a chunk comes each
1.0 s. behind: the most that any was behind real time. lost: disconnected. bad: wrong metadata. chunks: what a listener
got. waits: how long the service's loop could have run and another process had the processor. loads: CPU of the
listeners and of the subscribers."""


class Run:
    """A service with its subscribers and, later, listeners."""

    def __init__(self, stack: ExitStack, stations: int) -> None:
        self.stack = stack
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="nextup-beside-"))
        self.server = self._process("_beside_server", SERVER_CPU, folder, stations)
        said = read(self.server)
        self.port, self.intake, self.pid = said["port"], said["intake"], said["pid"]
        self.subscribers: subprocess.Popen[str] | None = None
        self.listeners: subprocess.Popen[str] | None = None

    def subscribe(self, count: int) -> None:
        """Let subscribers come."""
        self.subscribers = self._process("_beside_subscribers", LOAD_CPU, self.port, self.intake, count)

    def listen(self, count: int) -> float:
        """Let listeners come; the seconds that it took."""
        self.listeners = self._process("_beside_listeners", LOAD_CPU, self.port, PATH, count)
        found = read(self.listeners)
        if found["open"] < count:
            raise SystemExit(f"only {found['open']} of {count} listeners came in")
        return float(found["opened_s"])

    def measure(self, name: str, command: str) -> dict[str, Any]:
        """Have the subscribers obey, and collect what it meant for everyone."""
        assert self.subscribers is not None
        ask(self.server, "report")
        if self.listeners is not None:
            ask(self.listeners, "window")
        began_s, spent_s, waited_s = time.monotonic(), cpu_s(self.pid), waiting_s(self.pid)
        found = ask(self.subscribers, command)
        took_s = time.monotonic() - began_s
        cpu, waits = (cpu_s(self.pid) - spent_s) / took_s, (waiting_s(self.pid) - waited_s) / took_s
        if "storm" in command and self.listeners is not None:
            time.sleep(REST_S)  # what was late for the sound shows afterwards
        found |= ask(self.server, "report") | {"name": name, "server_cpu": cpu, "waits": waits}
        if self.listeners is not None:
            found |= ask(self.listeners, "window")
        return found

    def _process(self, module: str, cpu: int, *arguments: object) -> subprocess.Popen[str]:
        return self.stack.enter_context(running(module, cpu, *map(str, arguments)))


@contextmanager
def running(module: str, cpu: int, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A module of the bench in a process of its own, on one processor."""
    process = _spawn([sys.executable, "-m", f"bench.{module}", *arguments], cpu)
    try:
        yield process
    finally:
        _end(process)


def waiting_s(pid: int) -> float:
    """How long the first thread of a process, its event loop's, could run and had no processor (schedstat)."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e9


def ask(process: subprocess.Popen[str], line: str) -> dict[str, Any]:
    """Say a line and return the answer."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return read(process)


def read(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The next answer."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args!r} has ended")
    found: dict[str, Any] = json.loads(line)
    return found


def main() -> None:
    """Measure and print the tables."""
    options = _options()
    limit = raise_descriptor_limit()
    for wanted in options.subscribers:
        count = min(wanted, limit - OTHER_FILES - options.listeners)
        if count < wanted:
            print(f"a process may open {limit:,} files here: {count:,} subscribers instead of {wanted:,}")
        with ExitStack() as stack:
            _table(count, options.listeners, _measured(Run(stack, options.stations), count, options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench beside", description=__doc__)
    parser.add_argument("--listeners", type=int, default=10_000)
    parser.add_argument(
        "--subscribers", type=lambda text: [int(n) for n in text.split(",")], default=[1_000, 10_000]
    )
    parser.add_argument("--messages", type=int, default=40)
    parser.add_argument("--rate", type=float, default=2.0)
    parser.add_argument("--stations", type=int, default=3)
    return parser.parse_known_args(sys.argv[1:])[0]


def _measured(run: Run, count: int, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    publish = f"publish {options.messages} {options.rate}"
    run.subscribe(count)
    came = run.measure("subscribers come", "connect")
    yield came | {"back_s": came["took_s"]}
    yield run.measure("push alone", publish)
    opened_s = run.listen(options.listeners)
    print(f"{options.listeners:,} listeners came within {opened_s:.1f} s", file=sys.stderr)
    time.sleep(REST_S)
    yield run.measure("push beside the listeners", publish)
    for name, spread_s in PAUSES.items():
        yield run.measure(name, f"storm {spread_s}")
    yield run.measure("push afterwards", publish)


def _table(subscribers: int, listeners: int, rows: Iterator[dict[str, Any]]) -> None:
    print(f"{subscribers:,} subscribers beside {listeners:,} listeners")
    print(f"{'':<27}" + "".join(f"{head:>{width}}" for head, width, _ in COLUMNS))
    for row in rows:
        cells = "".join(f"{_cell(row, keys):>{width}}" for _, width, keys in COLUMNS)
        print(f"{row['name']:<27}{cells}", flush=True)
        _check(row, subscribers, listeners)
    print(LEGEND, f"Load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")


def _check(row: dict[str, Any], subscribers: int, listeners: int) -> None:
    """What must never be, said aloud."""
    wrong = {
        "subscribers were closed": row.get("closed"),
        "returning subscribers were refused": row.get("refused"),
        "got a snapshot in place of the one update that they missed": row.get("snapshots"),
        "listeners were over 2 s behind": row.get("starved"),
        "subscribers raised": row["faults"],
        "subscribers are not there": subscribers - row["subscribers"] + 1,
        "listeners are not there": listeners - row["listeners"] if "gap_s" in row else 0,
    }
    for words, count in wrong.items():
        if count:
            print(f"  ! {count:,} {words}")


def _cell(row: dict[str, Any], key_and_form: str) -> str:
    key, form = key_and_form.split()
    return format(row[key], form) if key in row else ""


if __name__ == "__main__":
    main()
