from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import make_mocked_request
from api_house import NOON, House, open_house

from radio.api.interchange import MAX_KEPT, InterchangeApi, Outside
from radio.interchange.face import Face, StreamFace
from radio.library.items import Item
from radio.log import ItemKind, LogRow
from radio.schedule import Schedule
from radio.schedule.model import Airs, Programme
from radio.sponsors.campaigns import SponsorBook
from radio.store.operators import Role
from radio.units import DurationMs, UtcMs

HOUR = 3_600_000
DAY = 24 * HOUR
SPI = "/radiodns/spi/3.1"


def schedule(title: str = "First Light") -> Schedule:
    slot = Airs(days=tuple(range(7)), from_ms=DurationMs(6 * HOUR), to_ms=DurationMs(10 * HOUR))
    return Schedule(programmes=(Programme(id="first-light", title=title, airs=(slot,)),))


class Station:
    """One station whose schedule and log are what the test says."""

    def __init__(self) -> None:
        self.schedule = schedule()
        self.rows: list[LogRow] = []
        self.asked_schedules = 0
        self.asked_sponsors = 0

    def faces(self, base: str) -> Mapping[str, Face]:
        stream = StreamFace(url=f"{base}/listen/wxyz/live.mp3", mime="audio/mpeg", bitrate_kbps=128)
        face = Face(
            id="wxyz",
            name="WXYZ",
            tagline="Real news",
            description="",
            genre="News",
            zone=ZoneInfo("America/New_York"),
            base=base,
            service="wxyz",
            logo=None,
            streams=(stream,),
            bearers=("fm:ce1.c479.09580",),
        )
        return {"wxyz": face}

    def schedule_of(self, station: str) -> Schedule:
        assert station == "wxyz"
        return self.schedule

    def sponsors(self) -> SponsorBook:
        self.asked_sponsors += 1
        return SponsorBook()

    def between(self, station: str, from_ms: int, to_ms: int) -> Sequence[LogRow]:
        return [row for row in self.rows if row.ends_at_ms > from_ms and row.starts_at_ms < to_ms]

    def item(self, id_: str) -> Item | None:
        if id_ != "item":
            return None
        return Item(
            id="item",
            root="/sounds",
            path="music/012345.wav",
            size_bytes=1,
            mtime_ns=1,
            content_hash="",
            category="music",
            title="Tide",
            duration_ms=DurationMs(60_000),
            cue_in_ms=DurationMs(0),
            cue_out_ms=DurationMs(60_000),
        )


class Exchange:
    def __init__(self, house: House, station: Station) -> None:
        self.house = house
        self.ask = house.ask
        self.clock = house.clock
        self.station = station
        self.api: InterchangeApi


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    station = Station()
    made: list[InterchangeApi] = []

    def routes(opened: House) -> Any:
        outside = Outside(
            network="Ellery Sound",
            stations=("wxyz", "off"),
            public_url="",
            faces=station.faces,
            schedule=station.schedule_of,
            sponsors=station.sponsors,
            rows=station.between,
            item=station.item,
        )
        made.append(InterchangeApi(outside, opened.clock))
        return made[0].routes()

    async with open_house(tmp_path, routes) as opened:
        found = Exchange(opened, station)
        found.api = made[0]
        yield found


async def test_the_calendar_is_a_feed_for_anyone(exchange: Exchange) -> None:
    answer = await exchange.ask("/api/stations/wxyz/schedule.ics")
    text = answer.body.decode()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert "RRULE:FREQ=DAILY\r\n" in text
    assert "UID:first-light-1-0600@wxyz.radio.example\r\n" in text
    again = await exchange.ask("/api/stations/wxyz/schedule.ics", f"If-None-Match: {answer.headers['etag']}")
    assert (again.status, again.body) == (304, b"")


async def test_a_calendar_of_a_span_has_each_airing(exchange: Exchange) -> None:
    answer = await exchange.ask(f"/api/stations/wxyz/schedule.ics?from={NOON}&to={NOON + 3 * DAY}")
    text = answer.body.decode()
    assert text.count("BEGIN:VEVENT") == 3
    assert "RRULE" not in text


async def test_linked_data_of_a_day(exchange: Exchange) -> None:
    answer = await exchange.ask("/api/stations/wxyz/schedule.jsonld")
    assert answer.headers["content-type"] == "application/ld+json"
    service, event = answer.json["@graph"]
    assert (service["@type"], event["@type"], event["name"]) == (
        "RadioBroadcastService",
        "BroadcastEvent",
        "First Light",
    )


async def test_the_page_carries_the_coming_day_and_never_fails(exchange: Exchange) -> None:
    request = make_mocked_request("GET", "/", headers={"Host": "radio.example"})
    element = await exchange.api.head_element(request)
    assert element.startswith('<script type="application/ld+json">{')
    assert '"name":"First Light"' in element
    assert await exchange.api.head_element(make_mocked_request("GET", "/", headers={"Host": "a b"})) == ""


async def test_receivers_find_service_and_programmes_at_their_addresses(exchange: Exchange) -> None:
    si = await exchange.ask(f"{SPI}/SI.xml")
    assert (si.status, si.headers["content-type"]) == (200, "application/xml; charset=utf-8")
    assert b'serviceIdentifier="wxyz"' in si.body
    for service in ("id/radio.example/wxyz", "fm/ce1/c479/09580"):
        pi = await exchange.ask(f"{SPI}/{service}/20270115_PI.xml")
        assert (pi.status, b'startTime="2027-01-15T00:00:00-05:00"' in pi.body) == (200, True)
        assert b'time="2027-01-15T06:00:00-05:00" duration="PT4H"' in pi.body
    short = await exchange.ask(f"{SPI}/id/radio.example/wxyz/20270314_PI.xml")
    assert b'stopTime="2027-03-15T00:00:00-04:00"' in short.body


@pytest.mark.parametrize(
    "path",
    [
        "/id/radio.example/other/20270115_PI.xml",
        "/id/elsewhere.example/wxyz/20270115_PI.xml",
        "/id/radio.example/wxyz/20270230_PI.xml",
        "/id/radio.example/wxyz/29990101_PI.xml",
        "/id/radio.example/wxyz/2027011_PI.xml",
        "/GI.xml",
    ],
)
async def test_other_addresses_of_radiodns_are_404(exchange: Exchange, path: str) -> None:
    answer = await exchange.ask(f"{SPI}{path}")
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("below", ["schedule.ics", "schedule.jsonld"])
async def test_unknown_stations_and_spans_that_cannot_be_are_told(exchange: Exchange, below: str) -> None:
    answer = await exchange.ask(f"/api/stations/wxzy/{below}")
    assert (answer.status, answer.code) == (404, "unknown_station")
    for query, field in (
        ("from=x", "from"),
        ("from=-1", "from"),
        (f"from={1 << 53}", "from"),
        ("from=" + "9" * 5_000, "from"),
        (f"from={NOON}&to={NOON}", "to"),
        (f"from={NOON}&to={NOON + 16 * DAY}", "to"),
        ("from=%D9%A3", "from"),
    ):
        answer = await exchange.ask(f"/api/stations/wxyz/{below}?{query}")
        assert (answer.status, answer.code, answer.json["field"]) == (400, "invalid_request", field)


async def test_documents_are_kept_a_minute_and_until_the_schedule_changes(exchange: Exchange) -> None:
    target = "/api/stations/wxyz/schedule.jsonld"
    first = await exchange.ask(target)
    await asyncio.gather(*(exchange.ask(target) for _ in range(5)))
    assert exchange.station.asked_sponsors == 1
    exchange.station.schedule = schedule("Second Light")
    second = await exchange.ask(target)
    assert b"Second Light" in second.body
    assert second.headers["etag"] != first.headers["etag"]
    exchange.clock.advance(61)
    await exchange.ask(target)
    assert exchange.station.asked_sponsors == 3


async def test_what_is_kept_is_bounded(exchange: Exchange) -> None:
    for number in range(MAX_KEPT + 10):
        await exchange.ask(f"/api/stations/wxyz/schedule.jsonld?from={NOON + number}")
    assert len(exchange.api._kept) == MAX_KEPT


async def test_the_log_is_for_operators_only(exchange: Exchange) -> None:
    exchange.station.rows = [
        LogRow(
            id="row-1",
            station="wxyz",
            starts_at_ms=UtcMs(NOON),
            ends_at_ms=UtcMs(NOON + 60_000),
            kind=ItemKind.MUSIC,
            title="Tide",
            reason="rotation",
            item="item",
        )
    ]
    target = f"/api/console/stations/wxyz/log?from={NOON}&to={NOON + HOUR}"
    assert (await exchange.ask(target)).status == 401
    token = await exchange.house.token(Role.VIEWER)
    told = {}
    for form in ("m3u", "xspf", "rivendell"):
        answer = await exchange.ask(f"{target}&format={form}", f"Authorization: Bearer {token}")
        assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
        told[form] = answer.body.decode()
    assert "/sounds/music/012345.wav" in told["m3u"]
    assert "<location>file:///sounds/music/012345.wav</location>" in told["xspf"]
    assert told["rivendell"][10:16] == "012345"
    answer = await exchange.ask(f"{target}&format=pls", f"Authorization: Bearer {token}")
    assert (answer.status, answer.json["field"]) == (400, "format")
    for name, status in (("wxzy", 404), ("off", 404)):
        answer = await exchange.ask(f"/api/console/stations/{name}/log", f"Authorization: Bearer {token}")
        assert answer.status == status
