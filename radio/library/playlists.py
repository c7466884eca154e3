"""Playlists of library items as other programs write them: M3U, XSPF and JSPF (pure).

M3U is extended and UTF-8. XSPF: xspf.org, "XSPF Version 1". JSPF: the same as JSON, xspf.org/jspf.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit
from xml.sax.saxutils import escape

import msgspec

from radio.errors import InvalidRequest
from radio.library.folding import tokens
from radio.library.items import Item
from radio.library.words import cleaned
from radio.units import DurationMs

MAX_BYTES: Final = 4_000_000
MAX_ENTRIES: Final = 10_000
NEAR_MS: Final = 2_000
"""How far the length in a playlist may be from the file's: many programs write whole seconds."""

_XSPF: Final = "{http://xspf.org/ns/0/}"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a playlist, as far as it says: a place, words, a length."""

    location: str = ""
    title: str | None = None
    artist: str | None = None
    duration_ms: int | None = None


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """The items of a playlist in its order, and what was not found in the library."""

    items: tuple[Item, ...]
    missing: tuple[Entry, ...]


def written(form: str, items: Sequence[Item], title: str = "Playlist") -> str:
    """The items as a playlist of that form. Raises InvalidRequest for an unknown form."""
    return _known(form)[0](items, cleaned(title))


def read(form: str, data: bytes) -> list[Entry]:
    """The entries of a playlist. Raises InvalidRequest for what is no such playlist, or over 4 MB or 10,000
    entries."""
    if len(data) > MAX_BYTES:
        raise _unreadable(form, f"{len(data)} bytes", f"at most {MAX_BYTES} bytes")
    entries = _known(form)[1](data)
    if len(entries) > MAX_ENTRIES:
        raise _unreadable(form, f"{len(entries)} entries", f"at most {MAX_ENTRIES} entries")
    return entries


def matched(entries: Iterable[Entry], items: Iterable[Item]) -> Matched:
    """Find the entries in the library: by their path, else by artist, title and length."""
    places: dict[str, Item] = {}
    words: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Item]] = {}
    for item in items:
        root = PurePosixPath(item.root).name
        for place in (str(item.file), f"{root}/{item.path}", item.path):
            places.setdefault(place, item)
        words.setdefault((tokens(item.artist or ""), tokens(item.title)), []).append(item)
    found: list[Item] = []
    missing: list[Entry] = []
    for entry in entries:
        item_found = _at(entry, places) or _alike(entry, words)
        found.append(item_found) if item_found else missing.append(entry)
    return Matched(items=tuple(found), missing=tuple(missing))


def _at(entry: Entry, places: Mapping[str, Item]) -> Item | None:
    place = _path(entry.location)
    while place:
        if item := places.get(place):
            return item
        # another machine's folders: go on without the leftmost
        place = place.lstrip("/").partition("/")[2]
        if "/" not in place:
            return None
    return None


def _path(location: str) -> str:
    if location.lower().startswith("file:"):
        return unquote(urlsplit(location).path)
    path = location.replace("\\", "/")
    return path.removeprefix("./")


def _alike(
    entry: Entry, words: Mapping[tuple[tuple[str, ...], tuple[str, ...]], Sequence[Item]]
) -> Item | None:
    if not entry.title or not tokens(entry.title):
        return None
    same = words.get((tokens(entry.artist or ""), tokens(entry.title)), ())
    length_ms = entry.duration_ms
    if length_ms is None:
        return same[0] if len(same) == 1 else None
    near = [item for item in same if abs(item.duration_ms - length_ms) <= NEAR_MS]
    return min(near, key=lambda item: abs(item.duration_ms - length_ms), default=None)


def _uri(item: Item) -> str:
    return "file://" + quote(str(item.file))


def _m3u(items: Sequence[Item], title: str) -> str:
    lines = ["#EXTM3U", f"#PLAYLIST:{title}"]
    for item in items:
        name = f"{item.artist} - {item.title}" if item.artist else item.title
        path = str(item.file)
        plain = path.isprintable() and path == path.strip() and "\\" not in path
        lines += [f"#EXTINF:{round(item.duration_ms / 1000)},{name}", path if plain else _uri(item)]
    return "\n".join(lines) + "\n"


def _read_m3u(data: bytes) -> list[Entry]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    entries: list[Entry] = []
    said = Entry()
    for line in text.replace("\r", "\n").split("\n"):
        if line.startswith("#EXTINF:"):
            said = _extinf(line)
        elif line.strip() and not line.startswith("#"):
            entries.append(msgspec.structs.replace(said, location=line.strip()))
            said = Entry()
    return entries


def _extinf(line: str) -> Entry:
    length, _, name = line.removeprefix("#EXTINF:").partition(",")
    artist, dash, title = name.partition(" - ")
    seconds = length.split(" ")[0]
    known = seconds.isascii() and seconds.isdigit() and len(seconds) < 7
    return Entry(
        title=cleaned(title if dash else name) or None,
        artist=cleaned(artist) if dash else None,
        duration_ms=int(seconds) * 1000 if known else None,
    )


def _xspf(items: Sequence[Item], title: str) -> str:
    tracks = "".join(_xspf_track(item) for item in items)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<playlist version="1" xmlns="http://xspf.org/ns/0/">\n'
        f"  <title>{escape(title)}</title>\n  <trackList>\n{tracks}  </trackList>\n</playlist>\n"
    )


def _xspf_track(item: Item) -> str:
    parts = {"location": _uri(item), "title": item.title, "creator": item.artist, "album": item.album}
    lines = "".join(f"      <{tag}>{escape(text)}</{tag}>\n" for tag, text in parts.items() if text)
    return f"    <track>\n{lines}      <duration>{item.duration_ms}</duration>\n    </track>\n"


def _read_xspf(data: bytes) -> list[Entry]:
    # a document type could define entities that unfold without end
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"\0" in data:
        raise _unreadable("xspf", "a document type", "an XSPF playlist in UTF-8")
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, LookupError, ValueError) as fault:
        raise _unreadable("xspf", str(fault), "an XSPF playlist in UTF-8") from fault
    return [_xspf_entry(track) for track in root.iter(f"{_XSPF}track")]


def _xspf_entry(track: ET.Element) -> Entry:
    return _entry({name: track.findtext(f"{_XSPF}{name}") for name in _TRACK_WORDS})


_TRACK_WORDS: Final = ("location", "title", "creator", "duration")


def _entry(said: Mapping[str, Any]) -> Entry:
    duration = str(said.get("duration") or "").strip()
    known = duration.isascii() and duration.isdigit() and len(duration) < 12
    return Entry(
        location=str(said.get("location") or "").strip(),
        title=cleaned(str(said.get("title") or "")) or None,
        artist=cleaned(str(said.get("creator") or "")) or None,
        duration_ms=DurationMs(int(duration)) if known else None,
    )


def _jspf(items: Sequence[Item], title: str) -> str:
    tracks = [
        {
            "location": [_uri(item)],
            "title": item.title,
            **({"creator": item.artist} if item.artist else {}),
            **({"album": item.album} if item.album else {}),
            "duration": item.duration_ms,
        }
        for item in items
    ]
    return msgspec.json.encode({"playlist": {"title": title, "track": tracks}}).decode() + "\n"


class _JspfTrack(msgspec.Struct):
    location: list[str] | str | None = None
    title: str | None = None
    creator: str | None = None
    duration: int | float | None = None


class _JspfList(msgspec.Struct):
    track: list[_JspfTrack] = []


class _Jspf(msgspec.Struct):
    playlist: _JspfList


_JSPF: Final = msgspec.json.Decoder(_Jspf)


def _read_jspf(data: bytes) -> list[Entry]:
    try:
        tracks = _JSPF.decode(data).playlist.track
    except (msgspec.DecodeError, ValueError) as fault:
        raise _unreadable("jspf", str(fault), "a JSPF playlist") from fault
    return [
        _entry(
            msgspec.structs.asdict(track)
            | {"location": _first(track.location), "duration": _whole(track.duration)}
        )
        for track in tracks
    ]


def _first(location: list[str] | str | None) -> str:
    return location if isinstance(location, str) else next(iter(location or ()), "")


def _whole(duration: int | float | None) -> int | None:
    return None if duration is None or not 0 <= duration < 1e11 else round(duration)


_Form = tuple[Callable[[Sequence[Item], str], str], Callable[[bytes], list[Entry]], str]
FORMS: Final[Mapping[str, _Form]] = {
    "m3u": (_m3u, _read_m3u, "audio/x-mpegurl"),
    "xspf": (_xspf, _read_xspf, "application/xspf+xml"),
    "jspf": (_jspf, _read_jspf, "application/jspf+json"),
}
"""The forms by name, each with its writer, its reader and its media type."""


def _known(form: str) -> _Form:
    if form not in FORMS:
        raise InvalidRequest(
            f"There is no form of playlist {form[:20]!r}.", field="format", allowed=", ".join(FORMS)
        )
    return FORMS[form]


def _unreadable(form: str, problem: str, allowed: str) -> InvalidRequest:
    return InvalidRequest(
        f"This is no {form.upper()} that can be read: {problem}.", field="body", allowed=allowed
    )
