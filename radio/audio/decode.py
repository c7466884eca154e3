"""A file on a deck: decoded piece by piece into the sound that the mixer takes.

How rates and channels become 48 kHz stereo stands in :mod:`radio.audio.reader`. :mod:`radio.audio.measure`
measures exactly the sound that a deck gives, so an item's gain needs no further thought of channels: a mono
file is as loud on the air as its measurement says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from radio.audio.guard import CheckedFile, check_file
from radio.audio.pcm import Pcm
from radio.audio.reader import Planes, Reader, safe
from radio.errors import AudioError
from radio.units import CHANNELS, gain_factor, samples_of

EXACT_JOIN_MS: Final = 20_000
"""Up to here a joined row is decoded from the start of its file; beyond it, the file is sought."""

_SEEK_MARGIN_MS: Final = 500


class Deck:
    """One audio file as a :class:`radio.audio.pcm.PcmSource`; used by one thread at a time.

    A damaged packet is left out and its sound is lost. After more than
    :data:`radio.audio.reader.MAX_FAULTS` of them reading ends early and ``failed`` says why.
    """

    def __init__(self, checked: CheckedFile, *, gain_db: float = 0.0) -> None:
        """Put a checked file on at its first sample; :meth:`open` is what most callers want.

        :raises AudioError: it cannot be opened, or its first sound cannot be decoded.
        """
        self._gain = np.float32(gain_factor(gain_db))
        self._reader = Reader(checked)
        self._pieces = self._reader.pieces()
        self._piece: Planes = np.zeros((CHANNELS, 0), dtype=np.float32)
        self._at = 0
        try:
            if not self._have_piece():
                raise AudioError(checked.path, self.failed or "no sound can be decoded")
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, path: Path, *, cue_in_ms: int = 0, gain_db: float = 0.0, seek_ms: int = 0) -> Deck:
        """Check and open ``path``; the first sample read is the one at ``cue_in_ms`` into the file. Blocks.

        ``seek_ms`` starts that much later, to join a row in progress: exact to the sample where both together
        are at most :data:`EXACT_JOIN_MS`, and as exact as the file's time stamps beyond. The first sound is
        decoded here already. A start beyond the file's end is no error: nothing will be read.
        :raises AudioError: the file cannot be played.
        """
        deck = cls(check_file(path.absolute()), gain_db=gain_db)
        try:
            deck._start_at(max(0, cue_in_ms), max(0, seek_ms))
        except BaseException:
            deck.close()
            raise
        return deck

    @property
    def failed(self) -> str | None:
        """Why reading ended before the end of the file; None as long as it has not."""
        return self._reader.failed

    @property
    def source_rate_hz(self) -> int:
        """The file's own sample rate."""
        return self._reader.rate_hz

    @property
    def source_channels(self) -> int:
        """The file's own number of channels."""
        return self._reader.channels

    def read(self, n: int) -> Pcm:
        """The next ``n`` sample frames with the gain applied; fewer when the file has ended or failed."""
        out = np.empty((n, CHANNELS), dtype=np.float32)
        filled = 0
        while filled < n and self._have_piece():
            piece = self._piece[:, self._at : self._at + n - filled]
            np.multiply(piece.T, self._gain, out=out[filled : filled + piece.shape[1]])
            self._at += piece.shape[1]
            filled += piece.shape[1]
        return out[:filled]

    def close(self) -> None:
        """Close the file. What is read afterwards is empty."""
        self._pieces = iter(())
        self._at = self._piece.shape[1]
        self._reader.close()

    def _have_piece(self) -> bool:
        while self._at >= self._piece.shape[1]:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._piece, self._at = safe(piece), 0
        return True

    def _start_at(self, cue_in_ms: int, seek_ms: int) -> None:
        to_ms = cue_in_ms + seek_ms
        reached = 0
        if seek_ms and to_ms > EXACT_JOIN_MS:
            self._at = self._piece.shape[1]
            reached, self._pieces = self._reader.seek(to_ms - _SEEK_MARGIN_MS)
        self._drop(samples_of(to_ms) - reached)

    def _drop(self, n: int) -> None:
        while n > 0 and self._have_piece():
            dropped = min(n, self._piece.shape[1] - self._at)
            self._at += dropped
            n -= dropped
