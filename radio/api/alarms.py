"""What is wrong with the service, for operators: everything that `/readyz` says, with paths and reasons."""

from __future__ import annotations

import msgspec
from aiohttp import web

from radio.alarms import Alarm, AlarmBoard
from radio.api.contract import described
from radio.api.replies import private_json
from radio.api.sign_in import needs
from radio.store.operators import Role


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """The alarms that are up, critical ones first, and the last ones that are over, the latest first."""

    alarms: list[Alarm]
    over: list[Alarm]


def alarm_routes(board: AlarmBoard) -> list[web.RouteDef]:
    """``/api/console/alarms``, for every operator."""

    @needs(Role.OPERATOR, Role.TRAFFIC, Role.VIEWER)
    @described("What is wrong, since when, and what to do about it", reply=Alarms)
    async def alarms(_: web.Request) -> web.Response:
        return private_json(Alarms(alarms=list(board), over=board.over))

    return [web.get("/api/console/alarms", alarms)]
