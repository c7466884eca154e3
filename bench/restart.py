"""SIGKILL and start again: how long until a listener who reconnects at once has sound, and where the log goes on.

The demo stations, in a process of their own, killed at random moments. The time runs from the start of the new
process to the first byte of audio at a listener. For speech that broke off: how far from the place where the
process died it goes on (more than zero: lost; less: heard again). At the end the as-run log is looked through:
no row may count twice, and every attempt that ended has an outcome or says why it counts for none.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

RESTARTS = 20
STATION = "harbor"
REPO = Path(__file__).parent.parent


class Restart(NamedTuple):
    """One restart: seconds to the first byte, and milliseconds lost of the speech that broke off."""

    first_byte_s: float
    lost_ms: int | None


def main() -> None:
    """Print the table."""
    random.seed(4)
    with tempfile.TemporaryDirectory(prefix="nextup-restart-") as folder:
        station = Station(Path(folder))
        station.start()
        station.first_byte_s(300)
        station.wait_for_log()
        restarts = [station.restart() for _ in range(RESTARTS)]
        time.sleep(3)
        station.kill()
        faults = station.faults()
    took = [each.first_byte_s for each in restarts]
    lost = [each.lost_ms for each in restarts if each.lost_ms is not None]
    print(f"{'restarts after SIGKILL':<44}{RESTARTS:>8}")
    print(f"{'first byte at a listener, median':<44}{statistics.median(took):>8.2f} s")
    print(f"{'first byte at a listener, worst':<44}{max(took):>8.2f} s")
    print(f"{'of them speech that went on':<44}{len(lost):>8}")
    if lost:
        print(f"{'place of speech, from most repeated to most lost':<48}{min(lost):>+6} to {max(lost):+} ms")
    print(f"{'rows that count twice, or have no outcome':<44}{len(faults):>8}")
    for fault in faults:
        print(f"  {fault}")
    print(f"load when it ended: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


class Station:
    """The demo service in a process of its own, with its data in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; the port may take a while."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(self.folder / "bytecode")
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "radio", "run", "--port", str(self.port), "--data-dir", self.folder / "data"],
                cwd=REPO, env=environment, stderr=log,
            )  # fmt: skip

    def first_byte_s(self, within_s: float) -> float:
        """When a listener who tries every 5 ms has its first byte of audio (monotonic seconds)."""
        until_s = time.monotonic() + within_s
        request = f"GET /listen/{STATION}/live.mp3 HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
        assert self.process is not None
        while time.monotonic() < until_s and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=10) as listener:
                    listener.sendall(request)
                    if _has_audio(listener):
                        return time.monotonic()
            except OSError:
                pass
            time.sleep(0.005)
        raise SystemExit(f"no sound; the service said:\n{(self.folder / 'log.txt').read_text()[-2_000:]}")

    def kill(self) -> int:
        """SIGKILL; returns the moment, in Unix milliseconds."""
        assert self.process is not None
        self.process.kill()
        at_ms = time.time_ns() // 1_000_000
        self.process.wait()
        return at_ms

    def restart(self) -> Restart:
        """Let it play for some seconds, kill it, start it, and listen."""
        time.sleep(random.uniform(2.0, 5.0))
        killed_at_ms = self.kill()
        before = self._started(killed_at_ms)
        began_s = time.monotonic()
        self.start()
        took_s = self.first_byte_s(60) - began_s
        time.sleep(1.5)
        return Restart(took_s, self._lost_ms(before, killed_at_ms))

    def wait_for_log(self) -> None:
        """Return when the log is compiled and a row is on the air."""
        for _ in range(600):
            with urlopen(f"http://127.0.0.1:{self.port}/api/stations/{STATION}") as answer:
                if json.load(answer)["now"]:
                    return
            time.sleep(0.2)
        raise SystemExit("no row came on the air")

    def faults(self) -> list[str]:
        """Rows that count more than once, and attempts that ended without an outcome or a reason."""
        found = self._ask(
            "SELECT row_id, count(*) FROM as_run WHERE outcome IN ('aired', 'late', 'truncated')"
            " GROUP BY station, row_id HAVING count(*) > 1"
        )
        silent = self._ask(
            "SELECT row_id, cause FROM as_run WHERE ended_at_ms IS NOT NULL AND outcome IS NULL"
            " AND cause NOT LIKE '%another attempt counts'"
        )
        open_ = self._ask(
            "SELECT station, count(*) FROM as_run WHERE started_at_ms IS NOT NULL AND ended_at_ms IS NULL"
            " GROUP BY station HAVING count(*) > 1"
        )
        return [f"{row['row_id']}: counted twice" for row in found] + [
            *(f"{row['row_id']}: {row['cause']}" for row in silent),
            *(f"{row['station']}: several rows are open" for row in open_),
        ]

    def _started(self, before_ms: int) -> dict[str, Any] | None:
        rows = self._ask(
            f"SELECT row_id, attempt, kind, body FROM as_run WHERE station = '{STATION}'"
            f" AND started_at_ms <= {before_ms} ORDER BY at_ms DESC, attempt DESC LIMIT 1"
        )
        return rows[0] if rows else None

    def _lost_ms(self, before: dict[str, Any] | None, killed_at_ms: int) -> int | None:
        if before is None or before["kind"] != "speech":
            return None
        again = self._ask(
            f"SELECT started_at_ms, body FROM as_run WHERE station = '{STATION}' AND row_id = '{before['row_id']}'"
            f" AND attempt = {before['attempt'] + 1} AND started_at_ms IS NOT NULL"
        )
        if not again:
            return None
        died_at_ms = killed_at_ms - int(json.loads(before["body"])["starts_at_ms"])
        goes_on_at_ms = again[0]["started_at_ms"] - int(json.loads(again[0]["body"])["starts_at_ms"])
        return int(goes_on_at_ms - died_at_ms)

    def _ask(self, query: str) -> list[dict[str, Any]]:
        with sqlite3.connect(f"file:{self.folder / 'data/nextup.db'}?mode=ro", uri=True, timeout=5) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(query)]


def _has_audio(listener: socket.socket) -> bool:
    answer = b""
    while data := listener.recv(65_536):
        answer += data
        head, _, audio = answer.partition(b"\r\n\r\n")
        if audio:
            return b" 200 " in head
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
