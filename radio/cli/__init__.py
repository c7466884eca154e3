"""The command line: ``radio run``, and everything that an operator does without a browser."""

from __future__ import annotations

import sys

from radio.allocator import be_frugal


def main() -> None:
    """The entry point of ``radio``. Exit status: 0 done, 1 the work failed, 2 wrong usage or configuration."""
    be_frugal()
    # a service that runs for months does not hold what reads command lines: 15 MB
    from radio.cli.plain_run import options_of

    options = options_of(sys.argv[1:])
    if options is None:
        from radio.cli.commands import main as all_commands

        all_commands()
    else:
        from radio.cli.plain_run import run

        run(options)


__all__ = ["main"]
