"""The bar of a scan, and how items that wait to be measured are shown."""

from __future__ import annotations

import asyncio
import io
import sys

import pytest
from cli_desk import Shell, sound

from radio.cli.output import scan_bar
from radio.library.scan import Scanner, ScanProgress
from radio.library.scan_report import MEASURING, READING
from radio.store import Store, sqlite_url


class Terminal(io.StringIO):
    """A standard error that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class MovedClock:
    """Seconds that pass when they are told to."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def step(phase: str, done: int, total: int) -> ScanProgress:
    return ScanProgress(done=done, total=total, current="a.mp3", rejected=0, phase=phase)  # type: ignore[arg-type]


def drawn(monkeypatch: pytest.MonkeyPatch, *steps: ScanProgress) -> str:
    """What stands on the terminal at last when a second lies between the steps."""
    terminal, clock = Terminal(), MovedClock()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", terminal)
    with scan_bar(clock) as tell:
        for each in steps:
            clock.now_s += 1
            tell(each)
    return terminal.getvalue()


def test_the_bar_shows_phase_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = [step(READING, done, 1000) for done in (100, 300, 500)]
    shown = drawn(monkeypatch, *reading)
    for part in ("Reading tags", "500/1000", "200.0 files/s", "0:00:03"):
        assert part in shown


def test_a_new_phase_has_a_rate_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = [step(READING, done, 400) for done in (100, 300, 400)]
    shown = drawn(monkeypatch, *reading, *(step(MEASURING, done, 400) for done in (0, 5, 10)))
    for part in ("Measuring", "10/400", "5.0 files/s", "0:01:18"):
        assert part in shown


def test_without_a_terminal_there_is_no_bar() -> None:
    with scan_bar() as tell:
        assert tell is None


def test_items_that_wait_are_shown_as_such(shell: Shell) -> None:
    sounds = shell.config.parent / "sounds"
    for number in range(21):
        sound(sounds / f"music/{number:02}.wav", 0.5, 300.0 + number)
    database = shell.config.parent / "data/nextup.db"

    async def cut_short() -> None:
        async with Store.open(sqlite_url(database)) as store:
            reached = asyncio.Event()
            scanner = Scanner(store, [sounds])
            scan = asyncio.create_task(
                scanner.scan(lambda step: reached.set() if step.phase == MEASURING else None)
            )
            await reached.wait()
            scan.cancel()
            await asyncio.gather(scan, return_exceptions=True)

    shell.radio("library", "list")  # makes the database
    assert database.is_file(), list(shell.config.parent.glob("data/*"))
    asyncio.run(cut_short())
    listed = shell.radio("library", "list", "--json").json
    assert [item["measured"] for item in listed] == [False] * 21
    assert shell.radio("library", "list").out.count("not measured yet") == 21
    assert shell.radio("library", "search", "measured:no", "--json").json["total"] == 21
    assert "not measured yet" in shell.radio("library", "show", "music/03.wav").out
    assert shell.radio("library", "scan").out.startswith("21 added")
    assert shell.radio("library", "search", "measured:no", "--json").json["total"] == 0
    assert "not measured yet" not in shell.radio("library", "list").out
