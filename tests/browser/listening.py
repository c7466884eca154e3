"""What a test does with a page: opens it, presses play, hears, and reads the words beside the sound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Locator, Page

PITCH_TOLERANCE_HZ = 60


@dataclass(frozen=True, slots=True)
class Change:
    """From a moment of the page's clock on, this pitch was heard and these words were shown."""

    at_ms: float
    hz: int
    title: str
    support: str


@dataclass(slots=True)
class Complaints:
    """What pages put on the console as errors; a test that breaks the network itself takes them as expected."""

    found: list[str] = field(default_factory=list)
    expected: bool = False

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.found.append(f"uncaught: {error}"))
        page.on(
            "console",
            lambda message: (
                self.found.append(f"{message.text} ({message.location.get('url', '')})")
                if message.type in ("error", "warning")
                else None
            ),
        )


def seen(page: Page, name: str) -> Locator:
    """The part of the player with that test id."""
    return page.locator("radio-player").get_by_test_id(name)


async def open_page(page: Page, address: str) -> None:
    """Load a page and wait until its player knows what is on the air."""
    await page.goto(address)
    await page.wait_for_function(
        "() => document.querySelector('radio-player')?.shadowRoot?.querySelector('.kicker .station')"
    )


async def press_play(page: Page) -> None:
    """Press the big button and wait until sound moves."""
    await seen(page, "play").click()
    await page.wait_for_function("() => __ear.sounded_ms !== null", polling=20)


async def position_s(page: Page) -> float:
    """How many seconds of the stream have been heard."""
    return float(await page.evaluate("() => __ear.audio.currentTime"))


async def record(page: Page) -> None:
    """Begin to note pitches and words; sound must be playing."""
    await page.evaluate("() => __ear.listen()")


async def recorded(page: Page) -> list[Change]:
    return [Change(**entry) for entry in await page.evaluate("() => __ear.log")]


async def until(
    condition: Callable[[], Awaitable[Any]], *, within_s: float, what: str, every_s: float = 0.1
) -> Any:
    """The first true answer of ``condition``; fails with ``what`` after ``within_s``."""
    give_up_s = time.monotonic() + within_s
    while not (answer := await condition()):
        assert time.monotonic() < give_up_s, f"not within {within_s:g} s: {what}"
        await asyncio.sleep(every_s)
    return answer


def first_with_pitch(changes: list[Change], hz: int) -> Change | None:
    return next((change for change in changes if abs(change.hz - hz) < PITCH_TOLERANCE_HZ), None)


def offsets_ms(changes: list[Change], pitch_of: Callable[[Change], int | None]) -> list[float]:
    """For each change of words: how much later they came than the pitch that ``pitch_of`` says they mean."""
    found = []
    told = pitch_of(changes[0])
    for change in changes[1:]:
        hz = pitch_of(change)
        if hz is None or hz == told:
            continue
        told = hz
        near = [one for one in changes if abs(one.at_ms - change.at_ms) < 2_000]
        sound = first_with_pitch(near, hz)
        if sound is not None:
            found.append(change.at_ms - sound.at_ms)
        elif change.at_ms < changes[-1].at_ms - 2_000:
            raise AssertionError(f"{change.title!r} was shown and {hz} Hz was not heard: {near}")
    return found
