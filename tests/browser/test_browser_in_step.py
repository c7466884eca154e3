"""What the page shows changes when the sound does: within 150 ms, measured in the page while it plays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import groupby

import pytest_asyncio
from listening import (
    Change,
    check_in_step,
    check_offsets,
    has_pitch,
    offsets_ms,
    open_page,
    press_play,
    record,
    recorded,
    seen,
    step_after,
    until,
)
from playwright.async_api import Page, WebSocket, expect

SPONSORS = {"Ferry Line": 900, "Corner Bakery": 1100}
KEPT_SOCKETS = """
window.__sockets = [];
window.WebSocket = class extends window.WebSocket {
  constructor(...address) { super(...address); __sockets.push(this); }
};
"""


@pytest_asyncio.fixture(loop_scope="session")
async def told(page: Page) -> list[dict[str, object]]:
    """Every T0 that the page is told, in order; the page's sockets are within a test's reach."""
    found: list[dict[str, object]] = []

    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: _note(found, frame))

    page.on("websocket", watch)
    await page.add_init_script(KEPT_SOCKETS)
    return found


async def test_titles_change_with_their_sound_after_a_pause_and_after_a_reconnection(
    page: Page, origin: str, told: list[dict[str, object]]
) -> None:
    await open_page(page, f"{origin}/embed/tones")
    await press_play(page)
    await record(page)
    await check_in_step(page, await step_after(page, changes=4), "from the first play on")

    await seen(page, "play").click()
    await expect(seen(page, "play")).to_have_text("Play Live Radio")
    await press_play(page)
    await check_in_step(page, await step_after(page, changes=3), "after a pause")
    sessions = {one["session"] for one in told}
    assert len(sessions) == 2, "each opening has its own session and its own T0"

    before = len(told)
    await page.evaluate("() => __sockets.at(-1).close()")
    await expect(page.locator("radio-player .bar")).to_have_attribute("data-push", "socket")

    async def told_again() -> bool:
        return len(told) > before

    await until(told_again, within_s=5, what="T0, told again")
    assert told[-1] == told[before - 1], "the sound went on, and so did its T0"
    await check_in_step(page, await step_after(page, changes=3), "after a reconnection of the push")


async def test_sponsor_stands_there_as_long_as_its_message_is_heard(page: Page, origin: str) -> None:
    await open_page(page, f"{origin}/embed/spots")
    await press_play(page)
    await record(page)

    async def edges_ms() -> list[float]:
        changes = await recorded(page)
        found: list[float] = []
        for name, hz in SPONSORS.items():
            found += offsets_ms(changes, _names(name), lambda change, hz=hz: has_pitch(change, hz))
        return found

    async def three_messages() -> bool:
        changes = await recorded(page)
        told = [name for name, _ in groupby(map(_sponsor, changes))]
        # one may have been on when the record began
        return len([name for name in told if name]) >= 3 and told[-1] is None and len(await edges_ms()) >= 5

    await until(three_messages, within_s=60, what="three sponsor messages, with their sound")
    await asyncio.sleep(0.6)
    offsets = await edges_ms()
    await check_offsets(page, offsets, "sponsors, beginning and end")


def _sponsor(change: Change) -> str | None:
    return next((name for name in SPONSORS if name in change.support), None)


def _names(name: str) -> Callable[[Change], bool]:
    return lambda change: name in change.support


def _note(found: list[dict[str, object]], frame: str | bytes) -> None:
    message = json.loads(frame)
    if message["type"] == "listening":
        found.append({name: message[name] for name in ("session", "stream_time_ms")})
