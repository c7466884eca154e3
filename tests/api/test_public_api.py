from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from api_house import NOON, House, open_house, service, station

from radio.api.public import DAY_MS, LONGEST_SCHEDULE_MS, PublicApi
from radio.log import ItemKind, LogRow, Outcome, SponsorMessage
from radio.schedule import ProgrammeAiring
from radio.store import as_run
from radio.units import DurationMs, UtcMs

HISTORY_KEYS = {
    "id", "kind", "title", "artist", "album", "artwork", "programme", "sponsor",
    "starts_at_ms", "ends_at_ms", "duration_ms", "outcome",
}  # fmt: skip
MANY_DIGITS = ["9" * 20, "9" * 5_000, "0" * 30 + "1", "0" * 20 + "9" * 30]
NOT_NUMBERS = ["", "%20", "-1", "+1", "1.5", "1e3", "0x10", "ten", "%00", "%D9%A3", "%C2%B2", "NaN", "1_000"]


class Airings:
    """What was asked for, and one programme of an hour from noon."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []

    def __call__(self, station: str, from_ms: int, to_ms: int) -> list[ProgrammeAiring]:
        self.asked.append((station, from_ms, to_ms))
        return [
            ProgrammeAiring(
                id="tides",
                occurrence="tides/1",
                title="The Tides",
                starts_at_ms=UtcMs(NOON),
                ends_at_ms=UtcMs(NOON + 3_600_000),
                host="The Harbor news desk",
                image="tides.png",
            )
        ]


class PublicHouse:
    def __init__(self, house: House, airings: Airings, services: dict[str, Any]) -> None:
        self.ask = house.ask
        self.store = house.store
        self.clock = house.clock
        self.airings = airings
        self.services = services

    async def cue(self, number: int) -> None:
        """Write down that row ``number`` was cued, and no more."""
        starts = NOON - 3_600_000 + number * 30_000
        row = LogRow(
            id=f"row-{number}",
            station="wxyz",
            starts_at_ms=UtcMs(starts),
            ends_at_ms=UtcMs(starts + 30_000),
            kind=ItemKind.MUSIC,
            title="Cued",
            reason="rotation",
        )
        await self.store.write(as_run.intent, row, 1, UtcMs(starts - 5_000))

    async def air(self, number: int, **changes: Any) -> LogRow:
        """Write down that row ``number`` aired, 30 s each, up to now."""
        starts = NOON - 3_600_000 + number * 30_000
        values: dict[str, Any] = {
            "id": f"row-{number}",
            "station": "wxyz",
            "starts_at_ms": starts,
            "ends_at_ms": starts + 30_000,
            "kind": ItemKind.MUSIC,
            "title": f"Piece {number}",
            "reason": "rotation",
        }
        row = LogRow(**(values | changes))

        def write(conn: Any) -> None:
            as_run.intent(conn, row, 1, UtcMs(starts - 5_000))
            as_run.start(conn, row.id, 1, UtcMs(starts))
            as_run.end(
                conn, row.id, 1, UtcMs(starts + 30_000), DurationMs(30_000), Outcome.AIRED, "as planned"
            )

        await self.store.write(write)
        return row


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PublicHouse]:
    airings = Airings()
    services: dict[str, Any] = {}

    def routes(opened: House) -> Any:
        services["wxyz"] = service(opened.clock, station("wxyz"))
        services["other"] = service(opened.clock, station("other"))
        return PublicApi(services, opened.store, airings, opened.clock).routes()

    async with open_house(tmp_path, routes) as opened:
        yield PublicHouse(opened, airings, services)


async def test_the_list_has_the_state_of_every_station_in_order(house: PublicHouse) -> None:
    answer = await house.ask("/api/stations")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {"stations": [house.services["wxyz"].state, house.services["other"].state]}


async def test_a_station_is_its_state(house: PublicHouse) -> None:
    assert (await house.ask("/api/stations/other")).json == house.services["other"].state


@pytest.mark.parametrize("below", ["", "/history", "/schedule"])
async def test_an_unknown_station_is_404_everywhere(house: PublicHouse, below: str) -> None:
    for name in ("wxzy", "%77xyz%20", "WXYZ", "..", "%2e%2e", "%00", "a" * 500, "%C3%BC"):
        answer = await house.ask(f"/api/stations/{name}{below}")
        assert (answer.status, answer.code) in [(404, "unknown_station"), (404, "not_found")]


async def test_an_unknown_station_gets_the_nearest_name(house: PublicHouse) -> None:
    answer = await house.ask("/api/stations/wxzy")
    assert "Did you mean `wxyz`?" in answer.json["detail"]


@pytest.mark.parametrize("target", ["/api/stations", "/api/stations/wxyz", "/api/stations/wxyz/history"])
async def test_etags_save_what_a_reader_has(house: PublicHouse, target: str) -> None:
    first = await house.ask(target)
    etag = first.headers["etag"]
    assert (first.headers["cache-control"], etag[0], etag[-1]) == ("no-cache", '"', '"')
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await house.ask(target, f"If-None-Match: {known}")
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["access-control-allow-origin"] == "*"
    for known in ('"other"', "", "nonsense", etag.strip('"')):
        assert (await house.ask(target, f"If-None-Match: {known}")).status == 200


async def test_an_etag_changes_with_the_state(house: PublicHouse) -> None:
    before = (await house.ask("/api/stations/wxyz")).headers["etag"]
    house.services["wxyz"].state = {**house.services["wxyz"].state, "listeners": {"current": 9}}
    answer = await house.ask("/api/stations/wxyz", f"If-None-Match: {before}")
    assert (answer.status, answer.json["listeners"]) == (200, {"current": 9})


async def test_head_has_the_headers_and_no_body(house: PublicHouse) -> None:
    got, head = await house.ask("/api/stations"), await house.ask("/api/stations", method="HEAD")
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", got.headers["etag"])
    assert head.headers["content-length"] == str(len(got.body))


async def test_any_page_may_read(house: PublicHouse) -> None:
    answer = await house.ask("/api/stations", "Origin: https://elsewhere.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    preflight = await house.ask(
        "/api/stations/wxyz",
        "Origin: https://elsewhere.example",
        "Access-Control-Request-Method: POST",
        method="OPTIONS",
    )
    assert (preflight.status, preflight.body) == (204, b"")
    assert preflight.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "authorization" not in preflight.headers["access-control-allow-headers"].lower()


async def test_a_page_of_history_is_full_although_rows_were_cued_and_not_heard(house: PublicHouse) -> None:
    for number in range(6):
        await house.air(number)
        await house.cue(number + 100)
    pages = []
    before = ""
    for _ in range(3):
        page = (await house.ask(f"/api/stations/wxyz/history?limit=2{before}")).json["history"]
        pages.append([entry["id"] for entry in page])
        before = f"&before_ms={page[-1]['starts_at_ms']}"
    assert pages == [["row-5", "row-4"], ["row-3", "row-2"], ["row-1", "row-0"]]


async def test_history_is_what_aired_newest_first(house: PublicHouse) -> None:
    sponsor = SponsorMessage(campaign="c", sponsor="s", name="The Ferry", message="Crossing the bay.")
    await house.air(0, artist="The Quartet", album="Bay", artwork="abc", programme="tides")
    await house.air(1, kind=ItemKind.SPONSOR, sponsor=sponsor)
    await house.air(2, station="other")
    answer = (await house.ask("/api/stations/wxyz/history")).json
    assert answer["station"] == "wxyz"
    assert [entry["id"] for entry in answer["history"]] == ["row-1", "row-0"]
    assert all(set(entry) == HISTORY_KEYS for entry in answer["history"])
    assert answer["history"][1] == {
        "id": "row-0",
        "kind": "music",
        "title": "Piece 0",
        "artist": "The Quartet",
        "album": "Bay",
        "artwork": "/api/stations/wxyz/artwork/abc",
        "programme": "tides",
        "sponsor": None,
        "starts_at_ms": NOON - 3_600_000,
        "ends_at_ms": NOON - 3_570_000,
        "duration_ms": 30_000,
        "outcome": "aired",
    }
    assert answer["history"][0]["sponsor"] == "The Ferry"


async def test_history_pages_without_a_gap_or_a_repetition(house: PublicHouse) -> None:
    for number in range(23):
        await house.air(number)
    seen: list[str] = []
    query = "limit=5"
    while page := (await house.ask(f"/api/stations/wxyz/history?{query}")).json["history"]:
        seen += [entry["id"] for entry in page]
        query = f"limit=5&before_ms={page[-1]['starts_at_ms']}"
    assert seen == [f"row-{number}" for number in reversed(range(23))]


async def test_what_is_cued_and_not_heard_yet_is_no_history(house: PublicHouse) -> None:
    row = await house.air(0)
    cued = LogRow(
        id="row-next",
        station="wxyz",
        starts_at_ms=UtcMs(NOON + 4_000),
        ends_at_ms=UtcMs(NOON + 9_000),
        kind=ItemKind.MUSIC,
        title="Next",
        reason="rotation",
    )
    await house.store.write(as_run.intent, cued, 1, UtcMs(NOON - 1_000))
    answer = (await house.ask("/api/stations/wxyz/history")).json
    assert [entry["id"] for entry in answer["history"]] == [row.id]


async def test_a_limit_that_cannot_be_is_400_and_says_what_can(house: PublicHouse) -> None:
    for limit in (*NOT_NUMBERS, *MANY_DIGITS, "0", "501"):
        answer = await house.ask(f"/api/stations/wxyz/history?limit={limit}")
        assert (answer.status, answer.code, answer.json["field"]) == (400, "invalid_request", "limit")
        assert "Allowed: a whole number from 1 to 500" in answer.json["detail"]
        assert len(answer.body) < 500


@pytest.mark.parametrize(
    ("below", "field"), [("history", "before_ms"), ("schedule", "from"), ("schedule", "to")]
)
async def test_a_moment_that_cannot_be_is_400(house: PublicHouse, below: str, field: str) -> None:
    for moment in (*NOT_NUMBERS, *MANY_DIGITS, str((1 << 53) + 1)):
        answer = await house.ask(f"/api/stations/wxyz/{below}?{field}={moment}")
        assert (answer.status, answer.code, answer.json["field"]) == (400, "invalid_request", field)


async def test_the_bounds_of_a_moment_are_taken(house: PublicHouse) -> None:
    for moment in ("0", str(1 << 53), "00000000000000000001"):
        assert (await house.ask(f"/api/stations/wxyz/history?before_ms={moment}")).status == 200


async def test_the_schedule_shows_a_day_unless_asked_otherwise(house: PublicHouse) -> None:
    answer = (await house.ask("/api/stations/wxyz/schedule")).json
    assert house.airings.asked == [("wxyz", NOON, NOON + DAY_MS)]
    assert answer == {
        "station": "wxyz",
        "programmes": [
            {
                "id": "tides",
                "title": "The Tides",
                "host": "The Harbor news desk",
                "description": None,
                "image": "/media/artwork/tides.png",
                "starts_at_ms": NOON,
                "ends_at_ms": NOON + 3_600_000,
            }
        ],
    }
    await house.ask("/api/stations/wxyz/schedule?from=1000&to=2000")
    assert house.airings.asked[1] == ("wxyz", 1_000, 2_000)


@pytest.mark.parametrize(
    ("span_ms", "status"),
    [(1, 200), (LONGEST_SCHEDULE_MS, 200), (LONGEST_SCHEDULE_MS + 1, 400), (0, 400), (-1, 400)],
)
async def test_the_span_of_the_schedule_has_limits(house: PublicHouse, span_ms: int, status: int) -> None:
    answer = await house.ask(f"/api/stations/wxyz/schedule?from={NOON}&to={NOON + span_ms}")
    assert answer.status == status
    assert len(house.airings.asked) == (status == 200)
    if status == 400:
        assert (answer.code, answer.json["field"]) == ("invalid_request", "to")
