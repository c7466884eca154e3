"""What the bar says: item, programme, what is next, how far, who supports it."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from listening import PITCH_TOLERANCE_HZ, open_page, press_play, record, recorded, seen, until
from playwright.async_api import BrowserContext, Page, Route, expect

SPONSORS = {
    "Ferry Line": ("Ferry Line crosses the bay each half hour.", "https://ferry.example/sailings", 900),
    "Corner Bakery": ("Corner Bakery opens at five.", "https://bakery.example/", 1100),
}


async def test_zeros_stand_before_anything_is_known(page: Page, origin: str) -> None:
    held: list[Route] = []
    await page.route("**/api/stations", lambda route: held.append(route))
    await page.goto(f"{origin}/")
    await expect(seen(page, "now-title")).to_have_text("Live radio")
    await expect(seen(page, "elapsed")).to_have_text("0:00")
    await expect(seen(page, "length")).to_have_text("0:00")
    await expect(seen(page, "play")).to_be_visible()
    for route in held:
        await route.abort("aborted")
    await page.goto("about:blank")


async def test_bar_shows_item_programme_and_next_item_as_the_server_says(
    context: BrowserContext, page: Page, origin: str
) -> None:
    await open_page(page, f"{origin}/embed/tones")

    async def agrees() -> dict[str, Any] | None:
        state = await (await context.request.get(f"{origin}/api/stations/tones")).json()
        shown = [
            await seen(page, name).inner_text()
            for name in ("now-title", "now-detail", "programme-title", "next-up")
        ]
        wanted = [state["now"]["title"], "The Oscillators", "The tuning desk", state["next"][0]["title"]]
        return state if all(part in text for part, text in zip(wanted, shown, strict=True)) else None

    state = await until(agrees, within_s=8, what="the bar and /api/stations/tones agree")
    assert state["programme"]["title"] == "Pitches in Order"
    await expect(seen(page, "programme-title")).to_have_text("Pitches in Order with The tuning desk")
    await expect(seen(page, "now-detail")).to_have_text("The Oscillators, Sine")
    await expect(seen(page, "availability")).to_have_text("On air")
    await expect(page.locator(".kicker .station")).to_have_text("Tone Radio")


async def test_next_programme_stands_with_its_time_where_the_station_shows_programmes(
    context: BrowserContext, page: Page, origin: str
) -> None:
    await open_page(page, f"{origin}/embed/spots")
    state = await (await context.request.get(f"{origin}/api/stations/spots")).json()
    assert state["next_programme"]["title"] == "The Hour After"
    await expect(seen(page, "next-up")).to_contain_text("The Hour After")
    await expect(seen(page, "next-up")).to_contain_text("The late desk")
    moment = page.locator("radio-player").locator("[data-testid=next-up] time")
    shown_ms = await moment.evaluate("(element) => Date.parse(element.dateTime)")
    assert shown_ms == state["next_programme"]["starts_at_ms"]


async def test_elapsed_counts_each_second_within_the_length(page: Page, origin: str) -> None:
    await open_page(page, f"{origin}/embed/tones")
    shown: list[tuple[int, int]] = []

    async def enough() -> bool:
        texts = [await seen(page, name).inner_text() for name in ("elapsed", "length")]
        elapsed_s, length_s = (int(text.removeprefix("0:")) for text in texts)
        if not shown or shown[-1][0] != elapsed_s:
            shown.append((elapsed_s, length_s))
        return len(shown) >= 5

    await until(enough, within_s=12, what="five steps of the elapsed time", every_s=0.05)
    assert {length_s for _, length_s in shown} <= {2, 3}, shown
    assert all(later == before + 1 or later == 0 for (before, _), (later, _) in pairwise(shown)), shown
    assert all(elapsed_s <= length_s for elapsed_s, length_s in shown), shown


async def test_sponsor_stands_in_bar_and_slot_while_its_message_is_heard(page: Page, origin: str) -> None:
    await open_page(page, f"{origin}/")
    await seen(page, "stations-button").click()
    await page.locator("radio-player .choice[data-station=spots]").click()
    await expect(page.locator(".kicker .station")).to_have_text("Spot Radio")
    await press_play(page)
    await record(page)
    slot = page.locator("radio-sponsor[layout=box]").get_by_test_id("sponsor-slot")

    async def shown() -> str | None:
        text = await slot.inner_text()
        return next((name for name in SPONSORS if name in text), None)

    name = await until(shown, within_s=25, what="a sponsor's message", every_s=0.03)
    message, link, hz = SPONSORS[name]
    await expect(slot).to_contain_text(message)
    await expect(slot.get_by_role("link")).to_have_attribute("href", link)
    support = seen(page, "supported-by")
    await expect(support).to_contain_text(name)
    await expect(support).to_contain_text(message)
    await expect(support.get_by_role("link")).to_have_attribute("href", link)
    await expect(slot).not_to_contain_text(name, timeout=8_000)
    await asyncio.sleep(0.5)
    _check_heard(await recorded(page), name, hz)
    await expect(slot).to_contain_text("Patron of the Programme", timeout=8_000)
    await expect(support.get_by_role("link")).to_have_attribute("href", "https://patron.example/")


def _check_heard(changes: list[Any], name: str, hz: int) -> None:
    began = next(change for change in changes if name in change.support)
    ended = next(change for change in changes if change.at_ms > began.at_ms and name not in change.support)
    middle_ms = (began.at_ms + ended.at_ms) / 2
    heard = [change for change in changes if change.at_ms <= middle_ms][-1]
    assert heard.hz == pytest.approx(hz, abs=PITCH_TOLERANCE_HZ), "the words stand beside their own sound"
