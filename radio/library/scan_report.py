"""What a scan tells: how far it is, and what it changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import msgspec

from radio.library.walk import Problem

Phase: TypeAlias = Literal["reading tags", "measuring"]
READING: Final[Phase] = "reading tags"
MEASURING: Final[Phase] = "measuring"


class ScanProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a scan is: files of its present phase that are done and that there are, the one that was done
    last, rejected so far.

    Many new files are first catalogued by their tags (``reading tags``), then measured.
    """

    done: int
    total: int
    current: str
    rejected: int
    phase: Phase = MEASURING


class ScanReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan changed.

    ``added`` are items that can be aired now and could not before. ``removed`` are items that left the library:
    their file is gone or can no longer be aired. ``rejected`` are files turned down by this scan. ``unsettled``
    are files to look at again: they changed while they were read.
    """

    added: int = 0
    changed: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    rejected: int = 0
    unsettled: int = 0
    problems: tuple[Problem, ...] = ()


Progress: TypeAlias = Callable[[ScanProgress], None]
