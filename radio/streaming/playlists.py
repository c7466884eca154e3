"""Playlists that lead a player to a stream: M3U, PLS and XSPF, as text.

Each takes ``(title, address)`` pairs, best first. An address is absolute, http or https, and already
percent-encoded; anything else raises InvalidRequest, because no playlist format could carry it safely.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from radio.errors import InvalidRequest

M3U_MIME = "audio/x-mpegurl"
PLS_MIME = "audio/x-scpls"
XSPF_MIME = "application/xspf+xml"

_ADDRESS = re.compile(r"https?://[\x21-\x7e]+")
# What XML 1.0 section 2.2 leaves out, and every kind of line end.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One stream of a playlist. Raises InvalidRequest for an address that is not http(s) in plain ASCII."""

    title: str
    address: str

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            allowed = "http:// or https://, percent-encoded"
            raise InvalidRequest(f"{self.address!r} is no address.", field="address", allowed=allowed)

    @property
    def line(self) -> str:
        """The title on one line, without control characters."""
        return _UNPRINTABLE.sub(" ", self.title).strip()


def m3u(entries: Sequence[Entry]) -> str:
    """Extended M3U, UTF-8; the length -1 says that a stream has no end."""
    lines = ["#EXTM3U"]
    for entry in entries:
        lines += [f"#EXTINF:-1,{entry.line}", entry.address]
    return "\n".join(lines) + "\n"


def pls(entries: Sequence[Entry]) -> str:
    """PLS version 2, as Winamp wrote it."""
    lines = ["[playlist]", f"NumberOfEntries={len(entries)}"]
    for number, entry in enumerate(entries, 1):
        lines += [f"File{number}={entry.address}", f"Title{number}={entry.line}", f"Length{number}=-1"]
    return "\n".join([*lines, "Version=2"]) + "\n"


def xspf(entries: Sequence[Entry]) -> str:
    """XSPF version 1 (xspf.org, "XSPF Version 1")."""
    tracks = "".join(
        f"    <track>\n      <location>{escape(entry.address)}</location>\n"
        f"      <title>{escape(entry.line)}</title>\n    </track>\n"
        for entry in entries
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<playlist version="1" xmlns="http://xspf.org/ns/0/">\n'
        f"  <trackList>\n{tracks}  </trackList>\n</playlist>\n"
    )
