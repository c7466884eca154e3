"""What is wrong with a database, told apart by what an operator can do about it (pure)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from radio.units import UtcMs


class Ailment(StrEnum):
    """A kind of trouble."""

    LOCKED = "locked"
    FULL = "full"
    CORRUPT = "corrupt"
    MISSING = "missing"
    READ_ONLY = "read_only"
    INPUT_OUTPUT = "input_output"
    UNREACHABLE = "unreachable"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """That the database refuses work since ``since_ms``; ``reason`` in its own words."""

    ailment: Ailment
    reason: str
    since_ms: UtcMs


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """That another database file was taken into use, while the service ran or ``at_start``.

    ``set_aside`` is where the damaged file lies now; ``backup`` what was restored, None where a new file was begun
    or somebody else put one there.
    """

    ailment: Ailment
    at_ms: UtcMs
    at_start: bool = False
    set_aside: str | None = None
    backup: str | None = None


# SQLite's primary result codes (sqlite.org/rescode.html)
_SQLITE: Final = {
    5: Ailment.LOCKED,
    6: Ailment.LOCKED,
    8: Ailment.READ_ONLY,
    10: Ailment.INPUT_OUTPUT,
    11: Ailment.CORRUPT,
    13: Ailment.FULL,
    14: Ailment.MISSING,
    26: Ailment.CORRUPT,
}

# PostgreSQL's classes of SQLSTATE (documentation, appendix A)
_POSTGRESQL: Final = {
    "08": Ailment.UNREACHABLE,
    "57": Ailment.UNREACHABLE,
    "53": Ailment.FULL,
    "55": Ailment.LOCKED,
}


def ailment_of(fault: object) -> Ailment | None:
    """The kind of a driver's exception; None where the work was at fault and not the database."""
    code = getattr(fault, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code & 0xFF)
    if not hasattr(fault, "sqlstate"):
        return None
    state = fault.sqlstate
    if state is None:  # no answer at all: the connection itself failed
        return Ailment.UNREACHABLE if type(fault).__name__ == "OperationalError" else None
    return _POSTGRESQL.get(str(state)[:2])
