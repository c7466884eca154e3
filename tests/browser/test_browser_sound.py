"""Pressing Play Live Radio: sound at once, sound that goes on, and words that keep step with it."""

from __future__ import annotations

import asyncio
import time

from listening import Change, offsets_ms, open_page, position_s, press_play, record, recorded, seen, until
from playwright.async_api import Page, expect

STARTS_WITHIN_MS = 2_000
WORDS_WITHIN_MS = 400
"""Words and sound of an item come together within this; on a quiet machine it is a few tens of milliseconds."""


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


async def test_title_changes_when_its_sound_is_heard(page: Page, origin: str) -> None:
    await open_page(page, f"{origin}/embed/tones")
    await press_play(page)
    await record(page)

    async def three_changes() -> bool:
        return len({change.title for change in await recorded(page)}) >= 4

    await until(three_changes, within_s=25, what="three new titles")
    await asyncio.sleep(0.6)
    offsets = offsets_ms(await recorded(page), _tone_of)
    assert len(offsets) >= 3
    slowest_ms = await page.evaluate("() => Math.round(__ear.longest_frame_ms)")
    report = f"words after sound by {[round(one) for one in offsets]} ms; longest frame {slowest_ms} ms"
    print(report)  # noqa: T201
    assert max(abs(one) for one in offsets) < WORDS_WITHIN_MS, report


def _tone_of(change: Change) -> int | None:
    name, _, hz = change.title.partition(" ")
    return int(hz) if name == "Tone" else None
