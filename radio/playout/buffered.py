"""A deck whose sound is read ahead by helper threads: the engine takes it without waiting for a disk."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final, Protocol

import numpy as np

from radio.audio.pcm import Pcm, silence
from radio.playout.helpers import Helpers
from radio.units import Samples, samples_of

PIECE: Final = samples_of(1_000)
"""Read at once: few and large pieces, so that the threads seldom meet."""

LEAST: Final = samples_of(2_000)
"""With less than this at hand, the next piece is fetched."""

PATIENCE_S: Final = 0.8
"""How long the engine waits for one deck in all; must be shorter than the lead of the stream."""

UNREAD: Final = "its file could not be read in time"


class Readable(Protocol):
    """What a buffered deck reads from."""

    @property
    def failed(self) -> str | None: ...
    def read(self, n: int) -> Pcm: ...
    def close(self) -> None: ...


class BufferedDeck:
    """A :class:`radio.audio.pcm.PcmSource` over ``deck``, holding two to three seconds of it (1.2 MB at most).

    One thread takes (``read``, ``close``); the helpers fetch, one piece at a time. ``failed`` says why the sound
    ended early: what the deck says, or that it could not be read within ``patience_s``.
    """

    def __init__(self, deck: Readable, helpers: Helpers, patience_s: float = PATIENCE_S) -> None:
        self._deck = deck
        self._helpers = helpers
        self._patience_s = patience_s
        self._more = threading.Condition()
        self._pieces: deque[Pcm] = deque()
        self._at = 0
        self._held = 0
        self._fetching = False
        self._ended = False
        self._closed = False
        self.failed: str | None = None

    @classmethod
    def filled(cls, deck: Readable, helpers: Helpers, patience_s: float = PATIENCE_S) -> BufferedDeck:
        """The deck with its first piece at hand. Blocks; to be called in a helper."""
        buffered = cls(deck, helpers, patience_s)
        buffered._fetching = True
        buffered._fetch()
        return buffered

    @property
    def held(self) -> Samples:
        """How much is at hand."""
        return Samples(self._held)

    def read(self, n: int) -> Pcm:
        """The next ``n`` sample frames; fewer when the file has ended, has failed or cannot be read in time."""
        with self._more:
            while self._held < n and not self._ended:
                self._ask()
                self._wait()
            block = self._take(min(n, self._held))
            if self._held < LEAST and not self._ended:
                self._ask()
        return block

    def close(self) -> None:
        """Forget what is at hand; the file is closed when nobody reads it."""
        with self._more:
            was_closed, self._closed, self._ended = self._closed, True, True
            self._pieces.clear()
            self._held = 0
            if was_closed or self._fetching:
                return
        self._deck.close()

    def _ask(self) -> None:
        if not self._fetching:
            self._fetching = self._helpers.submit(self._fetch)

    def _wait(self) -> None:
        # Only the waiting itself is timed: a condition says whether it was woken, and by the pieces that come.
        step_s = min(0.02, self._patience_s)
        if self._patience_s <= 0:
            self._ended, self.failed = True, UNREAD
        elif not self._more.wait(step_s):
            self._patience_s -= step_s

    def _take(self, n: int) -> Pcm:
        self._held -= n
        if self._pieces and len(self._pieces[0]) - self._at >= n:
            block = self._pieces[0][self._at : self._at + n]
            self._at += n
            return block
        parts = []
        while n:
            part = self._pieces[0][self._at : self._at + n]
            parts.append(part)
            n -= len(part)
            self._at += len(part)
            if self._at >= len(self._pieces[0]):
                self._pieces.popleft()
                self._at = 0
        return np.concatenate(parts) if parts else silence(0)

    def _fetch(self) -> None:
        try:
            piece = self._deck.read(PIECE)
            failed = self._deck.failed
        except Exception as fault:
            piece, failed = silence(0), f"{type(fault).__name__} while it was read"
        with self._more:
            self._fetching = False
            closed = self._closed
            if not closed:
                self._put(piece, failed)
            self._more.notify_all()
        if closed:
            self._deck.close()

    def _put(self, piece: Pcm, failed: str | None) -> None:
        if self._ended:  # too late: the engine went on without it
            return
        if len(piece):
            self._pieces.append(piece)
            self._held += len(piece)
        if len(piece) < PIECE:
            self._ended, self.failed = True, failed
        elif self._held < LEAST:
            self._ask()
