"""Alarms: what is wrong now, in words, and what to do about it (pure; time is an argument)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

import msgspec

from radio.units import UtcMs

REMEMBERED: Final = 200
"""Alarms that are over and still told."""


class Severity(StrEnum):
    """How soon somebody must look: ``critical`` now, ``warning`` today."""

    CRITICAL = "critical"
    WARNING = "warning"


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong. ``code`` is stable; with ``station``, or the service where that is None, it names it.

    ``message`` and ``advice`` may be shown to anybody; ``detail`` has paths and reasons and is for operators.
    ``since_ms`` is when it was seen first, ``until_ms`` when it was over.
    """

    code: str
    severity: Severity
    message: str
    advice: str
    detail: str = ""
    station: str | None = None
    since_ms: UtcMs = UtcMs(0)
    until_ms: UtcMs | None = None


class AlarmBoard:
    """The alarms that are up, and the last 200 that are over."""

    def __init__(self) -> None:
        self._up: dict[tuple[str, str | None], Alarm] = {}
        self._over: deque[Alarm] = deque(maxlen=REMEMBERED)

    def __iter__(self) -> Iterator[Alarm]:
        """Those that are up, critical ones first, then by their age."""
        return iter(sorted(self._up.values(), key=lambda each: (each.severity, each.since_ms, each.code)))

    def __len__(self) -> int:
        return len(self._up)

    @property
    def over(self) -> list[Alarm]:
        """Those that are over, the latest first."""
        return list(reversed(self._over))

    def settle(self, found: Iterable[Alarm], now_ms: UtcMs) -> tuple[list[Alarm], list[Alarm]]:
        """``found`` is all that is wrong now; returns what is new and what is over. What stays keeps its age."""
        wrong = {(each.code, each.station): each for each in found}
        over = [
            msgspec.structs.replace(each, until_ms=now_ms)
            for key, each in self._up.items()
            if key not in wrong
        ]
        new = [
            msgspec.structs.replace(each, since_ms=now_ms)
            for key, each in wrong.items()
            if key not in self._up
        ]
        self._up = {
            key: msgspec.structs.replace(each, since_ms=self._up[key].since_ms if key in self._up else now_ms)
            for key, each in wrong.items()
        }
        self._over.extend(over)
        return new, over
