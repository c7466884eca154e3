"""Opens the decks of coming rows ahead of time, beside the engine's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from radio.audio.decode import Deck
from radio.errors import AudioError, UnknownItem
from radio.log import LogRow

FileOf = Callable[[LogRow], Path | None]
"""The file of a row's item, looked up when the row is cued; None where the item is not in the library."""


class Loader(Protocol):
    """What opens a row's deck: the engine asks early and takes the result when the row is due."""

    def open(self, row: LogRow, seek_ms: int) -> Future[Deck]:
        """Begin to open the row's file, ``seek_ms`` into the row; the future raises a RadioError."""

    def close(self) -> None:
        """Forget what is still being opened."""


class ThreadLoader:
    """Opens decks in one helper thread, so that a slow disk or a hostile file never holds up the engine."""

    def __init__(self, file_of: FileOf, name: str) -> None:
        self._file_of = file_of
        self._threads = ThreadPoolExecutor(2, thread_name_prefix=f"deck-{name}")

    def open(self, row: LogRow, seek_ms: int) -> Future[Deck]:
        return self._threads.submit(open_deck, self._file_of, row, seek_ms)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class DirectLoader:
    """Opens a deck at once, in the calling thread: for renderings that no clock paces."""

    def __init__(self, file_of: FileOf) -> None:
        self._file_of = file_of

    def open(self, row: LogRow, seek_ms: int) -> Future[Deck]:
        opened: Future[Deck] = Future()
        try:
            opened.set_result(open_deck(self._file_of, row, seek_ms))
        except (AudioError, UnknownItem) as fault:
            opened.set_exception(fault)
        return opened

    def close(self) -> None:
        return


def open_deck(file_of: FileOf, row: LogRow, seek_ms: int) -> Deck:
    """The deck of a row, cued ``seek_ms`` into it. Blocks. Raises AudioError or UnknownItem."""
    path = file_of(row)
    if path is None:
        raise UnknownItem(f"item {row.item} is not in the library")
    return Deck.open(path, cue_in_ms=row.cue_in_ms, gain_db=row.gain_db, seek_ms=seek_ms)
