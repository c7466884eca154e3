"""What a test does with a page: opens it, presses play, hears, and reads the words beside the sound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from playwright.async_api import Locator, Page

PITCH_TOLERANCE_HZ = 60
WORDS_WITHIN_MS = 150
"""Words and sound of an item come together within this. The ear itself is late by 0 to 45 ms."""
USUAL_FRAME_MS = 50
FLICKER_MS = 200
FAR_MS = 2_000


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
    return next((change for change in changes if has_pitch(change, hz)), None)


def offsets_ms(
    changes: list[Change], words: Callable[[Change], bool], sound: Callable[[Change], bool]
) -> list[float]:
    """For each moment at which ``words`` begins or ceases to hold: how much later that is than with ``sound``.

    Raises AssertionError where the sound does not change within two seconds of the words.
    """
    heard = _flips(changes, sound)
    found = []
    for at_ms, holds in _flips(changes, words):
        near = [one for one, what in heard if what == holds and abs(one - at_ms) < FAR_MS]
        if near:
            found.append(min((at_ms - one for one in near), key=abs))
        elif changes[0].at_ms + FAR_MS < at_ms < changes[-1].at_ms - FAR_MS:
            raise AssertionError(f"the words changed at {at_ms:.0f} ms without their sound: {changes}")
    return found


def titles_ms(changes: list[Change]) -> list[float]:
    """How much later than its pitch each title of the station `tones` was shown."""
    pitches = sorted({hz for change in changes if (hz := _tone_of(change.title)) is not None})
    found: list[float] = []
    for hz in pitches:
        found += offsets_ms(
            changes,
            lambda change, hz=hz: _tone_of(change.title) == hz,
            lambda change, hz=hz: has_pitch(change, hz),
        )
    return found


async def step_after(page: Page, *, changes: int) -> list[Change]:
    """What is seen and heard from now on, while so many new titles appear."""
    start = len(await recorded(page))

    async def enough() -> bool:
        fresh = (await recorded(page))[start:]
        return sum(a.title != b.title for a, b in pairwise(fresh)) >= changes

    await until(enough, within_s=8 + 4 * changes, what=f"{changes} new titles")
    await asyncio.sleep(0.6)
    return (await recorded(page))[start:]


async def check_in_step(page: Page, changes: list[Change], how: str) -> None:
    """Each title stands within 150 ms of its sound; frames that a busy machine held up are not held against it."""
    await check_offsets(page, titles_ms(changes), how)


async def check_offsets(page: Page, offsets: list[float], how: str) -> None:
    longest_ms = float(await page.evaluate("() => __ear.longest_frame_ms"))
    report = (
        f"{how}: words after sound by {[round(one) for one in offsets]} ms; longest frame {longest_ms:.0f} ms"
    )
    print(report)  # noqa: T201
    assert offsets, how
    assert max(map(abs, offsets)) < WORDS_WITHIN_MS + max(0.0, longest_ms - USUAL_FRAME_MS), report


def has_pitch(change: Change, hz: int) -> bool:
    """Whether that pitch was heard."""
    return abs(change.hz - hz) < PITCH_TOLERANCE_HZ


def _tone_of(title: str) -> int | None:
    name, _, hz = title.partition(" ")
    return int(hz) if name == "Tone" else None


def _flips(changes: list[Change], holds: Callable[[Change], bool]) -> list[tuple[float, bool]]:
    """When ``holds`` changes for longer than a flicker, and to what."""
    found: list[tuple[float, bool]] = []
    last = holds(changes[0])
    for index, change in enumerate(changes[1:], 1):
        now = holds(change)
        until_ms = next((one.at_ms for one in changes[index:] if holds(one) != now), changes[-1].at_ms)
        if now != last and until_ms - change.at_ms > FLICKER_MS:
            found.append((change.at_ms, now))
            last = now
    return found
