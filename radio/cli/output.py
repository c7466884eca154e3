"""What commands print: tables for people, JSON for programs, and how they end."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

import msgspec

from radio.diagnostics import harmless
from radio.errors import ConfigurationError, InvalidRequest, RadioError, UnknownStation
from radio.library.scan_report import ScanProgress

FAILED = 1
WRONG_USE = 2


def out(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")


def out_now(text: str) -> None:
    """One line on standard output for whoever waits for it, also behind a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """One line on standard error: progress and remarks, never data."""
    sys.stderr.write(harmless(text) + "\n")


def out_json(value: Any) -> None:
    """``value`` as indented JSON on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def json_line(value: Any) -> str:
    """``value`` as JSON in one line."""
    return msgspec.json.encode(value).decode()


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on standard output; as wide as its content where that is no terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 200, highlight=False)
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        # as text: rich would read [words] and :words: of a title as its own marks
        drawn.add_row(*(Text(harmless(cell)) for cell in row))
    console.print(drawn)


def fail(error: RadioError) -> NoReturn:
    """Say what is wrong and exit: 2 for what was written wrongly, 1 for work that failed."""
    note(f"radio: {error.message}")
    wrong_use = isinstance(error, ConfigurationError | InvalidRequest | UnknownStation)
    raise SystemExit(WRONG_USE if wrong_use else FAILED)


def clock_time(ms: int) -> str:
    """A length in milliseconds as ``m:ss``."""
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes}:{seconds:02d}"


@contextlib.contextmanager
def scan_bar(seconds: Callable[[], float] | None = None) -> Iterator[Any]:
    """A bar for a scan on standard error where that is a terminal: its phase, how many files are done, files in
    a second, time left. Yields a function that takes :class:`ScanProgress`, or None. ``seconds`` is what the rate
    is reckoned by."""
    if not sys.stderr.isatty():
        yield None
        return
    # a service without a terminal does without this library
    from radio.cli.bar import scan_progress

    with scan_progress(seconds) as bar:
        task = bar.add_task("Looking through the library", total=None)
        phase: str | None = None

        def tell(step: ScanProgress) -> None:
            nonlocal task, phase
            if step.phase != phase:
                # a task of its own: the rate of one phase says nothing of the other's time
                bar.remove_task(task)
                phase = step.phase
                task = bar.add_task(phase.capitalize(), total=step.total)
            bar.update(task, total=step.total, completed=step.done)

        yield tell
