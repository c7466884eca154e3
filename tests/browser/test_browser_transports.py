"""Networks in which no WebSocket gets through, and such in which no push does."""

from __future__ import annotations

import pytest_asyncio
from listening import Complaints, check_in_step, open_page, press_play, record, seen, step_after, until
from playwright.async_api import BrowserContext, Page, expect

NO_WEBSOCKET = """
window.WebSocket = class {
  constructor() { setTimeout(() => this.onclose?.({ code: 1006 })); }
  send() {}
  close() {}
};
"""


@pytest_asyncio.fixture(loop_scope="session")
async def walled(page: Page, complaints: Complaints) -> Page:
    """A page that gets no WebSocket."""
    complaints.expected = True
    await page.add_init_script(NO_WEBSOCKET)
    return page


async def test_events_keep_words_and_sound_together(walled: Page, origin: str) -> None:
    await open_page(walled, f"{origin}/embed/tones")
    bar = walled.locator("radio-player .bar")
    await expect(bar).to_have_attribute("data-push", "events")
    await expect(walled.locator("radio-player .notice")).to_be_hidden()
    await press_play(walled)
    await record(walled)
    await check_in_step(walled, await step_after(walled, changes=4), "told by events")
    await expect(bar).to_have_attribute("data-push", "events")


async def test_where_no_push_gets_through_the_page_asks_and_says_so(
    walled: Page, context: BrowserContext, origin: str
) -> None:
    await walled.route("**/api/events*", lambda route: route.abort())
    await open_page(walled, f"{origin}/embed/tones")
    await expect(walled.locator("radio-player .bar")).to_have_attribute("data-push", "polling")
    notice = walled.locator("radio-player .notice")
    await expect(notice).to_contain_text("No live connection gets through here")
    shown: set[str] = set()

    async def three_titles() -> bool:
        shown.add(await seen(walled, "now-title").inner_text())
        return len(shown) >= 3

    await until(three_titles, within_s=25, what="two changes of the title")

    async def agrees() -> bool:
        state = await (await context.request.get(f"{origin}/api/stations/tones")).json()
        return state["now"]["title"] == await seen(walled, "now-title").inner_text()

    await until(agrees, within_s=12, what="the page and /api/stations/tones agree")
    await walled.unroute("**/api/events*")
    await expect(walled.locator("radio-player .bar")).to_have_attribute("data-push", "events", timeout=40_000)
    await expect(notice).to_be_hidden()
