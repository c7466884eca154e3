"""Whether the process lives, whether every station is on the air, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from radio.api.replies import private_json
from radio.metrics import Metrics


def health_routes(off_air: Callable[[], dict[str, str]], metrics: Metrics) -> list[web.RouteDef]:
    """Routes for supervisors. ``off_air`` names each enabled station that sends no bytes, and why."""

    async def healthz(_: web.Request) -> web.Response:
        return private_json({"status": "alive"})

    async def readyz(_: web.Request) -> web.Response:
        missing = off_air()
        if missing:
            return private_json({"status": "not_ready", "stations": missing}, status=503)
        return private_json({"status": "ready"})

    async def numbers(_: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", numbers)]
