"""How commands end when they fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from radio.cli.output import FAILED, fail, note
from radio.errors import RadioError


@contextmanager
def ending() -> Iterator[None]:
    """Says what went wrong in a line, and ends the process with the status for it."""
    try:
        yield
    except RadioError as error:
        fail(error)
    except BrokenPipeError:
        raise SystemExit(0) from None
    except OSError as fault:
        note(f"radio: {fault.filename or 'The system'}: {fault.strerror or fault}.")
        raise SystemExit(FAILED) from None
