"""The open files of rows that are to come: of those that were cued, and of the one that a skip would need."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from typing import NamedTuple

from radio.log import LogRow
from radio.playout.cued import CuedRow, discarded
from radio.playout.loader import Loader, OpenDeck


class _Ahead(NamedTuple):
    row: LogRow
    deck: Future[OpenDeck]

    def plays(self, row: LogRow) -> bool:
        """Whether the deck, which stands at its row's start, can play ``row`` from its start."""
        mine = self.row
        same = (mine.id, mine.item, mine.cue_in_ms, mine.gain_db)
        return same == (row.id, row.item, row.cue_in_ms, row.gain_db)

    @property
    def has_failed(self) -> bool:
        return self.deck.done() and (self.deck.cancelled() or self.deck.exception() is not None)


class Decks:
    """Opens files by way of ``loader``, and gives each to the row that it was opened for. Used by one thread.

    One file is held beyond those that are asked for (:meth:`keep`), so that a row that comes in sooner than
    planned need not wait for a disk. It is two or three seconds of sound and an open file.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._kept: _Ahead | None = None
        self._returned: dict[str, _Ahead] = {}

    def open(self, row: LogRow, seek_ms: int) -> Future[OpenDeck] | None:
        """The row's deck, ``seek_ms`` into it: one that is open already, or begun now. None for a row of bed."""
        if row.item is None:
            return None
        found = self._returned.get(row.id) or self._kept
        if found is None or seek_ms or found.has_failed or not found.plays(row):
            return self._loader.open(row, seek_ms)
        if found is self._kept:
            self._kept = None
        else:
            del self._returned[row.id]
        return found.deck

    def keep(self, row: LogRow | None) -> None:
        """Have the file of ``row`` open from its start, and of no other one beside those that were given out."""
        if self._kept is not None:
            if row is not None and self._kept.plays(row):
                return
            discarded(self._kept.deck)
            self._kept = None
        if row is not None and row.item is not None:
            self._kept = _Ahead(row, self._loader.open(row, 0))

    def take_back(self, rows: Iterable[CuedRow]) -> None:
        """Rows that will not start as they were cued: their files stay open until :meth:`drop_returned`."""
        for cued in rows:
            if cued.deck is not None and cued.seek_ms == 0:
                self._returned[cued.row.id] = _Ahead(cued.row, cued.deck)
            else:
                cued.discard()

    def drop_returned(self) -> None:
        """Close what was taken back and not asked for again."""
        for one in self._returned.values():
            discarded(one.deck)
        self._returned.clear()

    def close(self) -> None:
        """Close every file that nobody has."""
        self.keep(None)
        self.drop_returned()
        self._loader.close()
