"""Long polls over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from radio.api.long_poll import LongPoll, known_position
from radio.api.problems import problems
from radio.push.hub import Hub
from radio.push.limits import Admission
from radio.push.messages import Position
from radio.units import UtcMs

AT = UtcMs(1_800_000_000_000)


def state(title: str) -> dict[str, Any]:
    return {"now": {"title": title}}


class House:
    def __init__(self, hub: Hub, polls: LongPoll, client: aiohttp.ClientSession) -> None:
        self.hub = hub
        self.polls = polls
        self.client = client

    async def ask(self, wait: str, etag: str = "", station: str = "wxyz") -> tuple[int, str, Any]:
        headers = {"If-None-Match": etag} if etag else {}
        async with self.client.get(f"/{station}", params={"wait": wait}, headers=headers) as reply:
            body = await reply.json(content_type=None) if reply.status != 304 else None
            return reply.status, reply.headers.get("ETag", ""), body

    async def until_waiting(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.polls) != count:  # noqa: ASYNC110
                await asyncio.sleep(0.002)


@asynccontextmanager
async def open_house(**limits: int) -> AsyncIterator[House]:
    hub = Hub(epoch="first", soon=asyncio.get_running_loop().call_soon)
    hub.open("wxyz", state("Morning bells"))
    admission = Admission(**limits)
    polls = LongPoll(hub, admission=admission, look_s=0.02)

    async def handler(request: web.Request) -> web.Response:
        return await polls.handle(request, request.match_info["station"])

    app = web.Application(middlewares=[problems])
    app.router.add_get("/{station}", handler)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
            yield House(hub, polls, client)
    finally:
        polls.close()
        await runner.cleanup()
    assert len(polls) == 0
    assert admission.connections == 0
    assert hub.counts().subscribers == 0


async def test_whoever_knows_nothing_is_answered_at_once() -> None:
    async with open_house() as house:
        assert await house.ask("60") == (200, '"first:0"', state("Morning bells"))
        assert await house.ask("60", '"before:7"') == (200, '"first:0"', state("Morning bells"))


async def test_the_answer_comes_with_the_news() -> None:
    async with open_house() as house:
        asking = asyncio.ensure_future(house.ask("60", '"first:0"'))
        await house.until_waiting(1)
        assert not asking.done()
        house.hub.publish_state("wxyz", state("A"), AT)
        assert await asyncio.wait_for(asking, 5) == (200, '"first:1"', state("A"))


async def test_news_that_was_missed_does_not_wait() -> None:
    async with open_house() as house:
        house.hub.publish_state("wxyz", state("A"), AT)
        assert await house.ask("60", '"first:0"') == (200, '"first:1"', state("A"))


async def test_a_wait_that_ends_says_that_nothing_changed() -> None:
    async with open_house() as house:
        assert await house.ask("1", 'W/"first:0"') == (304, '"first:0"', None)
        assert await house.ask("0", '"first:0"') == (304, '"first:0"', None)


async def test_hundreds_wait_and_all_are_answered() -> None:
    async with open_house(total=400, per_address=400) as house:
        asking = [asyncio.ensure_future(house.ask("60", '"first:0"')) for _ in range(90)]
        await house.until_waiting(90)
        house.hub.publish_state("wxyz", state("A"), AT)
        answers = await asyncio.wait_for(asyncio.gather(*asking), 10)
        assert all(answer == (200, '"first:1"', state("A")) for answer in answers)


async def test_whoever_leaves_gives_up_its_place() -> None:
    async with open_house(total=10, per_address=2) as house:
        for _ in range(3):
            asking = [asyncio.ensure_future(house.ask("60", '"first:0"')) for _ in range(2)]
            await house.until_waiting(2)
            for each in asking:
                each.cancel()
            await house.until_waiting(0)
        assert house.hub.counts().subscribers == 0


async def test_waiters_are_bounded_per_address_and_a_stop_answers_them() -> None:
    async with open_house(total=10, per_address=2) as house:
        asking = [asyncio.ensure_future(house.ask("60", '"first:0"')) for _ in range(2)]
        await house.until_waiting(2)
        status, _, problem = await house.ask("60", '"first:0"')
        assert (status, problem["code"]) == (503, "limit_reached")
        assert (await house.ask("0", '"first:0"'))[0] == 304
        house.polls.close()
        assert [answer[0] for answer in await asyncio.gather(*asking)] == [304, 304]
        assert (await asyncio.wait_for(house.ask("60", '"first:0"'), 2))[0] == 304


@pytest.mark.parametrize("wait", ["", "-1", "61", "1.5", "1e1", "²", "ten", "99999"])
async def test_waits_that_are_none(wait: str) -> None:
    async with open_house() as house:
        status, _, problem = await house.ask(wait, '"first:0"')
        assert (status, problem["code"], problem["field"]) == (400, "invalid_request", "wait")


async def test_an_unknown_station() -> None:
    async with open_house() as house:
        assert (await house.ask("1", '"first:0"', "wxyy"))[0] == 404


@given(st.text(max_size=30) | st.from_regex(r'(W/)?"[a-z]{0,3}:[0-9]{0,20}"', fullmatch=True))
def test_a_tag_is_a_position_or_nothing(text: str) -> None:
    found = known_position(text)
    if found is not None:
        assert text.strip().removeprefix("W/") == f'"{found.epoch}:{found.seq}"' or found.seq == int(
            text.strip().rstrip('"').rpartition(":")[2]
        )
    assert known_position('"a:7"') == Position("a", 7)
