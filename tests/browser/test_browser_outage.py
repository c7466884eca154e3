"""A server that goes away and comes back at the same address."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from functools import partial

import pytest
from listening import Complaints, open_page, position_s, press_play, seen, until
from playwright.async_api import Page, expect
from radio_process import RadioProcess


@pytest.fixture
def mortal(radio_at: RadioProcess) -> Iterator[RadioProcess]:
    """The shared service, which runs again after the test whatever happens to it."""
    yield radio_at
    if not radio_at.is_running:
        radio_at.start()


async def _goes_on(page: Page) -> bool:
    """Whether sound moves on for half a second; a stream that is begun anew counts from 0 again."""
    at_s = await position_s(page)
    await asyncio.sleep(0.5)
    return at_s + 0.3 < await position_s(page)


async def test_page_keeps_what_it_knows_and_recovers_by_itself(
    page: Page, mortal: RadioProcess, complaints: Complaints
) -> None:
    complaints.expected = True
    await open_page(page, f"{mortal.address}/")
    await press_play(page)
    notice = page.locator("radio-player .notice")
    await expect(notice).to_be_hidden()

    await asyncio.to_thread(mortal.stop, signal.SIGKILL)
    await expect(notice).to_contain_text("Reconnecting. What you see is from")
    await expect(page.locator(".kicker .station")).to_have_text("Tone Radio")
    await expect(seen(page, "now-title")).to_contain_text("Tone ")
    await expect(seen(page, "programme-title")).to_contain_text("Pitches in Order")

    await asyncio.to_thread(mortal.start)
    await expect(notice).to_be_hidden(timeout=25_000)
    await expect(seen(page, "play")).to_have_attribute("data-status", "playing", timeout=25_000)
    await until(partial(_goes_on, page), within_s=10, what="sound after the service is back")
    await expect(seen(page, "availability")).to_have_text("On air")
