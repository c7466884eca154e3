"""What anyone may read: the stations' state, what aired and what will."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from aiohttp import web

from radio.api.asking import number
from radio.api.contract import described
from radio.api.long_poll import LongPoll
from radio.api.replies import public_json
from radio.api.shapes import (
    HISTORY_DEFAULT,
    STATION_EXAMPLE,
    HistoryEntry,
    HistoryQuery,
    KnownHeaders,
    SpanQuery,
    StationHistory,
    StationList,
    StationSchedule,
    WaitQuery,
)
from radio.clock import Clock
from radio.errors import InvalidRequest, UnknownStation
from radio.schedule import ProgrammeAiring
from radio.stations import StationService, artwork_url, programme_view
from radio.stations.shapes import StationState
from radio.store import Store, as_run
from radio.store.as_run import Aired
from radio.units import UtcMs

DAY_MS: Final = 86_400_000
LONGEST_SCHEDULE_MS: Final = 15 * DAY_MS


class PublicApi:
    """Handlers of ``/api/stations``; reading needs no token and any site's pages may do it."""

    def __init__(
        self,
        stations: Mapping[str, StationService],
        store: Store,
        airings: Callable[[str, int, int], Sequence[ProgrammeAiring]],
        clock: Clock,
        long_poll: LongPoll | None = None,
    ) -> None:
        self._long_poll = long_poll
        self._stations = stations
        self._store = store
        self._airings = airings
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """The routes, for aiohttp's router."""
        return [
            web.get("/api/stations", self.list_stations),
            web.get("/api/stations/{station}", self.show_station),
            web.get("/api/stations/{station}/history", self.history),
            web.get("/api/stations/{station}/schedule", self.schedule),
        ]

    @described(
        "Every station's state",
        reply=StationList,
        headers=KnownHeaders,
        statuses=(304,),
        example=StationList(stations=[STATION_EXAMPLE]),
    )
    async def list_stations(self, request: web.Request) -> web.Response:
        return public_json(request, {"stations": [service.state for service in self._stations.values()]})

    @described(
        "One station's state",
        query=WaitQuery,
        reply=StationState,
        headers=KnownHeaders,
        statuses=(304, 400, 404, 503),
        example=STATION_EXAMPLE,
        more="What is on the air, what comes and who supports it. Push sends the same object and then patches of it. "
        "With `wait` and the ETag of an earlier such reply, the answer comes when there is news, or is 304.",
    )
    async def show_station(self, request: web.Request) -> web.Response:
        service = self._service(request)
        if self._long_poll is not None and "wait" in request.query:
            return await self._long_poll.handle(request, service.station.id)
        return public_json(request, service.state)

    @described(
        "What aired, newest first",
        query=HistoryQuery,
        reply=StationHistory,
        headers=KnownHeaders,
        statuses=(304, 400, 404),
        more="For the page before, send the last row's `starts_at_ms` as `before_ms`.",
    )
    async def history(self, request: web.Request) -> web.Response:
        station = self._service(request).station.id
        limit = number(request, "limit", HISTORY_DEFAULT, 1, as_run.HISTORY_LIMIT)
        before_ms = number(request, "before_ms", self._clock.now_ms() + 1, 0, 1 << 53)
        heard = await self._store.read(
            as_run.history, station, limit=limit, before_ms=UtcMs(before_ms), started_only=True
        )
        return public_json(
            request, StationHistory(station=station, history=[_aired(entry) for entry in heard])
        )

    @described(
        "Programmes of a span",
        query=SpanQuery,
        reply=StationSchedule,
        headers=KnownHeaders,
        statuses=(304, 400, 404),
        more="At most 15 days; without `from` and `to` the day that begins now.",
    )
    async def schedule(self, request: web.Request) -> web.Response:
        station = self._service(request).station.id
        from_ms = number(request, "from", self._clock.now_ms(), 0, 1 << 53)
        to_ms = number(request, "to", from_ms + DAY_MS, 0, 1 << 53)
        if not from_ms < to_ms <= from_ms + LONGEST_SCHEDULE_MS:
            raise InvalidRequest(
                "The span cannot be shown.", field="to", allowed="a moment after `from`, 15 days at most"
            )
        programmes = [programme_view(airing) for airing in self._airings(station, from_ms, to_ms)]
        return public_json(request, StationSchedule(station=station, programmes=programmes))

    def _service(self, request: web.Request) -> StationService:
        name = request.match_info["station"]
        if name not in self._stations:
            raise UnknownStation(name, self._stations)
        return self._stations[name]


def _aired(entry: Aired) -> HistoryEntry:
    row = entry.row
    return HistoryEntry(
        id=row.id,
        kind=row.kind,
        title=row.title,
        artist=row.artist,
        album=row.album,
        artwork=artwork_url(row),
        programme=row.programme,
        sponsor=row.sponsor.name if row.sponsor else None,
        starts_at_ms=entry.at_ms,
        ends_at_ms=entry.ended_at_ms,
        duration_ms=entry.played_ms,
        outcome=entry.outcome,
    )
