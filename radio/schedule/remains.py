"""What a log knows besides its rows, kept with them over a restart and a takeover (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from radio.log import LogRow
from radio.schedule.laying import Gone
from radio.units import UtcMs

REMEMBERED_MS: Final = 86_400_000
"""A row that was over so long ago has its end, or is not given one any more."""


class Remains(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rows that have left the log and have no end yet, and what commands have changed besides.

    ``told`` were told of late, which may not be written yet; ``ended`` are to be told at once, ``displaced`` when
    their time is over. ``beneath`` is what an emergency lies over, ``vacated`` where nothing is compiled into the place
    of a row. ``ends`` are the occurrences that end elsewhere than planned: when they were to end, and when they do.
    """

    told: tuple[Gone, ...] = ()
    ended: tuple[Gone, ...] = ()
    displaced: tuple[Gone, ...] = ()
    beneath: tuple[LogRow, ...] = ()
    vacated: tuple[LogRow, ...] = ()
    ends: Mapping[str, tuple[UtcMs, UtcMs]] = {}

    def without(self, is_known: Callable[[str], bool], now_ms: int) -> Remains:
        """As it is found after a restart: rows whose end was written already, by their ids, have no second one."""

        def lacks(gone: Gone) -> bool:
            return gone.row.ends_at_ms > now_ms - REMEMBERED_MS and not is_known(gone.row.id)

        return msgspec.structs.replace(
            self,
            told=(),
            ended=tuple(filter(lacks, (*self.told, *self.ended))),
            displaced=tuple(filter(lacks, self.displaced)),
        )


class LogBaton(msgspec.Struct, frozen=True, kw_only=True):
    """A log as another process goes on with it."""

    rows: tuple[LogRow, ...]
    remains: Remains
