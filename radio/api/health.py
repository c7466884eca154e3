"""Whether the process lives, whether every station is on the air, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aiohttp import web
from msgspec import UNSET, UnsetType
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from radio.alarms import Alarm
from radio.api.contract import described
from radio.api.replies import private_json
from radio.api.shapes import AlarmTold, Alive, NotReady, Ready
from radio.metrics import Metrics


def health_routes(
    off_air: Callable[[], dict[str, str]], metrics: Metrics, alarms: Callable[[], Iterable[Alarm]] = tuple
) -> list[web.RouteDef]:
    """Routes for supervisors. ``off_air`` names each enabled station that sends no bytes, and why; ``alarms`` are those
    that are up, which do not make the service less ready."""

    @described("Whether the process lives", reply=Alive)
    async def healthz(_: web.Request) -> web.Response:
        return private_json(Alive())

    @described("Whether every enabled station is on the air", reply=Ready, replies={503: NotReady})
    async def readyz(_: web.Request) -> web.Response:
        missing = off_air()
        if missing:
            return private_json(NotReady(stations=missing, alarms=_told(alarms())), status=503)
        return private_json(Ready(alarms=_told(alarms())))

    @described("The numbers behind it, for Prometheus", media="text/plain; version=0.0.4")
    async def numbers(_: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", numbers)]


def _told(alarms: Iterable[Alarm]) -> list[AlarmTold] | UnsetType:
    told = [
        AlarmTold(
            code=each.code,
            severity=each.severity,
            message=each.message,
            advice=each.advice,
            since_ms=each.since_ms,
            station=each.station,
        )
        for each in alarms
    ]
    return told or UNSET
