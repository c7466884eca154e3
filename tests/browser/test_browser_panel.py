"""The station list: by keyboard alone, and what choosing does."""

from __future__ import annotations

from listening import first_with_pitch, open_page, press_play, record, recorded, seen, until
from playwright.async_api import Page, expect
from radio_process import NOTES_HZ

FOCUSED = "() => document.querySelector('radio-player').shadowRoot.activeElement?.dataset"


async def test_panel_by_keyboard(page: Page, origin: str) -> None:
    await open_page(page, f"{origin}/")
    button, panel = seen(page, "stations-button"), seen(page, "stations-panel")
    await expect(panel).to_be_hidden()
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(panel).to_be_visible()
    await expect(button).to_have_attribute("aria-expanded", "true")
    walked = [(await page.evaluate(FOCUSED))["station"]]
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "Home", "End"):
        await page.keyboard.press(key)
        walked.append((await page.evaluate(FOCUSED))["station"])
    assert walked == ["tones", "spots", "hostile", "tones", "hostile", "tones", "hostile"]
    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()
    assert (await page.evaluate(FOCUSED))["testid"] == "stations-button"
    await expect(page.locator(".kicker .station")).to_have_text("Tone Radio")


async def test_choosing_while_playing_switches_words_and_sound(page: Page, origin: str) -> None:
    await open_page(page, f"{origin}/")
    await press_play(page)
    await record(page)
    await seen(page, "stations-button").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(seen(page, "stations-panel")).to_be_hidden()
    await expect(page.locator(".kicker .station")).to_have_text("Spot Radio")
    assert (await page.evaluate(FOCUSED))["testid"] == "stations-button"

    async def hears_the_other() -> bool:
        changes = await recorded(page)
        return any(first_with_pitch(changes, hz) for hz in (*NOTES_HZ, 900, 1100))

    await until(hears_the_other, within_s=5, what="a pitch that only Spot Radio plays")
    assert "/listen/spots/" in await page.evaluate("() => __ear.audio.currentSrc")
    await expect(seen(page, "play")).to_have_attribute("data-status", "playing")
