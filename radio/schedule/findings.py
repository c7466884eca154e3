"""What a check says of a schedule (pure)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

Key = tuple[str | int, ...]


class Level(StrEnum):
    """How bad it is: something will not air as written, something may sound wrong, or something is coming."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding. ``code`` is a stable word for programs; ``key`` is its place in the file, and ``line`` its line."""

    level: Level
    code: str
    text: str
    key: Key = ()
    line: int | None = None
