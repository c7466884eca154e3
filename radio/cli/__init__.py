"""The command line: ``radio run``, and everything that an operator does without a browser."""

from radio.cli.commands import main

__all__ = ["main"]
