"""Pressing Play Live Radio: sound at once, and sound that goes on."""

from __future__ import annotations

import asyncio
import time

from listening import open_page, position_s, press_play, seen
from playwright.async_api import Page, expect

STARTS_WITHIN_MS = 2_000


async def test_sound_starts_within_two_seconds_and_goes_on(page: Page, origin: str) -> None:
    await open_page(page, f"{origin}/")
    await press_play(page)
    began_s, at_s = time.monotonic(), await position_s(page)
    waited_ms = await page.evaluate("() => __ear.sounded_ms - __ear.clicked_ms")
    assert 0 <= waited_ms < STARTS_WITHIN_MS
    await expect(seen(page, "play")).to_have_attribute("data-status", "playing")
    await asyncio.sleep(2.5)
    passed_s, heard_s = time.monotonic() - began_s, await position_s(page) - at_s
    assert heard_s > passed_s - 0.5


async def test_a_second_press_stops_and_a_third_joins_the_programme_where_it_is_now(
    page: Page, origin: str
) -> None:
    await open_page(page, f"{origin}/embed/tones")
    await press_play(page)
    first = await page.evaluate("() => __ear.audio.currentSrc")
    await seen(page, "play").click()
    await expect(seen(page, "play")).to_have_text("Play Live Radio")
    assert await page.evaluate("() => __ear.audio.paused && !__ear.audio.getAttribute('src')")
    await press_play(page)
    assert await page.evaluate("() => __ear.audio.currentSrc") != first, "each opening has its own session"
