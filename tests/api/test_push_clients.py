"""Clients that others wrote, beside the Python ones of the other tests, and what all of them leave behind."""

from __future__ import annotations

import asyncio
import gc
import http.client
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
from push_house import AT, frame, open_house, raw, say, state
from push_loops import both_loops
from test_events_stream import open_house as open_events

from radio.api.push_socket import PushSocket

NODE = Path(sys.executable).with_name("node")
SCRIPT = """
const socket = new WebSocket(process.argv[1]);
const print = (text) => process.stdout.write(text + "\\n");
socket.onmessage = ({ data }) => {
  print(data);
  const { type } = JSON.parse(data);
  if (type === "welcome") socket.send(JSON.stringify({ type: "subscribe", id: 1, stations: ["wxyz"] }));
  if (type === "update") socket.close(4000, "enough – genug");
};
socket.onclose = ({ code, wasClean }) => print(JSON.stringify({ type: "closed", code, wasClean }));
"""


@both_loops
async def test_nodes_websocket() -> None:
    async with open_house() as house:
        node = await asyncio.create_subprocess_exec(
            NODE, "-e", SCRIPT, house.url, stdout=asyncio.subprocess.PIPE, limit=1 << 20
        )
        assert node.stdout is not None

        async def heard() -> dict[str, Any]:
            line = await asyncio.wait_for(node.stdout.readline(), 20)  # type: ignore[union-attr]
            decoded: dict[str, Any] = msgspec.json.decode(line)
            return decoded

        assert (await heard())["type"] == "welcome"
        assert (await heard())["state"] == state("Morning bells")
        long = "ü" * 40_000
        house.hub.publish_state("wxyz", state(long), AT)
        assert (await heard())["patch"] == {"now": {"title": long}}
        assert await heard() == {"type": "closed", "code": 4000, "wasClean": True}
        await node.wait()


async def in_a_thread(work: Callable[[], Any]) -> Any:
    return await asyncio.wait_for(asyncio.to_thread(work), 10)


@both_loops
async def test_the_standard_librarys_http_client_reads_events() -> None:
    async with open_events() as house:

        def follow() -> list[bytes]:
            client = http.client.HTTPConnection("127.0.0.1", house.port, timeout=5)
            client.request("GET", "/api/events?stations=wxyz")
            reply = client.getresponse()
            assert reply.status == 200
            assert reply.getheader("Content-Type") == "text/event-stream"
            lines = []
            while not any(b'"seq":1,' in line for line in lines):
                lines.append(reply.readline())
            client.close()
            return lines

        following: Coroutine[Any, Any, list[bytes]] = in_a_thread(follow)
        task = asyncio.ensure_future(following)
        await house.until(lambda: house.hub.counts().subscriptions == 1)
        house.hub.publish_state("wxyz", state("A"), AT)
        lines = await task
        assert lines[0].startswith(b"retry: ")
        assert lines[-2] == b"id: first:1\n"
        await house.until(lambda: len(house.streams) == 0)


@both_loops
async def test_nothing_is_left_of_those_who_came_and_went() -> None:
    async with open_house() as house:
        for number in range(120):
            async with raw(house) as client:
                client.send(frame(0x81, say(type="subscribe", stations=["wxyz"]).encode()))
                await client.message()
                # every third says something that needs the whole protocol, every third half a frame
                client.send((b"", frame(0x01, b"{"), b"\x81\xfe")[number % 3])
        await house.until(lambda: len(house.sockets) == 0)
        gc.collect()
        assert not [thing for thing in gc.get_objects() if isinstance(thing, PushSocket)]
        assert house.hub.counts().subscriptions == 0
