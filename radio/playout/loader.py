"""Opens the decks of coming rows ahead of time and keeps their sound at hand, beside the engine's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from radio.audio.decode import Deck
from radio.audio.pcm import Pcm
from radio.errors import AudioError, LimitReached, UnknownItem
from radio.log import LogRow
from radio.playout.buffered import PATIENCE_S, BufferedDeck
from radio.playout.helpers import Helpers

FileOf = Callable[[LogRow], Path | None]
"""The file of a row's item, looked up when the row is cued; None where the item is not in the library."""


class OpenDeck(Protocol):
    """A file that is open and can be heard: a :class:`radio.audio.pcm.PcmSource` that may fail."""

    @property
    def failed(self) -> str | None:
        """Why reading ended before the end; None as long as it has not."""

    def read(self, n: int) -> Pcm:
        """The next ``n`` sample frames; fewer when it has ended or failed."""

    def close(self) -> None:
        """Let go of the file; may be called more than once."""


class Loader(Protocol):
    """What opens a row's deck: the engine asks early and takes the result when the row is due."""

    def open(self, row: LogRow, seek_ms: int) -> Future[OpenDeck]:
        """Begin to open the row's file, ``seek_ms`` into the row; the future raises a RadioError."""

    def close(self) -> None:
        """Forget what is still being opened."""


class ThreadLoader:
    """Opens and reads decks in helper threads, so that neither a disk that hangs nor a hostile file holds the
    engine up.

    A deck that is asked for sound that has not been read waits for it ``patience_s`` at most, in all; then it has
    failed. Every station has a loader of its own.
    """

    def __init__(self, file_of: FileOf, name: str, *, patience_s: float = PATIENCE_S) -> None:
        self._file_of = file_of
        self._patience_s = patience_s
        self._helpers = Helpers(f"deck-{name}")

    def open(self, row: LogRow, seek_ms: int) -> Future[OpenDeck]:
        opened: Future[OpenDeck] = Future()

        def work() -> None:
            try:
                deck = open_deck(self._file_of, row, seek_ms)
                opened.set_result(BufferedDeck.filled(deck, self._helpers, self._patience_s))
            except BaseException as fault:
                opened.set_exception(fault)

        if not self._helpers.submit(work):
            opened.set_exception(LimitReached("the files before it could not be read"))
        return opened

    def close(self) -> None:
        self._helpers.close()


class DirectLoader:
    """Opens a deck at once, in the calling thread: for renderings that no clock paces."""

    def __init__(self, file_of: FileOf) -> None:
        self._file_of = file_of

    def open(self, row: LogRow, seek_ms: int) -> Future[OpenDeck]:
        opened: Future[OpenDeck] = Future()
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
