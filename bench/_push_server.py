"""The server of ``bench.push``: the hub, the door and the WebSockets as in the service, on uvloop.

``python -m bench._push_server``. Publications come in on a port of their own, a number on each line. Each becomes a
state of the station, whose update is a text of 600 bytes. Pings are far apart, as with the peer. Says its ports as
JSON, answers ``report`` on standard input, ends with it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import uvloop

from radio.allocator import be_frugal
from radio.api.door import Door, Factory, standard_route
from radio.api.push_socket import PushSockets
from radio.api.threshold import Threshold, listening_at
from radio.clock import SystemClock
from radio.parking import raise_descriptor_limit
from radio.push.heartbeat import Heartbeat
from radio.push.hub import Hub
from radio.push.limits import Admission
from radio.push.messages import Update, encode
from radio.units import UtcMs

STATION = "wxyz"
UPDATE_BYTES = 600


def state(number: int, pad: int) -> dict[str, Any]:
    """What is on the air."""
    return {"now": {"mark": f"{number:010d}", "title": "xy"[number % 2] * pad}}


class Intake(asyncio.Protocol):
    """Takes publications in."""

    def __init__(self, hub: Hub, clock: SystemClock) -> None:
        self.hub = hub
        self.clock = clock
        self.buffer = b""
        self.pads: dict[int, int] = {}

    def data_received(self, data: bytes) -> None:
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            self.publish(int(line))

    def publish(self, number: int) -> None:
        at_ms = self.clock.now_ms()
        seq = self.hub.position(STATION).seq + 1
        self.hub.publish_state(STATION, state(number, self.pad(seq, at_ms)), at_ms)

    def pad(self, seq: int, at_ms: UtcMs) -> int:
        """How much text the update lacks; by the digits of its number, for the peer is given its text too."""
        digits = len(str(seq))
        if digits not in self.pads:
            bare = Update(station=STATION, seq=seq, at_ms=at_ms, changed=("now",), patch=state(0, 0))
            self.pads[digits] = UPDATE_BYTES - len(encode(bare))
        return self.pads[digits]


async def serve() -> None:
    raise_descriptor_limit()
    loop = asyncio.get_running_loop()
    clock = SystemClock()
    hub = Hub(soon=loop.call_soon)
    hub.open(STATION, state(0, 0))
    many = 1_000_000
    async with Heartbeat(clock) as heartbeat:
        admission = Admission(total=many, per_address=many)
        sockets = PushSockets(hub, clock, heartbeat, admission=admission, heartbeat_s=3600)
        nothing: Factory = asyncio.Protocol
        door = Door(standard_route(web=nothing, stream=nothing, socket=sockets.protocol), max_undecided=many)
        sockets_ = await listening_at("127.0.0.1", 0, backlog=4096)
        threshold = Threshold(sockets_, door, sockets)
        intake = await loop.create_server(lambda: Intake(hub, clock), "127.0.0.1", 0)
        say({"port": sockets_[0].getsockname()[1], "intake": intake.sockets[0].getsockname()[1]})
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            if line.strip() == "report":
                say({"subscribers": hub.counts().subscribers})
        threshold.stop()
        intake.close()
        for connection in sockets:
            connection.abort()
        threshold.close()


def say(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    be_frugal()
    uvloop.run(serve())
