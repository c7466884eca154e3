"""The dialects' addresses over HTTP: who may read, what is cached, what is refused."""

from __future__ import annotations

import json

import pytest
from dialects_house import WXYZ, open_house, state

from radio.api.contract import description_of
from radio.api.dialects.npr import ucs_of

FETCHED = (
    "/api/nowplaying",
    "/api/nowplaying/wxyz",
    "/api/nowplaying/1",
    "/api/nowplaying_static/wxyz.json",
    "/status-json.xsl",
    "/7.html",
    "/api/live-info-v2",
    "/v1/widget/wxyz/now?format=json",
)


async def test_everything_is_open_to_all_and_briefly_kept() -> None:
    async with open_house() as house:
        for target in FETCHED:
            answer = await house.ask(target, "Origin: https://widget.example")
            assert answer.status == 200, target
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["cache-control"] == "public, max-age=2"
            again = await house.ask(target, f"If-None-Match: {answer.headers['etag']}")
            assert (again.status, again.body) == (304, b""), target


async def test_a_station_is_found_by_id_and_by_number_and_a_change_is_seen_at_once() -> None:
    async with open_house() as house:
        by_id, by_number, static = [
            (await house.ask(target)).json
            for target in ("/api/nowplaying/wxyz", "/api/nowplaying/1", "/api/nowplaying_static/wxyz.json")
        ]
        assert by_id == by_number == static
        listed = (await house.ask("/api/nowplaying")).json
        assert [np["station"]["shortcode"] for np in listed] == ["wxyz", "kday"]
        house.publish(state(id_="row-2", title="Rope"))
        listed = (await house.ask("/api/nowplaying")).json
        assert listed[0]["now_playing"]["song"]["title"] == "Rope"
        assert listed[0]["station"]["listen_url"] == f"{house.base}/listen/wxyz/live.mp3"


async def test_the_picture_is_elsewhere() -> None:
    async with open_house() as house:
        answer = await house.ask("/api/nowplaying/wxyz/art")
        assert (answer.status, answer.headers["location"]) == (
            302,
            f"{house.base}/api/stations/wxyz/artwork/abc",
        )
        bare = state(now=None, programme=None)
        bare["station"]["logo"] = None
        house.publish(bare)
        assert (await house.ask("/api/nowplaying/wxyz/art")).status == 404


async def test_icecast_can_be_asked_for_one_mount() -> None:
    async with open_house() as house:
        every = (await house.ask("/status-json.xsl")).json["icestats"]["source"]
        assert [source["server_name"] for source in every] == ["WXYZ & Friends", "WXYZ & Friends", "KDAY"]
        one = (await house.ask("/status-json.xsl?mount=/listen/kday/live.mp3")).json["icestats"]["source"]
        assert one["listenurl"] == f"{house.base}/listen/kday/live.mp3"


async def test_peaks_are_remembered() -> None:
    async with open_house() as house:
        house.known.counts = {"live.mp3": 50, "live.aac": 1}
        await house.pass_time(1.1)
        house.known.counts = {"live.mp3": 4, "live.aac": 1}
        source = (await house.ask("/status-json.xsl?mount=/listen/wxyz/live.mp3")).json["icestats"]["source"]
        assert (source["listeners"], source["listener_peak"]) == (4, 50)


async def test_seven_values_of_each_station() -> None:
    async with open_house() as house:
        first, second = await house.ask("/7.html"), await house.ask("/7.html?sid=2")
        assert first.headers["content-type"] == "text/html; charset=utf-8"
        assert b"The Bay - Tide" in first.body
        assert second.status == 200
        assert (await house.ask("/7.html?sid=kday")).body == second.body


async def test_libretime_answers_in_a_zone_and_as_a_script() -> None:
    async with open_house() as house:
        told = (await house.ask("/api/live-info-v2?station=kday&timezone=Europe/Berlin&shows=1")).json
        assert told["station"]["timezone"] == "Europe/Berlin"
        assert len(told["shows"]["next"]) == 1
        script = await house.ask("/api/live-info-v2?callback=show.now")
        assert script.headers["content-type"].startswith("text/javascript")
        body = script.body.decode()
        assert body.startswith("/**/show.now({")
        assert json.loads(body.removeprefix("/**/show.now(").removesuffix(");"))["station"]["env"]


async def test_composer_knows_a_station_by_its_id_and_by_its_digits() -> None:
    async with open_house() as house:
        by_id = (await house.ask("/v1/widget/wxyz/now")).json
        assert by_id == (await house.ask(f"/v1/widget/{ucs_of(WXYZ.id)}/now?format=json")).json
        assert by_id["params"]["ucs"] == ucs_of("wxyz")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/nowplaying/nobody", 404),
        ("/api/nowplaying/3", 404),
        ("/api/nowplaying/0", 404),
        ("/api/nowplaying/%F0%9F%98%80", 404),
        ("/api/nowplaying/9999999999999999999999999", 404),
        ("/api/nowplaying_static/nobody.json", 404),
        ("/api/nowplaying/nobody/art", 404),
        ("/status-json.xsl?mount=/nowhere", 404),
        ("/status-json.xsl?mount=", 404),
        ("/7.html?sid=99", 404),
        ("/7.html?sid=", 404),
        ("/api/live-info-v2?station=nobody", 404),
        ("/api/live-info-v2?days=0", 400),
        ("/api/live-info-v2?days=8", 400),
        ("/api/live-info-v2?shows=51", 400),
        ("/api/live-info-v2?shows=-1", 400),
        ("/api/live-info-v2?shows=%D9%A1", 400),
        ("/api/live-info-v2?timezone=Nowhere/City", 400),
        ("/api/live-info-v2?timezone=../../etc/passwd", 400),
        ("/api/live-info-v2?timezone=America", 400),
        ("/api/live-info-v2?timezone=%00", 400),
        ("/api/live-info-v2?callback=alert(1)", 400),
        ("/api/live-info-v2?callback=", 400),
        ("/api/live-info-v2?callback=a%E2%80%A8b", 400),
        ("/v1/widget/nobody/now", 404),
        ("/v1/widget/wxyz/now?format=xml", 400),
    ],
)
async def test_what_cannot_be_had_is_refused_with_a_problem(target: str, status: int) -> None:
    async with open_house() as house:
        answer = await house.ask(target)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json["status"] == status


async def test_every_route_is_described() -> None:
    async with open_house() as house:
        from radio.api.dialects.routes import Dialects

        for route in Dialects(house.board, network="").routes(house.sockets, house.streams):
            assert description_of(route.handler) is not None, route.path
