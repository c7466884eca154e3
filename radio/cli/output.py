"""What commands print: tables for people, JSON for programs, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import msgspec
from rich.console import Console
from rich.table import Table

from radio.errors import ConfigurationError, InvalidRequest, RadioError

FAILED = 1
WRONG_USE = 2


def out(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """One line on standard error: progress and remarks, never data."""
    sys.stderr.write(text + "\n")


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
        drawn.add_row(*(_plain(cell) for cell in row))
    console.print(drawn)


def _plain(cell: str) -> str:
    # rich reads [words] as markup; a title may hold some
    return cell.replace("[", r"\[")


def fail(error: RadioError) -> NoReturn:
    """Say what is wrong and exit: 2 for what was written wrongly, 1 for work that failed."""
    note(f"radio: {error.message}")
    raise SystemExit(WRONG_USE if isinstance(error, ConfigurationError | InvalidRequest) else FAILED)


def clock_time(ms: int) -> str:
    """A length in milliseconds as ``m:ss``."""
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes}:{seconds:02d}"
