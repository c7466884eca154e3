"""Airings as schema.org's BroadcastEvent, in JSON-LD: for search engines and for the page itself (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from radio.interchange.face import Face, picture
from radio.schedule.airings import ProgrammeAiring
from radio.schedule.wallclock import local_time

MIME: Final = "application/ld+json"
CONTEXT: Final = "https://schema.org"


def broadcasts(face: Face, airings: Sequence[ProgrammeAiring]) -> dict[str, Any]:
    """A graph of the station's service and one BroadcastEvent for each airing.

    An event's ``@id`` is made of the service and the airing's start, so that it stays the same.
    """
    return {"@context": CONTEXT, "@graph": [_service(face), *(_event(face, airing) for airing in airings)]}


def jsonld_text(graph: dict[str, Any]) -> str:
    """The graph as JSON."""
    return msgspec.json.encode(graph).decode()


def script_element(graph: dict[str, Any]) -> str:
    """The graph as an HTML element; nothing in it can close the element."""
    text = jsonld_text(graph).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return f'<script type="{MIME}">{text}</script>'


def _service_id(face: Face) -> str:
    return f"{face.base}/api/stations/{face.id}#service"


def _service(face: Face) -> dict[str, Any]:
    return _without_none(
        {
            "@type": "RadioBroadcastService",
            "@id": _service_id(face),
            "name": face.name,
            "broadcastDisplayName": face.name,
            "broadcastTimezone": face.zone.key,
            "slogan": face.tagline or None,
            "description": face.description or None,
            "logo": face.logo,
            "url": f"{face.base}/",
        }
    )


def _event(face: Face, airing: ProgrammeAiring) -> dict[str, Any]:
    start = local_time(airing.starts_at_ms, ZoneInfo("UTC"))
    support = airing.supported_by
    sponsor = {"@type": "Organization", "name": support.name, "url": support.link} if support else None
    return _without_none(
        {
            "@type": "BroadcastEvent",
            "@id": f"{face.base}/api/stations/{face.id}/schedule#{start:%Y%m%dT%H%M%SZ}",
            "name": airing.title,
            "startDate": _moment(airing.starts_at_ms, face.zone),
            "endDate": _moment(airing.ends_at_ms, face.zone),
            "description": airing.description,
            "image": picture(face.base, airing.image),
            "isLiveBroadcast": True,
            "publishedOn": {"@id": _service_id(face)},
            "sponsor": _without_none(sponsor) if sponsor else None,
            "workPerformed": {"@type": "RadioEpisode", "partOfSeries": _of_series(airing)},
        }
    )


def _of_series(airing: ProgrammeAiring) -> dict[str, Any]:
    return _without_none({"@type": "RadioSeries", "name": airing.title, "url": airing.link})


def _moment(at_ms: int, zone: ZoneInfo) -> str:
    return local_time(at_ms, zone).isoformat(timespec="seconds")


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
