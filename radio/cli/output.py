"""What commands print: tables for people, JSON for programs, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from radio.diagnostics import harmless
from radio.errors import ConfigurationError, InvalidRequest, RadioError, UnknownStation

FAILED = 1
WRONG_USE = 2


def out(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """One line on standard error: progress and remarks, never data."""
    sys.stderr.write(harmless(text) + "\n")


def out_json(value: Any) -> None:
    """``value`` as indented JSON on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on standard output; as wide as its content where that is no terminal."""
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
