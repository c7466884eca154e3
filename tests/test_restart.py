"""The service in a process of its own, killed at random moments and started again."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from whole_service import configuration, tone

import radio
from radio.log import LogRow
from radio.store.as_run_files import days_of, read_day

SCHEDULE = """\
default_clock = "talk"

[clocks.talk]
positions = [{ rotate = ["features"] }]
"""


class Process:
    """``radio run`` with a station that talks for a minute at a time."""

    def __init__(self, folder: Path) -> None:
        for number in range(3):
            tone(folder / f"wxyz/features/{number}.wav", 300 + number, seconds=60, rate_hz=8_000)
        self.config = configuration(folder, "wxyz")
        (folder / "schedules/wxyz.toml").write_text(SCHEDULE)
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        paths = {"PYTHONPATH": str(Path(radio.__file__).parent.parent)}
        with (self.folder / "said.txt").open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "radio", "run", "--config", str(self.config), "--port", "0"],
                env={**os.environ, **paths}, stderr=said,
            )  # fmt: skip

    def end(self, sign: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(20)
            self.process = None

    def newest(self, played_ms: int, attempt: int = 1) -> dict[str, Any]:
        """The attempt that is open, once it is that one and that much of it was heard and written down."""
        for _ in range(1_200):
            found = self.ask("SELECT * FROM as_run WHERE ended_at_ms IS NULL AND started_at_ms IS NOT NULL")
            if [each["attempt"] for each in found] == [attempt] and found[0]["played_ms"] >= played_ms:
                return found[0]
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "said.txt").read_text()
            time.sleep(0.05)
        raise AssertionError((self.folder / "said.txt").read_text())

    def ask(self, query: str) -> list[dict[str, Any]]:
        path = self.folder / "data/nextup.db"
        if not path.exists():
            return []
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as db:
            db.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in db.execute(query)]
            except sqlite3.OperationalError:  # the tables are not made yet
                return []


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path)
    yield made
    made.end(signal.SIGKILL)


def place_ms(attempt: dict[str, Any], played_ms: int) -> int:
    """How far into its row an attempt had come when it had played that much."""
    row = msgspec.json.decode(attempt["body"], type=LogRow)
    return int(attempt["started_at_ms"] - row.starts_at_ms + played_ms)


def test_speech_goes_on_where_it_broke_off_and_nothing_counts_twice(process: Process) -> None:
    process.start()
    for number in (1, 2, 3):
        attempt = process.newest(1_000, number)
        time.sleep(random.Random().uniform(0.0, 1.0))
        process.end(signal.SIGKILL)
        (left,) = process.ask("SELECT * FROM as_run WHERE ended_at_ms IS NULL AND started_at_ms IS NOT NULL")
        process.start()
        again = process.newest(0, number + 1)
        assert again["row_id"] == attempt["row_id"]
        moved_ms = place_ms(again, 0) - place_ms(left, left["played_ms"])
        assert 0 <= moved_ms <= 1_100
    process.newest(500, 4)
    process.end(signal.SIGTERM)
    counted = process.ask(
        "SELECT row_id, count(*) AS times FROM as_run WHERE outcome IN ('aired', 'late', 'truncated') GROUP BY row_id"
    )
    assert [(each["row_id"], each["times"]) for each in counted] == [(attempt["row_id"], 1)]
    ended = process.ask("SELECT * FROM as_run ORDER BY attempt")
    assert [each["cause"].partition(";")[0] for each in ended] == ["crash"] * 3 + ["the station stopped"]
    assert all(each["ended_at_ms"] is not None for each in ended)
    (path,) = days_of(process.folder / "data/as-run/wxyz")[-1:]
    steps = [event.event for event in read_day(path)]
    assert steps.count("intent") == steps.count("start") == steps.count("end") == 4
