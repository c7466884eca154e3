"""ICY metadata: titles inside a stream of audio, as SHOUTcast and Icecast players read them.

After every ``icy-metaint`` bytes of audio stands one length byte L and 16 * L bytes of text, padded with NUL:
``StreamTitle='...';``. L = 0 says that nothing changed. There is no escape for a quote; the text ends at
``';``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

EMPTY: Final = b"\0"
"""The metadata block that changes nothing."""

MAX_TEXT_BYTES: Final = 255 * 16

_OPEN: Final = b"StreamTitle='"
_CLOSE: Final = b"';"
_MAX_TITLE_BYTES: Final = MAX_TEXT_BYTES - len(_OPEN) - len(_CLOSE)

# Line and paragraph separators count as controls; joiners stay, because scripts and emoji need them.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_INVISIBLE = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SPACES = re.compile(r" {2,}")
_TITLE = re.compile(rb"StreamTitle='(.*?)';(?=StreamUrl=|\Z)", re.DOTALL)
_OPEN_TITLE = re.compile(rb"StreamTitle='(.*?)'?;?\Z", re.DOTALL)


def clean_title(title: str) -> str:
    """``title`` as a player may be told it: one line, without control and text-direction characters.

    ``';`` would end the text early, so its quote becomes a typographic one. The result has at most 4,065
    bytes of UTF-8, cut between characters.
    """
    text = _INVISIBLE.sub("", _CONTROLS.sub(" ", title)).replace("';", "\u2019;")
    text = _SPACES.sub(" ", text).strip()
    return text.encode()[:_MAX_TITLE_BYTES].decode("utf-8", "ignore").rstrip()


def metadata_block(title: str) -> bytes:
    """The block, length byte included, that sets the title; at most 1 + 255 * 16 bytes."""
    text = _OPEN + clean_title(title).encode() + _CLOSE
    units = -(-len(text) // 16)
    return bytes([units]) + text.ljust(units * 16, b"\0")


@dataclass(frozen=True, slots=True)
class StreamTitle:
    """A title that a stream carried, and how many bytes of audio came before it."""

    title: str
    after_bytes: int


class IcyReader:
    """Takes an ICY stream apart again: bytes in, audio and titles out.

    ``metaint`` is the value of the header ``icy-metaint``; None for a stream without metadata, which is
    passed through. Holds at most one metadata block. Raises ValueError for a metaint below 1.
    """

    def __init__(self, metaint: int | None) -> None:
        if metaint is not None and metaint < 1:
            raise ValueError(f"icy-metaint is {metaint}; it must be 1 or more")
        self._metaint = metaint
        self._until_block = metaint or 0
        self._block = bytearray()
        self.audio_bytes = 0

    def feed(self, data: bytes) -> list[bytes | StreamTitle]:
        """What ``data`` adds to the stream, in order; blocks that change nothing leave no trace."""
        out: list[bytes | StreamTitle] = []
        at = 0
        while at < len(data):
            if self._metaint is None or self._until_block:
                at = self._take_audio(data, at, out)
            else:
                at = self._take_block(data, at, out)
        return out

    def _take_audio(self, data: bytes, at: int, out: list[bytes | StreamTitle]) -> int:
        end = len(data) if self._metaint is None else min(len(data), at + self._until_block)
        out.append(data[at:end])
        self.audio_bytes += end - at
        if self._metaint is not None:
            self._until_block -= end - at
        return end

    def _take_block(self, data: bytes, at: int, out: list[bytes | StreamTitle]) -> int:
        size = 1 + 16 * (self._block[0] if self._block else data[at])
        end = min(len(data), at + size - len(self._block))
        self._block += data[at:end]
        if len(self._block) == size:
            title = title_of(bytes(self._block[1:]))
            if title is not None:
                out.append(StreamTitle(title, self.audio_bytes))
            self._block.clear()
            self._until_block = self._metaint or 0
        return end


def title_of(text: bytes) -> str | None:
    """The title in a metadata block's text, or None where it names none.

    Reads up to the last ``';`` before ``StreamUrl=`` or the end, as writers do not escape. Text that is not
    UTF-8 is taken as ISO-8859-1, for there is no charset in the protocol.
    """
    text = text.rstrip(b"\0")
    found = _TITLE.search(text) or _OPEN_TITLE.search(text)
    if found is None:
        return None
    try:
        return found[1].decode()
    except UnicodeDecodeError:
        return found[1].decode("latin-1")
