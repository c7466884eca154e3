"""A stretch of the log as a playlist: extended M3U, and XSPF version 1 (xspf.org) (pure).

Playlists have no times of day: they say what plays after what. XSPF carries the rest (moment, cue, why) in ``meta``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from radio.library.words import cleaned
from radio.log import LogRow
from radio.schedule.wallclock import local_time

M3U_MIME: Final = "audio/x-mpegurl"
XSPF_MIME: Final = "application/xspf+xml"
META: Final = "urn:x-nextup:"

PlaceOf = Callable[[LogRow], str | None]
"""The absolute path of a row's file; None where no file fills it."""


def log_m3u(rows: Sequence[LogRow], place_of: PlaceOf, zone: ZoneInfo, title: str) -> str:
    """The rows that play a file, as extended M3U in UTF-8, each under a comment with its time."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(title)}"]
    for row in rows:
        place = place_of(row)
        lines.append(f"# {_moment(row.starts_at_ms, zone)}{'' if place else ' ' + _named(row)}")
        if place is not None:
            plain = place.isprintable() and place == place.strip() and "\\" not in place
            lines += [
                f"#EXTINF:{round(row.duration_ms / 1000)},{_named(row)}",
                place if plain else _uri(place),
            ]
    return "\n".join(lines) + "\n"


def log_xspf(rows: Sequence[LogRow], place_of: PlaceOf, zone: ZoneInfo, title: str) -> str:
    """All rows as XSPF; one that no file fills is a track without a location."""
    tracks = "".join(_track(row, place_of(row), zone) for row in rows)
    date = f"  <date>{_moment(rows[0].starts_at_ms, zone)}</date>\n" if rows else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<playlist version="1" xmlns="http://xspf.org/ns/0/">\n'
        f"  <title>{_escaped(title)}</title>\n{date}  <trackList>\n{tracks}  </trackList>\n</playlist>\n"
    )


def _track(row: LogRow, place: str | None, zone: ZoneInfo) -> str:
    parts = {
        "location": _uri(place) if place else None,
        "title": row.title,
        "creator": row.artist,
        "annotation": row.reason,
        "album": row.album,
        "duration": str(row.duration_ms),
    }
    meta = {
        "starts-at": _moment(row.starts_at_ms, zone),
        "kind": str(row.kind),
        "programme": row.programme,
        "cue-in-ms": str(row.cue_in_ms) if row.cue_in_ms else None,
    }
    lines = [f"      <{tag}>{_escaped(text)}</{tag}>\n" for tag, text in parts.items() if text]
    lines += [
        f'      <meta rel="{META}{rel}">{_escaped(text)}</meta>\n' for rel, text in meta.items() if text
    ]
    return f"    <track>\n{''.join(lines)}    </track>\n"


def _uri(place: str) -> str:
    return "file://" + quote(place)


def _moment(at_ms: int, zone: ZoneInfo) -> str:
    return local_time(at_ms, zone).isoformat(timespec="milliseconds")


def _named(row: LogRow) -> str:
    return _line(f"{row.artist} - {row.title}" if row.artist else row.title)


def _line(text: str) -> str:
    return cleaned(text).replace("\n", " ")


def _escaped(text: str) -> str:
    return escape(cleaned(text, 2_000))
