"""The one line that a plain radio player shows for a row (pure)."""

from __future__ import annotations

from radio.log import ItemKind, LogRow


def stream_title(row: LogRow | None, station_name: str) -> str:
    """The ICY StreamTitle of ``row``: artist and title for music, the words for a sponsor, else the title.

    The station's name where nothing is on the air or the row only fills.
    """
    if row is None or row.kind is ItemKind.FILL or not row.title:
        return station_name
    if row.sponsor is not None:
        return f"Supported by {row.sponsor.name}"
    return f"{row.artist} - {row.title}" if row.artist else row.title
