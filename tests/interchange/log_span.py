"""Rows of a log, a station's face and its airings, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from radio.interchange.face import Face, StreamFace
from radio.library.items import Item
from radio.log import ItemKind, LogRow
from radio.schedule import ProgrammeAiring
from radio.units import UtcMs

NEW_YORK = ZoneInfo("America/New_York")
SIX = 1_768_215_600_000
"""2026-01-12, a Monday, 06:00 in New York."""

FACE = Face(
    id="wxyz",
    name="WXYZ Public Radio of Port Ellery & the Bay",
    tagline='News <and> "music"',
    description="",
    genre="News",
    zone=NEW_YORK,
    base="https://wxyz.example",
    service="wxyz",
    logo="https://wxyz.example/media/artwork/wxyz.png",
    streams=(
        StreamFace(url="https://wxyz.example/listen/wxyz/live.mp3", mime="audio/mpeg", bitrate_kbps=128),
    ),
    bearers=("fm:ce1.c479.09580",),
)


def row(number: int, length_s: float = 60, starts_at_ms: int = SIX, **changes: Any) -> LogRow:
    values: dict[str, Any] = {
        "id": f"wxyz-{number}",
        "station": "wxyz",
        "starts_at_ms": UtcMs(starts_at_ms),
        "ends_at_ms": UtcMs(starts_at_ms + round(length_s * 1000)),
        "kind": ItemKind.MUSIC,
        "title": f"Piece {number}",
        "reason": "music: least recently played",
        "item": f"item-{number}",
        "category": "music",
    }
    return LogRow(**(values | changes))


def laid(rows: Sequence[dict[str, Any]], starts_at_ms: int = SIX) -> list[LogRow]:
    """Rows one after the other; each may say its ``length_s``."""
    made: list[LogRow] = []
    for number, changes in enumerate(rows):
        made.append(row(number, starts_at_ms=starts_at_ms, **changes))
        starts_at_ms = made[-1].ends_at_ms
    return made


def airing(id_: str = "first-light", hour: int = 0, hours: float = 4, **changes: Any) -> ProgrammeAiring:
    starts = SIX + hour * 3_600_000
    values: dict[str, Any] = {
        "id": id_,
        "occurrence": f"{id_}@2026-01-12T{6 + hour:02}:00",
        "title": id_.replace("-", " ").title(),
        "starts_at_ms": UtcMs(starts),
        "ends_at_ms": UtcMs(starts + round(hours * 3_600_000)),
    }
    return ProgrammeAiring(**(values | changes))


def item(path: str, title: str = "Piece", length_ms: int = 60_000, **changes: Any) -> Item:
    values: dict[str, Any] = {
        "id": path,
        "root": "/sounds",
        "path": path,
        "size_bytes": 1,
        "mtime_ns": 1,
        "content_hash": path,
        "category": path.partition("/")[0],
        "title": title,
        "duration_ms": length_ms,
        "cue_in_ms": 0,
        "cue_out_ms": length_ms,
    }
    return Item(**(values | changes))
