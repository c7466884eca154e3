from __future__ import annotations

import json
from datetime import datetime

from log_span import FACE, airing

from radio.interchange.jsonld import broadcasts, jsonld_text, script_element
from radio.log import SponsorMessage


def test_an_airing_is_a_broadcast_event_on_the_stations_service() -> None:
    support = SponsorMessage(
        campaign="c", sponsor="s", name="The Ferry", message="…", link="https://f.example"
    )
    told = airing(host="The desk", image="first.png", link="https://wxyz.example/f", supported_by=support)
    graph = json.loads(jsonld_text(broadcasts(FACE, [told, airing("tides", 4)])))
    service, event, other = graph["@graph"]
    assert graph["@context"] == "https://schema.org"
    assert service["@type"] == "RadioBroadcastService"
    assert service["broadcastTimezone"] == "America/New_York"
    assert event == {
        "@type": "BroadcastEvent",
        "@id": "https://wxyz.example/api/stations/wxyz/schedule#20260112T110000Z",
        "name": "First Light",
        "startDate": "2026-01-12T06:00:00-05:00",
        "endDate": "2026-01-12T10:00:00-05:00",
        "image": "https://wxyz.example/media/artwork/first.png",
        "isLiveBroadcast": True,
        "publishedOn": {"@id": service["@id"]},
        "sponsor": {"@type": "Organization", "name": "The Ferry", "url": "https://f.example"},
        "workPerformed": {
            "@type": "RadioEpisode",
            "partOfSeries": {"@type": "RadioSeries", "name": "First Light", "url": "https://wxyz.example/f"},
        },
    }
    assert other["@id"] != event["@id"]
    assert datetime.fromisoformat(other["startDate"]).timestamp() * 1000 == airing("tides", 4).starts_at_ms


def test_nothing_in_a_title_closes_the_element_in_the_page() -> None:
    evil = airing(title="</script><script>alert(1)</script> <!-- & \u2028")
    element = script_element(broadcasts(FACE, [evil]))
    inner = element.removeprefix('<script type="application/ld+json">').removesuffix("</script>")
    assert "<" not in inner
    assert ">" not in inner
    assert json.loads(inner)["@graph"][1]["name"] == evil.title


def test_no_airings_are_only_the_service() -> None:
    assert len(broadcasts(FACE, [])["@graph"]) == 1
